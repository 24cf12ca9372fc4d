"""Measure the cost of a wrong period, and compare estimators of the period.

    python studies/period_study.py path/to/ucr --out periods.jsonl --jobs 2

Made the table "The period" of docs/history.md, with the score of commit 85033e4.

For each series of the archive: the period of the training part by several estimators,
and half of the default's, twice of it and a little more or less. Each period is
evaluated by the score of `NeighborsDetector`, which is not trained. The true periods
are unknown. A period one timestamp longer or shorter already changes which neighbours
are found, and what that changes in the metrics is the scale for the other differences.
Nothing is random. Series in the results file are not computed again.
"""

from __future__ import annotations

import numpy as np
import torch
from _study import evaluate_test, markdown_table, study_archive
from numpy.typing import NDArray
from scipy import signal

from skcoad import NeighborsDetector
from skcoad.benchmark import Result, vus_window
from skcoad.datasets import Series
from skcoad.preprocessing import dominant_period, plan_windows

SIMILAR = 0.05  # relative difference below which periods count as equal
MUCH = 0.1  # AUC-PR


def estimate_periods(series: Series) -> dict[str, int]:
    """Estimate or vary the period of the training part.

    Parameters
    ----------
    series : Series
        Of one channel.

    Returns
    -------
    dict of str to int
        By the name of the row; the default first.
    """
    x = series.train
    default = plan_windows(x).period
    return {
        "the default": default,
        "one more": default + 1,
        "one less": default - 1,
        "a tenth more": round(1.1 * default),
        "a tenth less": round(0.9 * default),
        "half": max(4, default // 2),
        "twice": 2 * default,
        "highest peak of the autocorrelation": dominant_period(x, near_best=1.0)
        or default,
        "trend not subtracted": dominant_period(x, detrend=False) or default,
        "highest peak of the spectrum": spectral_period(x[:, 0]),
        "TSB-AD's": vus_window(x[:, 0]),
        "a fixed 125": min(125, len(x) // 8),
    }


def spectral_period(x: NDArray[np.float64]) -> int:
    """Period of the highest power, among those that `dominant_period` can find.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        One channel.

    Returns
    -------
    int
    """
    frequency, power = signal.welch(x, nperseg=min(len(x), 4096), nfft=2**17)
    allowed = (frequency >= 1 / 1000) & (frequency <= 1 / 8)
    return round(1 / float(frequency[allowed][power[allowed].argmax()]))


def study(series: Series) -> Result:
    """Evaluate each period on one series."""
    torch.set_num_threads(1)
    periods = estimate_periods(series)
    metrics = {}
    for period in set(periods.values()):
        detector = NeighborsDetector(period=period).fit(series.train)
        scores = detector.decision_function(series.test)
        metrics[period] = evaluate_test(series, scores)
    return {
        "series": series.name,
        "periods": periods,
        "metrics": {name: metrics[period] for name, period in periods.items()},
    }


def table(results: list[Result]) -> str:
    """Markdown table of the means over the series."""
    names = list(results[0]["periods"])
    periods = np.array([[r["periods"][name] for name in names] for r in results])
    hits, auc_pr = (
        np.array([[r["metrics"][name][metric] for name in names] for r in results])
        for metric in ("hit_at_1", "auc_pr")
    )
    differs = np.abs(periods / periods[:, :1] - 1) > SIMILAR
    better, worse = auc_pr > auc_pr[:, :1] + MUCH, auc_pr < auc_pr[:, :1] - MUCH
    rows = [
        [
            name,
            f"{differs[:, i].sum()}",
            f"{100 * hits[:, i].mean():.1f}",
            f"{auc_pr[:, i].mean():.3f}",
            f"{better[:, i].sum()}",
            f"{worse[:, i].sum()}",
        ]
        for i, name in enumerate(names)
    ]
    header = [
        *("period", "differs on", "Acc@1, %", "AUC-PR"),
        *("much better on", "much worse on"),
    ]
    return (
        f"{len(results)} series. Differs: by more than {SIMILAR:.0%}. "
        f"Much: by more than {MUCH} in AUC-PR.\n\n{markdown_table(header, rows)}"
    )


def main() -> None:
    """Study the series that are left, and print the table."""
    print(table(study_archive(__doc__, study, select="*", out="periods.jsonl")))


if __name__ == "__main__":
    main()
