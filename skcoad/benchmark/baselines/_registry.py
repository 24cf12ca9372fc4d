"""The detectors to compare with, each with the same settings for every series.

`BASELINES` maps names to what `run_benchmark` takes. Wherever a detector has a window, it
is the dominant period; nothing else depends on the series. The libraries behind a peer
are imported when it is made.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skcoad.benchmark._detectors import FitPredictOnly
from skcoad.preprocessing._windows import sliding_windows, windows_to_timestamps

# Values of the table of windows that are worked on together: 32 MiB.
_CHUNK = 2**22


class KMeansAD(BaseEstimator):  # type: ignore[misc]
    """Distance of z-normalised windows to the nearest of a few typical ones.

    A timestamp's score is the mean over the windows that cover it.

    Parameters
    ----------
    window_size : int, default=50
        Length of a window. The windows of all channels are joined.
    n_clusters : int, default=20
        Number of typical windows.
    max_windows : int, default=10000
        How many windows, evenly spaced, are clustered.
    random_state : int, RandomState or None, default=None
        For the clustering.

    Attributes
    ----------
    kmeans_ : KMeans
        The typical windows are its ``cluster_centers_``.
    decision_scores_ : ndarray of shape (n_timestamps,)
        The scores of the data that were fitted.

    References
    ----------
    T. Yairi, Y. Kato and K. Hori, "Fault detection by mining association rules from
    house-keeping data", i-SAIRAS 2001.

    Examples
    --------
    >>> from skcoad.benchmark import KMeansAD
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> scores = KMeansAD(50, random_state=0).fit(series.train).decision_function(
    ...     series.test
    ... )
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
        windows = sliding_windows(_series(X), self.window_size)
        step = -(-len(windows) // self.max_windows)
        chosen = _znormalised(windows[::step])
        self.kmeans_ = KMeans(
            min(self.n_clusters, len(chosen)),
            n_init=3,
            random_state=check_random_state(self.random_state),
        )
        with warnings.catch_warnings():
            # Fewer distinct windows than clusters: each is typical, which is right.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.kmeans_.fit(chosen)
        self.decision_scores_ = self.decision_function(X)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score every timestamp; higher is more anomalous."""
        check_is_fitted(self)
        X = _series(X)
        windows = sliding_windows(X, self.window_size)
        n_rows = max(1, _CHUNK // windows[0].size)
        distances = [
            self.kmeans_.transform(_znormalised(windows[i : i + n_rows])).min(axis=1)
            for i in range(0, len(windows), n_rows)
        ]
        return _to_timestamps(np.concatenate(distances), len(X), self.window_size)


class MatrixProfileSelf(BaseEstimator):  # type: ignore[misc]
    """Distance of each z-normalised window to the nearest other one of the series.

    The matrix profile [1]_, computed by stumpy [2]_. A timestamp's score is the mean
    over the windows that cover it, and over the channels. Where a window has no other
    to be compared with, its distance is the largest that there is, 2 sqrt(w) for
    windows of w points; constant windows are at distance 0 from each other and
    sqrt(w) from others.

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

    def __init__(self, window_size: int = 50) -> None:
        self.window_size = window_size

    def warm_up(self) -> None:
        """Have numba compile stumpy, which takes longer than many a series."""
        _warm_up_stumpy()

    def fit(self, X: ArrayLike, y: object = None) -> MatrixProfileSelf:
        """Compute the profile of the series."""
        X = _series(X)
        profiles = [_profile(channel, self.window_size) for channel in X.T]
        self.decision_scores_ = _to_timestamps(
            np.mean(profiles, axis=0), len(X), self.window_size
        )
        return self


class MatrixProfileAB(BaseEstimator):  # type: ignore[misc]
    """Distance of each z-normalised window to the nearest one of the training part.

    As `MatrixProfileSelf` but for where the nearest window is looked for.

    Parameters
    ----------
    window_size : int, default=50
        Length of a window, at least 3.

    Attributes
    ----------
    train_ : ndarray of shape (n_timestamps, n_channels)
        The training part.
    """

    def __init__(self, window_size: int = 50) -> None:
        self.window_size = window_size

    def warm_up(self) -> None:
        """Have numba compile stumpy, which takes longer than many a series."""
        _warm_up_stumpy()

    def fit(self, X: ArrayLike, y: object = None) -> MatrixProfileAB:
        """Keep the training part."""
        self.train_ = _series(X)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score every timestamp; higher is more anomalous."""
        check_is_fitted(self)
        X = _series(X)
        profiles = [
            _profile(channel, self.window_size, reference)
            for channel, reference in zip(X.T, self.train_.T, strict=True)
        ]
        return _to_timestamps(np.mean(profiles, axis=0), len(X), self.window_size)


class PyODMatrixProfile(BaseEstimator):  # type: ignore[misc]
    """PyOD's MatrixProfile with finite scores.

    PyOD gives a constant window an infinite distance; here such a window has the
    largest finite distance of the series.

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

        with np.errstate(invalid="ignore"):  # PyOD's threshold, from infinite scores
            scores = MatrixProfile(window_size=self.window_size).fit(X).decision_scores_
        finite = np.isfinite(scores)
        largest = scores[finite].max(initial=0.0)
        self.decision_scores_ = np.where(finite, scores, largest)
        return self


class SeededTorch(BaseEstimator):  # type: ignore[misc]
    """A detector that draws from torch's global generator, made repeatable.

    The generator is seeded for the fit and put back afterwards.

    Parameters
    ----------
    detector : object
        The detector; it is fitted in place.
    random_state : int, default=0
        The seed.
    """

    def __init__(self, detector: Any, *, random_state: int = 0) -> None:
        self.detector = detector
        self.random_state = random_state

    def warm_up(self) -> None:
        """Import torch."""
        import torch  # noqa: F401

    def fit(self, X: ArrayLike, y: object = None) -> SeededTorch:
        """Fit the detector."""
        import torch

        with torch.random.fork_rng():
            torch.manual_seed(self.random_state)
            self.detector.fit(X)
        self.decision_scores_ = self.detector.decision_scores_
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score every timestamp; higher is more anomalous."""
        scores: NDArray[np.float64] = self.detector.decision_function(X)
        return scores


def _iforest(period: int) -> Any:
    from pyod.models.iforest import IForest

    return _windowed(IForest(), period)


def _lof(period: int) -> Any:
    from pyod.models.lof import LOF

    return _windowed(LOF(), period)


def _knn(period: int) -> Any:
    from pyod.models.knn import KNN

    return _windowed(KNN(), period)


def _pca(period: int) -> Any:
    from pyod.models.pca import PCA

    return _windowed(PCA(), period)


def _windowed(detector: Any, period: int) -> Any:
    from pyod.models.ts_od import TimeSeriesOD

    # Windows a tenth of a period apart: their neighbours are nearly the same, and
    # the time of LOF and KNN grows with the square of their number.
    return TimeSeriesOD(
        detector,
        window_size=period,
        step=max(1, period // 10),
        score_aggregation="mean",
    )


def _kmeans(period: int) -> Any:
    return KMeansAD(period)


def _train_join(period: int) -> Any:
    return MatrixProfileAB(period)


def _self_join(period: int) -> Any:
    return MatrixProfileSelf(period)


def _matrix_profile(period: int) -> Any:
    return PyODMatrixProfile(period)


def _kshape(period: int) -> Any:
    from pyod.models.ts_kshape import KShape

    return KShape(window_size=period, max_iter=20)


def _sand(period: int) -> Any:
    from pyod.models.ts_sand import SAND

    # PyOD's default, 100 windows, would be less than one period.
    return SAND(window_size=period, batch_size=2000, max_iter=20)


def _lstm(period: int) -> Any:
    from pyod.models.ts_lstm import LSTMAD

    return SeededTorch(LSTMAD(window_size=period, epochs=10, batch_size=128))


def _anomaly_transformer(period: int) -> Any:
    from pyod.models.ts_anomaly_transformer import AnomalyTransformer

    return SeededTorch(
        AnomalyTransformer(
            window_size=period, d_model=128, step=max(1, period // 10), epochs=3
        )
    )


def _spectral_residual(period: int) -> Any:
    from pyod.models.ts_spectral_residual import SpectralResidual

    return SpectralResidual()


def _coad(period: int) -> Any:
    from skcoad import CoADDetector

    return CoADDetector()


def _coad_paper(period: int) -> Any:
    from skcoad import CoADDetector

    return CoADDetector.paper()


BASELINES: dict[str, Any] = {
    "CoAD": _coad,
    # Fast ones first.
    "KMeans": _kmeans,
    "SpectralResidual": FitPredictOnly(_spectral_residual),
    "PCA": _pca,
    "IForest": _iforest,
    "MatrixProfileAB": _train_join,
    "MatrixProfileSelf": FitPredictOnly(_self_join),
    "KNN": _knn,
    "LOF": _lof,
    "MatrixProfile": FitPredictOnly(_matrix_profile),
    "KShape": _kshape,
    "SAND": _sand,
    "LSTMAD": _lstm,
    "AnomalyTransformer": _anomaly_transformer,
    "CoADPaper": _coad_paper,
}
"""CoAD with its defaults, its peers, and CoAD as in the paper, by name."""


def _series(X: ArrayLike) -> NDArray[np.float64]:
    X = np.asarray(X, dtype=np.float64)
    checked: NDArray[np.float64] = check_array(X[:, np.newaxis] if X.ndim == 1 else X)
    return checked


def _znormalised(windows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Scale each window of each channel to mean 0 and deviation 1; join channels."""
    deviation = windows.std(axis=1, keepdims=True)
    constant = deviation < 1e-10
    scaled = (windows - windows.mean(axis=1, keepdims=True)) / np.where(
        constant, 1.0, deviation
    )
    # What is left of a constant window is rounding.
    scaled *= ~constant
    joined: NDArray[np.float64] = scaled.reshape(len(windows), -1)
    return joined


def _to_timestamps(
    scores: NDArray[np.float64], n_timestamps: int, window_size: int
) -> NDArray[np.float64]:
    return np.asarray(windows_to_timestamps(scores, n_timestamps, window_size))


def _profile(
    x: NDArray[np.float64],
    window_size: int,
    reference: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Distance of each window of x to the nearest one of the reference, or of x."""
    import stumpy

    if reference is None:
        profile = stumpy.stump(x, window_size)
    else:
        profile = stumpy.stump(x, window_size, reference, ignore_trivial=False)
    distances = np.array(profile[:, 0], dtype=np.float64)
    distances[~np.isfinite(distances)] = 2 * np.sqrt(window_size)
    return distances


def _warm_up_stumpy() -> None:
    import stumpy

    x = np.random.default_rng(0).standard_normal(64)
    stumpy.stump(x, 8)
    stumpy.stump(x, 8, x[:32], ignore_trivial=False)
