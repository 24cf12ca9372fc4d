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
    flags = np.zeros(len(labels), dtype=np.bool_)
    near_time = flagged_time = np.zeros(len(zones.start))
    candidates = []
    # The sets of flagged timestamps are nested, so precision is accumulated.
    for newly_flagged in _threshold_steps(scores):
        flags[newly_flagged] = True
        zone, probability = _precision_probability(newly_flagged, zones)
        near_time = near_time + np.bincount(zone, probability, len(near_time))
        flagged_time = flagged_time + np.bincount(zone, minlength=len(near_time))
        reached = flagged_time > 0
        precision = float(np.mean(near_time[reached] / flagged_time[reached]))
        recall = _recall(np.flatnonzero(flags), zones)
        f1 = 2 * precision * recall / (precision + recall)
        candidates.append(AffiliationScores(precision, recall, f1))
    return max(candidates, key=lambda candidate: candidate.f1)


def _threshold_steps(scores: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return the timestamps that each threshold flags and the one before it does not.

    Highest threshold first; thresholds that flag nothing more are omitted.
    """
    descending = np.argsort(-scores)
    thresholds = np.linspace(scores.min(), scores.max(), N_THRESHOLDS)[::-1]
    n_flagged = np.searchsorted(-scores[descending], -thresholds, side="left")
    if n_flagged[-1] == 0:  # all scores are equal: flag every timestamp
        return [descending]
    return np.split(descending[: n_flagged[-1]], np.unique(n_flagged)[1:-1])


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


def _recall(flagged: NDArray[np.intp], zones: _Zones) -> float:
    """Return the mean over the events of their recall.

    The recall at a point of an event is the probability that a random point of the
    zone is at least as far from it as the nearest flagged time of the zone. It is
    linear between multiples of 1/4, so four values give its exact mean over a
    timestamp.
    """
    length = zones.stop - zones.start
    begins = np.cumsum(length) - length
    zone = np.repeat(np.arange(len(length)), length)
    timestamps = np.arange(len(zone)) + (zones.start - begins)[zone]
    left, right = zones.left[zone, None], zones.right[zone, None]

    time = timestamps[:, None] + [0.125, 0.375, 0.625, 0.875]
    position = np.searchsorted(flagged, timestamps)[:, None]
    padded = np.concatenate(([-np.inf], flagged, [np.inf]))
    flagged_until = padded[position] + 1
    flagged_from = padded[position + 1]
    # Flags of other zones are ignored.
    before = np.where(flagged_until > left, time - flagged_until, np.inf)
    after = np.where(flagged_from < right, flagged_from - time, np.inf)
    distance = np.minimum(before, after).clip(min=0)
    nearer = np.minimum(distance, np.minimum(time - left, right - time)) + distance
    # Before clipping, -inf in a zone without flags.
    probability = (1 - nearer / (right - left)).clip(min=0)
    return float(np.mean(np.add.reduceat(probability.mean(axis=1), begins) / length))
