"""Ask what a wrong period costs, and whether another estimator is more often right.

    python benchmarks/period_study.py path/to/ucr --out periods.jsonl --jobs 2

For each series of the archive the period of the training part by several estimators,
and what half of it, twice of it and a little more or less would do; each is judged by
the distances to normal references (the default of ``benchmarks/distance_study.py``),
which need no training. No one knows the true periods, and a timestamp more or less
already changes which references are found: how much that moves a series says which of
the other differences mean something. Nothing here is random. What is in the results
file already is not computed again.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import torch
from _study import study_archive
from distance_study import Distances
from numpy.typing import NDArray
from scipy import signal

from skcoad.benchmark._protocols import measure, vus_window
from skcoad.benchmark._results import Result
from skcoad.datasets import Series
from skcoad.preprocessing import _period as period_module
from skcoad.preprocessing._period import dominant_period
from skcoad.preprocessing._plan import plan_windows

SIMILAR = 0.05  # share by which periods may differ and still be called the same
MUCH = 0.1  # AUC-PR


def estimates(series: Series) -> dict[str, int]:
    """Find the period by each estimator, or change the default's."""
    x = series.train
    ours = plan_windows(x).period
    with mock.patch.object(period_module, "NEAR_BEST", 1.0):
        highest = dominant_period(x)
    with mock.patch.object(period_module, "_detrend", lambda x, max_lag: x):
        with_trend = dominant_period(x)
    return {
        "the default": ours,
        "one more": ours + 1,
        "one less": ours - 1,
        "a tenth more": round(1.1 * ours),
        "a tenth less": round(0.9 * ours),
        "half": max(4, ours // 2),
        "twice": 2 * ours,
        "highest peak of the autocorrelation": highest or ours,
        "trend not taken away": with_trend or ours,
        "highest peak of the spectrum": by_spectrum(x[:, 0]),
        "TSB-AD's": vus_window(x[:, 0]),
        "a fixed 125": min(125, len(x) // 8),
    }


def by_spectrum(x: NDArray[np.float64]) -> int:
    """Period of the most power between the shortest and the longest to be found."""
    frequency, power = signal.welch(x, nperseg=min(len(x), 4096), nfft=2**17)
    allowed = (frequency >= 1 / 1000) & (frequency <= 1 / 8)
    return round(1 / float(frequency[allowed][power[allowed].argmax()]))


def study(series: Series) -> Result:
    """Judge each period on one series."""
    torch.set_num_threads(1)
    window = vus_window(series.values[:, 0])
    result: Result = {"series": series.name, "periods": estimates(series)}
    judged: dict[int, dict[str, float]] = {}
    for period in result["periods"].values():
        if period not in judged:
            score = Distances(series, period).default()
            judged[period] = measure(series.test_labels, score, window)
    result["metrics"] = {
        name: judged[period] for name, period in result["periods"].items()
    }
    return result


def table(results: list[Result]) -> str:
    """Markdown table of means over the series."""
    names = list(results[0]["periods"])
    periods = np.array([[r["periods"][name] for name in names] for r in results])
    hits, found = (
        np.array([[r["metrics"][name][metric] for name in names] for r in results])
        for metric in ("hit_at_1", "auc_pr")
    )
    differs = np.abs(periods / periods[:, :1] - 1) > SIMILAR
    better, worse = found > found[:, :1] + MUCH, found < found[:, :1] - MUCH
    lines = [
        f"{len(results)} series. Differs: by more than a twentieth. "
        f"Much: by more than {MUCH} in AUC-PR.\n",
        "| period | differs on | Acc@1, % | AUC-PR | much better on | much worse on |",
        "|---" + "|---:" * 5 + "|",
    ]
    for i, name in enumerate(names):
        lines.append(
            f"| {name} | {differs[:, i].sum()} "
            f"| {100 * hits[:, i].mean():.1f} | {found[:, i].mean():.3f} "
            f"| {better[:, i].sum()} | {worse[:, i].sum()} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Compute what is missing and print the table."""
    print(table(study_archive(__doc__, study, select="*", out="periods.jsonl")))


if __name__ == "__main__":
    main()
