"""Results of the scenario suite, scenario by scenario."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skcoad._arguments import check_integer
from skcoad.benchmark._protocols import is_defined
from skcoad.benchmark._report import markdown_table
from skcoad.benchmark._statistics import score_table
from skcoad.datasets import SCENARIOS, Series, make_scenario
from skcoad.io._results import Result

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("hit_at_1", "vus_pr")
EQUAL = 0.05  # a detector this close to the best counts as equal to it


def scenario_suite(n_draws: int = 3) -> list[Series]:
    """Generate the series of every scenario.

    Parameters
    ----------
    n_draws : int, default=3
        Number of series of each scenario.

    Returns
    -------
    series : list of Series
        As `skcoad.datasets.make_scenario` gives them for the draws from 0 on.

    Raises
    ------
    ValueError
        If `n_draws` is not positive, or no integer.

    Examples
    --------
    >>> from skcoad.benchmark import scenario_suite
    >>> [series.name for series in scenario_suite(2)[:3]]
    ['stuck_in_noise-0', 'stuck_in_noise-1', 'stuck_in_ar_noise-0']
    """
    check_integer("the number of draws", n_draws, 1)
    return [make_scenario(name, draw) for name in SCENARIOS for draw in range(n_draws)]


def scenario_table(
    results: Sequence[Result], *, metric: str = "vus_pr"
) -> pd.DataFrame:
    """Tabulate a metric by scenario and detector.

    Parameters
    ----------
    results : sequence of Result
        Of `run_benchmark` on series of `scenario_suite`.
    metric : str, default="vus_pr"
        A key of the results' ``metrics``.

    Returns
    -------
    table : DataFrame
        One row for each scenario, one column for each detector: the mean over draws
        and seeds, where a failed run counts as 0. Scenarios for which the metric is
        undefined (``hit_at_1`` with several anomalies) are left out.

    Raises
    ------
    ValueError
        If there are no results, or no such metric.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import BASELINES, run_benchmark, scenario_table
    >>> from skcoad.datasets import make_scenario
    >>> series = [make_scenario("spike_in_noise", draw) for draw in range(2)]
    >>> detectors = {"RobustZScore": BASELINES["RobustZScore"]}
    >>> with TemporaryDirectory() as folder:
    ...     results = run_benchmark(detectors, series, Path(folder, "results.jsonl"))
    >>> scenario_table(results, metric="hit_at_1").loc["spike_in_noise"].to_dict()
    {'RobustZScore': 1.0}
    """
    scores = score_table(results, metric)
    scenario = scores.index.str.rsplit("-", n=1).str[0].rename("scenario")
    return scores.groupby(scenario, sort=False).mean()


def scenario_report(results: Sequence[Result]) -> str:
    """Format hits and VUS-PR of every scenario as Markdown.

    Parameters
    ----------
    results : sequence of Result
        Of `run_benchmark` on series of `scenario_suite`.

    Returns
    -------
    text : str
        For each of the two metrics that is defined for any of the series a table, and
        in how many of the scenarios with a value above 0 each detector is the best or
        within 0.05 of the best.

    Raises
    ------
    ValueError
        If there are no results.
    """
    sections = []
    for metric in METRICS:
        # Results of early versions do not say how many events the series has.
        if not any(is_defined(metric, one.get("n_events", 1)) for one in results):
            continue
        table = scenario_table(results, metric=metric)
        found = table[table.max(axis=1) > 0]
        best = found.ge(found.max(axis=1) - EQUAL, axis=0).sum()
        counts = ", ".join(f"{name} {count}" for name, count in best.items())
        sections.append(
            f"## {metric} by scenario\n\n{markdown_table(table)}\n\n"
            f"Best or within {EQUAL} of the best, of the {len(found)} scenarios where "
            f"any detector is above 0: {counts}.\n"
        )
    return "\n".join(sections)
