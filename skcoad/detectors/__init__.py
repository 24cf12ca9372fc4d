"""The estimators."""

from __future__ import annotations

from skcoad.detectors._base import TimeSeriesDetector
from skcoad.detectors._coad import CoADDetector
from skcoad.detectors._explanation import Explanation
from skcoad.detectors._load import load
from skcoad.detectors._neighbors import NeighborsDetector

__all__ = [
    "CoADDetector",
    "Explanation",
    "NeighborsDetector",
    "TimeSeriesDetector",
    "load",
]
