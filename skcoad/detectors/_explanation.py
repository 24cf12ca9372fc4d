"""What a fitted detector says beyond scores: where, and why."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skcoad._typing import FloatArray
from skcoad.detectors._snapshot import on_one_fit
from skcoad.model import CoADModel, ScoreComponents
from skcoad.scoring import (
    ScoringOptions,
    aggregate_channels,
    explain_series,
    find_segments,
    segment_table,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExplanationMixin"]


class ExplanationMixin:
    """The methods :meth:`find_segments` and :meth:`explain` of a detector."""

    model_: CoADModel
    threshold_: float
    n_features_in_: int

    @abstractmethod
    def _scoring_options(self) -> ScoringOptions: ...

    @abstractmethod
    def _validated(self, X: Any) -> FloatArray: ...

    @abstractmethod
    def _regular(self, X: Any, series: FloatArray) -> tuple[FloatArray, Any]: ...

    @abstractmethod
    def _score_channels(self, X: FloatArray) -> FloatArray: ...

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
        import pandas as pd

        validated = self._validated(X)
        series, rows = self._regular(X, validated)
        rows = np.arange(len(series))[rows]
        if channel_scores is None:
            at_times = self._score_channels(series)
        elif np.shape(channel_scores) != validated.shape:
            raise ValueError(
                f"channel_scores must have the shape of X, {validated.shape}, got "
                f"{np.shape(channel_scores)}"
            )
        else:
            at_times = np.zeros(series.shape)
            at_times[rows] = channel_scores
        at_times = np.where(np.isnan(series), 0.0, at_times)
        options = self._scoring_options()
        segments = find_segments(
            aggregate_channels(self.model_, at_times.T, options),
            float(self.threshold_ if threshold is None else threshold),
            separation=self.model_.config.plan.period,
            limit=limit,
            start=int(rows[start]) if 0 <= start < len(rows) else start,
        )
        labelled = isinstance(X, (pd.DataFrame, pd.Series))
        labels = X.index if labelled else pd.RangeIndex(len(rows))
        # No segment begins, ends or peaks at a missing row.
        labels = labels.take(np.searchsorted(rows, np.arange(len(series))))
        return segment_table(
            self.model_,
            series,
            options,
            segments,
            at_times,
            index=labels,
            names=getattr(self, "feature_names_in_", range(self.n_features_in_)),
        )

    @on_one_fit
    def explain(
        self,
        X: Any,
        *,
        channels: Sequence[int] | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> list[ScoreComponents]:
        """Compute the components of the score of each channel.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.
        channels : sequence of int, default=None
            Positions of the channels to explain; all by default.
        start, stop : int, default=0 and None
            Explain this part of `X` only, which takes less time: the first timestamp
            and the one after the last, by default the end of `X`.

        Returns
        -------
        list of ScoreComponents
            One for each channel asked for: probability, mask, reconstruction and error,
            not smoothed, the reconstruction in the units of `X`; and how rare distances
            to the nearest neighbours, local statistics and deviations from what other
            channels predict are, in decades.

        Raises
        ------
        ValueError
            As in :meth:`decision_function`; if there is no such channel or part.
        """
        validated = self._validated(X)
        n_timestamps, n_channels = validated.shape
        channels = range(n_channels) if channels is None else channels
        for channel in channels:
            if not 0 <= channel < n_channels:
                raise ValueError(f"there are {n_channels} channels, none is {channel}")
        stop = n_timestamps if stop is None else stop
        if not 0 <= start < stop <= n_timestamps:
            raise ValueError(
                f"a part is within the {n_timestamps} timestamps and not empty, got "
                f"{start} to {stop}"
            )
        series, rows = self._regular(X, validated)
        rows = np.arange(len(series))[rows][start:stop]
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        return [
            ScoreComponents(*(values[rows - rows[0]] for values in components))
            for components in explain_series(
                self.model_, series, self._scoring_options(), channels, part
            )
        ]
