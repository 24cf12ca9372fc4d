"""A figure of a series above its scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad._arguments import check_sequence
from skcoad._series import (
    channel_position,
    check_length,
    check_series,
    check_train_length,
)
from skcoad._time import time_index
from skcoad.metrics import events
from skcoad.plotting._heat_map import MAX_LABELS, heat_map, standardized
from skcoad.plotting._style import (
    EXPECTED,
    FOUND,
    INK,
    LIMIT,
    SCORE,
    TRAINING,
    draw,
    legend,
    new_figure,
    plain,
    shade,
    shortened,
)
from skcoad.plotting._time import TimeAxis, time_axis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from skcoad.scoring import AnomalySegment

__all__ = ["Zoom", "plot_scores"]

MAX_ROWS = 8  # channels of which each has a row of its own
MOST_ANOMALOUS = 5  # of more channels, so many have one
# The axis of scores of so many thresholds is logarithmic above the threshold.
HIGH, MAX_HIGH = 10, 1e12
MAX_DECADES = 4  # ticks of a logarithmic axis


class Zoom(NamedTuple):
    """A part of a series to be shown enlarged.

    Attributes
    ----------
    title : str
        What stands above it.
    start, stop : int
        First timestamp and the one after the last.
    channel : int or str, default=0
        Which channel, by position or name.
    """

    title: str
    start: int
    stop: int
    channel: int | str = 0


def plot_scores(
    x: ArrayLike,
    scores: ArrayLike,
    *,
    channel_scores: ArrayLike | None = None,
    expected: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    threshold: float | None = None,
    train_length: int = 0,
    timestamps: ArrayLike | None = None,
    channel_names: Sequence[Any] | None = None,
    segments: pd.DataFrame | Sequence[AnomalySegment] = (),
    zooms: Sequence[Zoom] = (),
    figure: Figure | SubFigure | None = None,
) -> Figure:
    """Draw a series above its scores.

    Up to 8 channels have a row each. Of more, the 5 with the highest scores have, and
    the others are rows of a heat map, of their scores where these are given and of
    their standardised values otherwise.

    Of a long series the minimum and maximum of each pixel column are drawn, so the time
    hardly grows with the length, and no peak is lost. Where values or timestamps are
    missing nothing is drawn.

    Parameters
    ----------
    x : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
        The series. A DataFrame names its channels and, by its index, its timestamps.
    scores : array-like of shape (n_timestamps,)
        Its scores, finite.
    channel_scores : array-like of shape (n_timestamps, n_channels), default=None
        Scores of each channel: they decide which of many channels are drawn first.
    expected : array-like of the shape of `x`, default=None
        Expected values, for instance the reconstruction of an explanation; drawn in the
        zooms. NaN where they are not known.
    labels : array-like of shape (n_timestamps,), default=None
        True anomalies, 0 or 1; shaded.
    threshold : float, default=None
        Scores above are anomalies; a dashed line. If a score is above 10 times the
        threshold, the axis is logarithmic from the threshold on.
    train_length : int, default=0
        Length of the beginning that the detector was fitted on; shaded in grey. Scores
        in it do not decide about the order of the channels.
    timestamps : array-like of shape (n_timestamps,), default=None
        Numbers, dates or durations; by default of the index of `x` if these are dates,
        or positions from 0.
    channel_names : sequence, default=None
        One for each channel.
    segments : DataFrame or sequence of AnomalySegment, default=()
        Anomalies found, from ``detector.find_segments(x)`` or
        :func:`skcoad.scoring.find_segments`; marked above the series and at the peaks
        of the score. Labels of rows are those of the index of `x`, or of an array
        those of `timestamps`, and integers its positions.
    zooms : sequence of Zoom, default=()
        Parts to show enlarged, below.
    figure : matplotlib.figure.Figure or SubFigure, default=None
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.figure.Figure or SubFigure
        The one given, or the new one.

    Raises
    ------
    ValueError
        If lengths do not agree, a score is not finite, a label is neither 0 nor 1,
        `train_length` is negative or longer than the series, `channel_names` is text,
        or a zoom or a segment is no part of the series, or labels that segments are
        given by are there more than once.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.plotting import plot_scores
    >>> x = np.sin(np.arange(1000) / 8)
    >>> figure = plot_scores(x, np.abs(x), threshold=0.9, train_length=400)
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['value', 'anomaly score']
    """
    import pandas as pd

    values = check_series(x)
    n_timestamps, n_channels = values.shape
    scores = np.asarray(scores, dtype=np.float64)
    check_length(scores, "scores", n_timestamps)
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    check_train_length(train_length, "train_length", n_timestamps)
    index = x.index if isinstance(x, (pd.DataFrame, pd.Series)) else None
    times = time_index(index)
    if timestamps is None and isinstance(times, (pd.DatetimeIndex, pd.PeriodIndex)):
        timestamps = times
    if channel_names is None and isinstance(x, pd.DataFrame):
        channel_names = list(x.columns)
    true_events = np.empty((0, 2), dtype=np.intp)
    if labels is not None:
        check_length(np.asarray(labels), "labels", n_timestamps)
        true_events = events(labels)
    picture = _Picture(
        values,
        time_axis(timestamps, n_timestamps),
        _names(channel_names, n_channels),
        _of_shape(channel_scores, "channel_scores", values.shape),
        _of_shape(expected, "expected", values.shape),
        true_events,
        train_length,
        _positions(segments, index, timestamps),
    )
    return picture.draw(figure, scores, threshold, zooms)


@dataclass(frozen=True, eq=False)
class _Picture:
    """What the rows of the figure have in common; see :func:`plot_scores`."""

    values: NDArray[np.float64]
    time: TimeAxis
    names: Sequence[str]
    channel_scores: NDArray[np.float64] | None
    expected: NDArray[np.float64] | None
    true_events: NDArray[np.intp]
    train_length: int
    segments: Sequence[tuple[int, int, int]]  # start, stop, peak

    def draw(
        self,
        figure: Figure | SubFigure | None,
        scores: NDArray[np.float64],
        threshold: float | None,
        zooms: Sequence[Zoom],
    ) -> Figure:
        alone, together = self._rows()
        heights = [max(0.55, 1.7 / len(alone) ** 0.5)] * len(alone)
        if together:
            heights.append(min(max(1.0, 0.11 * len(together)), 0.11 * MAX_LABELS))
        heights.append(1.3)
        if zooms:
            heights.append(1.8)
        figure = new_figure(figure, sum(heights) + 0.9)
        grid = figure.add_gridspec(
            len(heights), max(1, len(zooms)), height_ratios=heights, hspace=0.04
        )
        rows: list[Axes] = []
        for row in range(len(alone) + bool(together) + 1):
            axes = figure.add_subplot(grid[row, :], sharex=rows[0] if rows else None)
            plain(axes, self.time)
            axes.tick_params(labelbottom=False)
            rows.append(axes)
        for axes, channel in zip(rows, alone, strict=False):
            self._shade(axes)
            draw(axes, self.time, self.values[:, channel], INK, linewidth=0.6)
            name = shortened(self.names[channel])
            if len(self.names) == 1:
                axes.set_ylabel(name, parse_math=False)
            else:  # a row is too low for its name to stand upright beside it
                axes.set_title(
                    name, loc="left", fontsize="x-small", pad=2, parse_math=False
                )
        if together:
            self._heat_map(rows[-2], together)
        _mark(rows[0], self.time, self.segments)
        last = rows[-1]
        self._shade(last)
        observed = ~np.isnan(self.values).all(axis=1)
        shown = np.where(observed, scores, np.nan)
        draw(last, self.time, shown, SCORE, linewidth=0.8)
        last.set_ylabel("anomaly score")
        last.tick_params(labelbottom=True)
        last.set_xlabel(self.time.label)
        if threshold is not None:
            highest = float(shown.max(initial=0, where=observed))
            if HIGH * threshold < highest < MAX_HIGH * threshold:
                # Or one high peak would flatten all others.
                last.set_yscale("symlog", linthresh=threshold)
                last.set_ylabel("anomaly score (log)")
                last.set_yticks([0, *_log_ticks(threshold, highest)])
                last.yaxis.set_major_formatter("{x:g}")
                last.set_ylim(bottom=0)
            last.axhline(
                threshold, color=LIMIT, linewidth=0.9, linestyle="--", label="threshold"
            )
        if self.segments:
            peaks = [peak for _, _, peak in self.segments]
            last.plot(
                self.time.values[peaks],
                scores[peaks],
                "v",
                color=FOUND,
                markersize=4,
                clip_on=False,
            )
        figure.align_ylabels([rows[0], last] if len(self.names) == 1 else [last])
        for column, zoom in enumerate(zooms):
            self._zoom(figure.add_subplot(grid[-1, column]), zoom)
        legend(figure)
        return figure

    def _rows(self) -> tuple[list[int], list[int]]:
        """Channels with a row of their own, and those of the heat map, in order."""
        n_channels = len(self.names)
        if n_channels <= MAX_ROWS:
            return list(range(n_channels)), []
        order = np.arange(n_channels)
        if self.channel_scores is not None:
            # Where all of the series was fitted on, all of it decides.
            whole = self.train_length == len(self.values)
            searched = slice(0 if whole else self.train_length, None)
            observed = ~np.isnan(self.values[searched])
            highest = np.where(observed, self.channel_scores[searched], 0).max(axis=0)
            order = np.argsort(-highest, kind="stable")
        return order[:MOST_ANOMALOUS].tolist(), order[MOST_ANOMALOUS:].tolist()

    def _shade(self, axes: Axes) -> None:
        shade(axes, self.time, self.true_events)
        if self.train_length:
            shade(axes, self.time, [(0, self.train_length)], TRAINING, "fitted on")

    def _heat_map(self, axes: Axes, channels: list[int]) -> None:
        if self.channel_scores is None:
            shown, label = standardized(self.values[:, channels]), "standard deviations"
        else:
            missing = np.isnan(self.values[:, channels])
            shown = np.where(missing, np.nan, self.channel_scores[:, channels])
            label = "score"
        names = [self.names[channel] for channel in channels]
        is_score = self.channel_scores is not None
        heat_map(axes, self.time, shown, names, is_score=is_score, label=label)

    def _zoom(self, axes: Axes, zoom: Zoom) -> None:
        n_timestamps = len(self.values)
        if not (0 <= zoom.start < zoom.stop <= n_timestamps):
            raise ValueError(
                f"a zoom must be a part of the {n_timestamps} timestamps, got "
                f"{zoom.start} to {zoom.stop}"
            )
        channel = channel_position(zoom.channel, self.names)
        shown = slice(zoom.start, zoom.stop)
        time = self.time.part(zoom.start, zoom.stop)
        plain(axes, time, max_ticks=5)
        shade(axes, time, _clipped(self.true_events, zoom))
        x = self.values[shown, channel]
        if self.expected is not None:
            # Broad and below, so that it shows where the two agree.
            style = {"linewidth": 2.5, "alpha": 0.6, "label": "expected"}
            expected = np.where(np.isnan(x), np.nan, self.expected[shown, channel])
            draw(axes, time, expected, EXPECTED, **style)
        draw(axes, time, x, INK, linewidth=1)
        _mark(axes, time, _clipped(self.segments, zoom))
        axes.set_title(
            shortened(zoom.title), fontsize="medium", pad=10, parse_math=False
        )


def _clipped(spans: Any, zoom: Zoom) -> list[tuple[int, int]]:
    """Starts and stops within a zoom, counted from its start."""
    last = zoom.stop - zoom.start - 1
    return [
        (max(start - zoom.start, 0), min(stop - zoom.start, last))
        for start, stop, *_ in spans
        if start < zoom.stop and stop > zoom.start
    ]


def _mark(axes: Axes, time: TimeAxis, spans: Any) -> None:
    """Draw a bar above each segment."""
    for start, stop, *_ in spans:
        axes.plot(
            time.values[[start, min(stop, len(time.values) - 1)]],
            [1.04, 1.04],
            color=FOUND,
            linewidth=4,
            solid_capstyle="projecting",  # a single timestamp is seen, too, ...
            snap=False,  # ... unless both its ends snap to one pixel
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            label="found",
        )


def _names(names: Sequence[Any] | None, n_channels: int) -> Sequence[str]:
    if names is None:
        return ["value"] if n_channels == 1 else [f"{i}" for i in range(n_channels)]
    check_sequence("channel_names", names)
    if len(names) != n_channels:
        raise ValueError(f"{n_channels} channels but {len(names)} channel_names")
    return [str(name) for name in names]


def _of_shape(
    array: ArrayLike | None, name: str, shape: tuple[int, ...]
) -> NDArray[np.float64] | None:
    if array is None:
        return None
    values = check_series(array, name)
    if values.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {values.shape}")
    return values


def _positions(
    segments: Any, index: pd.Index[Any] | None, timestamps: Any
) -> list[tuple[int, int, int]]:
    """Start, stop and peak of each segment, counted from 0."""
    import pandas as pd

    if not isinstance(segments, pd.DataFrame):
        return [(segment.start, segment.stop, segment.peak) for segment in segments]
    if segments.empty:
        return []
    labels = [segments[name] for name in ("start", "end", "peak")]
    name = "the index of x"
    if index is None and not pd.api.types.is_integer_dtype(labels[0]):
        if timestamps is None:
            raise ValueError(
                f"a segment starts at {labels[0].iloc[0]!r}, and x has no index; "
                "give timestamps, or segments by position"
            )
        index, name = pd.Index(timestamps), "timestamps"
    if index is not None:
        if not index.is_unique:
            raise ValueError(
                f"{name} has {index[index.duplicated()][0]} more than once, "
                "so labels do not say where segments are; "
                "detector.search(x).segments are by position"
            )
        labels = [pd.Series(index.get_indexer(pd.Index(each))) for each in labels]
        if any((each < 0).any() for each in labels):
            raise ValueError(f"a segment has a label that is not in {name}")
    return [(start, end + 1, peak) for start, end, peak in zip(*labels, strict=True)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between two numbers; if they are few, 2 and 5 times as well."""
    exponents = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    few = len(exponents) <= 2
    chosen = exponents if few else exponents[1 :: -(-len(exponents) // MAX_DECADES)]
    ticks = (
        m * 10.0**exponent for exponent in chosen for m in ((1, 2, 5) if few else (1,))
    )
    return [tick for tick in ticks if low < tick <= high]
