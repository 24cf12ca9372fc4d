"""From a score for each timestamp to a short list of anomalous segments."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad._arguments import check_integer, check_number
from skcoad._validation import check_scores

__all__ = ["AnomalySegment", "find_segments"]


class AnomalySegment(NamedTuple):
    """A part of a series that stands out.

    Attributes
    ----------
    start, stop : int
        First timestamp and the one after the last: ``scores[start:stop]``.
    peak : int
        Timestamp of the highest score.
    score : float
        The score there.
    """

    start: int
    stop: int
    peak: int
    score: float


def find_segments(
    scores: ArrayLike,
    threshold: float,
    *,
    separation: int,
    limit: int | None = None,
    start: int = 0,
) -> list[AnomalySegment]:
    """Find the segments around the highest peaks of the score.

    The highest score is the first peak. Its segment extends, in both directions, to the
    last score above half the height of the peak, measured from the threshold; up to
    `separation` lower scores in between are bridged. The next peak is the highest score
    at least `separation` away from every segment before it, and so on until no score is
    above the threshold. Last, neighbouring segments are joined if all scores between
    them are above half the height of the lower: one long event is one segment, however
    uneven its scores are.

    A score that was smoothed by a moving average is at half its height where an event
    begins and ends, so the segments fit the events for a wide range of thresholds. Cut
    at the threshold itself, a high peak would look long. (This is not
    :func:`scipy.signal.peak_widths`, which measures the height from the surroundings
    of the peak and bridges nothing.)

    Parameters
    ----------
    scores : array-like of shape (n_timestamps,)
        Finite; higher is more anomalous.
    threshold : float
        Peaks must lie above; for instance the ``threshold_`` of a detector.
    separation : int
        Least number of timestamps between two segments, at least 1; for instance the
        ``period_`` of a detector.
    limit : int or None, default=None
        Largest number of segments, at least 1: the highest are kept.
    start : int, default=0
        First timestamp to search; for instance where the training part ends.

    Returns
    -------
    list of AnomalySegment
        Highest peak first; of equal peaks the earlier one first.

    Raises
    ------
    ValueError
        If the scores are not one-dimensional or not finite, the threshold is not
        finite, or `separation` or `limit` is below 1, or `start` below 0, or one of
        them is no integer.

    Examples
    --------
    >>> from skcoad.scoring import find_segments
    >>> scores = [0, 0, 3, 8, 6, 0, 0, 0, 0, 2, 4, 2, 0]
    >>> for segment in find_segments(scores, 1.0, separation=2):
    ...     print(segment)
    AnomalySegment(start=3, stop=5, peak=3, score=8.0)
    AnomalySegment(start=10, stop=11, peak=10, score=4.0)
    """
    free = check_scores(scores)
    check_number("threshold", threshold)
    check_integer("separation", separation, 1)
    if limit is not None:
        check_integer("limit", limit, 1)
    check_integer("start", start, 0)

    free[:start] = -np.inf
    segments = _joined(
        _around_peaks(free.copy(), threshold, separation), free, threshold
    )
    return sorted(segments, key=lambda segment: (-segment.score, segment.peak))[:limit]


def _around_peaks(
    free: NDArray[np.float64], threshold: float, separation: int
) -> list[AnomalySegment]:
    """Segments down to half the height of their peaks; of `free` little is left."""
    segments = []
    for peak in np.argsort(-free, kind="stable"):
        score = free[peak]
        if score == -np.inf:  # before the start, or in or near an earlier segment
            continue
        if score <= threshold:
            break
        level = (threshold + score) / 2
        stop = peak + _extent(free[peak:], level, separation)
        first = peak + 1 - _extent(free[peak::-1], level, separation)
        free[max(0, first - separation) : stop + separation] = -np.inf
        segments.append(AnomalySegment(int(first), int(stop), int(peak), float(score)))
    return segments


def _joined(
    segments: list[AnomalySegment], scores: NDArray[np.float64], threshold: float
) -> list[AnomalySegment]:
    """Segments in order of time, as one where no score between them is low."""
    ordered = sorted(segments)
    joined = ordered[:1]
    for before, segment in pairwise(ordered):
        level = (threshold + min(before.score, segment.score)) / 2
        if (scores[before.stop : segment.start] > level).all():
            first = joined.pop()
            higher = segment if segment.score > first.score else first
            segment = higher._replace(start=first.start, stop=segment.stop)
        joined.append(segment)
    return joined


def _extent(scores: NDArray[np.floating[Any]], level: float, separation: int) -> int:
    """Length of the beginning that ends before `separation` scores below the level."""
    length = 1
    while len(above := np.flatnonzero(scores[length : length + separation] > level)):
        length += int(above[-1]) + 1
    return length
