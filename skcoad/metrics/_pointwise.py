"""Metrics that count single timestamps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score

from skcoad.metrics._events import events
from skcoad.metrics._validation import check_labels_and_scores


def auc_pr(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Area under the precision-recall curve, as average precision.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores; higher is more anomalous.

    Returns
    -------
    float
        In (0, 1]. A constant score gives the share of anomalous timestamps; an
        all-anomalous series gives 1.

    Raises
    ------
    ValueError
        If the shapes differ, a score is not finite, a label is neither 0 nor 1, or
        no timestamp is anomalous.

    See Also
    --------
    sklearn.metrics.average_precision_score : The same value; for labels without an
        anomaly it warns and returns 0.

    Examples
    --------
    >>> from skcoad.metrics import auc_pr
    >>> auc_pr([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.8333333333333333
    """
    labels, scores = check_labels_and_scores(y_true, y_score)
    return float(average_precision_score(labels, scores))


def best_f1(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """F1 of the flagged timestamps at the best of all thresholds.

    The threshold is chosen with knowledge of the labels, so this is an upper bound on
    the F1 in use.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores; higher is more anomalous.

    Returns
    -------
    float
        In (0, 1]. A constant score flags every timestamp, as does every other
        score at its lowest threshold.

    Raises
    ------
    ValueError
        If the shapes differ, a score is not finite, a label is neither 0 nor 1, or
        no timestamp is anomalous.

    Notes
    -----
    TSB-AD's "Standard-F1" adds 1e-5 to the denominator ``precision + recall``, which
    makes it lower by up to 5e-6: 0.999995 instead of 1 for a perfect score.

    Examples
    --------
    >>> from skcoad.metrics import best_f1
    >>> best_f1([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.8
    """
    labels, scores = check_labels_and_scores(y_true, y_score)
    return _best_f1(labels, scores)


def point_adjusted_f1(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Best F1 after point adjustment [1]_; not reliable, random scores rank high.

    Point adjustment counts every timestamp of an event as found as soon as one is
    flagged. A random score then finds a long event almost surely, and a single flagged
    timestamp yields as many true positives as the event is long: uniform noise reached
    or exceeded published detectors on common data sets [2]_. The metric is included
    only to reproduce published numbers. To choose a detector, use `vus_pr`,
    `affiliation_scores` or `best_f1`.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores; higher is more anomalous.

    Returns
    -------
    float
        In (0, 1]; never below `best_f1`, and equal to it for a constant score.

    Raises
    ------
    ValueError
        If the shapes differ, a score is not finite, a label is neither 0 nor 1, or
        no timestamp is anomalous.

    Notes
    -----
    The maximum is over all thresholds. TSB-AD uses 100 evenly spaced ones, so its
    "PA-F1" is at most this value; and it never adjusts timestamp 0.

    References
    ----------
    .. [1] H. Xu et al., "Unsupervised anomaly detection via variational
       auto-encoder for seasonal KPIs in web applications", WWW 2018.
    .. [2] S. Kim et al., "Towards a rigorous evaluation of time-series anomaly
       detection", AAAI 2022.

    Examples
    --------
    Noise that is independent of the labels:

    >>> import numpy as np
    >>> from skcoad.metrics import best_f1, point_adjusted_f1
    >>> y_true = np.zeros(10_000)
    >>> y_true[5_000:5_500] = 1
    >>> noise = np.random.default_rng(0).random(10_000)
    >>> round(best_f1(y_true, noise), 2), round(point_adjusted_f1(y_true, noise), 2)
    (0.1, 1.0)
    """
    labels, scores = check_labels_and_scores(y_true, y_score)
    # An event is found by every threshold up to its highest score.
    lengths = np.diff(events(labels)).ravel()
    begins = np.cumsum(lengths) - lengths
    highest = np.maximum.reduceat(scores[labels], begins)
    adjusted = scores.copy()
    adjusted[labels] = np.repeat(highest, lengths)
    return _best_f1(labels, adjusted)


def _best_f1(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    order = np.argsort(-scores)
    descending = scores[order]
    # Equal scores are flagged together: count at the last of each tie only.
    last = np.flatnonzero(np.append(descending[1:] < descending[:-1], True))
    true_positives = np.cumsum(labels[order])[last]
    n_flagged = last + 1
    return float(np.max(2 * true_positives / (labels.sum() + n_flagged)))
