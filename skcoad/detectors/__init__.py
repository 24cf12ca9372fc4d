"""The estimators."""

from __future__ import annotations

from skcoad.detectors._base import TimeSeriesDetector
from skcoad.detectors._coad import CoADDetector
from skcoad.detectors._explanation import Explanation
from skcoad.detectors._load import load
from skcoad.detectors._neighbors import NeighborsDetector
from skcoad.detectors._searching import SearchResult
from skcoad.detectors._series import fit_series, frame_of, search_series

__all__ = [
    "CoADDetector",
    "Explanation",
    "NeighborsDetector",
    "SearchResult",
    "TimeSeriesDetector",
    "fit_series",
    "frame_of",
    "load",
    "search_series",
]
