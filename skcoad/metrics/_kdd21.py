"""The rule of the KDD 2021 anomaly contest and its UCR archive."""

from __future__ import annotations

from numpy.typing import ArrayLike

from skcoad._arguments import check_integer
from skcoad.metrics._events import events
from skcoad.metrics._validation import check_labels_and_scores


def kdd21_hit(y_true: ArrayLike, y_score: ArrayLike, *, k: int = 1) -> bool:
    """Whether one of the k highest peaks lies within or near the only anomaly.

    Near means at most ``max(100, length of the anomaly)`` timestamps before its
    first or after its last timestamp. The mean over the 250 series of the archive
    [1]_ is the accuracy "Acc@k".

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere; exactly
        one event.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores; higher is more anomalous.
    k : int, default=1
        Number of peaks considered, at least 1.

    Returns
    -------
    bool
        True for a hit. A constant score has no peak, hence no hit.

    Raises
    ------
    ValueError
        If the shapes differ, a score is not finite, a label is neither 0 nor 1, the
        number of events is not 1, or `k` is no integer or below 1.

    Notes
    -----
    The first peak is the highest score; each next peak is the highest score further
    than ``max(100, length of the anomaly)`` from all previous peaks, so that one broad
    bump counts as one peak. Of equal scores the earliest comes first. A timestamp with
    the lowest score of the series is no peak: otherwise a constant score could hit by
    the order of ties.

    References
    ----------
    .. [1] R. Wu and E. Keogh, "Current time series anomaly detection benchmarks are
       flawed and are creating the illusion of progress", IEEE TKDE, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.metrics import kdd21_hit
    >>> y_true, y_score = np.zeros(2_000), np.zeros(2_000)
    >>> y_true[1_000:1_020] = 1
    >>> y_score[300] = 2  # the highest peak is a false alarm
    >>> y_score[1_050] = 1
    >>> kdd21_hit(y_true, y_score), kdd21_hit(y_true, y_score, k=2)
    (False, True)
    """
    labels, scores = check_labels_and_scores(y_true, y_score)
    check_integer("k", k, 1)
    spans = events(labels)
    if len(spans) != 1:
        raise ValueError(
            f"kdd21_hit is defined for exactly one event in y_true, got {len(spans)}"
        )
    start, stop = (int(edge) for edge in spans[0])
    tolerance = max(100, stop - start)
    lowest = scores.min()
    remaining = scores.copy()
    for _ in range(k):
        peak = int(remaining.argmax())
        if remaining[peak] == lowest:
            return False
        if start - tolerance <= peak < stop + tolerance:
            return True
        remaining[max(0, peak - tolerance) : peak + tolerance + 1] = lowest
    return False
