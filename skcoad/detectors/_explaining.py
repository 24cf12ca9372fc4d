"""What a fitted detector says beyond scores: where, and why."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skcoad._typing import FloatArray
from skcoad.detectors._explanation import Explanation
from skcoad.detectors._snapshot import on_one_fit
from skcoad.model import CoADModel, ScoreComponents
from skcoad.scoring import (
    AnomalySegment,
    ScoringOptions,
    aggregate_channels,
    channel_contributions,
    channel_shares,
    find_segments,
    nearest_positions,
    score_channels,
    segment_table,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExplanationMixin", "Found", "row_labels"]


class Found(NamedTuple):
    """A series and what was found in it.

    Attributes
    ----------
    series : ndarray of shape (n_timestamps, n_channels)
        All of it, with the rows that were missing in time.
    channel_scores : ndarray of shape (n_timestamps, n_channels)
        0 where values are missing.
    expected : ndarray of shape (n_timestamps, n_channels) or None
        Expected values, NaN at the rows that were missing, if they are known.
    score : ndarray of shape (n_timestamps,)
        Of all channels.
    threshold : float
        Peaks are above.
    start : int
        Timestamp from which on was searched.
    segments : list of AnomalySegment
        Highest peak first.
    table : pandas.DataFrame
        What :meth:`ExplanationMixin.find_segments` says of them.
    """

    series: FloatArray
    channel_scores: FloatArray
    expected: FloatArray | None
    score: FloatArray
    threshold: float
    start: int
    segments: list[AnomalySegment]
    table: pd.DataFrame


class ExplanationMixin:
    """The methods :meth:`find_segments` and :meth:`explain` of a detector."""

    model_: CoADModel
    threshold_: float
    decision_scores_: FloatArray
    training_times_: Any
    n_features_in_: int

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
        start: int = 0,
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
            Peaks lie above; by default `threshold_`.
        limit : int or None, default=None
            Largest number of segments, at least 1.
        start : int, default=0
            Position from which on segments are searched; for instance after the
            context that was put before the new data.
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
            As in :meth:`decision_function`; if `threshold` is not finite, `limit` is
            below 1 or `start` below 0, or `channel_scores` has not the shape of `X`.

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
        0 2024-01-30 08:00:00 2024-01-31 18:00:00    load  value_distance
        >>> print(found["reason"][0].split(" (")[0])
        values unlike any in training
        """
        return self._search(X, threshold, limit, start, channel_scores).table

    def _search(
        self,
        X: Any,
        threshold: float | None,
        limit: int | None,
        start: int,
        channel_scores: FloatArray | None,
        expected: FloatArray | None = None,
    ) -> Found:
        """Do what :meth:`find_segments` describes, and keep what that takes."""
        validated = self._validated(X)
        series, rows = self._regular(X, validated)
        rows = np.arange(len(series))[rows]
        if channel_scores is None:
            scores, reconstruction = self._score_channels(series)
            channel_scores, expected = scores[rows], reconstruction[rows]
        place = partial(_at_times, X=validated, rows=rows, n_timestamps=len(series))
        at_times = place(channel_scores, "channel_scores")
        if expected is not None:
            expected = place(expected, "expected")
        at_times = np.where(np.isnan(series), 0.0, at_times)
        options = self._scoring_options()
        score = aggregate_channels(self.model_, at_times.T, options)
        threshold = float(self.threshold_ if threshold is None else threshold)
        start = int(rows[start]) if 0 <= start < len(rows) else start
        segments = find_segments(
            score,
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
            at_times,
            index=labels,
            names=self._channel_names(),
        )
        return Found(
            series, at_times, expected, score, threshold, start, segments, table
        )

    def _channel_names(self) -> Sequence[Any]:
        """Names of the channels, or their positions if `fit` saw none."""
        names: Sequence[Any] = getattr(
            self, "feature_names_in_", range(self.n_features_in_)
        )
        return names

    @on_one_fit
    def explain(
        self,
        X: Any,
        *,
        channels: Sequence[int] | None = None,
        start: int = 0,
        stop: int | None = None,
        channel_scores: FloatArray | None = None,
    ) -> Explanation:
        """Take the scores of a series apart.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.
        channels : sequence of int, default=None
            Positions of the channels to explain; all by default. Of many channels a few
            take less time and memory; the contributions of the others are then missing
            in the sum.
        start, stop : int, default=0 and None
            Explain this part of `X` only, which takes less time: the first timestamp
            and the one after the last, by default the end of `X`.
        channel_scores : ndarray of shape (n_timestamps, n_channels), default=None
            What :meth:`channel_scores` gives for `X`, if it is at hand: it is not
            computed again.

        Returns
        -------
        Explanation
            What each component of each channel contributes to the score, what was
            expected, and the nearest normal example; ``summary()`` says it in a
            sentence, ``plot()`` draws it, ``to_frame()`` makes a table.

        Raises
        ------
        ValueError
            As in :meth:`decision_function`; if there is no such channel or part, or
            `channel_scores` has not the shape of `X`.

        Examples
        --------
        >>> import numpy as np
        >>> from skcoad import NeighborsDetector
        >>> X = np.sin(np.arange(900.0) / 4)
        >>> X[700:740] *= 0.5
        >>> detector = NeighborsDetector().fit(X[:500])
        >>> explanation = detector.explain(X, start=650, stop=800)
        >>> explanation.contributions.shape
        (150, 1, 12)
        """
        validated = self._validated(X)
        n_timestamps, n_channels = validated.shape
        chosen = list(range(n_channels) if channels is None else channels)
        for channel in chosen:
            if not 0 <= channel < n_channels:
                raise ValueError(f"there are {n_channels} channels, none is {channel}")
        stop = n_timestamps if stop is None else stop
        if not 0 <= start < stop <= n_timestamps:
            raise ValueError(
                f"a part is within the {n_timestamps} timestamps and not empty, got "
                f"{start} to {stop}"
            )
        series, rows = self._regular(X, validated)
        rows = np.arange(len(series))[rows]
        part = slice(int(rows[start]), int(rows[stop - 1]) + 1)
        if channel_scores is None:
            scores = score_channels(self.model_, series, self._scoring_options(), part)
            at_times = np.stack(list(scores), 1)
        else:
            at_times = _at_times(
                channel_scores, "channel_scores", validated, rows, len(series)
            )[part]
        return self._explanation(
            series,
            part,
            rows[start:stop] - part.start,
            chosen,
            at_times,
            row_labels(X, n_timestamps)[start:stop],
        )

    def _explanation(
        self,
        series: FloatArray,
        part: slice,
        rows: NDArray[np.intp],
        channels: Sequence[int],
        at_times: FloatArray,
        labels: pd.Index[Any],
    ) -> Explanation:
        """Explain a part of a series.

        Parameters
        ----------
        series : ndarray of shape (n_timestamps, n_channels)
            All of it, without rows that are missing in time.
        part : slice
            Which timestamps.
        rows : ndarray of shape (n_rows,)
            Which timestamps of the part are rows of the explanation.
        channels : sequence of int
            Which channels are in it.
        at_times : ndarray of shape (n_timestamps_of_part, n_channels)
            Scores of all channels.
        labels : pandas.Index of length n_rows
            Labels of the rows.

        Returns
        -------
        Explanation
        """
        options = self._scoring_options()
        score = aggregate_channels(self.model_, at_times.T, options)
        shares = score[:, None] * channel_shares(at_times, options.channel_aggregation)
        explained = [
            channel_contributions(
                self.model_, series, options, channel, part, shares[:, channel]
            )
            for channel in channels
        ]
        contributions = np.stack([each.contributions[:, rows] for each in explained])
        names = self._channel_names()
        return Explanation(
            index=labels,
            channels=tuple(names[channel] for channel in channels),
            values=series[part][rows][:, channels],
            score=score[rows],
            channel_scores=at_times[rows][:, channels],
            components=tuple(
                ScoreComponents(*(values[rows] for values in each.components))
                for each in explained
            ),
            rarity=np.stack([each.rarity[:, rows].T for each in explained], 1),
            contributions=contributions.transpose(2, 0, 1),
            neighbors=self._nearest(series, channels, part, rows, contributions),
            training_times=self.training_times_,
            threshold=float(self.threshold_),
            highest_normal=float(self.decision_scores_.max()),
            period=self.model_.config.plan.period,
        )

    def _nearest(
        self,
        series: FloatArray,
        channels: Sequence[int],
        part: slice,
        rows: NDArray[np.intp],
        contributions: FloatArray,
    ) -> NDArray[np.int64] | None:
        """Nearest normal examples in the view that contributes most."""
        if self.model_.neighbors is None:
            return None
        chosen = []
        for channel, contribution in zip(channels, contributions, strict=True):
            found = nearest_positions(self.model_, series, channel, part)[:, rows]
            largest = contribution[: len(found)].argmax(0)
            chosen.append(np.take_along_axis(found, largest[None], 0)[0])
        return np.stack(chosen, 1)


def row_labels(X: Any, n_timestamps: int) -> pd.Index[Any]:
    """Labels of the rows: the index of a frame or series of pandas, else positions."""
    import pandas as pd

    labelled = isinstance(X, (pd.DataFrame, pd.Series))
    return X.index if labelled else pd.RangeIndex(n_timestamps)


def _at_times(
    given: FloatArray,
    name: str,
    X: FloatArray,
    rows: NDArray[np.intp],
    n_timestamps: int,
) -> FloatArray:
    """Numbers of the rows of `X` at their times; NaN where rows were missing."""
    if np.shape(given) != X.shape:
        raise ValueError(
            f"{name} must have the shape of X, {X.shape}, got {np.shape(given)}"
        )
    placed = np.full((n_timestamps, X.shape[1]), np.nan)
    placed[rows] = given
    return placed
