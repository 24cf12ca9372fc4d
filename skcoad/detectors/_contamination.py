"""From `contamination` to a threshold in the unit of the scores."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import clone

from skcoad._typing import FloatArray
from skcoad.model import InterruptedFitWarning
from skcoad.preprocessing._missing import in_break
from skcoad.preprocessing._missing_fraction import check_missing_fraction
from skcoad.thresholds import ScoreThreshold

__all__ = [
    "check_contamination",
    "held_back_scores",
    "held_back_threshold",
    "higher_threshold",
    "interrupts_raised",
    "thresholder_limit",
]

# What estimators of scikit-learn have, and no thresholder of PyOD or pythresh.
OF_TABLES = ("transform", "decision_function", "score")


def check_contamination(contamination: Any) -> None:
    """Check what the ranges of parameters do not say about `contamination`.

    Raises
    ------
    ValueError
        If it is text, a number of numpy that PyOD would take for a thresholder, or an
        estimator that is no thresholder.
    """
    if isinstance(contamination, str):
        raise ValueError(
            f"contamination={contamination!r} is text; a rate of false alarms is an "
            "object, such as skcoad.thresholds.PeaksOverThreshold('1 per 1000 rows')"
        )
    if isinstance(contamination, Real) and not isinstance(contamination, (float, int)):
        raise ValueError(
            f"contamination={contamination!r} must be a Python number; PyOD takes any "
            "other object for a thresholder"
        )
    if any(hasattr(contamination, method) for method in OF_TABLES):
        raise ValueError(
            f"contamination={contamination!r} is no thresholder, as those of "
            "skcoad.thresholds, PyOD and pythresh are"
        )


@contextmanager
def interrupts_raised() -> Iterator[None]:
    """Let an interrupt end a fit that would warn of it and keep what it learned.

    Raises
    ------
    KeyboardInterrupt
        If a fit within warns of an interrupt.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", InterruptedFitWarning)
        try:
            yield
        except InterruptedFitWarning as warning:
            raise KeyboardInterrupt from warning


def held_back_threshold(
    detector: Any, normal: FloatArray, period: int, interval: float | None
) -> ScoreThreshold | None:
    """Copy the threshold of a detector, fitted on what it holds back, if anything.

    Before the detector itself is fitted, so that what is wrong shows early.

    Parameters
    ----------
    detector : TimeSeriesDetector
        Whose parameters to take.
    normal : ndarray of shape (n_timestamps, n_channels)
        The training series without gross outliers.
    period, interval : int, float or None
        As for :func:`held_back_scores`.

    Returns
    -------
    ScoreThreshold or None
        None if `contamination` is none of our thresholds.
    """
    if not isinstance(detector.contamination, ScoreThreshold):
        return None
    threshold: ScoreThreshold = clone(detector.contamination)
    threshold.check(interval)
    if threshold.held_back == 0:
        return threshold
    scores = held_back_scores(detector, normal, threshold.held_back, period, interval)
    n, missing = len(scores) // 2, in_break(normal, period)
    missing = np.concatenate([missing[:n], missing[-n:]])
    if missing.all():
        raise ValueError(
            f"the {n} rows at each end that held_back={threshold.held_back} holds back "
            "are in breaks, without a value; leave the breaks out, or hold back more"
        )
    return threshold.fit(scores, separation=period, interval=interval, missing=missing)


def higher_threshold(
    asked: ScoreThreshold, scores: FloatArray, **how: Any
) -> ScoreThreshold:
    """Calibrate a threshold on the training scores as well.

    Parameters
    ----------
    asked : ScoreThreshold
        Fitted to held-back scores, if it holds any back.
    scores : ndarray of shape (n_timestamps,)
        Of the training series.
    **how
        As for :meth:`ScoreThreshold.fit`.

    Returns
    -------
    ScoreThreshold
        The one with the higher limit.
    """
    own = clone(asked).fit(scores, **how)
    lower = own.held_back > 0 and own.threshold_ < asked.threshold_
    return asked if lower else own


def held_back_scores(
    detector: Any,
    X: FloatArray,
    share: float,
    period: int,
    interval: float | None = None,
) -> FloatArray:
    """Score each end of the training series as new, by a detector fitted to the rest.

    Parameters
    ----------
    detector : TimeSeriesDetector
        Whose parameters to take; it is left as it is.
    X : ndarray of shape (n_timestamps, n_channels)
        The training series.
    share : float
        How much of it to score at each end, above 0 and at most 0.5.
    period : int
        Of the whole series; half of the rest is taken where that is shorter.
    interval : float, default=None
        Seconds from one row to the next, if they are known.

    Returns
    -------
    ndarray of shape (n_scored,)
        Of the beginning, then of the end.

    Raises
    ------
    KeyboardInterrupt
        If interrupted at any time: nothing usable exists yet.
    ValueError
        If the rest cannot be fitted to.
    """
    n, names = len(X), getattr(detector, "channel_names_", None)
    n_scored = max(1, round(share * n))
    other = clone(detector).set_params(
        contamination=0.1,  # whatever is a number, so that this ends here
        period=min(period, max(2, (n - n_scored) // 2)),
        missing="mask",  # gross outliers have been masked
    )

    def fit_rest(rest: FloatArray) -> None:
        try:
            # `other` knows neither names nor times.
            check_missing_fraction(rest, names, interval)
            with interrupts_raised():
                other.fit(rest)
        except ValueError as error:
            raise ValueError(
                f"with {n_scored} of {n} rows held back to calibrate on "
                f"(held_back={share}), the rest cannot be fitted to: {error}. A "
                "threshold with held_back=0 calibrates on the training series alone; "
                "the command has --threshold SCORE for one that needs no calibration"
            ) from error

    fit_rest(X[n_scored:])
    n_known = min(n, n_scored + other.model_.receptive_field)
    beginning: FloatArray = other.decision_function(X[:n_known])[:n_scored]
    fit_rest(X[: n - n_scored])
    n_known = min(n, n_scored + other.model_.receptive_field)
    end: FloatArray = other.decision_function(X[n - n_known :])[-n_scored:]
    return np.concatenate([beginning, end])


def thresholder_limit(thresholder: Any, scores: FloatArray) -> float:
    """Limit of a thresholder of PyOD or pythresh, in the unit of the scores.

    They label scores, and state a limit for scores scaled to [0, 1], or in the unit of
    the scores, or none.

    Parameters
    ----------
    thresholder : object
        With a method `fit` that sets ``labels_`` and ``thresh_``; it is copied.
    scores : ndarray of shape (n_timestamps,)
        To fit it to.

    Returns
    -------
    float
        The stated limit where it explains the labels, otherwise the highest score that
        is labelled normal, or just below the lowest where none is.
    """
    thresholder = deepcopy(thresholder)
    thresholder.fit(scores)
    abnormal = np.asarray(thresholder.labels_, dtype=bool)
    low, high = float(scores.min()), float(scores.max())
    if thresholder.thresh_ is not None:
        stated = float(thresholder.thresh_)
        for limit in (stated, low + stated * (high - low)):
            if np.array_equal(scores > limit, abnormal):
                return limit
    below = float(np.nextafter(low, -np.inf))
    return float(scores[~abnormal].max(initial=below))
