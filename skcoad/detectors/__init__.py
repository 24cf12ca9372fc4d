"""The estimators."""

from __future__ import annotations

from skcoad.detectors._coad import CoADDetector

__all__ = ["CoADDetector"]
