"""The detectors that CoAD is compared with, each with fixed parameters.

`BASELINES` maps names to detectors as `run_benchmark` takes them. The window of a
detector, where it has one, is the dominant period; all other parameters are the same
for every series. PyOD, torch and stumpy are imported when a detector needs them.
"""

from __future__ import annotations

from typing import Any

from skcoad.benchmark._detectors import FitPredictOnly
from skcoad.benchmark.baselines._kmeans import KMeansAD
from skcoad.benchmark.baselines._matrix_profile import (
    MatrixProfileAB,
    MatrixProfileSelf,
    PyODMatrixProfile,
)
from skcoad.benchmark.baselines._seeding import SeededTorch
from skcoad.benchmark.baselines._zscore import RobustZScore


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

    # A stride of a tenth of a period: nearer windows are nearly equal, and the time
    # of LOF and KNN grows with the square of their number.
    return TimeSeriesOD(
        detector,
        window_size=period,
        step=max(1, period // 10),
        score_aggregation="mean",
    )


def _robust_z_score(period: int) -> Any:
    return RobustZScore()


def _kmeans_ad(period: int) -> Any:
    return KMeansAD(period)


def _matrix_profile_ab(period: int) -> Any:
    return MatrixProfileAB(period)


def _matrix_profile_self(period: int) -> Any:
    return MatrixProfileSelf(period)


def _pyod_matrix_profile(period: int) -> Any:
    return PyODMatrixProfile(period)


def _kshape(period: int) -> Any:
    from pyod.models.ts_kshape import KShape

    return KShape(window_size=period, max_iter=20)


def _sand(period: int) -> Any:
    from pyod.models.ts_sand import SAND

    # PyOD's default batch of 100 windows can span less than a period.
    return SAND(window_size=period, batch_size=2000, max_iter=20)


def _lstm_ad(period: int) -> Any:
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


def _neighbors(period: int) -> Any:
    from skcoad import NeighborsDetector

    return NeighborsDetector()


def _coad_paper(period: int) -> Any:
    from skcoad import CoADDetector

    return CoADDetector.paper()


BASELINES: dict[str, Any] = {
    "CoAD": _coad,
    "Neighbors": _neighbors,
    # From here on, fast detectors first.
    "RobustZScore": _robust_z_score,
    "KMeansAD": _kmeans_ad,
    "SpectralResidual": FitPredictOnly(_spectral_residual),
    "PCA": _pca,
    "IForest": _iforest,
    "MatrixProfileAB": _matrix_profile_ab,
    "MatrixProfileSelf": FitPredictOnly(_matrix_profile_self),
    "KNN": _knn,
    "LOF": _lof,
    "PyODMatrixProfile": FitPredictOnly(_pyod_matrix_profile),
    "KShape": _kshape,
    "SAND": _sand,
    "LSTMAD": _lstm_ad,
    "AnomalyTransformer": _anomaly_transformer,
    "CoADPaper": _coad_paper,
}
"""By name: CoAD with its defaults, the baselines, and CoAD as in the paper."""
