"""The search of a series by a fitted detector: where it is anomalous."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from numbers import Number
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skcoad._arguments import check_integer, check_number
from skcoad._duration import check_unit
from skcoad._time import time_index
from skcoad._typing import FloatArray
from skcoad.detectors._snapshot import on_one_fit
from skcoad.model import CoADModel
from skcoad.scoring import (
    AnomalySegment,
    ScoringOptions,
    aggregate_channels,
    find_segments,
    segment_table,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SearchMixin", "SearchResult", "place_rows", "row_labels", "row_position"]


class SearchResult(NamedTuple):
    """A series, its scores and the anomalous segments in it.

    Where the index of `X` has times and rows are missing in it, there are timestamps
    for them too.

    Attributes
    ----------
    values : ndarray of shape (n_timestamps, n_channels)
        The series; NaN is missing.
    channel_scores : ndarray of shape (n_timestamps, n_channels)
        Scores of the channels; 0 where values are missing.
    expected : ndarray of shape (n_timestamps, n_channels) or None
        Expected values in the units of `X`; None where scores were given without them.
    scores : ndarray of shape (n_timestamps,)
        What ``decision_function`` gives.
    threshold : float
        Peaks lie above.
    start : int
        Timestamp from which on segments were searched.
    segments : list of AnomalySegment
        By positions, highest peak first.
    table : pandas.DataFrame
        The same segments as ``find_segments`` describes them, by labels.
    rows : ndarray of shape (n_rows,)
        Timestamps that have a row in `X`.
    """

    values: FloatArray
    channel_scores: FloatArray
    expected: FloatArray | None
    scores: FloatArray
    threshold: float
    start: int
    segments: list[AnomalySegment]
    table: pd.DataFrame
    rows: NDArray[np.intp]


class SearchMixin:
    """The methods :meth:`find_segments` and :meth:`search` of a detector."""

    model_: CoADModel
    segment_threshold_: float
    n_features_in_: int
    _column_labels: list[Any] | None = None  # names that are no text

    @abstractmethod
    def _scoring_options(self) -> ScoringOptions: ...

    @abstractmethod
    def _validated(self, X: Any) -> FloatArray: ...

    @abstractmethod
    def _regular(self, X: Any, series: FloatArray) -> tuple[FloatArray, Any]: ...

    @abstractmethod
    def _score_channels(self, X: FloatArray) -> tuple[FloatArray, FloatArray]: ...

    @on_one_fit
    def find_segments(
        self,
        X: Any,
        *,
        threshold: float | None = None,
        limit: int | None = None,
        start: Any = None,
        channel_scores: FloatArray | None = None,
    ) -> pd.DataFrame:
        """Find the anomalous segments of a series, and say why they are anomalous.

        Segments are those of :func:`skcoad.scoring.find_segments`, at least a period
        apart. A missing value counts as a score of 0: a hole is no anomaly.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.
        threshold : float or None, default=None
            Peaks lie above; by default `segment_threshold_`.
        limit : int or None, default=None
            Largest number of segments, at least 1.
        start : int or label, default=None
            Row from which on segments are searched, by default the first; for instance
            after the context that was put before the new data. A position where `X` is
            an array, or its index is 0, 1, 2, ...; else a label of its index. Where
            these are times, the first row at or after a time, or a position.
        channel_scores : ndarray of shape (n_timestamps, n_channels), default=None
            What :meth:`channel_scores` gives for `X`, if it is at hand: it is not
            computed again.

        Returns
        -------
        pandas.DataFrame
            One row for each segment, highest peak first; empty if nothing is unusual.

            ========= ============================================================
            start     first timestamp: a label of the index of `X` where `X` is a
                      DataFrame or a Series of pandas, else a position
            peak      timestamp of the highest score
            end       last timestamp; it belongs to the segment
            score     score at the peak
            channel   channel with the highest score at the peak: its name, or its
                      position if `fit` saw no names
            component which component contributes most to this channel's score there,
                      by its name in :class:`skcoad.scoring.ScoreComponents`
            reason    what that means, and the observed beside the expected value
                      where they differ most, in one line
            ========= ============================================================

        Raises
        ------
        ValueError
            As in :meth:`decision_function`; if `threshold` is no finite number, `limit`
            is below 1 or no integer, `start` is no position or label of one row, or a
            time beyond those of `X`, or `channel_scores` has not the shape of `X` or is
            not finite.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from skcoad import NeighborsDetector
        >>> rng = np.random.default_rng(0)
        >>> load = np.sin(np.arange(1000) / 4) + 0.1 * rng.normal(size=1000)
        >>> load[700:740] = 0.5 * load[700:740]
        >>> time = pd.date_range("2024-01-01", periods=1000, freq="h")
        >>> X = pd.DataFrame({"load": load}, index=time)
        >>> detector = NeighborsDetector().fit(X[:500])
        >>> found = detector.find_segments(X, threshold=4)
        >>> found[["start", "end", "channel", "component"]]
                        start                 end channel       component
        0 2024-01-30 04:00:00 2024-01-31 20:00:00    load  value_distance
        >>> print(found["reason"][0].split(" (")[0])
        values unlike any in training
        """
        return self._search(X, threshold, limit, start, channel_scores).table

    @on_one_fit
    def search(
        self,
        X: Any,
        *,
        threshold: float | None = None,
        limit: int | None = None,
        start: Any = None,
    ) -> SearchResult:
        """Score a series, and find its anomalous segments.

        Of use where scores, expected values and segments are all wanted: the series is
        scored once.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.
        threshold, limit, start : float, int, and int or label
            As in :meth:`find_segments`.

        Returns
        -------
        SearchResult
            Its ``table`` is that of :meth:`find_segments`.

        Raises
        ------
        ValueError
            As in :meth:`find_segments`.

        Examples
        --------
        >>> import numpy as np
        >>> from skcoad import NeighborsDetector
        >>> X = np.sin(np.arange(900.0) / 4)
        >>> X[700:740] *= 0.5
        >>> found = NeighborsDetector().fit(X[:500]).search(X, threshold=4, start=500)
        >>> bool(found.scores.max() > found.threshold), len(found.segments)
        (True, 1)
        """
        return self._search(X, threshold, limit, start)

    def _search(
        self,
        X: Any,
        threshold: float | None,
        limit: int | None,
        start: Any,
        channel_scores: FloatArray | None = None,
        expected: FloatArray | None = None,
    ) -> SearchResult:
        """Search a series, with its scores if they are at hand."""
        if threshold is not None:
            check_number("threshold", threshold)
        validated = self._validated(X)
        start = row_position(X, len(validated), "start", start)
        series, rows = self._regular(X, validated)
        rows = np.arange(len(series))[rows]
        if channel_scores is None:
            scored, reconstruction = self._score_channels(series)
            channel_scores, expected = scored[rows], reconstruction[rows]
        place = partial(place_rows, X=validated, rows=rows, n_timestamps=len(series))
        channel_scores = place(channel_scores, "channel_scores", finite=True)
        if expected is not None:
            expected = place(expected, "expected")
        channel_scores = np.where(np.isnan(series), 0.0, channel_scores)
        options = self._scoring_options()
        scores = aggregate_channels(self.model_, channel_scores.T, options)
        threshold = float(self.segment_threshold_ if threshold is None else threshold)
        start = int(rows[start]) if start < len(rows) else len(series)
        segments = find_segments(
            scores,
            threshold,
            separation=self.model_.config.plan.period,
            limit=limit,
            start=start,
        )
        # No segment begins, ends or peaks at a missing row.
        labels = row_labels(X, len(rows)).take(
            np.searchsorted(rows, np.arange(len(series)))
        )
        table = segment_table(
            self.model_,
            series,
            options,
            segments,
            channel_scores,
            index=labels,
            names=self.channel_names_,
        )
        return SearchResult(
            series,
            channel_scores,
            expected,
            scores,
            threshold,
            start,
            segments,
            table,
            rows,
        )

    @property
    def channel_names_(self) -> list[Any]:
        """Names of the channels, text or not, or their positions if `fit` saw none."""
        names = getattr(self, "feature_names_in_", self._column_labels)
        return list(range(self.n_features_in_) if names is None else names)


def row_labels(X: Any, n_timestamps: int) -> pd.Index[Any]:
    """Labels of the rows: the index of a frame or series of pandas, else positions."""
    import pandas as pd

    labelled = isinstance(X, (pd.DataFrame, pd.Series))
    return X.index if labelled else pd.RangeIndex(n_timestamps)


def row_position(X: Any, n_timestamps: int, name: str, given: Any) -> int:
    """Position that a part of `X` starts or stops at, given as a label or a position.

    Parameters
    ----------
    X : array-like
        What ``_validated`` has taken.
    n_timestamps : int
        Its number of rows.
    name : {"start", "stop"}
        Of the argument. As in pandas, the row of a label that is the stop belongs to
        the part.
    given : int, label or None
        What was given for it. A time may be whatever pandas' ``.loc`` takes for one;
        beside times, an integer is a position. None is an end of `X`.

    Returns
    -------
    int
        Of the first row of the part, or of the one after the last.

    Raises
    ------
    ValueError
        If it is no integer where rows are counted, no time from that of the first row
        to that of the last, or text for a duration without its unit, or not the label
        of exactly one row.
    """
    if given is None:
        return n_timestamps if name == "stop" else 0
    labels = row_labels(X, n_timestamps)
    times = time_index(labels)
    # A duration of numpy is one of its integers.
    is_number = isinstance(given, Number) and not isinstance(given, np.timedelta64)
    if times is not None and not is_number:
        return _position_of_time(times, name, given)
    if times is None and not _are_positions(labels):
        return _position_of_label(labels, name, given)
    check_integer(name, given, 0)
    return int(given)


def _are_positions(labels: pd.Index[Any]) -> bool:
    """Whether labels are 0, 1, 2 and so on."""
    return labels.dtype.kind in "iu" and bool((labels == np.arange(len(labels))).all())


def _position_of_time(times: Any, name: str, given: Any) -> int:
    if isinstance(given, str) and times.dtype.kind == "m":
        check_unit(name, given)
    try:
        first = int(times.get_slice_bound(given, side="left"))
        after = int(times.get_slice_bound(given, side="right"))
    except (TypeError, ValueError, KeyError, AttributeError) as error:  # of NaT
        raise ValueError(
            f"{name} must be an integer or a time like {times[0]!r}, got {given!r}"
        ) from error
    if after == 0 or first == len(times):
        raise ValueError(
            f"{name} is {given}, and the rows are from {times[0]} to {times[-1]}"
        )
    return after if name == "stop" else first


def _position_of_label(labels: pd.Index[Any], name: str, given: Any) -> int:
    counted = "positions are for arrays and X.reset_index(drop=True)"
    try:
        at = labels.get_loc(given)
    except Exception as error:  # pandas raises its own for what cannot be a label
        raise ValueError(
            f"{name} must be a label of the index of X, from {labels[0]} to "
            f"{labels[-1]}, got {given!r}; {counted}"
        ) from error
    if not isinstance(at, (int, np.integer)):
        raise ValueError(
            f"{name} is {given!r}, which the index of X has more than once; {counted}"
        )
    return int(at) + (name == "stop")


def place_rows(
    given: FloatArray,
    name: str,
    X: FloatArray,
    rows: NDArray[np.intp],
    n_timestamps: int,
    *,
    finite: bool = False,
) -> FloatArray:
    """Numbers of the rows of `X` at their times; NaN where rows were missing."""
    if np.shape(given) != X.shape:
        raise ValueError(
            f"{name} must have the shape of X, {X.shape}, got {np.shape(given)}"
        )
    if finite and not np.isfinite(given).all():
        row, channel = np.argwhere(~np.isfinite(given))[0]
        raise ValueError(
            f"{name} must be finite, got {np.asarray(given)[row, channel]} in row "
            f"{row}, channel {channel}"
        )
    placed = np.full((n_timestamps, X.shape[1]), np.nan)
    placed[rows] = given
    return placed
