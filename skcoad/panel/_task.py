"""One series of a panel: fit, score, find segments."""

from __future__ import annotations

import traceback
import warnings
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from sklearn.base import clone

from skcoad._typing import FloatArray
from skcoad._version import __version__
from skcoad.datasets import Series, n_training_rows
from skcoad.io._parameters import get_parameters
from skcoad.io._plain import plain
from skcoad.io._results import Result
from skcoad.preprocessing import dominant_period, fallback_period

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DetectionTask",
    "Search",
    "fit_or_stop",
    "is_fitted",
    "settings",
]


@dataclass(frozen=True)
class Search:
    """What to fit on and what to look for; see :func:`skcoad.panel.detect_panel`."""

    train: Any
    threshold: float | None
    limit: int | None


def is_fitted(detector: Any) -> bool:
    """Whether a detector is fitted, by PyOD's attribute."""
    return hasattr(detector, "decision_scores_")


def settings(detector: Any, search: Search) -> dict[str, Any]:
    """Return what decides about the results of a series, as JSON knows it.

    Parameters
    ----------
    detector : object
        Fitted or not.
    search : Search
        The other arguments.

    Returns
    -------
    dict
        Equal for equal detectors, also in another process.
    """
    return {
        "detector": type(detector).__name__,
        "parameters": get_parameters(detector),
        "fitted": joblib.hash(detector.decision_scores_)
        if is_fitted(detector)
        else None,
        **{name: plain(value, str) for name, value in asdict(search).items()},
    }


@dataclass(frozen=True)
class DetectionTask:
    """One series of a panel, to be fitted and searched.

    Parameters
    ----------
    name : str
        Of the series.
    series : Series or Exception
        The series, or what reading it raised.
    detector : object
        Cloned and fitted, unless it is fitted.
    search : Search
        What to fit on and what to look for.
    """

    name: str
    # Within the task, also where joblib's dask backend would move arrays to a worker
    # beforehand: when that worker died, they would be lost.
    series: Series | Exception
    detector: Any
    search: Search

    def run(self) -> Result:
        """Fit, score and find segments; exceptions are recorded.

        Raises
        ------
        KeyboardInterrupt
            If interrupted, also where the detector's `fit` ends early with a warning.
        """
        started = perf_counter()
        try:
            if isinstance(self.series, Exception):
                raise self.series
            result = self._result(None) | _detect(
                self.series, self.detector, self.search
            )
        except (Exception, SystemExit) as error:
            result = self.failure(error)
        return result | {"seconds": round(perf_counter() - started, 3)}

    def failure(self, error: BaseException) -> Result:
        """Return the result of a series that raised an error."""
        lines = traceback.format_exception(error)
        return self._result(error) | {"traceback": "".join(lines)}

    def _result(self, error: BaseException | None) -> Result:
        return {
            "series": self.name,
            "settings": settings(self.detector, self.search),
            "version": __version__,
            "error": None if error is None else f"{type(error).__name__}: {error}",
        }


def _detect(series: Series, detector: Any, search: Search) -> Result:
    n_train = n_training_rows(series, search.train)
    values = series.values
    if is_fitted(detector):
        scores = detector.decision_function(values)
    else:
        detector = clone(detector, safe=False)  # what has no get_params is copied
        fit_or_stop(detector, values[:n_train] if n_train else values)
        scores = (
            detector.decision_function(values) if n_train else detector.decision_scores_
        )
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (len(values),):
        raise ValueError(f"expected {len(values)} scores, got shape {scores.shape}")
    threshold = search.threshold
    if threshold is None:
        threshold = float(detector.threshold_)
    return {
        "n_timestamps": len(values),
        "n_channels": values.shape[1],
        "n_train": n_train,
        "threshold": threshold,
        "max_score": float(scores[n_train:].max()),
        "segments": _segments(
            series, detector, scores, threshold, search.limit, start=n_train
        ),
    }


def fit_or_stop(detector: Any, X: FloatArray | pd.DataFrame) -> None:
    """Fit a detector, and raise KeyboardInterrupt if the fit was interrupted.

    Late in a training, `CoADDetector.fit` would warn and keep what it learned.

    Parameters
    ----------
    detector : object
        Fitted in place.
    X : ndarray or DataFrame of shape (n_timestamps, n_channels)
        The training series.

    Raises
    ------
    KeyboardInterrupt
        If interrupted at any time.
    """
    from skcoad.model import InterruptedFitWarning  # loads torch

    with warnings.catch_warnings():
        warnings.simplefilter("error", InterruptedFitWarning)
        try:
            detector.fit(X)
        except InterruptedFitWarning as warning:
            raise KeyboardInterrupt from warning


def _segments(
    series: Series,
    detector: Any,
    scores: FloatArray,
    threshold: float,
    limit: int | None,
    start: int,
) -> list[dict[str, Any]]:
    """Segments of one series, highest first, with labels in place of positions."""
    from skcoad.scoring import find_segments

    period = getattr(detector, "period_", None)
    if period is None:
        period = dominant_period(series.values) or fallback_period(len(series.values))
    found = find_segments(
        scores, threshold, separation=period, limit=limit, start=start
    )
    labels = series.timestamps
    if labels is None:
        labels = np.arange(len(scores))
    return [
        {
            "start": _label(labels[segment.start]),
            "peak": _label(labels[segment.peak]),
            "end": _label(labels[segment.stop - 1]),
            "score": segment.score,
        }
        for segment in found
    ]


def _label(label: Any) -> Any:
    return str(label) if isinstance(label, np.datetime64) else plain(label, str)
