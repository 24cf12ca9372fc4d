"""A figure of a series above its scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad._series import check_length, check_series
from skcoad.metrics import events
from skcoad.plotting._style import (
    FOUND,
    INK,
    LIMIT,
    TRAINING,
    draw,
    legend,
    plain,
    shade,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from skcoad.scoring import AnomalySegment

__all__ = ["Zoom", "plot_scores"]


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
    segments: Sequence[AnomalySegment] = (),
    zooms: Sequence[Zoom] = (),
) -> Figure:
    """Draw a series above its scores.

    Of a long series the minimum and maximum of each pixel column are drawn, so the time
    hardly grows with the length, and no peak is lost.

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
    segments : sequence of AnomalySegment, default=()
        Anomalies found; marked above the series and at the peaks of the score.
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

    values = check_series(x)
    n_timestamps, n_channels = values.shape
    scores = np.asarray(scores, dtype=np.float64)
    check_length(scores, "scores", n_timestamps)
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    time = np.arange(n_timestamps) if timestamps is None else np.asarray(timestamps)
    check_length(time, "timestamps", n_timestamps)
    true_events = np.empty((0, 2), dtype=np.intp)
    if labels is not None:
        check_length(np.asarray(labels), "labels", n_timestamps)
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
        plain(axes, time)
        shade(axes, time, true_events)
        if train_length:
            shade(axes, time, [(0, train_length)], TRAINING, "fitted on")
        if channel < n_channels:
            axes.tick_params(labelbottom=False)
            if n_channels == 1:
                axes.set_ylabel(names[channel])
            else:  # a row is too low for its name to stand upright beside it
                axes.set_title(names[channel], loc="left", fontsize="x-small", pad=2)
            draw(axes, time, values[:, channel], INK, linewidth=0.6)
        rows.append(axes)
    _mark_found(rows[0], time, segments)
    _draw_scores(rows[-1], time, scores, threshold, segments)
    rows[0].set_xlim(time[0], time[-1])
    if timestamps is None:
        rows[-1].set_xlabel("timestamp")
    figure.align_ylabels(rows[-2:])

    for column, zoom in enumerate(zooms):
        axes = figure.add_subplot(grid[-1, column])
        plain(axes, time, max_ticks=5)
        _draw_zoom(axes, zoom, time, values, true_events, segments)

    legend(figure)
    return figure


def _channel_names(names: Sequence[str] | None, n_channels: int) -> Sequence[str]:
    if names is None:
        return ["value"] if n_channels == 1 else [f"{i}" for i in range(n_channels)]
    if len(names) != n_channels:
        raise ValueError(f"{n_channels} channels but {len(names)} channel_names")
    return names


def _mark_found(
    axes: Axes, time: NDArray[Any], segments: Sequence[AnomalySegment]
) -> None:
    """Draw a bar above each segment."""
    for segment in segments:
        axes.plot(
            time[[segment.start, min(segment.stop, len(time) - 1)]],
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
    segments: Sequence[AnomalySegment],
) -> None:
    draw(axes, time, scores, FOUND, linewidth=0.8)
    axes.set_ylabel("anomaly score")
    if threshold is not None:
        axes.axhline(
            threshold, color=LIMIT, linewidth=0.9, linestyle="--", label="threshold"
        )
    if segments:
        peaks = [segment.peak for segment in segments]
        axes.plot(
            time[peaks], scores[peaks], "v", color=FOUND, markersize=4, clip_on=False
        )


def _draw_zoom(
    axes: Axes,
    zoom: Zoom,
    time: NDArray[Any],
    values: NDArray[np.float64],
    true_events: NDArray[np.intp],
    segments: Sequence[AnomalySegment],
) -> None:
    if not (0 <= zoom.start < zoom.stop <= len(time)):
        raise ValueError(
            f"a zoom must be a part of the {len(time)} timestamps, got {zoom.start} to "
            f"{zoom.stop}"
        )
    shown = slice(zoom.start, zoom.stop)
    shade(axes, time, true_events)
    axes.plot(time[shown], values[shown, zoom.channel], color=INK, linewidth=1)
    # Bars are not clipped by the axes, above which they stand.
    inside = [
        segment._replace(
            start=max(segment.start, zoom.start), stop=min(segment.stop, zoom.stop - 1)
        )
        for segment in segments
        if segment.start < zoom.stop and segment.stop > zoom.start
    ]
    _mark_found(axes, time, inside)
    axes.set_title(zoom.title, fontsize="medium", pad=10)
    axes.set_xlim(time[shown][0], time[shown][-1])
