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

    Every event owns the zone of the series that is nearer to it than to any other.
    Within a zone, precision asks how near the flagged time is to the event, recall
    how near the event is to the flagged time; each distance counts as the chance
    that a uniformly random point of the zone is further away [1]_. Random flags
    thus score about 0.5, not 0.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores, higher is more anomalous; or 0/1 predictions, which
        are then taken as they are.

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
    Timestamp ``i`` stands for the time ``[i, i + 1)``. Precision is the mean over
    the zones with flagged time, recall over all zones, 0 where nothing is flagged.
    As in TSB-AD the thresholds are 100 evenly spaced values from the lowest to the
    highest score, and what exceeds one is flagged; of equal F1 the highest
    threshold counts.

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
    # The sets of flagged timestamps are nested, so that precision only adds up.
    for newly_flagged in _threshold_steps(scores):
        flags[newly_flagged] = True
        owner, chance = _precision_chance(newly_flagged, zones)
        near_time = near_time + np.bincount(owner, chance, len(near_time))
        flagged_time = flagged_time + np.bincount(owner, minlength=len(near_time))
        reached = flagged_time > 0
        precision = float(np.mean(near_time[reached] / flagged_time[reached]))
        recall = _recall(np.flatnonzero(flags), zones)
        f1 = 2 * precision * recall / (precision + recall)
        candidates.append(AffiliationScores(precision, recall, f1))
    return max(candidates, key=lambda candidate: candidate.f1)


def _threshold_steps(scores: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return what each threshold flags and the one before it does not.

    Highest threshold first; thresholds that flag nothing more are left out.
    """
    descending = np.argsort(-scores)
    thresholds = np.linspace(scores.min(), scores.max(), N_THRESHOLDS)[::-1]
    n_flagged = np.searchsorted(-scores[descending], -thresholds, side="left")
    if n_flagged[-1] == 0:  # no score above the lowest one: flag them all
        return [descending]
    return np.split(descending[: n_flagged[-1]], np.unique(n_flagged)[1:-1])


class _Zones(NamedTuple):
    """Events [start, stop) and the zones [left, right) that they own."""

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


def _precision_chance(
    timestamps: NDArray[np.intp], zones: _Zones
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the zone and the precision of both halves of each timestamp.

    The precision at a point of time is the chance that a random point of its zone
    is at least as far from the event. It is linear between multiples of 1/2, so its
    value in the middle of each half is its exact mean there.
    """
    time = (timestamps[:, None] + [0.25, 0.75]).ravel()
    owner = np.searchsorted(zones.right, time)
    start, stop = zones.start[owner], zones.stop[owner]
    left, right = zones.left[owner], zones.right[owner]
    distance = np.maximum(start - time, time - stop)
    margin = np.minimum(start - left, right - stop)
    nearer = (stop - start) + np.minimum(distance, margin) + distance
    return owner, np.where(distance > 0, 1 - nearer / (right - left), 1.0)


def _recall(flagged: NDArray[np.intp], zones: _Zones) -> float:
    """Return the mean over the events of their recall.

    The recall at a point of an event is the chance that a random point of the zone
    is at least as far from it as the nearest flagged time of the zone. It is linear
    between multiples of 1/4, so four values give its exact mean over a timestamp.
    """
    length = zones.stop - zones.start
    begins = np.cumsum(length) - length
    owner = np.repeat(np.arange(len(length)), length)
    timestamps = np.arange(len(owner)) + (zones.start - begins)[owner]
    left, right = zones.left[owner, None], zones.right[owner, None]

    time = timestamps[:, None] + [0.125, 0.375, 0.625, 0.875]
    position = np.searchsorted(flagged, timestamps)[:, None]
    padded = np.concatenate(([-np.inf], flagged, [np.inf]))
    flagged_until = padded[position] + 1
    flagged_from = padded[position + 1]
    # Flags of another zone do not count.
    before = np.where(flagged_until > left, time - flagged_until, np.inf)
    after = np.where(flagged_from < right, flagged_from - time, np.inf)
    distance = np.minimum(before, after).clip(min=0)
    nearer = np.minimum(distance, np.minimum(time - left, right - time)) + distance
    chance = (1 - nearer / (right - left)).clip(min=0)  # -inf in a zone without flags
    return float(np.mean(np.add.reduceat(chance.mean(axis=1), begins) / length))
