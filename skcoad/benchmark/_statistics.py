"""Compare detectors over many series: means, ranks, tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from skcoad.benchmark._protocols import is_defined
from skcoad.benchmark._results import latest
from skcoad.io._results import Result

if TYPE_CHECKING:
    import pandas as pd


def score_table(results: Sequence[Result], metric: str) -> pd.DataFrame:
    """Tabulate one metric by series and detector.

    Each value is the mean over the seeds. A failed run counts as 0, as in TSB-AD.
    Of several results of one run the last counts. Series without an anomaly are left
    out, as are series without results of every detector and those for which the metric
    is undefined.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    metric : str
        A key of the results' ``metrics``.

    Returns
    -------
    table : DataFrame
        One row for each series and one column for each detector, in order of first
        appearance.

    Raises
    ------
    ValueError
        If there are no results, more than one protocol, no series with results of
        every detector (with the first error recorded, if there is one), or no such
        metric.
    """
    import pandas as pd

    results = latest(results)
    protocols = sorted({result["protocol"] for result in results})
    if len(protocols) != 1:
        raise ValueError(f"results must be of one protocol, got {protocols}")
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
        text = "no series has an anomaly and results of every detector"
        if any(result["error"] for result in results):
            text += f"; {first_error(results)}"
        raise ValueError(text)
    return complete


def first_error(results: Sequence[Result]) -> str:
    """Say in a line what the first error is, of results with at least one."""
    failed = next(result for result in results if result["error"])
    return (
        f"the first error, of {failed['detector']} on {failed['series']}, is "
        f"{' '.join(failed['error'].split())}"
    )


def compare(
    results: Sequence[Result], *, metric: str = "vus_pr", against: str | None = None
) -> pd.DataFrame:
    """Compare detectors on the series with results of every detector.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    metric : str, default="vus_pr"
        A key of the results' ``metrics``.
    against : str, default=None
        The reference of the pairwise tests; None means the detector with the
        highest mean.

    Returns
    -------
    table : DataFrame
        One row for each detector, the highest mean first:

        - ``mean`` and ``median`` over the series. The value of a series is the mean
          over the seeds; a failed run counts as 0;
        - ``rank``: mean over the series of the rank among the detectors; 1 is best,
          ties share the mean of their ranks;
        - ``wins``, ``ties`` and ``losses``: number of series on which the detector is
          better than, equal to, or worse than `against`;
        - ``p``: p-value of the two-sided Wilcoxon signed-rank test of the differences
          to `against`, zeros split evenly between the signs, with Holm's correction
          for multiple tests [1]_;
        - ``fit_seconds`` and ``score_seconds``: means over the runs that did not fail;
        - ``memory_mib``: maximum over these runs of the peak memory less the memory
          before the fit; NaN where unknown;
        - ``failures``: number of runs that failed.

        Wins, ties, losses and p are missing in the row of `against`.

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

    results = latest(results)
    scores = score_table(results, metric)
    means = scores.mean().sort_values(ascending=False, kind="stable")
    if against is None:
        against = str(means.index[0])
    elif against not in scores.columns:
        raise ValueError(
            f"against must be one of {list(scores.columns)}, got {against!r}"
        )
    compared = [result for result in results if result["series"] in scores.index]
    ranks = scores.rank(axis="columns", ascending=False).mean()
    rows = {}
    for detector in means.index:
        difference = scores[detector] - scores[against]
        reference = detector == against
        runs = [result for result in compared if result["detector"] == detector]
        succeeded = [result for result in runs if not result["error"]]
        rows[detector] = {
            "mean": means[detector],
            "median": scores[detector].median(),
            "rank": ranks[detector],
            "wins": pd.NA if reference else int((difference > 0).sum()),
            "ties": pd.NA if reference else int((difference == 0).sum()),
            "losses": pd.NA if reference else int((difference < 0).sum()),
            "p": np.nan if reference else _signed_rank_p(difference.to_numpy()),
            "fit_seconds": _mean(succeeded, "fit_seconds"),
            "score_seconds": _mean(succeeded, "score_seconds"),
            "memory_mib": max(
                (
                    result["peak_memory_mib"] - result["base_memory_mib"]
                    for result in succeeded
                    if result["base_memory_mib"] is not None
                ),
                default=np.nan,
            ),
            "failures": len(runs) - len(succeeded),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    counts = ["wins", "ties", "losses"]
    table[counts] = table[counts].astype("Int64")
    table["p"] = _holm(table["p"].to_numpy())
    return table


def mean_metrics(results: Sequence[Result]) -> pd.DataFrame:
    """Mean of every metric for every detector.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.

    Returns
    -------
    table : DataFrame
        One row for each detector and one column for each metric, over the series
        with results of every detector; failed runs count as 0. A metric that is
        undefined for some series, such as ``hit_at_1``, is averaged over the others.
        Without columns if every run failed.

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
    >>> detectors = {"KMeansAD": BASELINES["KMeansAD"]}
    >>> with TemporaryDirectory() as folder:
    ...     results = run_benchmark(detectors, [series], Path(folder, "results.jsonl"))
    >>> mean_metrics(results).loc["KMeansAD", "hit_at_1"].item()
    1.0
    """
    import pandas as pd

    metrics = dict.fromkeys(
        name for result in results for name in result.get("metrics", ())
    )
    detectors = list(dict.fromkeys(result["detector"] for result in results))
    return pd.DataFrame(
        {name: score_table(results, name).mean() for name in metrics}, index=detectors
    )


def critical_difference(n_detectors: int, n_series: int) -> float:
    """Critical difference of the Nemenyi test.

    Parameters
    ----------
    n_detectors, n_series : int
        Number of detectors compared, and of series compared on.

    Returns
    -------
    difference : float
        Mean ranks that differ by more are significantly different at 5 %; 0 for a
        single detector.
    """
    if n_detectors < 2:
        return 0.0
    q = stats.studentized_range.ppf(0.95, n_detectors, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_detectors * (n_detectors + 1) / (6 * n_series)))


def _score(result: Result, metric: str) -> float:
    """Return the value; 0 for a failure, NaN if undefined for the series."""
    if not result["error"]:
        return float(result["metrics"].get(metric, np.nan))
    # Results of early versions do not say how many events the series has.
    return 0.0 if is_defined(metric, result.get("n_events", 1)) else np.nan


def _mean(results: Sequence[Result], key: str) -> float:
    return float(np.mean([result[key] for result in results])) if results else np.nan


def _signed_rank_p(difference: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    if not difference.any():
        return 1.0
    return float(stats.wilcoxon(difference, zero_method="zsplit").pvalue)


def _holm(
    p: np.ndarray[Any, np.dtype[np.float64]],
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Correct p-values for multiple tests; NaN entries are no tests and stay NaN."""
    order = np.argsort(p)  # NaN last
    order = order[: np.count_nonzero(~np.isnan(p))]
    corrected = p.copy()
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected
