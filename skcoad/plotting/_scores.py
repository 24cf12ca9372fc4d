"""Pictures of scores and of what they are made of.

Figures are made without pyplot: no window opens, no backend is chosen, no global
setting changes. Save one with ``figure.savefig("scores.png")``; a notebook shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad.metrics import events

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from skcoad.scoring._components import ScoreComponents
    from skcoad.scoring._segments import AnomalySegment

__all__ = ["Zoom", "plot_explanation", "plot_scores"]

# Okabe and Ito's colours, which the colour-blind can tell apart.
INK = "#333333"
TRUTH = "#E69F00"
FOUND = "#0072B2"
LIMIT = "#D55E00"
EXPECTED = "#009E73"
TRAINING = "#F0F0F0"

MAX_COLUMNS = 2000  # more than the pixels across a figure


class Zoom(NamedTuple):
    """A part of a series to be shown enlarged.

    Attributes
    ----------
    title : str
        What stands above it.
    start, stop : int
        First timestamp and the one after the last.
    channel : int, default=0
        Which channel.
    """

    title: str
    start: int
    stop: int
    channel: int = 0


def plot_scores(
    x: ArrayLike,
    scores: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    threshold: float | None = None,
    train_length: int | None = None,
    timestamps: ArrayLike | None = None,
    channel_names: Sequence[str] | None = None,
    stretches: Sequence[AnomalySegment] = (),
    zooms: Sequence[Zoom] = (),
) -> Figure:
    """Draw a series above its scores.

    A long series is drawn by the lowest and highest value of each pixel column, so the
    time it takes does not grow much with the length, and no peak is lost.

    Parameters
    ----------
    x : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
        The series.
    scores : array-like of shape (n_timestamps,)
        Its scores, finite.
    labels : array-like of shape (n_timestamps,), default=None
        True anomalies, 0 or 1; shaded.
    threshold : float, default=None
        Scores above are anomalies; a dashed line.
    train_length : int, default=None
        Length of the beginning that the detector was fitted on; shaded in grey.
    timestamps : array-like of shape (n_timestamps,), default=None
        Numbers or datetimes; positions from 0 by default.
    channel_names : sequence of str, default=None
        One for each channel.
    stretches : sequence of AnomalySegment, default=()
        What was found; marked above the series and at the peaks of the score.
    zooms : sequence of Zoom, default=()
        Parts to show enlarged, below.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If lengths do not agree, a score is not finite, a label is neither 0 nor 1, or
        a zoom is no part of the series.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.plotting import plot_scores
    >>> x = np.sin(np.arange(1000) / 8)
    >>> figure = plot_scores(x, np.abs(x), threshold=0.9, train_length=400)
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['value', 'anomaly score']
    """
    from matplotlib.figure import Figure

    values = _columns(x, "x")
    n_timestamps, n_channels = values.shape
    scores = np.asarray(scores, dtype=np.float64)
    _check_length(scores, "scores", n_timestamps)
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    time = np.arange(n_timestamps) if timestamps is None else np.asarray(timestamps)
    _check_length(time, "timestamps", n_timestamps)
    true_events = np.empty((0, 2), dtype=np.intp)
    if labels is not None:
        _check_length(np.asarray(labels), "labels", n_timestamps)
        true_events = events(labels)
    names = _channel_names(channel_names, n_channels)

    channel_height = max(0.45, 1.7 / n_channels**0.5)
    heights = [channel_height] * n_channels + [1.3]
    if zooms:
        heights.append(1.8)
    figure = Figure(figsize=(10, sum(heights) + 0.9), layout="constrained")
    grid = figure.add_gridspec(
        len(heights), max(1, len(zooms)), height_ratios=heights, hspace=0.04
    )
    rows: list[Axes] = []
    for channel in range(n_channels + 1):
        axes = figure.add_subplot(grid[channel, :], sharex=rows[0] if channel else None)
        _plain(axes, time)
        _shade(axes, time, true_events)
        if train_length:
            _shade(axes, time, [(0, train_length)], TRAINING, "fitted on")
        if channel < n_channels:
            axes.tick_params(labelbottom=False)
            if n_channels == 1:
                axes.set_ylabel(names[channel])
            else:  # a row is too low for its name to stand upright beside it
                axes.set_title(names[channel], loc="left", fontsize="x-small", pad=2)
            _draw(axes, time, values[:, channel], INK, linewidth=0.6)
        rows.append(axes)
    _mark_found(rows[0], time, stretches)
    _draw_scores(rows[-1], time, scores, threshold, stretches)
    rows[0].set_xlim(time[0], time[-1])
    if timestamps is None:
        rows[-1].set_xlabel("timestamp")
    figure.align_ylabels(rows[-2:])

    for column, zoom in enumerate(zooms):
        axes = figure.add_subplot(grid[-1, column])
        _plain(axes, time, max_ticks=5)
        _draw_zoom(axes, zoom, time, values, true_events, stretches)

    _legend(figure)
    return figure


def plot_explanation(
    x: ArrayLike,
    parts: ScoreComponents,
    *,
    labels: ArrayLike | None = None,
    timestamps: ArrayLike | None = None,
    channel_name: str = "value",
) -> Figure:
    """Draw what the score of one channel is made of.

    From top to bottom: the channel with its reconstruction; the classifier's
    probability and how much was hidden from the reconstruction; the reconstruction
    error; how much farther than usual the nearest normal references are, in values and
    in changes.

    Parameters
    ----------
    x : array-like of shape (n_timestamps,)
        The channel.
    parts : ScoreComponents
        Of this channel, from ``CoADDetector.explain``.
    labels : array-like of shape (n_timestamps,), default=None
        True anomalies, 0 or 1; shaded.
    timestamps : array-like of shape (n_timestamps,), default=None
        Numbers or datetimes; positions from 0 by default.
    channel_name : str, default="value"
        What to call it.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If lengths do not agree or a label is neither 0 nor 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.plotting import plot_explanation
    >>> from skcoad.scoring import ScoreComponents
    >>> x = np.sin(np.arange(500) / 8)
    >>> nothing = np.zeros(500)
    >>> figure = plot_explanation(x, ScoreComponents(*[nothing] * 6))
    >>> len(figure.axes)
    4
    """
    from matplotlib.figure import Figure

    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(
            f"x must be one channel of shape (n_timestamps,), got {values.shape}"
        )
    n_timestamps = len(values)
    for name, part in parts._asdict().items():
        _check_length(part, f"parts.{name}", n_timestamps)
    time = np.arange(n_timestamps) if timestamps is None else np.asarray(timestamps)
    _check_length(time, "timestamps", n_timestamps)

    figure = Figure(figsize=(10, 6), layout="constrained")
    rows = figure.subplots(4, 1, sharex=True, height_ratios=[2, 1, 1, 1])
    for axes in rows:
        _plain(axes, time)
        if labels is not None:
            _check_length(np.asarray(labels), "labels", n_timestamps)
            _shade(axes, time, events(labels))
    series, decision, error, distance = rows
    # The reconstruction is broad and below, so that it shows where the two agree.
    _draw(
        series,
        time,
        parts.reconstruction,
        EXPECTED,
        linewidth=2.5,
        alpha=0.5,
        label="reconstruction",
    )
    _draw(series, time, values, INK, linewidth=0.8, label="series")
    series.set_ylabel(channel_name)
    _draw(
        decision,
        time,
        parts.probability,
        FOUND,
        linewidth=2.5,
        alpha=0.5,
        label="probability",
    )
    _draw(decision, time, parts.mask, LIMIT, linewidth=0.8, label="mask")
    decision.set(ylabel="classifier", ylim=(-0.02, 1.05))
    _draw(error, time, parts.error, INK, linewidth=0.8)
    error.set_ylabel("reconstruction\nerror")
    _draw(
        distance,
        time,
        parts.change_excess.clip(min=0),
        EXPECTED,
        linewidth=2.5,
        alpha=0.5,
        label="in changes",
    )
    by_value = parts.value_excess.clip(min=0)
    _draw(distance, time, by_value, INK, linewidth=0.8, label="in values")
    distance.set_ylabel("farther from\nreference")
    for axes in (error, distance):
        axes.set_ylim(0, max(axes.get_ylim()[1], 1e-3))
    series.set_xlim(time[0], time[-1])
    if timestamps is None:
        distance.set_xlabel("timestamp")
    figure.align_ylabels(rows)
    _legend(figure)
    return figure


def _columns(x: ArrayLike, name: str) -> NDArray[np.float64]:
    values = np.asarray(x, dtype=np.float64)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.size == 0:
        raise ValueError(
            f"{name} must have shape (n_timestamps, n_channels) or (n_timestamps,) and "
            f"not be empty, got {values.shape}"
        )
    return values


def _check_length(array: NDArray[Any], name: str, n_timestamps: int) -> None:
    if array.shape != (n_timestamps,):
        raise ValueError(f"{name} must have shape ({n_timestamps},), got {array.shape}")


def _channel_names(names: Sequence[str] | None, n_channels: int) -> Sequence[str]:
    if names is None:
        return ["value"] if n_channels == 1 else [f"{i}" for i in range(n_channels)]
    if len(names) != n_channels:
        raise ValueError(f"{n_channels} channels but {len(names)} channel_names")
    return names


def _plain(axes: Axes, time: NDArray[Any], max_ticks: int = 9) -> None:
    """Leave out what carries no information."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import MaxNLocator

    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize="small")
    if time.dtype.kind == "M":
        locator = AutoDateLocator(  # type: ignore[no-untyped-call]
            minticks=3, maxticks=max_ticks
        )
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(
            ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        )
    else:
        axes.xaxis.set_major_locator(MaxNLocator(max_ticks, steps=[1, 2, 5, 10]))


def _shade(
    axes: Axes,
    time: NDArray[Any],
    spans: Any,
    color: str = TRUTH,
    label: str = "true anomaly",
) -> None:
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


def _draw(
    axes: Axes, time: NDArray[Any], y: NDArray[Any], color: str, **style: Any
) -> None:
    drawn = _extremes(y)
    axes.plot(time[drawn], y[drawn], color=color, **style)


def _extremes(y: NDArray[Any]) -> NDArray[np.intp]:
    """Positions that draw the same line: lowest and highest of each pixel column."""
    width = -(-len(y) // MAX_COLUMNS)
    if width <= 2:
        return np.arange(len(y))
    n_whole = len(y) // width * width
    columns = y[:n_whole].reshape(-1, width)
    within = np.sort([columns.argmin(axis=1), columns.argmax(axis=1)], axis=0)
    positions = (within + np.arange(0, n_whole, width)).T.ravel()
    return np.concatenate([positions, np.arange(n_whole, len(y))])


def _mark_found(
    axes: Axes, time: NDArray[Any], stretches: Sequence[AnomalySegment]
) -> None:
    """Draw a bar above each stretch."""
    for stretch in stretches:
        axes.plot(
            time[[stretch.start, min(stretch.stop, len(time) - 1)]],
            [1.04, 1.04],
            color=FOUND,
            linewidth=4,
            solid_capstyle="projecting",  # a single timestamp is seen, too, ...
            snap=False,  # ... unless both its ends snap to one pixel
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            label="found",
        )


def _draw_scores(
    axes: Axes,
    time: NDArray[Any],
    scores: NDArray[np.float64],
    threshold: float | None,
    stretches: Sequence[AnomalySegment],
) -> None:
    _draw(axes, time, scores, FOUND, linewidth=0.8)
    axes.set_ylabel("anomaly score")
    if threshold is not None:
        axes.axhline(
            threshold, color=LIMIT, linewidth=0.9, linestyle="--", label="threshold"
        )
    if stretches:
        peaks = [stretch.peak for stretch in stretches]
        axes.plot(
            time[peaks], scores[peaks], "v", color=FOUND, markersize=4, clip_on=False
        )


def _draw_zoom(
    axes: Axes,
    zoom: Zoom,
    time: NDArray[Any],
    values: NDArray[np.float64],
    true_events: NDArray[np.intp],
    stretches: Sequence[AnomalySegment],
) -> None:
    if not (0 <= zoom.start < zoom.stop <= len(time)):
        raise ValueError(
            f"a zoom must be a part of the {len(time)} timestamps, got {zoom.start} to "
            f"{zoom.stop}"
        )
    shown = slice(zoom.start, zoom.stop)
    _shade(axes, time, true_events)
    axes.plot(time[shown], values[shown, zoom.channel], color=INK, linewidth=1)
    # Bars are not clipped by the axes, above which they stand.
    inside = [
        stretch._replace(
            start=max(stretch.start, zoom.start), stop=min(stretch.stop, zoom.stop - 1)
        )
        for stretch in stretches
        if stretch.start < zoom.stop and stretch.stop > zoom.start
    ]
    _mark_found(axes, time, inside)
    axes.set_title(zoom.title, fontsize="medium", pad=10)
    axes.set_xlim(time[shown][0], time[shown][-1])


def _legend(figure: Figure) -> None:
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
