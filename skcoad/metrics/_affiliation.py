"""Affiliation precision and recall (Huet, Navarro and Rossi, KDD 2022)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad.metrics._events import events
from skcoad.metrics._validation import check_labels_and_scores

N_THRESHOLDS = 100


class AffiliationScores(NamedTuple):
    """Affiliation precision, recall and their harmonic mean, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


def affiliation_scores(y_true: ArrayLike, y_score: ArrayLike) -> AffiliationScores:
    """Affiliation precision and recall at the threshold with the best F1.

    The affiliation zone of an event is the part of the series nearer to it than to any
    other event. Within a zone, precision averages the distance from the flagged time
    to the event, recall the distance from the event to the flagged time; each distance
    is converted to the probability that a uniformly random point of the zone is
    further away [1]_. Random flags thus score about 0.5, not 0.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores, higher is more anomalous; or 0/1 predictions, which
        are used unchanged.

    Returns
    -------
    AffiliationScores
        Named tuple ``(precision, recall, f1)``. A constant score flags every
        timestamp.

    Raises
    ------
    ValueError
        If the shapes differ, a score is not finite, a label is neither 0 nor 1, or
        no timestamp is anomalous.

    Notes
    -----
    Timestamp ``i`` represents the time ``[i, i + 1)``. Precision is the mean over the
    zones with flagged time; recall is the mean over all zones, 0 where nothing is
    flagged. As in TSB-AD the thresholds are 100 evenly spaced values from the lowest
    to the highest score, and scores above the threshold are flagged; of thresholds
    with equal F1 the highest is chosen.

    References
    ----------
    .. [1] A. Huet, J. M. Navarro and D. Rossi, "Local evaluation of time series
       anomaly detection algorithms", KDD 2022.

    Examples
    --------
    >>> from skcoad.metrics import affiliation_scores
    >>> near = affiliation_scores([0, 0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0])
    >>> f"{near.precision:.3f} {near.recall:.3f} {near.f1:.3f}"
    '0.625 0.750 0.682'
    """
    labels, scores = check_labels_and_scores(y_true, y_score)
    zones = _Zones.around(events(labels), len(labels))
    near_time = flagged_time = unrecalled = np.zeros(len(zones.start))
    flags = np.zeros(len(labels), dtype=np.bool_)
    flagged = np.flatnonzero(flags)
    candidates = []
    # The sets of flagged timestamps are nested, so sums over them are accumulated.
    for newly_flagged in _threshold_steps(scores):
        zone, probability = _precision_probability(newly_flagged, zones)
        near_time = near_time + np.bincount(zone, probability, len(near_time))
        flagged_time = flagged_time + np.bincount(zone, minlength=len(near_time))
        closed = np.unique(np.searchsorted(flagged, newly_flagged))
        unrecalled = unrecalled - _unrecalled(flagged, closed, zones)
        flags[newly_flagged] = True
        flagged = np.flatnonzero(flags)
        positions = np.searchsorted(flagged, newly_flagged)
        opened = np.union1d(positions, positions + 1)
        unrecalled = unrecalled + _unrecalled(flagged, opened, zones)

        reached = flagged_time > 0
        precision = float(np.mean(near_time[reached] / flagged_time[reached]))
        time = (zones.stop - zones.start) * (zones.right - zones.left)
        recall = float(np.mean(np.where(reached, 1 - unrecalled / time, 0.0)))
        f1 = 2 * precision * recall / (precision + recall)
        candidates.append(AffiliationScores(precision, recall, f1))
    return max(candidates, key=lambda candidate: candidate.f1)


