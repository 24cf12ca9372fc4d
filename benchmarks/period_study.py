"""Ask how often the period is wrong, and what a wrong one costs.

    python benchmarks/period_study.py path/to/ucr --out periods.jsonl --jobs 2

For each series of the archive the period of the training part by several estimators,
and what half of it, twice of it and a tenth more or less would do; each is judged by
the distances to normal references (the product of the default's lengths, see
``benchmarks/distance_study.py``), which need no training. Nothing here is random. What
is in the results file already is not computed again.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import torch
from _study import parse_arguments, run_study
from distance_study import Distances, product
from numpy.typing import NDArray
from scipy import signal

from skcoad import period as period_module
from skcoad.benchmark._protocols import measure, vus_window
from skcoad.benchmark._results import Result
from skcoad.datasets import Series, open_archive
from skcoad.period import dominant_period
from skcoad.plan import plan_windows

OURS = "the default"
SIMILAR = 0.1  # share by which periods may differ and still be called the same
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
        OURS: ours,
        "highest peak of the autocorrelation": highest or ours,
        "trend not taken away": with_trend or ours,
        "highest peak of the spectrum": by_spectrum(x[:, 0]) or ours,
        "TSB-AD's": vus_window(x[:, 0]),
        "a fixed 125": min(125, len(x) // 8),
        "a tenth shorter": round(0.9 * ours),
        "a tenth longer": round(1.1 * ours),
        "half": max(4, ours // 2),
        "twice": 2 * ours,
    }


def by_spectrum(x: NDArray[np.float64]) -> int | None:
    """Period of the most power between the shortest and the longest to be found."""
    frequency, power = signal.welch(x, nperseg=min(len(x), 4096))
    allowed = (frequency >= 1 / 1000) & (frequency <= 1 / 8)
    if not allowed.any():
        return None
    return round(1 / float(frequency[allowed][power[allowed].argmax()]))


def study(series: Series) -> Result:
    """Judge each period on one series."""
    torch.set_num_threads(1)
    window = vus_window(series.values[:, 0])
    result: Result = {"series": series.name, "periods": estimates(series)}
    judged: dict[int, dict[str, float]] = {}
    for period in result["periods"].values():
        if period not in judged:
            distances = Distances(series, period)
            score = product(
                distances.mean("values", (1, 2)),
                distances.mean("changes", (0.5, 1, 2)),
            )
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
        f"{len(results)} series. Otherwise: by more than a tenth. "
        f"Much: by more than {MUCH} in AUC-PR.\n",
        "| period | otherwise, % | Acc@1, % | AUC-PR | much better | much worse |",
        "|---" + "|---:" * 5 + "|",
    ]
    for i, name in enumerate(names):
        lines.append(
            f"| {name} | {100 * differs[:, i].mean():.0f} "
            f"| {100 * hits[:, i].mean():.1f} | {found[:, i].mean():.3f} "
            f"| {better[:, i].sum()} | {worse[:, i].sum()} |"
        )
    lines.append(
        f"| the best of these, by the labels | | {100 * hits.max(1).mean():.1f} "
        f"| {found.max(1).mean():.3f} | {better.any(1).sum()} | 0 |"
    )
    return "\n".join(lines)


def main() -> None:
    """Compute what is missing and print the table."""
    arguments = parse_arguments(__doc__, select="*", out="periods.jsonl")
    series = list(open_archive(arguments.data).select(arguments.select))
    print(table(run_study(study, series, arguments.out, arguments.jobs)))


if __name__ == "__main__":
    main()
