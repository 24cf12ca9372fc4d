"""Making a fresh detector for each run, and saying how it was set."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone


@dataclass(frozen=True)
class FitPredictOnly:
    """Mark a detector that scores only the data it was fitted on.

    The benchmark fits it on the series to be scored and takes
    ``decision_scores_``; the training part is not shown to it.

    Parameters
    ----------
    detector : object or callable
        As an unmarked detector: an object with ``fit``, or a function of the
        period that makes one.

    Examples
    --------
    >>> from skcoad.benchmark import FitPredictOnly
    >>> def matrix_profile(period):
    ...     from pyod.models.ts_matrix_profile import MatrixProfile
    ...
    ...     return MatrixProfile(window_size=period)
    >>> detectors = {"MatrixProfile": FitPredictOnly(matrix_profile)}
    """

    detector: Any


def check_detectors(detectors: Mapping[str, Any]) -> None:
    """Raise TypeError for what `build` could not make a detector from."""
    for name, detector in detectors.items():
        if isinstance(detector, FitPredictOnly):
            detector = detector.detector
        if isinstance(detector, type):
            raise TypeError(
                f"{name}: got the class {detector.__name__}, give an object of it: "
                f"{detector.__name__}()"
            )
        if not hasattr(detector, "fit") and not callable(detector):
            raise TypeError(
                f"{name}: a detector has a method fit, or is a function that makes "
                f"one, got {detector!r}"
            )


def build(detector: Any, period: int, seed: int) -> Any:
    """Make an unfitted detector.

    Parameters
    ----------
    detector : object or callable
        An object with ``fit``, which is cloned, or a function that is called with
        the period.
    period : int
        The dominant period of the data to fit on.
    seed : int
        Set as ``random_state`` of the detector and of the detectors in it, where
        there is such a parameter.

    Returns
    -------
    detector : object
        Unfitted.
    """
    made = make(detector, period)
    if hasattr(made, "get_params"):
        seeds = {
            name: seed
            for name in _parameters(made, deep=True)
            if name == "random_state" or name.endswith("__random_state")
        }
        if seeds:
            made.set_params(**seeds)
    return made


def make(detector: Any, period: int) -> Any:
    """Make an unfitted detector, as `build` does but for the seed."""
    if isinstance(detector, FitPredictOnly):
        detector = detector.detector
    # safe=False: an object without get_params is copied.
    return clone(detector, safe=False) if hasattr(detector, "fit") else detector(period)


def settings(detector: Any) -> dict[str, Any] | None:
    """Say how a detector is set, in values that JSON knows.

    Parameters
    ----------
    detector : object
        A detector.

    Returns
    -------
    settings : dict or None
        The constructor's parameters; what JSON does not know is shown as text. None
        if the detector does not tell.
    """
    if not hasattr(detector, "get_params"):
        return None
    return {
        name: _jsonable(value)
        for name, value in sorted(_parameters(detector, deep=False).items())
    }


def _parameters(detector: Any, *, deep: bool) -> dict[str, Any]:
    # PyOD's get_params switches a warning filter.
    with warnings.catch_warnings():
        parameters: dict[str, Any] = detector.get_params(deep=deep)
    return parameters


def _jsonable(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    # On one line, and without addresses, which would differ from run to run.
    return re.sub(r" at 0x[0-9a-f]+", "", " ".join(repr(value).split()))
