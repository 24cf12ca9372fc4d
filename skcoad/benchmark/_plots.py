"""The comparison as figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skcoad.benchmark._statistics import compare, critical_difference, score_table
from skcoad.io._results import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


def plot_critical_difference(
    results: Sequence[Result], *, metric: str = "vus_pr", ax: Axes | None = None
) -> Axes:
    """Plot mean ranks of the detectors with their critical difference.

    Half of it is drawn on either side of a rank; detectors whose intervals do not
    overlap differ significantly (Nemenyi test at 5 %) [1]_.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    metric : str, default="vus_pr"
        A key of the results' ``metrics``.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default the axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Those given, or the new ones.

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
    >>> from skcoad.benchmark import BASELINES, plot_critical_difference, run_benchmark
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> detectors = {name: BASELINES[name] for name in ("KMeansAD", "RobustZScore")}
    >>> with TemporaryDirectory() as folder:
    ...     results = run_benchmark(detectors, [series], Path(folder, "results.jsonl"))
    >>> ax = plot_critical_difference(results)
    >>> [label.get_text() for label in ax.get_yticklabels()]  # the best is on top
    ['RobustZScore', 'KMeansAD']
    """
    from skcoad.plotting._style import new_axes  # loads torch

    n_series = len(score_table(results, metric))
    ax = new_axes(ax)
    _draw_ranks(ax, compare(results, metric=metric), n_series, metric)
    return ax


def _draw_ranks(ax: Axes, table: pd.DataFrame, n_series: int, metric: str) -> None:
    """Draw the mean ranks of a table of `compare`, with their critical difference."""
    from skcoad.plotting._style import shortened

    table = table.sort_values("rank", ascending=False)
    rows = range(len(table))
    ax.errorbar(
        table["rank"],
        rows,
        xerr=critical_difference(len(table), n_series) / 2,
        fmt="o",
        capsize=3,
    )
    ax.set_yticks(rows, [shortened(name) for name in table.index], parse_math=False)
    ax.set(
        xlabel=f"mean rank in {metric} (1 is best), with critical difference",
        title=f"{n_series} series",
    )
    ax.grid(axis="x", alpha=0.3)


def plot_comparison(
    results: Sequence[Result],
    *,
    metric: str = "vus_pr",
    figure: Figure | SubFigure | None = None,
) -> Figure:
    """Plot ranks and costs of the detectors.

    Left: mean ranks, as in :func:`plot_critical_difference`. Right: the mean of the
    metric against the mean seconds of fitting plus scoring.

    Parameters
    ----------
    results : sequence of Result
        From `run_benchmark` or `read_results`, of one protocol.
    metric : str, default="vus_pr"
        A key of the results' ``metrics``.
    figure : matplotlib.figure.Figure or SubFigure, default=None
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.figure.Figure or SubFigure
        The one given, or the new one; save it with ``figure.savefig``.

    Raises
    ------
    ValueError
        As in `compare`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import BASELINES, plot_comparison, run_benchmark
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> detectors = {"KMeansAD": BASELINES["KMeansAD"]}
    >>> with TemporaryDirectory() as folder:
    ...     results = run_benchmark(detectors, [series], Path(folder, "results.jsonl"))
    >>> figure = plot_comparison(results)
    >>> figure.axes[0].get_title()
    '1 series'
    """
    from skcoad.plotting._style import new_axes, new_figure, shortened  # loads torch

    table = compare(results, metric=metric)
    figure = new_figure(figure, 1.5 + 0.35 * len(table))
    left, right = figure.subplots(1, 2)
    new_axes(left)
    _draw_ranks(left, table, len(score_table(results, metric)), metric)
    new_axes(right)
    seconds = (table["fit_seconds"] + table["score_seconds"]).sort_values()
    means = table["mean"][seconds.index]
    right.scatter(seconds, means)
    for i, (name, *point) in enumerate(zip(seconds.index, seconds, means, strict=True)):
        right.annotate(
            shortened(name),
            point,
            # Above and below in turn, so that neighbours do not cover each other.
            xytext=(0, -14 if i % 2 else 6),
            textcoords="offset points",
            ha="center",
            fontsize="small",
            parse_math=False,
        )
    right.set(xscale="log", xlabel="seconds per series (fit and score)", ylabel=metric)
    right.margins(0.15)  # room for the names
    right.grid(alpha=0.3)
    return figure
