"""Many channels as one heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skcoad.plotting._style import shortened
from skcoad.plotting._time import TimeAxis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_LABELS = 40  # names that can be read beside a heat map
MAX_NAME = 24  # characters of each
MAX_COLUMNS, MAX_ROWS = 600, 200  # fewer than the pixels, or some would not be drawn
SCORES, VALUES = "Purples", "PuOr"  # colour maps that colour-blind readers can tell
LIMIT_SD = 3  # standardised values beyond look the same


def heat_map(
    axes: Axes,
    time: TimeAxis,
    rows: NDArray[np.float64],
    names: Sequence[str],
    *,
    is_score: bool,
    label: str,
) -> None:
    """Draw a row of colours for each channel, the first one at the top.

    Of many timestamps or channels, the value of largest size in each cell is drawn.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw, with limits of the time axis set.
    time : TimeAxis
        Of the series.
    rows : ndarray of shape (n_timestamps, n_channels)
        What the colours show; what is missing is hatched.
    names : sequence of str
        Of the channels.
    is_score : bool
        Whether values count from 0, or in both directions.
    label : str
        Of the colours.
    """
    edges, columns = _columns(time, rows)
    n_channels = len(names)
    first = np.arange(0, n_channels, -(-n_channels // MAX_ROWS))
    cells = _largest(columns, first, axis=1)
    axes.patch.set(hatch="/////", facecolor="white", edgecolor="#CCCCCC")
    top = float(np.nanmax(np.abs(cells), initial=0.0)) or 1.0
    image = axes.pcolorfast(
        edges,
        np.append(first, n_channels) - 0.5,
        np.ma.masked_invalid(cells.T),
        cmap=SCORES if is_score else VALUES,
        vmin=0 if is_score else -LIMIT_SD,
        vmax=top if is_score else LIMIT_SD,
    )
    axes.set_ylim(n_channels - 0.5, -0.5)
    every = -(-n_channels // MAX_LABELS)
    shown = range(0, n_channels, every)
    labels = [shortened(names[i], MAX_NAME) for i in shown]
    axes.set_yticks(shown, labels, parse_math=False)
    axes.tick_params(axis="y", labelsize="xx-small", length=0 if every == 1 else 3)
    bar = axes.inset_axes((1.01, 0, 0.012, 1))
    axes.figure.colorbar(image, cax=bar, extend="neither" if is_score else "both")
    bar.tick_params(labelsize="x-small")
    bar.set_ylabel(label, fontsize="small")


def standardized(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each channel minus its median, in standard deviations; NaN stays."""
    x = np.where(np.isfinite(x), x, np.nan)
    largest = np.fmax.reduce(np.abs(x), axis=0)
    x = x / np.where(largest > 0, largest, 1.0)  # so that no square overflows
    observed = ~np.isnan(x).all(axis=0)
    center, scale = np.zeros(x.shape[1]), np.ones(x.shape[1])
    center[observed] = np.nanmedian(x[:, observed], axis=0)
    scale[observed] = np.nanstd(x[:, observed], axis=0)
    return (x - center) / np.where(scale > 0, scale, 1.0)


def _columns(
    time: TimeAxis, rows: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges of columns of pixels, and the value of largest size in each.

    A column ends at a hole in time, which is a column of its own, without a value.
    """
    n_timestamps = len(rows)
    width = -(-n_timestamps // MAX_COLUMNS)
    starts = np.union1d(np.arange(0, n_timestamps, width), time.holes + 1)
    columns = _largest(rows, starts, axis=0)
    edges = np.append(time.values[starts], time.values[-1] + time.step)
    at = np.searchsorted(starts, time.holes + 1)
    edges = np.insert(edges, at, time.values[time.holes] + time.step)
    return edges, np.insert(columns, at, np.nan, axis=0)


def _largest(
    x: NDArray[np.float64], starts: NDArray[np.intp], axis: int
) -> NDArray[np.float64]:
    """Value of largest size in each part of an axis; NaN if there is no other."""
    high = np.fmax.reduceat(x, starts, axis=axis)
    low = np.fmin.reduceat(x, starts, axis=axis)
    return np.where(high >= -low, high, low)
