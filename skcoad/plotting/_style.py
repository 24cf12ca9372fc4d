"""Colours, and the parts that every figure is made of.

Figures are made without pyplot: no window opens, no backend is chosen, no global
setting changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad.plotting._time import TimeAxis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# One colour for one thing. All but the last four and SCORE are of Okabe and Ito's
# palette; all can be told apart by colour-blind readers, EVIDENCE of one family also
# by its dashes.
INK = "#333333"
TRUTH = "#E69F00"
FOUND = "#0072B2"
LIMIT = "#D55E00"
EXPECTED = "#009E73"
SCORE = "#762A83"
TRAINING = "#F0F0F0"
PROBABILITY, MASK, ERROR = FOUND, LIMIT, SCORE  # in the figure of an explanation
CURVES = (INK, FOUND, EXPECTED, SCORE, TRUTH)  # of several detectors
EVIDENCE = {
    "value_distance": ("#56B4E9", "-"),
    "value_shape": ("#6B5B00", "--"),
    "difference_distance": ("#CC79A7", "-"),
    "difference_shape": ("#9A6BFF", "--"),
    "value": ("#56B4E9", ":"),
    "level": ("#6B5B00", ":"),
    "difference": ("#CC79A7", ":"),
    "volatility": ("#9A6BFF", ":"),
    "residual": ("#E69F00", "-"),
    "residual_level": ("#E69F00", "--"),
}

MAX_COLUMNS = 2000  # more than the pixels across a figure
MAX_NAME = 40  # characters
MAX_VALUE = 1e300  # beyond, the limits of an axis would overflow


def new_figure(figure: Figure | SubFigure | None, height: float) -> Figure:
    """The figure to draw into: the one given, or a new one of this height in inches."""
    from matplotlib.figure import Figure

    if figure is None:
        return Figure(figsize=(10, height), layout="constrained")
    if isinstance(figure, Figure) and figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    return cast("Figure", figure)  # a SubFigure has all that is used of it


def new_axes(ax: Axes | None) -> Axes:
    """The axes to draw into: those given, or those of a new figure."""
    if ax is None:
        ax = new_figure(None, height=4).subplots()
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize="small")
    return ax


def shortened(name: Any, length: int = MAX_NAME) -> str:
    """A name that fits beside an axis, in one line, the middle of a long one left out.

    It is drawn with ``parse_math=False``: "$" is no mathematics.
    """
    text = " ".join(str(name).split())
    if len(text) <= length:
        return text
    return f"{text[: length // 2]}…{text[-(length // 2 - 1) :]}"


def plain(axes: Axes, time: TimeAxis, max_ticks: int = 9) -> None:
    """Remove what carries no information, and set up the time axis."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize="small")
    time.set_up(axes, max_ticks)


def shade(
    axes: Axes,
    time: TimeAxis,
    spans: Any,
    color: str = TRUTH,
    label: str = "true anomaly",
) -> None:
    """Shade parts of the time axis, each from a start to a stop."""
    training = color == TRAINING
    for start, stop in spans:
        # The outline keeps a single timestamp visible in a long series.
        axes.axvspan(
            time.values[start],
            time.values[min(stop, len(time.values) - 1)],
            facecolor=color,
            edgecolor=color,
            alpha=1.0 if training else 0.35,
            linewidth=0 if training else 1,
            zorder=0 if training else 0.5,
            label=label,
        )


def draw(axes: Axes, time: TimeAxis, y: ArrayLike, color: str, **style: Any) -> None:
    """Draw a line, interrupted where values or timestamps are missing.

    Of a long series only what can be seen is drawn.
    """
    values = np.asarray(y, dtype=np.float64)
    values = np.where(np.isfinite(values), values, np.nan).clip(-MAX_VALUE, MAX_VALUE)
    drawn = extremes(values)
    holes = np.searchsorted(drawn, time.holes, side="right")
    holes = np.unique(holes[holes < len(drawn)])
    # Between timestamps, so that the line's own points stay where they are.
    places = np.insert(time.values[drawn], holes, time.values[drawn[holes - 1]])
    values = np.insert(values[drawn], holes, np.nan)
    axes.plot(places, values, color=color, **style)
    seen = np.isfinite(values)
    before = np.concatenate([[False], seen[:-1]])
    after = np.concatenate([seen[1:], [False]])
    alone = seen & ~before & ~after
    if alone.any():  # no line leads there
        size = 2 * style.get("linewidth", 1)
        axes.plot(places[alone], values[alone], ".", color=color, markersize=size)


def extremes(y: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices that draw the same line: minimum and maximum of each pixel column.

    A missing value is drawn only in a column without any other.
    """
    width = -(-len(y) // MAX_COLUMNS)
    if width <= 2:
        return np.arange(len(y))
    n_whole = len(y) // width * width
    columns = y[:n_whole].reshape(-1, width)
    missing = np.isnan(columns)
    lowest = np.where(missing, np.inf, columns).argmin(axis=1)
    highest = np.where(missing, -np.inf, columns).argmax(axis=1)
    within = np.sort([lowest, highest], axis=0)
    positions = (within + np.arange(0, n_whole, width)).T.ravel()
    return np.concatenate([positions, np.arange(n_whole, len(y))])


def legend(figure: Figure) -> None:
    """One entry for each label, above the axes."""
    entries: dict[str, Any] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        entries.update(zip(labels, handles, strict=True))
    if entries:
        figure.legend(
            entries.values(),
            entries.keys(),
            loc="outside upper right",
            ncols=len(entries),
            frameon=False,
            fontsize="small",
        )
