"""Detectors to compare with."""

from __future__ import annotations

from skcoad.benchmark.baselines._registry import (
    BASELINES,
    KMeansAD,
    MatrixProfileAB,
    MatrixProfileSelf,
    PyODMatrixProfile,
    SeededTorch,
)

__all__ = [
    "BASELINES",
    "KMeansAD",
    "MatrixProfileAB",
    "MatrixProfileSelf",
    "PyODMatrixProfile",
    "SeededTorch",
]
