"""The estimators."""

from __future__ import annotations

from skcoad.detectors._coad import CoADDetector
from skcoad.detectors._neighbors import NeighborsDetector

__all__ = ["CoADDetector", "NeighborsDetector"]
