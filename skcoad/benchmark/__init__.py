"""Comparing detectors on labelled series, so that anyone can do it again.

`run_benchmark` runs detectors on series and keeps every result as one line of a
file; `report` and `plot_comparison` show what the file says.
"""

from __future__ import annotations

from skcoad.benchmark._detectors import FitPredictOnly
from skcoad.benchmark._protocols import PROTOCOLS, vus_window
from skcoad.benchmark._published import compare_with_published, read_published
from skcoad.benchmark._report import compare, mean_metrics, plot_comparison, report
from skcoad.benchmark._results import Result, read_results
from skcoad.benchmark._run import run_benchmark
from skcoad.benchmark.baselines._registry import BASELINES

__all__ = [
    "BASELINES",
    "PROTOCOLS",
    "FitPredictOnly",
    "Result",
    "compare",
    "compare_with_published",
    "mean_metrics",
    "plot_comparison",
    "read_published",
    "read_results",
    "report",
    "run_benchmark",
    "vus_window",
]
