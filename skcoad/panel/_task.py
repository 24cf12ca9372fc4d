"""One series of a panel: fit, score, find segments."""

from __future__ import annotations

import traceback
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone

from skcoad._time import time_index
from skcoad._typing import FloatArray
from skcoad._version import __version__
from skcoad.datasets import Series, n_training_rows
from skcoad.datasets._series import without_empty_channels
from skcoad.io._parameters import get_parameters
from skcoad.io._plain import plain
from skcoad.io._results import Result, error_text
from skcoad.panel._fingerprint import fingerprint
from skcoad.preprocessing import fallback_period, normal_dominant_period

__all__ = ["DetectionTask", "SearchSettings", "settings"]


@dataclass(frozen=True)
class SearchSettings:
    """What to fit on and what to look for; see :func:`skcoad.panel.detect_panel`."""

    train: Any
    threshold: float | None
    limit: int | None


def is_fitted(detector: Any) -> bool:
    """Whether a detector is fitted, by PyOD's attribute."""
    return hasattr(detector, "decision_scores_")


def settings(detector: Any, search: SearchSettings) -> dict[str, Any]:
    """Return what decides about the results of a series, as JSON knows it.

    Parameters
    ----------
    detector : object
        Fitted or not.
    search : SearchSettings
        The other arguments.

    Returns
    -------
    dict
        Equal for equal detectors, also in another process.
    """
    fitted = None
    if is_fitted(detector):
        fitted = joblib.hash(detector.decision_scores_)
        search = replace(search, threshold=_threshold(detector, search))
    return {
        "detector": type(detector).__name__,
        "parameters": get_parameters(detector),
        "fitted": fitted,
        **{name: plain(value, str) for name, value in asdict(search).items()},
    }


def _threshold(detector: Any, search: SearchSettings) -> float:
    """The threshold that was given, or that of a fitted detector for alarms."""
    if search.threshold is not None:
        return search.threshold
    of_segments = getattr(detector, "segment_threshold_", None)
    return float(detector.threshold_ if of_segments is None else of_segments)


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
    search : SearchSettings
        What to fit on and what to look for.
    """

    name: str
    # Within the task, also where joblib's dask backend would move arrays to a worker
    # beforehand: when that worker died, they would be lost.
    series: Series | Exception
    detector: Any
    search: SearchSettings

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
            "fingerprint": fingerprint(self.series),
            "version": __version__,
            "error": None if error is None else error_text(error),
        }


def _detect(series: Series, detector: Any, search: SearchSettings) -> Result:
    from skcoad.detectors import fit_series  # loads torch

    n_train = n_training_rows(series, search.train)
    missing = np.isnan(series.values[n_train:]).mean(axis=0).max()
    scores = None
    if not is_fitted(detector):
        series = without_empty_channels(series)
        detector = clone(detector, safe=False)  # what has no get_params is copied
        fit_series(detector, series, train_length=n_train)
        scores = None if n_train else detector.decision_scores_
    threshold = _threshold(detector, search)
    # Detectors of this package say which channel, and why; others have scores alone.
    if hasattr(detector, "find_segments"):
        found = _search(series, detector, threshold, search.limit, n_train)
    else:
        found = _search_scores(
            series, detector, threshold, search.limit, n_train, scores
        )
    return found | {
        "label_kind": _label_kind(series.timestamps),
        "timezone": series.timezone,
        "n_timestamps": len(series.values),
        "n_channels": series.values.shape[1],
        "n_train": n_train,
        "threshold": threshold,
        "missing": float(missing),
        "notes": list(series.notes),
    }


def _search(
    series: Series, detector: Any, threshold: float, limit: int | None, start: int
) -> Result:
    """What a detector of this package finds in a series, from a row on."""
    from skcoad.detectors import search_series

    found = search_series(
        detector, series, threshold=threshold, limit=limit, start=start
    )
    columns = [found.table[name].to_numpy() for name in found.table]
    return {
        "max_score": float(found.scores[found.start :].max()),
        "segments": [
            dict(zip(found.table, map(_as_json, row), strict=True))
            for row in zip(*columns, strict=True)
        ],
    }


def _search_scores(
    series: Series,
    detector: Any,
    threshold: float,
    limit: int | None,
    start: int,
    scores: FloatArray | None,
) -> Result:
    """What the scores of any detector show in a series, from a row on."""
    from skcoad.scoring import find_segments

    n_rows = len(series.values)
    if scores is None:
        scores = detector.decision_function(series.values)
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (n_rows,):
        raise ValueError(f"expected {n_rows} scores, got shape {scores.shape}")
    period = getattr(detector, "period_", None)
    if period is None:
        period = normal_dominant_period(series.values) or fallback_period(n_rows)
    found = find_segments(
        scores, threshold, separation=period, limit=limit, start=start
    )
    index = series.index
    labels = np.arange(n_rows) if index is None else index.to_numpy()
    return {
        "max_score": float(scores[start:].max()),
        "segments": [
            {
                "start": _as_json(labels[segment.start]),
                "peak": _as_json(labels[segment.peak]),
                "end": _as_json(labels[segment.stop - 1]),
                "score": segment.score,
            }
            for segment in found
        ],
    }


def _label_kind(timestamps: Any) -> str:
    """What start, peak and end are, since JSON has numbers and text alone."""
    import pandas as pd

    if timestamps is None:
        return "position"
    index = pd.Index(timestamps)
    times = time_index(index)
    if times is not None:
        return "duration" if times.dtype.kind == "m" else "time"
    return "position" if pd.api.types.is_numeric_dtype(index) else "text"


def _as_json(value: Any) -> Any:
    """Return a cell of a table as JSON knows it, times as ISO 8601 writes them."""
    if isinstance(value, np.datetime64):
        return str(value)
    if isinstance(value, datetime):  # with a zone
        return value.isoformat()
    if isinstance(value, np.timedelta64):
        import pandas as pd

        return pd.Timedelta(value).isoformat()
    return plain(value, str)
