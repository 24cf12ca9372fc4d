"""Colours, and the parts that every figure is made of.

Figures are made without pyplot: no window opens, no backend is chosen, no global
setting changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, safe for colour-blind readers.
INK = "#333333"
TRUTH = "#E69F00"
FOUND = "#0072B2"
LIMIT = "#D55E00"
EXPECTED = "#009E73"
TRAINING = "#F0F0F0"

MAX_COLUMNS = 2000  # more than the pixels across a figure


def plain(axes: Axes, time: NDArray[Any], max_ticks: int = 9) -> None:
    """Remove what carries no information."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import MaxNLocator

    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize="small")
    if time.dtype.kind == "M":
        locator = AutoDateLocator(  # type: ignore[no-untyped-call]
            minticks=2,
            maxticks=max_ticks,  # with 3, some ranges have no interval
        )
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(
            ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        )
    else:
        axes.xaxis.set_major_locator(MaxNLocator(max_ticks, steps=[1, 2, 5, 10]))


def shade(
    axes: Axes,
    time: NDArray[Any],
    spans: Any,
    color: str = TRUTH,
    label: str = "true anomaly",
) -> None:
    """Shade parts of the time axis, each from a start to a stop."""
    training = color == TRAINING
    for start, stop in spans:
        # The outline keeps a single timestamp visible in a long series.
        axes.axvspan(
            time[start],
            time[min(stop, len(time) - 1)],
            facecolor=color,
            edgecolor=color,
            alpha=1.0 if training else 0.35,
            linewidth=0 if training else 1,
            zorder=0 if training else 0.5,
            label=label,
        )


def draw(
    axes: Axes, time: NDArray[Any], y: NDArray[Any], color: str, **style: Any
) -> None:
    """Draw a line, of a long series only what can be seen."""
    drawn = extremes(y)
    axes.plot(time[drawn], y[drawn], color=color, **style)


def extremes(y: NDArray[Any]) -> NDArray[np.intp]:
    """Indices that draw the same line: minimum and maximum of each pixel column."""
    width = -(-len(y) // MAX_COLUMNS)
    if width <= 2:
        return np.arange(len(y))
    n_whole = len(y) // width * width
    columns = y[:n_whole].reshape(-1, width)
    within = np.sort([columns.argmin(axis=1), columns.argmax(axis=1)], axis=0)
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
