"""From `contamination` to a threshold in the unit of the scores."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.base import clone

from skcoad._typing import FloatArray
from skcoad.preprocessing import plan_windows

__all__ = ["held_back_scores", "thresholder_limit"]


def held_back_scores(detector: Any, X: FloatArray, share: float) -> FloatArray:
    """Score the end of the training series as new, by a detector fitted before it.

    Parameters
    ----------
    detector : TimeSeriesDetector
        Whose parameters to take; it is left as it is.
    X : ndarray of shape (n_timestamps, n_channels)
        The training series.
    share : float
        How much of it to score, above 0 and below 1.

    Returns
    -------
    ndarray of shape (n_scored,)
    """
    cut = round((1 - share) * len(X))
    earlier = clone(detector).set_params(
        contamination=0.1,  # whatever is a number, so that this ends here
        period=plan_windows(X, period=detector.period).period,
    )
    earlier.fit(X[:cut])
    margin = min(cut, earlier.model_.receptive_field)
    scores: FloatArray = earlier.decision_function(X[cut - margin :])
    return scores[margin:]


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
