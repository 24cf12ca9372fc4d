"""Matrix profiles: distance of each window to its nearest neighbour."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skcoad.benchmark.baselines._common import (
    check_channels,
    check_finite_series,
    timestamp_scores,
)


class _StumpyDetector(BaseEstimator):  # type: ignore[misc]
    """Constructor and warm-up of the detectors that use stumpy."""

    def __init__(self, window_size: int = 50) -> None:
        self.window_size = window_size

    def warm_up(self) -> None:
        """Trigger numba's compilation of stumpy, which can outlast the scoring."""
        import stumpy

        x = np.random.default_rng(0).standard_normal(64)
        stumpy.stump(x, 8)
        stumpy.stump(x, 8, x[:32], ignore_trivial=False)


class MatrixProfileSelf(_StumpyDetector):
    """Self-join matrix profile of the series to be scored.

    The score of a window is its distance, after z-normalisation, to the nearest other
    window of the same series, trivial matches excluded [1]_, computed by stumpy [2]_.
    The score of a timestamp is the mean over the windows that cover it and over the
    channels. A window without an admissible neighbour has the largest possible
    distance, 2 sqrt(w) for windows of w points; constant windows are at distance 0
    from each other and sqrt(w) from all others.

    Parameters
    ----------
    window_size : int, default=50
        Length of a window, at least 3.

    Attributes
    ----------
    decision_scores_ : ndarray of shape (n_timestamps,)
        The scores.

    References
    ----------
    .. [1] C.-C. M. Yeh et al., "Matrix Profile I: all pairs similarity joins for time
       series", ICDM 2016.
    .. [2] S. M. Law, "STUMPY: a powerful and scalable Python library for time series
       data mining", Journal of Open Source Software 4 (39), 2019.
    """

    def fit(self, X: ArrayLike, y: object = None) -> MatrixProfileSelf:
        """Compute the profile of the series."""
        X = check_finite_series(X)
        profiles = [_profile(channel, self.window_size) for channel in X.T]
        self.decision_scores_ = timestamp_scores(
            np.mean(profiles, axis=0), len(X), self.window_size
        )
        return self


class MatrixProfileAB(_StumpyDetector):
    """AB-join matrix profile of the series to be scored against the training series.

    As `MatrixProfileSelf`, but the nearest neighbour is sought in the training series.

    Parameters
    ----------
    window_size : int, default=50
        Length of a window, at least 3.

    Attributes
    ----------
    train_ : ndarray of shape (n_timestamps, n_channels)
        The training series.
    """

    def fit(self, X: ArrayLike, y: object = None) -> MatrixProfileAB:
        """Store the training series."""
        self.train_ = check_finite_series(X)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score every timestamp; higher is more anomalous."""
        check_is_fitted(self)
        X = check_finite_series(X)
        check_channels(X, self.train_.shape[1])
        profiles = [
            _profile(channel, self.window_size, train)
            for channel, train in zip(X.T, self.train_.T, strict=True)
        ]
        return timestamp_scores(np.mean(profiles, axis=0), len(X), self.window_size)


class PyODMatrixProfile(BaseEstimator):  # type: ignore[misc]
    """PyOD's MatrixProfile with finite scores.

    PyOD gives a constant window an infinite distance; here it has the largest finite
    distance of the series.

    Parameters
    ----------
    window_size : int, default=50
        Length of a window.

    Attributes
    ----------
    decision_scores_ : ndarray of shape (n_timestamps,)
        The scores.
    """

    def __init__(self, window_size: int = 50) -> None:
        self.window_size = window_size

    def fit(self, X: ArrayLike, y: object = None) -> PyODMatrixProfile:
        """Compute the profile of the series."""
        from pyod.models.ts_matrix_profile import MatrixProfile

        # PyOD computes a threshold, here from infinite scores.
        with np.errstate(invalid="ignore"):
            scores = MatrixProfile(window_size=self.window_size).fit(X).decision_scores_
        finite = np.isfinite(scores)
        largest = scores[finite].max(initial=0.0)
        self.decision_scores_ = np.where(finite, scores, largest)
        return self


def _profile(
    x: NDArray[np.float64],
    window_size: int,
    train: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Distance of each window of x to its nearest neighbour in `train`, or in x."""
    import stumpy

    if train is None:
        profile = stumpy.stump(x, window_size)
    else:
        profile = stumpy.stump(x, window_size, train, ignore_trivial=False)
    distances = np.array(profile[:, 0], dtype=np.float64)
    distances[~np.isfinite(distances)] = 2 * np.sqrt(window_size)
    return distances