def _threshold_steps(scores: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return the timestamps that each threshold flags and the one before it does not.

    Highest threshold first, timestamps ascending; thresholds that flag nothing more are
    omitted.
    """
    descending = np.argsort(-scores)
    thresholds = np.linspace(scores.min(), scores.max(), N_THRESHOLDS)[::-1]
    n_flagged = np.searchsorted(-scores[descending], -thresholds, side="left")
    if n_flagged[-1] == 0:  # all scores are equal: flag every timestamp
        return [np.arange(len(scores))]
    steps = np.split(descending[: n_flagged[-1]], np.unique(n_flagged)[1:-1])
    return [np.sort(step) for step in steps]


class _Zones(NamedTuple):
    """Events [start, stop) and their zones [left, right)."""

    start: NDArray[np.intp]  # (n_events,)
    stop: NDArray[np.intp]  # (n_events,)
    left: NDArray[np.float64]  # (n_events,), multiples of 1/2
    right: NDArray[np.float64]  # (n_events,), multiples of 1/2

    @classmethod
    def around(cls, spans: NDArray[np.intp], n_timestamps: int) -> _Zones:
        start, stop = spans.T
        middles = (stop[:-1] + start[1:]) / 2
        left = np.concatenate(([0.0], middles))
        right = np.concatenate((middles, [float(n_timestamps)]))
        return cls(start, stop, left, right)


def _precision_probability(
    timestamps: NDArray[np.intp], zones: _Zones
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the zone and the precision of both halves of each timestamp.

    The precision at a point of time is the probability that a random point of its zone
    is at least as far from the event. It is linear between multiples of 1/2, so its
    value in the middle of each half is its exact mean there.
    """
    time = (timestamps[:, None] + [0.25, 0.75]).ravel()
    zone = np.searchsorted(zones.right, time)
    start, stop = zones.start[zone], zones.stop[zone]
    left, right = zones.left[zone], zones.right[zone]
    distance = np.maximum(start - time, time - stop)
    margin = np.minimum(start - left, right - stop)
    nearer = (stop - start) + np.minimum(distance, margin) + distance
    return zone, np.where(distance > 0, 1 - nearer / (right - left), 1.0)


def _unrecalled(
    flagged: NDArray[np.intp], gaps: NDArray[np.intp], zones: _Zones
) -> NDArray[np.float64]:
    """Integrate what each event lacks in recall over some gaps in the flagged time.

    The recall at a point of an event is the probability that a random point of the
    zone is at least as far from it as the nearest flagged time of the zone. It lacks
    the share of the zone that is nearer.

    Parameters
    ----------
    flagged : ndarray of shape (n_flagged,)
        Flagged timestamps, ascending.
    gaps : ndarray of shape (n_gaps,)
        Gap ``i`` is the time between the flagged timestamps ``i - 1`` and ``i``.
    zones : _Zones
        Events and their zones.

    Returns
    -------
    ndarray of shape (n_events,)
        Integral over the time of the event of the time of its zone that is nearer.
    """
    n_events = len(zones.start)
    padded = np.concatenate(([-np.inf], flagged, [np.inf]))
    begin, end = padded[gaps] + 1, padded[gaps + 1]
    # A zone may begin or end in the middle of a timestamp.
    zone_before = np.searchsorted(zones.right, begin - 0.25)
    zone_after = np.searchsorted(zones.right, end + 0.25)
    with np.errstate(invalid="ignore"):  # -inf + inf while nothing is flagged
        middle = (begin + end) / 2  # where the flags before and after are equally near
    # Flags of other zones are ignored.
    after_middle = np.where(zone_before == zone_after, middle, np.inf)
    before_middle = np.where(zone_before == zone_after, middle, -np.inf)

    total = np.zeros(n_events)
    known = np.isfinite(begin)
    zone, begin, until = zone_before[known], begin[known], after_middle[known]
    nearer = _nearer_time(
        np.maximum(begin, zones.start[zone]) - begin,
        np.minimum(until, zones.stop[zone]) - begin,
        zones.right[zone] - begin,
    )
    total += np.bincount(zone, nearer, n_events)
    known = np.isfinite(end)
    zone, end, since = zone_after[known], end[known], before_middle[known]
    nearer = _nearer_time(
        end - np.minimum(end, zones.stop[zone]),
        end - np.maximum(since, zones.start[zone]),
        end - zones.left[zone],
    )
    total += np.bincount(zone, nearer, n_events)
    return total


def _nearer_time(
    low: NDArray[np.float64], high: NDArray[np.float64], border: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Integrate the time of the zone nearer than the flag, for distances low to high.

    At distance d from the flag, it is d on the side of the flag, and on the other side
    d or what is left of the zone, whose border is at distance `border` from the flag.
    """

    def antiderivative(d: NDArray[np.float64]) -> NDArray[np.float64]:
        beyond = np.maximum(d - border / 2, 0.0)
        square: NDArray[np.float64] = d**2 - beyond**2
        return square

    return np.where(low < high, antiderivative(high) - antiderivative(low), 0.0)
