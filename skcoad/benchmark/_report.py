"""The comparison as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skcoad.benchmark._results import latest
from skcoad.benchmark._statistics import compare, mean_metrics, score_table
from skcoad.io._results import Result

if TYPE_CHECKING:
    import pandas as pd


def report(
    results: Sequence[Result], *, metric: str = "vus_pr", against: str | None = None
) -> str:
    """Format the comparison as Markdown.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    metric, against : str
        As in `compare`.

    Returns
    -------
    text : str
        The comparison in `metric`, the means of all metrics, and the failures.

    Raises
    ------
    ValueError
        As in `compare`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import BASELINES, report, run_benchmark
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> detectors = {"KMeansAD": BASELINES["KMeansAD"]}
    >>> with TemporaryDirectory() as folder:
    ...     results = run_benchmark(detectors, [series], Path(folder, "results.jsonl"))
    >>> print(report(results).splitlines()[0])  # doctest: +ELLIPSIS
    1 of 1 series (...), protocol kdd21, seeds [0].
    """
    results = latest(results)
    table = compare(results, metric=metric, against=against)
    against = against or str(table.index[0])
    scores = score_table(results, metric)
    n_known = len({result["series"] for result in results})
    seeds = sorted({result["seed"] for result in results})
    lines = [
        f"{len(scores)} of {n_known} series (those with an anomaly and with results "
        f"of every detector), protocol {results[0]['protocol']}, seeds {seeds}.",
        "",
        f"## {metric}",
        "",
        markdown_table(table),
        "",
        f"Wins, ties and losses count series, against {against}; p is the "
        "Holm-corrected p-value of the Wilcoxon signed-rank test against it. Seconds "
        "are means over the runs that did not fail.",
    ]
    means = mean_metrics(results).loc[table.index]
    if not means.empty:
        lines += ["", "## Means of all metrics", "", markdown_table(means)]
    failures = [result for result in results if result["error"]]
    if failures:
        lines += ["", "## Failures", ""]
        lines += [
            f"- {result['detector']} on {result['series']}, seed {result['seed']}: "
            f"{result['error'].splitlines()[0]}"
            for result in failures
        ]
    return "\n".join(lines) + "\n"


def markdown_table(table: pd.DataFrame) -> str:
    """Format a table as Markdown.

    Parameters
    ----------
    table : DataFrame
        Its index becomes the first column, named "detector" if the index has no name.

    Returns
    -------
    text : str
        Without a trailing line end; numbers below 1000 have three decimals.
    """
    header = [str(table.index.name or "detector"), *map(str, table.columns)]
    rows = [header, ["---", *["---:"] * table.shape[1]]]
    rows += [
        [str(name), *map(_cell, row)]
        for name, row in zip(table.index, table.astype(object).to_numpy(), strict=True)
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)
