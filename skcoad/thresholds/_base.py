"""What the thresholds share."""

from __future__ import annotations

import math
from abc import abstractmethod
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skcoad._arguments import check_integer
from skcoad._validation import check_parameters, check_scores, reals
from skcoad.thresholds._rate import (
    Duration,
    events_per_row,
    in_seconds,
    sampling_interval,
)

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ScoreThreshold"]

ROUNDING = 1e-9  # of a rate times rows: 49 rows at one in 49 are one event


class ScoreThreshold(BaseEstimator):  # type: ignore[misc]
    """Base of the thresholds; see :class:`skcoad.thresholds.PeaksOverThreshold`.

    A subclass has ``_limit``, and may refine ``_tail_probability``.

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
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "false_alarms": [str],
        "held_back": [reals(0, 0.5)],
    }

    threshold_: float
    rate_: float
    interval_: float | None
    separation_: int
    scores_: NDArray[np.float64]
    missing_: NDArray[np.bool_]
    _sorted: NDArray[np.float64]  # scores that are not missing

    def __init__(
        self, false_alarms: str = "1 per 1000 rows", *, held_back: float = 0.5
    ) -> None:
        self.false_alarms = false_alarms
        self.held_back = held_back

    def fit(
        self,
        scores: ArrayLike,
        *,
        separation: int = 1,
        interval: Duration | None = None,
        missing: ArrayLike | None = None,
    ) -> Self:
        """Set the threshold by scores of normal data.

        Parameters
        ----------
        scores : array-like of shape (n_timestamps,)
            Of consecutive rows, in time order, finite; as unseen by the detector as
            what will be compared with the threshold. A Series with a `DatetimeIndex`
            tells the interval.
        separation : int, default=1
            Scores above the threshold at most so many rows apart are one event; a
            detector gives its period.
        interval : float, str, timedelta or None, default=None
            Seconds from one row to the next, or a duration of Python, numpy or pandas,
            also as text such as ``"1h"``, for a rate in time. By default that of the
            index of `scores`, if these are times, as a detector takes it.
        missing : array-like of bool of shape (n_timestamps,), default=None
            Rows in which nothing was observed, such as those of a break between two
            recordings: they do not count, and are in no event.

        Returns
        -------
        ScoreThreshold
            Itself.

        Raises
        ------
        ValueError
            If a parameter or an argument is out of its range or of another shape, or
            the scores are too few for the rate.
        """
        if interval is None:
            interval = sampling_interval(getattr(scores, "index", None))
        else:
            interval = in_seconds(interval)
        rate = self.check(interval)
        values = check_scores(scores)
        absent = np.zeros(values.shape, dtype=bool)
        if missing is not None:
            absent = np.array(missing, dtype=bool)
        if absent.shape != values.shape:
            raise ValueError(
                f"missing must be of the shape of scores, {values.shape}, got "
                f"{absent.shape}"
            )
        if absent.all():
            raise ValueError("a threshold needs at least one score, got none")
        check_integer("separation", separation, 1)
        fitted = copy(self)
        fitted.rate_, fitted.interval_ = rate, interval
        fitted.separation_ = int(separation)
        fitted._sorted = np.sort(values[~absent])
        # The lowest score is above no threshold, and still apart by its rows.
        fitted.scores_ = np.where(absent, fitted._sorted[0], values)
        fitted.missing_ = absent
        fitted.threshold_ = fitted._limit()
        self.__dict__ = fitted.__dict__  # a fit that fails changes nothing
        return self

    def check(self, interval: Duration | None = None) -> float:
        """Check the parameters.

        Parameters
        ----------
        interval : float, str, timedelta or None, default=None
            Seconds from one row to the next, or a duration such as ``"1h"``.

        Returns
        -------
        float
            Events per row.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the rate is in time and there is no
            interval.
        """
        check_parameters(self)
        return events_per_row(self.false_alarms, interval)

    def p_values(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Probability that a row of normal data scores at least as high.

        Parameters
        ----------
        scores : array-like of shape (n_timestamps,)
            Finite.

        Returns
        -------
        ndarray of shape (n_timestamps,)
            Above 0, at most 1. They are of single rows: an event has several rows, so
            the p-value of `threshold_` is larger than the rate of events.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        ValueError
            If a score is not finite.
        """
        check_is_fitted(self)
        p_values = self._tail_probability(check_scores(scores))
        return p_values.clip(min=np.finfo(float).tiny)  # far out the tail rounds to 0

    @abstractmethod
    def _limit(self) -> float:
        """The threshold, from the fitted attributes."""

    def _n_asked(self) -> int:
        """How many whole events are asked for in the calibration scores."""
        return math.floor(self.rate_ * len(self._sorted) * (1 + ROUNDING))

    def _tail_probability(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        n = len(self._sorted)
        at_least = n - np.searchsorted(self._sorted, scores, side="left")
        return np.asarray((1 + at_least) / (1 + n))
