"""Published results of other detectors, beside results of `run_benchmark`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from skcoad.benchmark._statistics import score_table
from skcoad.io._results import Result

if TYPE_CHECKING:
    import pandas as pd

# Columns of TSB-AD's tables that describe the series.
_SERIES_COLUMNS = (
    "ts_len",
    "anomaly_len",
    "num_anomaly",
    "avg_anomaly_len",
    "anomaly_ratio",
    "point_anomaly",
    "seq_anomaly",
)


def read_published(path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Read a table of results per series in TSB-AD's format.

    Parameters
    ----------
    path : path-like
        A CSV file with a column ``file``, one column of numbers for each method, and
        columns that describe the series: those of TSB-AD and all columns of text are
        dropped.

    Returns
    -------
    table : DataFrame
        One row for each series, indexed by its name (the file without ``.csv``), and
        one column for each method.

    Raises
    ------
    ValueError
        If there is no column ``file``, or none of a method.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import read_published
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "published.csv")
    ...     _ = file.write_text("file,LOF,PCA,ts_len\n001_NAB.csv,0.1,0.2,4031\n")
    ...     table = read_published(file)
    >>> table.loc["001_NAB"].to_dict()
    {'LOF': 0.1, 'PCA': 0.2}
    """
    import pandas as pd

    table = pd.read_csv(path, dtype={"file": str})
    if "file" not in table.columns:
        raise ValueError(f"{path} has no column 'file', only {list(table.columns)}")
    table["file"] = table["file"].str.removesuffix(".csv")
    described = table.set_index("file").drop(
        columns=list(_SERIES_COLUMNS), errors="ignore"
    )
    methods = described.select_dtypes("number")
    if methods.shape[1] == 0:
        raise ValueError(
            f"{path} has no column of numbers for a method, only {list(table.columns)}"
        )
    return methods


def compare_with_published(
    results: Sequence[Result],
    path: str | os.PathLike[str],
    *,
    metric: str = "vus_pr",
) -> pd.DataFrame:
    r"""Compare results with published ones, on the series in both.

    Published results follow the protocol "tsb-ad", with parameters tuned on other
    series of the same sources, so the comparison favours them.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    path : path-like
        The published table, see `read_published`.
    metric : str, default="vus_pr"
        The metric of the published table.

    Returns
    -------
    table : DataFrame
        One row for each detector, the highest mean first: ``published`` (bool),
        ``mean``, ``median`` and ``n_series`` (number of series).

    Raises
    ------
    ValueError
        If no series is in both, or the results are of more than one protocol.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import BASELINES, compare_with_published, run_benchmark
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> detectors = {"KMeansAD": BASELINES["KMeansAD"]}
    >>> with TemporaryDirectory() as folder:
    ...     published = Path(folder, "published.csv")
    ...     _ = published.write_text("file,LOF\nsynthetic.csv,0.1\n")
    ...     results = run_benchmark(detectors, [series], Path(folder, "results.jsonl"))
    ...     table = compare_with_published(results, published)
    >>> table["published"].to_dict()
    {'KMeansAD': False, 'LOF': True}
    """
    import pandas as pd

    ours, theirs = score_table(results, metric), read_published(path)
    common = ours.index.intersection(theirs.index)
    if len(common) == 0:
        raise ValueError(
            f"none of the {len(ours)} series is among the {len(theirs)} of {path}"
        )
    both = pd.concat(
        {False: ours.loc[common], True: theirs.loc[common]},
        axis="columns",
        names=["published", "detector"],
    )
    table = pd.DataFrame(
        {"mean": both.mean(), "median": both.median(), "n_series": len(common)}
    )
    return (
        table.reset_index("published")
        .sort_values("mean", ascending=False, kind="stable")
        .rename_axis(None)
    )
