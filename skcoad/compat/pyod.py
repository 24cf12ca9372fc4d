"""Make PyOD's engine know the detector."""

from __future__ import annotations

from typing import Any

__all__ = ["register"]


def register(engine: Any) -> None:
    """Add :class:`skcoad.CoADDetector` to the algorithms that an engine knows.

    PyOD has no plugin mechanism; its engine finds algorithms in a dictionary, by import
    path. Only this one engine is changed. No benchmark rank is claimed, so the engine
    lists, explains and builds the detector, but does not choose it by itself.

    Parameters
    ----------
    engine : pyod.utils.ad_engine.ADEngine
        The engine.

    Examples
    --------
    >>> from pyod.utils.ad_engine import ADEngine
    >>> from skcoad.compat.pyod import register
    >>> engine = ADEngine()
    >>> register(engine)
    >>> type(engine.build_detector({"detector_name": "CoAD", "params": {}})).__name__
    'CoADDetector'
    """
    engine.kb.algorithms["CoAD"] = {
        "class_path": "skcoad.detectors.CoADDetector",
        "full_name": "Cooperative Time Series Anomaly Detection",
        "status": "shipped",
        "data_types": ["time_series"],
        "category": "time_series",
        "complexity": {"time": "O(n)", "space": "O(n)"},
        "strengths": [
            "Finds subtle and prolonged anomalies in series that repeat",
            "Training time does not depend on the length of the series",
            "Says what it expected, and why a point is anomalous",
        ],
        "weaknesses": [
            "Needs a stretch that is mostly normal",
            "Tens of seconds of training",
        ],
        "best_for": "Series with a period, one channel or several",
        "avoid_when": "Nothing repeats, or there are fewer than a few hundred points",
        "benchmark_refs": [],
        "benchmark_rank": {},
        "paper": {"id": "tang2026coad", "short": "Tang et al., KDD 2026"},
        "default_params": {},
        "preprocessing_mode": "external",
        "requires": ["torch"],
        "version_added": "",
    }
