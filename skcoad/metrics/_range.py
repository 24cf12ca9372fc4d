r"""Metrics with soft labels around every event: Range-AUC and VUS.

Definitions, as TSB-AD computes them. For a buffer length :math:`\ell` each event
``[start, stop)`` gives the :math:`\lfloor \ell/2 \rfloor` timestamps on either side,
at distance :math:`d` from it, the soft label :math:`\sqrt{1 - d/\ell}`; sums of soft
labels are capped at 1. With :math:`y` the labels, :math:`y^\ell` the soft ones,
:math:`\hat y` the timestamps that a threshold flags, :math:`n` timestamps and sums
over all of them:

.. math::

    TP = \sum y^\ell \hat y, \qquad
    P = \tfrac12 \left(\sum y + \sum \max(y, y^\ell \hat y)\right), \\
    TPR = E \min(TP / P, 1), \qquad
    FPR = \frac{\sum \hat y - TP}{n - P}, \qquad
    precision = \frac{TP}{\sum \hat y}.

:math:`E` is the share of segments with a flagged timestamp; segments are the events
with their buffers, joined where they share a timestamp. There are 250 thresholds:
the scores at evenly spaced ranks, highest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import trapezoid

from skcoad._arguments import check_integer
from skcoad.metrics._events import events
from skcoad.metrics._validation import check_labels_and_scores

N_THRESHOLDS = 250

# The soft label sqrt(1 - u) as a polynomial in u = distance / buffer length, lowest
# degree first. u is at most 1/2; the error is below 3e-15.
SOFT_LABEL: NDArray[np.float64] = (
    Chebyshev.interpolate(lambda u: np.sqrt(1 - u), deg=18, domain=[0, 0.5])
    .convert(kind=Polynomial)
    .coef.astype(np.float64)
)


def range_auc_pr(y_true: ArrayLike, y_score: ArrayLike, *, window: int = 100) -> float:
    r"""Area under the precision-recall curve with soft labels around each event.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores; higher is more anomalous.
    window : int, default=100
        Buffer length in timestamps, half of it on either side of an event; 0 for
        the labels alone.

    Returns
    -------
    float
        In [0, 1]. For a constant score, the area of the single curve point that flags
        everything; 1 for an all-anomalous series.

    Raises
    ------
    ValueError
        If the shapes differ, a score is not finite, a label is neither 0 nor 1, no
        timestamp is anomalous, or `window` is negative or no integer.

    See Also
    --------
    vus_pr : The mean over all buffer lengths from 0 to `window`.

    Notes
    -----
    R-AUC-PR of [1]_, in the form that TSB-AD [2]_ averages into its VUS-PR: 250
    thresholds at evenly spaced ranks of the score. TSB-AD's separate ``RangeAUC`` has
    another definition (the buffer after an event is one timestamp shorter) and, in
    version 1.5, fails for most windows.

    References
    ----------
    .. [1] J. Paparrizos et al., "Volume under the surface: a new accuracy
       evaluation measure for time-series anomaly detection", PVLDB 15(11), 2022.
    .. [2] Q. Liu and J. Paparrizos, "The elephant in the room: towards a reliable
       time-series anomaly detection benchmark", NeurIPS 2024.

    Examples
    --------
    With a buffer, a peak just before the event counts almost fully:

    >>> from skcoad.metrics import range_auc_pr
    >>> y_true = [0, 0, 0, 0, 1, 1, 0, 0]
    >>> y_score = [0, 0, 0, 3, 2, 1, 0, 0]
    >>> round(range_auc_pr(y_true, y_score, window=0), 3)
    0.583
    >>> round(range_auc_pr(y_true, y_score, window=4), 3)
    0.914
    """
    *_, curve = _range_curves(y_true, y_score, window)
    return _area_pr(curve)


def vus_pr(y_true: ArrayLike, y_score: ArrayLike, *, window: int = 100) -> float:
    """Volume under the precision-recall surface, the mean Range-AUC-PR.

    The mean of `range_auc_pr` over the buffer lengths 0, 1, ..., `window` [1]_, so
    that it depends on no single length. It takes O(n log n + window) time and
    O(n + window) memory.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores; higher is more anomalous.
    window : int, default=100
        Largest buffer length in timestamps. The default is that of TSB-AD's metrics;
        its published tables use the dominant period of each series.

    Returns
    -------
    float
        In [0, 1], TSB-AD's value [2]_. An all-anomalous series gives 1.

    Raises
    ------
    ValueError
        If the shapes differ, a score is not finite, a label is neither 0 nor 1, no
        timestamp is anomalous, or `window` is negative or no integer.

    See Also
    --------
    vus_roc : The same with the ROC curve.

    References
    ----------
    .. [1] J. Paparrizos et al., "Volume under the surface: a new accuracy
       evaluation measure for time-series anomaly detection", PVLDB 15(11), 2022.
    .. [2] Q. Liu and J. Paparrizos, "The elephant in the room: towards a reliable
       time-series anomaly detection benchmark", NeurIPS 2024.

    Examples
    --------
    >>> from skcoad.metrics import vus_pr
    >>> y_true = [0, 0, 0, 0, 1, 1, 0, 0]
    >>> y_score = [0, 0, 0, 3, 2, 1, 0, 0]
    >>> round(vus_pr(y_true, y_score, window=4), 3)
    0.758
    """
    areas = [_area_pr(curve) for curve in _range_curves(y_true, y_score, window)]
    return float(np.mean(areas))


def vus_roc(y_true: ArrayLike, y_score: ArrayLike, *, window: int = 100) -> float:
    """Volume under the ROC surface, the mean Range-AUC-ROC.

    The mean area under the ROC curve over the buffer lengths 0, 1, ..., `window`
    [1]_. Where anomalies are rare, even many false alarms are a low false positive
    rate, so it discriminates between detectors less than `vus_pr`. It takes
    O(n log n + window) time and O(n + window) memory.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores; higher is more anomalous.
    window : int, default=100
        Largest buffer length in timestamps. The default is that of TSB-AD's metrics;
        its published tables use the dominant period of each series.

    Returns
    -------
    float
        In [0, 1], TSB-AD's value [2]_.

    Raises
    ------
    ValueError
        If the shapes differ, a score is not finite, a label is neither 0 nor 1, no
        timestamp is anomalous or all are, or `window` is negative or no integer.

    See Also
    --------
    vus_pr : The same with the precision-recall curve.

    References
    ----------
    .. [1] J. Paparrizos et al., "Volume under the surface: a new accuracy
       evaluation measure for time-series anomaly detection", PVLDB 15(11), 2022.
    .. [2] Q. Liu and J. Paparrizos, "The elephant in the room: towards a reliable
       time-series anomaly detection benchmark", NeurIPS 2024.

    Examples
    --------
    >>> from skcoad.metrics import vus_roc
    >>> y_true = [0, 0, 0, 0, 1, 1, 0, 0]
    >>> y_score = [0, 0, 0, 3, 2, 1, 0, 0]
    >>> round(vus_roc(y_true, y_score, window=4), 3)
    0.915
    """
    areas = [_area_roc(curve) for curve in _range_curves(y_true, y_score, window)]
    return float(np.mean(areas))


class _RangeCurve(NamedTuple):
    """Curve of one buffer length: a value for each threshold, highest first."""

    true_positive_rate: NDArray[np.float64]
    precision: NDArray[np.float64]
    false_positives: NDArray[np.float64]
    negatives: NDArray[np.float64]


def _area_pr(curve: _RangeCurve) -> float:
    recalled = np.diff(curve.true_positive_rate, prepend=0.0)
    return float(recalled @ curve.precision)


def _area_roc(curve: _RangeCurve) -> float:
    if not curve.negatives.all():
        raise ValueError(
            "vus_roc needs at least one normal timestamp (0) in y_true, "
            "got only anomalous ones"
        )
    false_positive_rate = curve.false_positives / curve.negatives
    return float(
        trapezoid(
            np.concatenate(([0.0], curve.true_positive_rate, [1.0])),
            np.concatenate(([0.0], false_positive_rate, [1.0])),
        )
    )


def _range_curves(
    y_true: ArrayLike, y_score: ArrayLike, window: int
) -> Iterator[_RangeCurve]:
    """Yield the curve of every buffer length 0, 1, ..., `window`.

    The curves differ only in the timestamps near an event, and each of these is
    visited once while the buffers grow, see `_Buffers`.
    """
    labels, scores = check_labels_and_scores(y_true, y_score)
    check_integer("window", window, 0)
    n_anomalous = int(labels.sum())

    level = _levels(scores)
    n_flagged = _cumulative_counts(level)
    n_flagged_anomalous = _cumulative_counts(level[labels])

    spans = events(labels)
    nearest, second = _distances(np.flatnonzero(~labels), spans)
    buffers = _Buffers(nearest, second, level[~labels], window // 2)

    first, last = spans[:, 0], spans[:, 1] - 1
    # One more entry, because the last event may end with the series.
    highest = np.minimum.reduceat(np.append(level, N_THRESHOLDS), spans.ravel())[::2]
    for extent in range(window // 2 + 1):
        if extent > 0:
            first, last, highest = _widen(first, last, highest, level)
            buffers.grow()
        existence = _cumulative_counts(highest) / len(highest)
        for length in range(2 * extent, min(2 * extent + 1, window) + 1):
            flagged_buffer = np.cumsum(buffers.soft_labels(length))
            true_positives = n_flagged_anomalous + flagged_buffer
            positives = n_anomalous + flagged_buffer / 2
            yield _RangeCurve(
                true_positive_rate=existence
                * np.minimum(true_positives / positives, 1.0),
                precision=true_positives / n_flagged,
                false_positives=n_flagged - true_positives,
                negatives=len(labels) - positives,
            )


class _Buffers:
    """Sums of soft labels over the buffers of all events, while the buffers grow.

    As a soft label is a polynomial in distance / length, its sum over timestamps is a
    sum of moments of their distances, which do not depend on the length. Where two
    buffers overlap the sum of soft labels is 1, as each exceeds 0.7.

    Parameters
    ----------
    nearest, second : ndarray of shape (n_normal,)
        Distances of normal timestamps to their two nearest events.
    level : ndarray of shape (n_normal,)
        Of the same timestamps, from `_levels`.
    radius : int
        Largest extent of a buffer, on each side of an event.
    """

    def __init__(
        self,
        nearest: NDArray[np.intp],
        second: NDArray[np.intp],
        level: NDArray[np.intp],
        radius: int,
    ) -> None:
        near = nearest <= radius
        self._nearest, self._level = nearest[near], level[near]
        self._count = np.zeros((radius + 1, N_THRESHOLDS))  # by nearest and level
        np.add.at(self._count, (self._nearest, self._level), 1)
        second = second[near]
        self._order = np.argsort(second, kind="stable")
        self._begins = np.searchsorted(second[self._order], np.arange(radius + 2))
        self._degrees = np.arange(len(SOFT_LABEL))
        self._powers = np.arange(radius + 1.0) ** self._degrees[:, np.newaxis]

        self._extent = 0
        self._moments = np.zeros((len(self._degrees), N_THRESHOLDS))  # in one buffer
        self._overlap = np.zeros(N_THRESHOLDS)  # number in two buffers

    def grow(self) -> None:
        """Extend every buffer by one timestamp on each side."""
        self._extent += 1
        extent, powers = self._extent, self._powers
        self._moments += np.outer(powers[:, extent], self._count[extent])
        shared = self._order[self._begins[extent] : self._begins[extent + 1]]
        if len(shared):  # these were in one buffer until now
            level = self._level[shared]
            self._overlap += np.bincount(level, minlength=N_THRESHOLDS)
            self._moments -= [
                np.bincount(level, power, N_THRESHOLDS)
                for power in powers[:, self._nearest[shared]]
            ]

    def soft_labels(self, length: int) -> NDArray[np.float64]:
        """Sum the soft labels in the buffers at each level, for a buffer length."""
        scale = float(max(length, 1)) ** -self._degrees  # no buffer is of length 0
        sums: NDArray[np.float64] = (SOFT_LABEL * scale) @ self._moments
        return sums + self._overlap


def _levels(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return, per timestamp, the index of the first threshold that flags it."""
    ranks = np.linspace(0, len(scores) - 1, N_THRESHOLDS).astype(int)
    negated_thresholds = np.sort(-scores)[ranks]
    return np.searchsorted(negated_thresholds, -scores)


