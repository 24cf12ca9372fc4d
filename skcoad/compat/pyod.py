"""Make PyOD's engine know the detectors."""

from __future__ import annotations

import copy
from typing import Any

__all__ = ["register"]

COMMON: dict[str, Any] = {
    "status": "shipped",
    "data_types": ["time_series"],
    "category": "time_series",
    "complexity": {"time": "O(n)", "space": "O(n)"},
    "best_for": "Series with a period, one channel or several",
    "avoid_when": "There are fewer than a few hundred points",
    "benchmark_refs": [],
    "benchmark_rank": {},
    "paper": {"id": "tang2026coad", "short": "Tang et al., KDD 2026"},
    "default_params": {},
    "preprocessing_mode": "external",
    "requires": ["torch"],
    "version_added": "",
}

ALGORITHMS: dict[str, dict[str, Any]] = {
    "CoAD": {
        **COMMON,
        "class_path": "skcoad.detectors.CoADDetector",
        "full_name": "Cooperative Time Series Anomaly Detection",
        "strengths": [
            "Finds subtle and prolonged anomalies in series that repeat",
            "The number of training steps does not depend on the length of the series",
            "Explains a score by its components and the expected values",
        ],
        "weaknesses": [
            "Needs training data that are mostly normal",
            "Seconds to tens of seconds of training",
        ],
    },
    "CoADNeighbors": {
        **COMMON,
        "class_path": "skcoad.detectors.NeighborsDetector",
        "full_name": "Excess Distance to Nearest Normal Subsequences",
        "strengths": [
            "No training, nothing random",
            "Finds subtle and prolonged anomalies in series that repeat",
        ],
        "weaknesses": [
            "Needs training data that are mostly normal",
            "The nearest-neighbour search is approximate",
        ],
    },
}


def register(engine: Any) -> None:
    """Add the detectors to the algorithms that an engine knows.

    PyOD has no plugin mechanism; its engine finds algorithms in a dictionary, by import
    path. Only this one engine is changed. No benchmark rank is claimed, so the engine
    lists, explains and builds the detectors, but does not choose them by itself.

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
    for name, entry in ALGORITHMS.items():
        engine.kb.algorithms[name] = copy.deepcopy(entry)
