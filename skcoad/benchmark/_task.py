"""One detector on one series: the unit of work of the benchmark."""

from __future__ import annotations

import os
import platform
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from skcoad._version import __version__
from skcoad.benchmark._detectors import FitPredictOnly, build, settings
from skcoad.benchmark._memory import peak_memory, reset_peak_memory
from skcoad.benchmark._protocols import PROTOCOLS, Parts, measure, vus_window
from skcoad.benchmark._results import Result
from skcoad.datasets import Series
from skcoad.preprocessing._period import dominant_period


def run_task(
    name: str, detector: Any, series: Series, protocol: str, seed: int
) -> Result:
    """Fit a detector, let it score, and measure; never raises an Exception.

    Parameters
    ----------
    name : str
        What the detector is called in the results.
    detector : object, callable or FitPredictOnly
        See `build`.
    series : Series
        The data.
    protocol : str
        A key of `PROTOCOLS`.
    seed : int
        For the detector's random numbers.

    Returns
    -------
    result : Result
        With ``error`` and ``traceback`` when something went wrong.
    """
    parts = PROTOCOLS[protocol](series)
    fit_predict_only = isinstance(detector, FitPredictOnly) or len(parts.train) == 0
    window = vus_window(series.values[:, 0])
    period = detector_period(parts.scored if fit_predict_only else parts.train)
    result: Result = {
        "detector": name,
        "series": series.name,
        "protocol": protocol,
        "seed": seed,
        "fit_predict_only": fit_predict_only,
        "period": period,
        "vus_window": window,
        "n_train": 0 if fit_predict_only else len(parts.train),
        "n_scored": len(parts.scored),
        "n_channels": series.values.shape[1],
        "n_anomalous": int(parts.labels.sum()),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "error": None,
    }
    try:
        if result["n_anomalous"] == 0:
            raise ValueError("the scored part has no anomaly to find")
        made = build(detector, period, seed)
        result["settings"] = settings(made)
        result |= _fit_and_score(made, parts, fit_predict_only, window)
    except Exception as error:
        result["error"] = f"{type(error).__name__}: {error}"
        result["traceback"] = traceback.format_exc()
    # Last, when the libraries that the detector needs have been loaded.
    result["threads"] = max(
        (pool["num_threads"] for pool in threadpool_info()), default=1
    )
    result["versions"] = _versions()
    result["machine"] = f"{platform.platform()}, {os.cpu_count()} CPUs"
    return result


def detector_period(x: NDArray[np.float64]) -> int:
    """Find the period that detectors are given.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps, n_channels)
        What the detector will be fitted on.

    Returns
    -------
    period : int
        The dominant period; without one, 125 (as in TSB-AD), or a third of the
        series if that is shorter.
    """
    return dominant_period(x) or max(1, min(125, len(x) // 3))


def _fit_and_score(
    detector: Any, parts: Parts, fit_predict_only: bool, window: int
) -> Result:
    # Copies, so that a detector which works in place spoils nothing.
    scored = parts.scored.copy()
    train = scored if fit_predict_only else parts.train.copy()
    if hasattr(detector, "warm_up"):
        detector.warm_up()

    reset = reset_peak_memory()
    before = peak_memory() if reset else None
    _, fit_seconds = _timed(detector.fit, train)
    if not fit_predict_only:
        scores, score_seconds = _timed(detector.decision_function, scored)
    elif hasattr(detector, "decision_scores_"):
        scores, score_seconds = detector.decision_scores_, 0.0
    else:
        raise ValueError(
            "without a training part the detector needs the attribute decision_scores_"
        )
    peak = peak_memory()

    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (len(scored),):
        raise ValueError(f"expected {len(scored)} scores, got the shape {scores.shape}")
    return {
        "metrics": measure(parts.labels, scores, window),
        "fit_seconds": round(fit_seconds, 6),
        "score_seconds": round(score_seconds, 6),
        "peak_memory_mib": None if peak is None else round(peak, 1),
        # What was held before the fit; None if the peak may be older than the fit.
        "base_memory_mib": None if before is None else round(before, 1),
    }


def _timed(function: Callable[[Any], Any], argument: Any) -> tuple[Any, float]:
    start = perf_counter()
    value = function(argument)
    return value, perf_counter() - start


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "skcoad": __version__}
    for package in ("numpy", "scipy", "scikit-learn", "torch", "pyod", "stumpy"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
