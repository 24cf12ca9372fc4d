"""Cooperative time-series anomaly detection (CoAD) for scikit-learn and PyOD.

The names below are imported when they are first used: ``import skcoad`` itself loads
neither torch nor PyOD.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from skcoad._version import __version__

if TYPE_CHECKING:
    from skcoad.compat.sklearn import SklearnOutlierAdapter as SklearnOutlierAdapter
    from skcoad.detectors import CoADDetector as CoADDetector
    from skcoad.detectors import NeighborsDetector as NeighborsDetector
    from skcoad.preprocessing import FFTTransformer as FFTTransformer
    from skcoad.preprocessing import (
        SlidingWindowTransformer as SlidingWindowTransformer,
    )
    from skcoad.preprocessing import STFTTransformer as STFTTransformer


_HOME = {
    "CoADDetector": "skcoad.detectors",
    "FFTTransformer": "skcoad.preprocessing",
    "NeighborsDetector": "skcoad.detectors",
    "STFTTransformer": "skcoad.preprocessing",
    "SklearnOutlierAdapter": "skcoad.compat.sklearn",
    "SlidingWindowTransformer": "skcoad.preprocessing",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
