"""Ask how many false alarms are at the ends of what is scored.

    python studies/ends_study.py path/to/ucr --max-length 40000 --out ends.jsonl

Made the table "The ends of a series" of docs/evidence.md.

Of each series of the archive the test part without its anomaly is cut into slices
of eight periods, as files of a day would be, and each is scored by `NeighborsDetector`.
How many timestamps exceed what one in 100 of the training part does, in the first and
the last quarter of a period, and far from both? Once as the detector is; and once as if
a mean over the few subsequences that cover a timestamp there were one over all. Nothing
is random. Series in the results file are not computed again.
"""

from __future__ import annotations

import numpy as np
import torch
from _study import markdown_table, recording, study_archive
from numpy.typing import NDArray

from skcoad import NeighborsDetector
from skcoad.benchmark import Result
from skcoad.datasets import Series

PERIODS = 8  # of a slice
MAX_SLICES = 40
DECADES = 2.0  # exceeded by one in 100 timestamps of the training part
PLACES = ("first quarter", "last quarter", "middle")


def normal_slices(series: Series, length: int, step: int) -> list[NDArray[np.float64]]:
    """Slices of the test part before and after its anomaly.

    Parameters
    ----------
    series : Series
        With one anomaly.
    length : int
        Of a slice.
    step : int
        Slices start at multiples of it.

    Returns
    -------
    list of ndarray of shape (length, n_channels)
        At most ``MAX_SLICES``, evenly spaced, that stay half of a slice away from the
        anomaly.
    """
    anomalous = np.flatnonzero(series.test_labels)
    margin = length // 2
    starts = [
        start
        for start in range(0, len(series.test) - length + 1, step)
        if start + length + margin < anomalous[0] or start > anomalous[-1] + margin
    ]
    chosen = np.linspace(0, len(starts) - 1, min(MAX_SLICES, len(starts))).astype(int)
    return [series.test[starts[i] : starts[i] + length] for i in chosen]


def fraction_above(
    detector: NeighborsDetector, slices: list[NDArray[np.float64]]
) -> list[float]:
    """Fraction of timestamps with a score above ``DECADES`` in each of ``PLACES``."""
    period = detector.period_
    scores = np.stack([detector.decision_function(one) for one in slices])
    quarter = max(1, period // 4)
    parts = (
        scores[:, :quarter],
        scores[:, -quarter:],
        scores[:, 2 * period : -2 * period],
    )
    return [float((part > DECADES).mean()) for part in parts]


def forget_ends(detector: NeighborsDetector) -> None:
    """Calibrate means of few subsequences as those of all, in place."""
    for channel in detector.model_.neighbors or ():
        *few, every = channel.calibration.tails
        for tail in few:
            tail.load_state_dict(every.state_dict())


def study(series: Series) -> Result:
    """Count what exceeds the limit in slices of one series."""
    torch.set_num_threads(1)
    detector = NeighborsDetector().fit(series.train)
    slices = normal_slices(series, PERIODS * detector.period_, detector.step_)
    result: Result = {"series": series.name, "n_slices": len(slices)}
    if slices:
        result["means of few"] = fraction_above(detector, slices)
        forget_ends(detector)
        result["as means of all"] = fraction_above(detector, slices)
    return result


def table(results: list[Result]) -> str:
    """Markdown table of the means over recordings, and where the ends are worse."""
    results = [result for result in results if result["n_slices"]]
    recordings = np.array([recording(result["series"]) for result in results])
    rows = []
    for how in ("as means of all", "means of few"):
        each = np.array([result[how] for result in results])
        means = [each[recordings == one].mean(0) for one in np.unique(recordings)]
        ends = each[:, :2].max(1)
        worse = (ends > 2 * each[:, 2] + 0.02).sum()
        rows.append([how, *(f"{100 * x:.1f}" for x in np.mean(means, 0)), f"{worse}"])
    header = ["calibrated", *(f"{place}, %" for place in PLACES), "worse at an end"]
    n_slices = sum(result["n_slices"] for result in results)
    return (
        f"{n_slices} slices of {len(results)} series of "
        f"{len(np.unique(recordings))} recordings. Worse: more than twice the middle "
        f"and 2 %.\n\n{markdown_table(header, rows)}"
    )


def main() -> None:
    """Study the series that are left, and print the table."""
    results = study_archive(__doc__, study, select="*", out="ends.jsonl")
    print(table(results))


if __name__ == "__main__":
    main()