def _cumulative_counts(level: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the number of the given items that each threshold flags."""
    return np.cumsum(np.bincount(level, minlength=N_THRESHOLDS))


def _distances(
    timestamps: NDArray[np.intp], spans: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the distances of normal timestamps to their two nearest events."""
    far = np.iinfo(np.int32).max
    starts = np.concatenate((spans[:, 0], [far, far]))
    ends = np.concatenate(([-far, -far], spans[:, 1] - 1))
    following = np.searchsorted(spans[:, 0], timestamps)
    before = timestamps - ends[following + 1]
    after = starts[following] - timestamps
    before_that = timestamps - ends[following]
    after_that = starts[following + 1] - timestamps
    nearest = np.minimum(before, after)
    second = np.minimum(np.maximum(before, after), np.minimum(before_that, after_that))
    return nearest, second


def _widen(
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    highest: NDArray[np.intp],
    level: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Widen segments by a timestamp on each side; join those that share one.

    Segments are given by their first and last timestamp and by the level of their
    highest score.
    """
    first = np.maximum(first - 1, 0)
    last = np.minimum(last + 1, len(level) - 1)
    highest = np.minimum(highest, np.minimum(level[first], level[last]))
    begins = np.flatnonzero(np.append(True, first[1:] > last[:-1]))
    ends = np.append(begins[1:], len(first)) - 1
    return first[begins], last[ends], np.minimum.reduceat(highest, begins)
