"""One detector on one series: the unit of work of the benchmark."""

from __future__ import annotations

import os
import platform
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from skcoad._version import __version__
from skcoad.benchmark._detectors import FitPredictOnly, make_detector
from skcoad.benchmark._memory import peak_memory, reset_peak_memory
from skcoad.benchmark._protocols import PROTOCOLS, Split, evaluate, vus_window
from skcoad.benchmark._results import Key, fingerprint
from skcoad.datasets import Series
from skcoad.io._parameters import get_parameters
from skcoad.io._results import Result, error_text
from skcoad.metrics import events
from skcoad.preprocessing import fallback_period, normal_dominant_period


@dataclass(frozen=True)
class Task:
    """A detector to be run on a series.

    Attributes
    ----------
    key : tuple
        Names of detector and series, a key of `PROTOCOLS`, and the seed for
        ``random_state`` of the detector.
    detector : object, callable or FitPredictOnly
        See `make_detector`.
    series : Series or Exception
        The data, or what reading it raised.
    """

    key: Key
    detector: Any
    series: Series | Exception

    def run(self) -> Result:
        """Fit a detector, score, evaluate; exceptions are recorded, not raised.

        Returns
        -------
        Result
            With ``error`` and ``traceback`` if an exception occurred.
        """
        if isinstance(self.series, Exception):
            return self.failure(self.series)
        _, _, protocol, seed = self.key
        split = PROTOCOLS[protocol](self.series)
        fit_predict_only = (
            isinstance(self.detector, FitPredictOnly) or len(split.train) == 0
        )
        result = self._result(split.labels) | {
            "fit_predict_only": fit_predict_only,
            "n_train": 0 if fit_predict_only else len(split.train),
            "n_scored": len(split.scored),
            "n_channels": self.series.values.shape[1],
        }
        try:
            window = vus_window(self.series.values[:, 0])
            period = detector_period(split.scored if fit_predict_only else split.train)
            result |= {"period": period, "vus_window": window}
            if result["n_anomalous"] == 0:
                raise ValueError("the scored part has no anomaly")
            estimator = make_detector(self.detector, period, seed)
            result["parameters"] = get_parameters(estimator)
            result |= _fit_and_score(estimator, split, fit_predict_only, window)
        except (Exception, SystemExit) as error:
            result |= _described(error)
        # Last, because the fit may load libraries that bring thread pools.
        result["threads"] = max(
            (pool["num_threads"] for pool in threadpool_info()), default=1
        )
        return result

    def failure(self, error: BaseException) -> Result:
        """Return the result of a task that could not return one.

        Parameters
        ----------
        error : BaseException
            What the backend raised, or reading the series. A series that cannot be read
            counts as one without anomalies, which no comparison takes into account.

        Returns
        -------
        Result
        """
        labels = np.zeros(0, dtype=np.int64)
        if isinstance(self.series, Series):
            labels = PROTOCOLS[self.key[2]](self.series).labels
        return self._result(labels) | _described(error)

    def _result(self, labels: NDArray[np.int64]) -> Result:
        detector, series, protocol, seed = self.key
        n_events = len(events(labels)) if len(labels) else 0
        return {
            "detector": detector,
            "series": series,
            "protocol": protocol,
            "seed": seed,
            "n_anomalous": int(labels.sum()),
            "n_events": n_events,
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "error": None,
            "fingerprint": fingerprint(self.series),
            "versions": _versions(),
            "machine": f"{platform.platform()}, {os.cpu_count()} CPUs",
        }


def _described(error: BaseException) -> Result:
    lines = traceback.format_exception(error)
    return {"error": error_text(error), "traceback": "".join(lines)}


def detector_period(x: NDArray[np.float64]) -> int:
    """Period that is passed to detectors.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps, n_channels)
        The data to fit on.

    Returns
    -------
    period : int
        The dominant period, as detectors look for it: not among error codes; or
        `fallback_period` where nothing repeats.
    """
    return normal_dominant_period(x) or fallback_period(len(x))


def _fit_and_score(
    estimator: Any, split: Split, fit_predict_only: bool, window: int
) -> Result:
    # Copies, because a detector may work in place.
    scored = split.scored.copy()
    train = scored if fit_predict_only else split.train.copy()
    if hasattr(estimator, "warm_up"):
        estimator.warm_up()

    reset = reset_peak_memory()
    before = peak_memory() if reset else None
    _, fit_seconds = _timed(estimator.fit, train)
    if not fit_predict_only:
        scores, score_seconds = _timed(estimator.decision_function, scored)
    elif hasattr(estimator, "decision_scores_"):
        scores, score_seconds = estimator.decision_scores_, 0.0
    else:
        raise ValueError(
            "without a training part the detector needs the attribute decision_scores_"
        )
    peak = peak_memory()

    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (len(scored),):
        raise ValueError(f"expected {len(scored)} scores, got shape {scores.shape}")
    return {
        "metrics": evaluate(split.labels, scores, window),
        "fit_seconds": round(fit_seconds, 6),
        "score_seconds": round(score_seconds, 6),
        "peak_memory_mib": None if peak is None else round(peak, 1),
        # Before the fit; None if the peak may be older than the fit.
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
