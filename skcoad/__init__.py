"""Cooperative time-series anomaly detection (CoAD) for scikit-learn and PyOD.

The names below are imported when they are first used: ``import skcoad`` itself loads
neither torch nor PyOD.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skcoad.detector import CoADDetector as CoADDetector
    from skcoad.spectral import FFTTransformer as FFTTransformer
    from skcoad.spectral import STFTTransformer as STFTTransformer
    from skcoad.windows import SlidingWindowTransformer as SlidingWindowTransformer

__version__ = "0.1.0"

_HOME = {
    "CoADDetector": "skcoad.detector",
    "FFTTransformer": "skcoad.spectral",
    "STFTTransformer": "skcoad.spectral",
    "SklearnOutlierAdapter": "skcoad.adapter",
    "SlidingWindowTransformer": "skcoad.windows",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
