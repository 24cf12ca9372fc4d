"""Why a fitted detector scores a series as it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skcoad._arguments import check_sequence
from skcoad._series import channel_position
from skcoad._typing import FloatArray
from skcoad.detectors._explanation import Explanation
from skcoad.detectors._searching import (
    SearchMixin,
    place_rows,
    row_labels,
    row_position,
)
from skcoad.detectors._snapshot import on_one_fit
from skcoad.model import ScoreComponents
from skcoad.scoring import (
    aggregate_channels,
    channel_contributions,
    channel_shares,
    nearest_positions,
    score_channels,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExplanationMixin"]


class ExplanationMixin(SearchMixin):
    """The method :meth:`explain` of a detector."""

    decision_scores_: FloatArray
    training_times_: Any

    @on_one_fit
    def explain(
        self,
        X: Any,
        *,
        channels: Sequence[int | str] | None = None,
        start: Any = None,
        stop: Any = None,
        channel_scores: FloatArray | None = None,
    ) -> Explanation:
        """Take the scores of a series apart.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.
        channels : sequence of int or str, default=None
            Channels to explain, by the name that `fit` saw, or by position unless names
            are integers; all by default. Of many channels a few take less time and
            memory; the contributions of the others are then missing in the sum.
        start, stop : int or label, default=None
            Explain this part of `X` only, which takes less time; by default from the
            first row to the last. Where `X` is an array, or its index is 0, 1, 2, ...,
            positions of the first timestamp and of the one after the last: ``start``
            and ``end + 1`` of a segment of :meth:`find_segments`. Else labels of its
            index, an integer too, as ``start`` and ``end`` of a segment: `stop` belongs
            to the part as in pandas' ``.loc``. Where the labels are times, from the
            first row at or after `start`, and integers are positions.
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
            As in :meth:`decision_function`; if `channels` is text, there is no such
            channel or part, a label is that of several rows, or `channel_scores` has
            not the shape of `X` or is not finite.

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
        n_timestamps = len(validated)
        chosen = _positions(channels, self.channel_names_)
        start = row_position(X, n_timestamps, "start", start)
        stop = row_position(X, n_timestamps, "stop", stop)
        if not start < stop <= n_timestamps:
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
            at_times = place_rows(
                channel_scores,
                "channel_scores",
                validated,
                rows,
                len(series),
                finite=True,
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
        names = self.channel_names_
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
            threshold=float(self.segment_threshold_),
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


def _positions(
    channels: Sequence[int | str] | None, names: Sequence[int | str]
) -> list[int]:
    """Positions of channels that are given by position or name; all by default."""
    if channels is None:
        return list(range(len(names)))
    check_sequence("channels", channels)
    if len(channels) == 0:
        raise ValueError("channels is empty; leave it out to explain all")
    return [channel_position(channel, names) for channel in channels]
