"""Tables and a picture of what a results file says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from skcoad.benchmark._results import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def score_table(results: Sequence[Result], metric: str) -> pd.DataFrame:
    """Arrange one metric by series and detector.

    The mean over the seeds. A failed run counts as 0, as in TSB-AD. Series without
    an anomaly, and series that some detector has not been run on, are left out.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    metric : str
        A key of the results' ``metrics``.

    Returns
    -------
    table : DataFrame
        One row for each series and one column for each detector, in the order in
        which they first appear.

    Raises
    ------
    ValueError
        If there are no results, more than one protocol, no series that all detectors
        have been run on, or no such metric.
    """
    import pandas as pd

    protocols = sorted({result["protocol"] for result in results})
    if len(protocols) != 1:
        raise ValueError(f"give results of one protocol, got {protocols}")
    usable = [result for result in results if result["n_anomalous"] > 0]
    known = {name for result in usable for name in result.get("metrics", ())}
    if known and metric not in known:
        raise ValueError(f"metric must be one of {sorted(known)}, got {metric!r}")
    frame = pd.DataFrame(
        {
            "series": [result["series"] for result in usable],
            "detector": [result["detector"] for result in usable],
            "score": [_score(result, metric) for result in usable],
        }
    )
    table = frame.pivot_table(
        index="series", columns="detector", values="score", aggfunc="mean", sort=False
    )
    complete = table.dropna()
    if complete.empty:
        raise ValueError("no series has results of every detector")
    return complete


def compare(
    results: Sequence[Result], *, metric: str = "vus_pr", against: str | None = None
) -> pd.DataFrame:
    """Compare the detectors on the series that all of them have been run on.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    metric : str, default="vus_pr"
        A key of the results' ``metrics``.
    against : str, default=None
        A detector to test the others against; None means the one with the highest
        mean.

    Returns
    -------
    table : DataFrame
        One row for each detector, the highest mean first:

        - ``mean`` and ``median`` over the series. A series' value is the mean over
          the seeds, a failed run counts as 0;
        - ``rank``: the mean over the series of the rank among the detectors, where 1
          is best and equal ones share the mean of their ranks;
        - ``wins``, ``ties`` and ``losses``: on how many series the detector is
          better than, equal to, or worse than `against`;
        - ``p``: two-sided Wilcoxon signed-rank test of the differences to `against`,
          zeros split evenly between the signs, with Holm's correction for the
          number of tests [1]_;
        - ``fit_seconds`` and ``score_seconds``: the means of the runs that did not
          fail;
        - ``memory_mib``: the most that one of these runs took, its peak less what the
          process held before; NaN where that is not known;
        - ``failures``: the runs that failed.

        The row of `against` has no wins, ties, losses or p.

    Raises
    ------
    ValueError
        If `against` is not among the detectors, the metric is unknown, there is more
        than one protocol, or no series with results of every detector.

    References
    ----------
    .. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data
       sets", Journal of Machine Learning Research 7, 2006.

    Examples
    --------
    >>> from skcoad.benchmark import compare
    >>> results = [
    ...     {"detector": detector, "series": series, "protocol": "kdd21", "seed": 0,
    ...      "n_anomalous": 1, "metrics": {"vus_pr": value}, "fit_seconds": 1.0,
    ...      "score_seconds": 0.1, "peak_memory_mib": 300.0, "base_memory_mib": 290.0,
    ...      "error": None}
    ...     for detector, values in {"A": (0.9, 0.5), "B": (0.4, 0.5)}.items()
    ...     for series, value in zip(("s1", "s2"), values)
    ... ]
    >>> compare(results)[["mean", "rank", "wins", "ties", "losses"]]
       mean  rank  wins  ties  losses
    A  0.70  1.25  <NA>  <NA>    <NA>
    B  0.45  1.75     0     1       1
    """
    import pandas as pd

    scores = score_table(results, metric)
    means = scores.mean().sort_values(ascending=False, kind="stable")
    if against is None:
        against = str(means.index[0])
    elif against not in scores.columns:
        raise ValueError(
            f"against must be one of {list(scores.columns)}, got {against!r}"
        )
    used = [result for result in results if result["series"] in scores.index]
    ranks = scores.rank(axis="columns", ascending=False).mean()
    rows = {}
    for detector in means.index:
        difference = scores[detector] - scores[against]
        reference = detector == against
        runs = [result for result in used if result["detector"] == detector]
        done = [result for result in runs if not result["error"]]
        rows[detector] = {
            "mean": means[detector],
            "median": scores[detector].median(),
            "rank": ranks[detector],
            "wins": pd.NA if reference else int((difference > 0).sum()),
            "ties": pd.NA if reference else int((difference == 0).sum()),
            "losses": pd.NA if reference else int((difference < 0).sum()),
            "p": np.nan if reference else _signed_rank_p(difference.to_numpy()),
            "fit_seconds": _mean(done, "fit_seconds"),
            "score_seconds": _mean(done, "score_seconds"),
            "memory_mib": max(
                (
                    result["peak_memory_mib"] - result["base_memory_mib"]
                    for result in done
                    if result["base_memory_mib"] is not None
                ),
                default=np.nan,
            ),
            "failures": len(runs) - len(done),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    counts = ["wins", "ties", "losses"]
    table[counts] = table[counts].astype("Int64")
    table["p"] = _holm(table["p"].to_numpy())
    return table


def mean_metrics(results: Sequence[Result]) -> pd.DataFrame:
    """Give the mean of every metric for every detector.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.

    Returns
    -------
    table : DataFrame
        One row for each detector and one column for each metric, over the series
        that all detectors have been run on; failed runs count as 0. A metric that
        some series do not have, such as ``hit_at_1``, is over those that do.

    Raises
    ------
    ValueError
        If there is more than one protocol, or no series with results of every
        detector.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import BASELINES, mean_metrics, run_benchmark
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "results.jsonl")
    ...     results = run_benchmark({"KMeans": BASELINES["KMeans"]}, [series], path)
    >>> mean_metrics(results).loc["KMeans", "hit_at_1"].item()
    1.0
    """
    import pandas as pd

    metrics = dict.fromkeys(
        name for result in results for name in result.get("metrics", ())
    )
    return pd.DataFrame({name: score_table(results, name).mean() for name in metrics})


def report(
    results: Sequence[Result], *, metric: str = "vus_pr", against: str | None = None
) -> str:
    """Write the comparison as Markdown.

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
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "results.jsonl")
    ...     results = run_benchmark({"KMeans": BASELINES["KMeans"]}, [series], path)
    >>> print(report(results).splitlines()[0])  # doctest: +ELLIPSIS
    1 of 1 series (...), protocol kdd21, seeds [0].
    """
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
        f"Wins, ties and losses are on series, against {against}; p is of the Wilcoxon "
        "signed-rank test against it, Holm-corrected. Seconds are means over the runs "
        "that did not fail.",
        "",
        "## Means of all metrics",
        "",
        markdown_table(mean_metrics(results).loc[table.index]),
    ]
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
    """Write a table as Markdown, numbers with three or four digits.

    Parameters
    ----------
    table : DataFrame
        Its index becomes the first column.

    Returns
    -------
    text : str
        Without a line end at the end.
    """
    rows = [["detector", *map(str, table.columns)], ["---", *["---:"] * table.shape[1]]]
    rows += [
        [str(name), *map(_cell, row)]
        for name, row in zip(table.index, table.astype(object).to_numpy(), strict=True)
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def plot_comparison(results: Sequence[Result], *, metric: str = "vus_pr") -> Figure:
    """Draw ranks and costs of the detectors.

    Left, the mean ranks, each with half the critical difference to either side: two
    detectors whose lines do not overlap differ (Nemenyi test at 5 %) [1]_. Right, the
    mean of the metric against the mean seconds for fit and score together.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    metric : str, default="vus_pr"
        A key of the results' ``metrics``.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Save it with ``figure.savefig``.

    Raises
    ------
    ValueError
        As in `compare`.

    References
    ----------
    .. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data
       sets", Journal of Machine Learning Research 7, 2006.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import BASELINES, plot_comparison, run_benchmark
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "results.jsonl")
    ...     results = run_benchmark({"KMeans": BASELINES["KMeans"]}, [series], path)
    >>> figure = plot_comparison(results)
    >>> figure.axes[0].get_title()
    '1 series'
    """
    from matplotlib.figure import Figure

    n_series = len(score_table(results, metric))
    table = compare(results, metric=metric).sort_values("rank", ascending=False)
    figure = Figure(figsize=(11, 1.5 + 0.35 * len(table)), layout="constrained")
    left, right = figure.subplots(1, 2)

    left.errorbar(
        table["rank"],
        table.index,
        xerr=critical_difference(len(table), n_series) / 2,
        fmt="o",
        capsize=3,
    )
    left.set(
        xlabel=f"mean rank in {metric} (1 is best), with critical difference",
        title=f"{n_series} series",
    )
    left.grid(axis="x", alpha=0.3)

    seconds = table["fit_seconds"] + table["score_seconds"]
    right.scatter(seconds, table["mean"])
    for name in table.index:
        right.annotate(
            name,
            (seconds[name], table["mean"][name]),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize="small",
        )
    right.set(xscale="log", xlabel="seconds a series (fit and score)", ylabel=metric)
    right.margins(0.15)  # room for the names
    right.grid(alpha=0.3)
    return figure


def critical_difference(n_detectors: int, n_series: int) -> float:
    """Find the least difference of mean ranks that the Nemenyi test calls one.

    Parameters
    ----------
    n_detectors, n_series : int
        How many were compared, and on how many.

    Returns
    -------
    difference : float
        At a level of 5 %; 0 for a single detector.
    """
    if n_detectors < 2:
        return 0.0
    q = stats.studentized_range.ppf(0.95, n_detectors, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_detectors * (n_detectors + 1) / (6 * n_series)))


def _score(result: Result, metric: str) -> float:
    """Give the value, 0 for a failure, NaN if the series does not have the metric."""
    return 0.0 if result["error"] else float(result["metrics"].get(metric, np.nan))


def _mean(results: Sequence[Result], key: str) -> float:
    return float(np.mean([result[key] for result in results])) if results else np.nan


def _signed_rank_p(difference: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    if not difference.any():
        return 1.0
    return float(stats.wilcoxon(difference, zero_method="zsplit").pvalue)


def _holm(
    p: np.ndarray[Any, np.dtype[np.float64]],
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Correct p-values for their number; NaN stays NaN and does not count."""
    order = np.argsort(p)  # NaN last
    order = order[: np.count_nonzero(~np.isnan(p))]
    corrected = p.copy()
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def _cell(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)
