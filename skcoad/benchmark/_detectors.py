"""Make an unfitted detector for each run, and record its parameters."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone

from skcoad.io._plain import plain


@dataclass(frozen=True)
class FitPredictOnly:
    """Mark a detector that scores only the data it was fitted on.

    Such a detector is transductive. The benchmark fits it on the part of the series
    to be scored and reads ``decision_scores_``; it never receives the training part.

    Parameters
    ----------
    detector : object or callable
        An object with ``fit``, or a function that takes the period and returns one.

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
    """Raise TypeError for anything that `make_detector` cannot use."""
    for name, detector in detectors.items():
        if isinstance(detector, FitPredictOnly):
            detector = detector.detector
        if isinstance(detector, type):
            raise TypeError(
                f"{name}: got the class {detector.__name__}; pass an instance, "
                f"{detector.__name__}()"
            )
        if not hasattr(detector, "fit") and not callable(detector):
            raise TypeError(
                f"{name}: a detector must have a method fit, or be a function that "
                f"returns one, got {detector!r}"
            )


def make_detector(detector: Any, period: int, seed: int | None = None) -> Any:
    """Make an unfitted detector.

    Parameters
    ----------
    detector : object, callable or FitPredictOnly
        An object with ``fit``, which is cloned, or a function that is called with
        the period.
    period : int
        Dominant period of the data to fit on.
    seed : int, default=None
        Value for ``random_state`` of the detector and of nested detectors, where
        that parameter exists; None leaves it unchanged.

    Returns
    -------
    estimator : object
        Unfitted.
    """
    if isinstance(detector, FitPredictOnly):
        detector = detector.detector
    # safe=False: an object without get_params is deep-copied.
    estimator = (
        clone(detector, safe=False) if hasattr(detector, "fit") else detector(period)
    )
    if seed is not None and hasattr(estimator, "get_params"):
        seeds = {
            name: seed
            for name in _parameters(estimator, deep=True)
            if name == "random_state" or name.endswith("__random_state")
        }
        if seeds:
            estimator.set_params(**seeds)
    return estimator


def get_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of a detector in a form that JSON can hold.

    Parameters
    ----------
    estimator : object
        A detector.

    Returns
    -------
    parameters : dict
        Those of the constructor; of a detector without ``get_params``, its class and
        attributes. Values that JSON cannot hold become text, and objects whose text
        would not tell one from another their class and attributes.
    """
    if not hasattr(estimator, "get_params"):
        return _state(estimator, within=())
    return {
        name: _plain(value)
        for name, value in sorted(_parameters(estimator, deep=False).items())
    }


def _parameters(estimator: Any, *, deep: bool) -> dict[str, Any]:
    # PyOD's get_params changes the global warning filters.
    with warnings.catch_warnings():
        parameters: dict[str, Any] = estimator.get_params(deep=deep)
    return parameters


def _plain(value: Any, within: tuple[Any, ...] = ()) -> Any:
    return plain(value, otherwise=lambda other: _described(other, within))


def _described(value: Any, within: tuple[Any, ...]) -> Any:
    """Text for what JSON cannot hold, or class and attributes."""
    if isinstance(value, float):  # JSON has no infinity and no NaN
        return str(value)
    if isinstance(value, np.ndarray):  # whose text leaves out most of a long one
        return f"array {value.dtype} {value.shape} {joblib.hash(value)}"
    if isinstance(value, type | FunctionType):
        return f"{value.__module__}.{value.__qualname__}"
    if _has_default_repr(value):
        if any(value is outer for outer in within):
            return "..."
        return _state(value, within)
    # On one line, and without memory addresses, which differ from run to run.
    return re.sub(r" at 0x[0-9a-f]+", "", " ".join(repr(value).split()))


def _has_default_repr(value: object) -> bool:
    represent: object = type(value).__repr__
    return represent is object.__repr__ and hasattr(value, "__dict__")


def _state(value: Any, within: tuple[Any, ...]) -> dict[str, Any]:
    """Class and attributes of an object that lies within others."""
    attributes = getattr(value, "__dict__", {})
    return {"class": f"{type(value).__module__}.{type(value).__qualname__}"} | {
        name: _plain(attribute, (*within, value))
        for name, attribute in sorted(attributes.items())
    }
