"""The detectors that CoAD is compared with."""

from __future__ import annotations

from skcoad.benchmark.baselines._kmeans import KMeansAD
from skcoad.benchmark.baselines._matrix_profile import (
    MatrixProfileAB,
    MatrixProfileSelf,
    PyODMatrixProfile,
)
from skcoad.benchmark.baselines._registry import BASELINES
from skcoad.benchmark.baselines._seeding import SeededTorch
from skcoad.benchmark.baselines._zscore import RobustZScore

__all__ = [
    "BASELINES",
    "KMeansAD",
    "MatrixProfileAB",
    "MatrixProfileSelf",
    "PyODMatrixProfile",
    "RobustZScore",
    "SeededTorch",
]
