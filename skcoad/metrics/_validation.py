"""Input checks shared by all metrics."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_labels(y_true: ArrayLike) -> NDArray[np.bool_]:
    """Return the labels as booleans.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.

    Returns
    -------
    ndarray of bool, shape (n_timestamps,)

    Raises
    ------
    ValueError
        If the array is empty, not one-dimensional or holds anything but 0 and 1.
    """
    labels = np.asarray(y_true)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(
            "y_true must have shape (n_timestamps,) with at least one timestamp, "
            f"got shape {labels.shape}"
        )
    wrong = (labels != 0) & (labels != 1)
    if wrong.any():
        index = int(wrong.argmax())
        raise ValueError(
            "y_true must hold only 0 (normal) and 1 (anomalous), "
            f"got {labels[wrong].tolist()[0]!r} at index {index}"
        )
    return labels.astype(np.bool_)


def check_labels_and_scores(
    y_true: ArrayLike, y_score: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return labels with at least one anomalous timestamp, and their scores.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.
    y_score : array-like of shape (n_timestamps,)
        Finite anomaly scores; higher is more anomalous.

    Returns
    -------
    labels : ndarray of bool, shape (n_timestamps,)
    scores : ndarray of float64, shape (n_timestamps,)

    Raises
    ------
    ValueError
        If the shapes differ, a score is NaN or infinite, a label is neither 0 nor
        1, or no timestamp is anomalous.
    """
    labels = check_labels(y_true)
    scores = np.asarray(y_score, dtype=np.float64)
    if scores.shape != labels.shape:
        raise ValueError(
            "y_score must have the shape of y_true, "
            f"got {scores.shape} and {labels.shape}"
        )
    finite = np.isfinite(scores)
    if not finite.all():
        index = int(finite.argmin())
        raise ValueError(
            f"y_score must be finite, got {scores[index]} at index {index}"
        )
    if not labels.any():
        raise ValueError(
            "y_true must hold at least one anomalous timestamp (1), "
            f"got {labels.size} normal ones"
        )
    return labels, scores
