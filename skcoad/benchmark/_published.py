"""Results that others have published, beside ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from skcoad.benchmark._report import score_table
from skcoad.benchmark._results import Result

if TYPE_CHECKING:
    import pandas as pd

# The columns of TSB-AD's tables that describe the series.
_NOT_METHODS = (
    "ts_len",
    "anomaly_len",
    "num_anomaly",
    "avg_anomaly_len",
    "anomaly_ratio",
    "point_anomaly",
    "seq_anomaly",
)


def read_published(path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Read a table of results per series as TSB-AD publishes them.

    Parameters
    ----------
    path : path-like
        A CSV file with a column ``file``, one column for each method, and then
        columns that describe the series.

    Returns
    -------
    table : DataFrame
        One row for each series, by its name (the file without ``.csv``), and one
        column for each method.

    Raises
    ------
    ValueError
        If there is no column ``file``.

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

    table = pd.read_csv(path)
    if "file" not in table.columns:
        raise ValueError(f"{path} has no column 'file', only {list(table.columns)}")
    table["file"] = table["file"].str.removesuffix(".csv")
    return table.set_index("file").drop(columns=list(_NOT_METHODS), errors="ignore")


def compare_with_published(
    results: Sequence[Result],
    path: str | os.PathLike[str],
    *,
    metric: str = "vus_pr",
) -> pd.DataFrame:
    r"""Put our results and published ones side by side, on the series in both.

    Published results are of the protocol "tsb-ad", with settings tuned on other
    series of the same sources: compare with care.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    path : path-like
        The published table, see `read_published`.
    metric : str, default="vus_pr"
        What the published table holds.

    Returns
    -------
    table : DataFrame
        One row for each detector, the best first: ``published`` (bool), ``mean``,
        ``median``, and ``n_series``, on how many series.

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
    >>> with TemporaryDirectory() as folder:
    ...     path, published = Path(folder, "results.jsonl"), Path(folder, "theirs.csv")
    ...     _ = published.write_text("file,LOF\nsynthetic.csv,0.1\n")
    ...     results = run_benchmark({"KMeans": BASELINES["KMeans"]}, [series], path)
    ...     table = compare_with_published(results, published)
    >>> table["published"].to_dict()
    {'KMeans': False, 'LOF': True}
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
