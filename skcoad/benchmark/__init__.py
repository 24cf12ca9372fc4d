"""Compare detectors on labelled series, reproducibly.

`run_benchmark` runs detectors on series and appends each result to a file; `report`,
`compare` and `plot_comparison` summarise it. Importing this package loads neither
torch nor PyOD: each detector imports its own libraries when it is created.
"""

from __future__ import annotations

from skcoad.benchmark._detectors import FitPredictOnly
from skcoad.benchmark._plots import plot_comparison, plot_critical_difference
from skcoad.benchmark._protocols import PROTOCOLS, vus_window
from skcoad.benchmark._published import compare_with_published, read_published
from skcoad.benchmark._report import report
from skcoad.benchmark._run import run_benchmark
from skcoad.benchmark._scenarios import (
    scenario_report,
    scenario_suite,
    scenario_table,
)
from skcoad.benchmark._statistics import compare, mean_metrics
from skcoad.benchmark.baselines import BASELINES
from skcoad.io._results import Result, read_results

__all__ = [
    "BASELINES",
    "PROTOCOLS",
    "FitPredictOnly",
    "Result",
    "compare",
    "compare_with_published",
    "mean_metrics",
    "plot_comparison",
    "plot_critical_difference",
    "read_published",
    "read_results",
    "report",
    "run_benchmark",
    "scenario_report",
    "scenario_suite",
    "scenario_table",
    "vus_window",
]
