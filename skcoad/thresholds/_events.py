"""Alarms of a threshold as events: scores above it that are near are one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from skcoad._arguments import check_integer
from skcoad._validation import check_scores

__all__ = ["count_events", "event_peaks", "lowest_threshold"]

Array = NDArray[np.float64]


def count_events(
    scores: ArrayLike, threshold: float | ArrayLike, *, separation: int
) -> NDArray[np.intp]:
    """Count the events above a threshold.

    Parameters
    ----------
    scores : array-like of shape (n_timestamps,)
        Of consecutive rows, finite.
    threshold : float or array-like of float
        One limit or several.
    separation : int
        Two scores above the threshold, at most so many rows apart with none in
        between, belong to one event; at least 1.

    Returns
    -------
    ndarray of int
        Of the shape of `threshold`.

    Raises
    ------
    ValueError
        If the scores are not one-dimensional or not finite, or `separation` is no
        integer above 0.

    Examples
    --------
    >>> from skcoad.thresholds import count_events
    >>> count_events([0, 3, 0, 4, 0, 0, 0, 2], [1, 2, 3], separation=2)
    array([2, 1, 1])
    """
    check_integer("separation", separation, 1)
    low, high = _rises(check_scores(scores), separation)
    begun = np.searchsorted(low, threshold, side="right")
    return np.asarray(begun - np.searchsorted(high, threshold, side="right"))


def lowest_threshold(scores: Array, n_events: int, *, separation: int) -> float:
    """The lowest score above which, and above any higher, are at most so many events.

    It is not below the score above which are the most: from there on down events only
    merge, in the end into one.

    Parameters
    ----------
    scores : ndarray of shape (n_timestamps,)
        Of consecutive rows.
    n_events : int
        At least 0.
    separation : int
        As for `count_events`.

    Returns
    -------
    float
    """
    levels = np.unique(scores)
    counts = count_events(scores, levels, separation=separation)
    most = np.flatnonzero(counts == counts.max())[-1]
    too_many = np.flatnonzero(counts > n_events)
    return float(levels[max(most, too_many[-1] + 1 if len(too_many) else 0)])


def event_peaks(scores: Array, threshold: float, *, separation: int) -> Array:
    """Highest score of each event above a threshold.

    Parameters
    ----------
    scores : ndarray of shape (n_timestamps,)
        Of consecutive rows.
    threshold : float
        The limit.
    separation : int
        As for `count_events`.

    Returns
    -------
    ndarray of shape (n_events,)
    """
    above = np.flatnonzero(scores > threshold)
    first = np.flatnonzero(np.diff(above, prepend=-separation - 1) > separation)
    if len(above) == 0:
        return np.zeros(0)
    return np.asarray(np.maximum.reduceat(scores[above], first))


def _rises(scores: Array, separation: int) -> tuple[Array, Array]:
    """Sorted lower and upper ends of the steps up, once near scores are joined.

    After a running maximum over the last `separation` scores, an event is a run above
    the threshold, and it begins with a step from below or at the threshold to above.
    """
    separation = min(separation, max(1, len(scores)))  # all are near: no more memory
    padded = np.concatenate([np.full(separation, -np.inf), scores])
    joined = ndimage.maximum_filter1d(padded, separation, origin=(separation - 1) // 2)
    joined = joined[separation - 1 :]
    low, high = joined[:-1], joined[1:]
    up = high > low
    return np.sort(low[up]), np.sort(high[up])
