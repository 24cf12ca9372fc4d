"""Thresholds from the number of events in the calibration scores."""

from __future__ import annotations

from skcoad.thresholds._base import ScoreThreshold
from skcoad.thresholds._events import lowest_threshold

__all__ = ["ConformalThreshold", "QuantileThreshold"]


class QuantileThreshold(ScoreThreshold):
    """The score above which the calibration scores have as many events as asked for.

    Where less than one is asked for in all of them, it is the highest score, and the
    rate of false alarms on new data is about one in as many rows as were calibrated on,
    however few were asked for.

    Parameters
    ----------
    false_alarms : str, default="1 per 1000 rows"
        Events above the threshold on normal data, in rows ("1 per 10000 rows") or in
        time ("1 per week", "2 per 12 hours"); see
        :func:`skcoad.thresholds.events_per_row`.
    held_back : float, default=0.5
        Share of the training series, at each end, that a detector calibrates on as
        well: it is fitted again without it, and scores it as new; `threshold_` is the
        higher of this and that of the scores of the training series itself. By default,
        each half is scored by a detector fitted to the other. The first knows how far
        the series drifts, the second has more to compare with. Two more fits; with 0
        there is only the second, and no cost. At most 0.5.

    Attributes
    ----------
    threshold_ : float
        Scores above are alarms.
    rate_ : float
        Events per row that were asked for.
    scores_ : ndarray of shape (n_timestamps,)
        What it was fitted to; in missing rows, the lowest of the others.
    missing_ : ndarray of shape (n_timestamps,)
        Which rows were missing.

    Examples
    --------
    >>> from skcoad.thresholds import QuantileThreshold
    >>> scores = [0, 1, 2, 1, 0, 0, 4, 5, 3, 0]
    >>> QuantileThreshold("1 per 10 rows").fit(scores, separation=2).threshold_
    2.0
    """

    def _limit(self) -> float:
        return lowest_threshold(
            self.scores_, self._n_asked(), separation=self.separation_
        )


class ConformalThreshold(ScoreThreshold):
    """The quantile of events with the correction of split conformal prediction.

    What is exchangeable are not rows, which resemble their neighbours, but events. With
    `k` events in all of the calibration scores asked for, the threshold is the peak of
    the `k`-th highest event: of as many new rows, no more than `k` events are expected
    above it, whatever the distribution, as long as new data are like those that were
    calibrated on. Where that leaves less than one event there is no such threshold,
    and `fit` says so; :class:`PeaksOverThreshold` extrapolates.

    Parameters
    ----------
    false_alarms : str, default="1 per 1000 rows"
        Events above the threshold on normal data, in rows ("1 per 10000 rows") or in
        time ("1 per week", "2 per 12 hours"); see
        :func:`skcoad.thresholds.events_per_row`.
    held_back : float, default=0.5
        Share of the training series, at each end, that a detector calibrates on as
        well: it is fitted again without it, and scores it as new; `threshold_` is the
        higher of this and that of the scores of the training series itself. By default,
        each half is scored by a detector fitted to the other. The first knows how far
        the series drifts, the second has more to compare with. Two more fits; with 0
        there is only the second, and no cost. At most 0.5.

    Attributes
    ----------
    threshold_ : float
        Scores above are alarms.
    rate_ : float
        Events per row that were asked for.
    scores_ : ndarray of shape (n_timestamps,)
        What it was fitted to; in missing rows, the lowest of the others.
    missing_ : ndarray of shape (n_timestamps,)
        Which rows were missing.

    References
    ----------
    Lei et al., "Distribution-Free Predictive Inference for Regression", JASA 113, 2018
    (split conformal prediction).

    Examples
    --------
    >>> from skcoad.thresholds import ConformalThreshold
    >>> scores = [0, 1, 2, 1, 0, 0, 4, 5, 3, 0]
    >>> ConformalThreshold("1 per 10 rows").fit(scores, separation=2).threshold_
    5.0
    """

    def _limit(self) -> float:
        n = len(self._sorted)
        allowed = self._n_asked()
        if allowed < 1:
            raise ValueError(
                f"false_alarms={self.false_alarms!r} is one event in "
                f"{1 / self.rate_:.0f} rows; the {n} scores given can promise one in "
                f"{n} at best. Calibrate on more, or extrapolate with "
                "PeaksOverThreshold"
            )
        return lowest_threshold(self.scores_, allowed - 1, separation=self.separation_)
