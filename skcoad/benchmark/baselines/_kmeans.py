"""Distance to the nearest k-means centre."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skcoad.benchmark.baselines._common import (
    check_channels,
    check_finite_series,
    timestamp_scores,
    znormalize,
)
from skcoad.preprocessing import sliding_windows

WINDOW_VALUES_CHUNK = 2**22  # values of normalised windows held at a time: 32 MiB


class KMeansAD(BaseEstimator):  # type: ignore[misc]
    """Distance of each z-normalised window to the nearest k-means centre.

    The score of a timestamp is the mean over the windows that cover it.

    Parameters
    ----------
    window_size : int, default=50
        Length of a window. The channels of a window are concatenated.
    n_clusters : int, default=20
        Number of centres.
    max_windows : int, default=10000
        Maximum number of windows, evenly spaced, that are clustered.
    random_state : int, RandomState or None, default=None
        For the initialisation of the centres.

    Attributes
    ----------
    kmeans_ : KMeans
        The fitted clustering; its ``cluster_centers_`` are the centres.
    decision_scores_ : ndarray of shape (n_timestamps,)
        Scores of the training series.

    References
    ----------
    T. Yairi, Y. Kato and K. Hori, "Fault detection by mining association rules from
    house-keeping data", i-SAIRAS 2001.

    Examples
    --------
    >>> from skcoad.benchmark.baselines import KMeansAD
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> detector = KMeansAD(50, random_state=0).fit(series.train)
    >>> scores = detector.decision_function(series.test)
    >>> bool(series.test_labels[scores.argmax()])
    True
    """

    def __init__(
        self,
        window_size: int = 50,
        *,
        n_clusters: int = 20,
        max_windows: int = 10_000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.window_size = window_size
        self.n_clusters = n_clusters
        self.max_windows = max_windows
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> KMeansAD:
        """Cluster windows of the series."""
        windows = sliding_windows(check_finite_series(X), self.window_size)
        stride = -(-len(windows) // self.max_windows)
        chosen = znormalize(windows[::stride])
        self.kmeans_ = KMeans(
            min(self.n_clusters, len(chosen)),
            n_init=3,
            random_state=check_random_state(self.random_state),
        )
        with warnings.catch_warnings():
            # With fewer distinct windows than clusters each window becomes a centre.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.kmeans_.fit(chosen)
        self.decision_scores_ = self.decision_function(X)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score every timestamp; higher is more anomalous."""
        check_is_fitted(self)
        X = check_finite_series(X)
        check_channels(X, self.kmeans_.n_features_in_ // self.window_size)
        windows = sliding_windows(X, self.window_size)
        chunk = max(1, WINDOW_VALUES_CHUNK // windows[0].size)
        distances = [
            self.kmeans_.transform(znormalize(windows[i : i + chunk])).min(axis=1)
            for i in range(0, len(windows), chunk)
        ]
        return timestamp_scores(np.concatenate(distances), len(X), self.window_size)
