"""The settings of a detector as JSON knows them, to tell one from another."""

from __future__ import annotations

import json
import re
import warnings
from types import FunctionType
from typing import Any

import joblib
import numpy as np

from skcoad.io._plain import plain

__all__ = ["differing_settings", "get_parameters", "parameters_of"]

WITHOUT_EFFECT = "verbose"  # on results


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
        name: _described(value)
        for name, value in sorted(parameters_of(estimator, deep=False).items())
    }


def differing_settings(recorded: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """Name the settings that differ and may make results differ.

    Parameters
    ----------
    recorded, current : dict
        From :func:`get_parameters`, or with such dicts as values.

    Returns
    -------
    list of str
        In alphabetical order; ``verbose`` is never among them.

    Examples
    --------
    >>> from skcoad.io._parameters import differing_settings
    >>> differing_settings({"period": 25, "verbose": 0}, {"period": 50, "verbose": 1})
    ['period']
    """
    old, new = _effective(recorded), _effective(current)
    return [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]


def _effective(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: _effective(inner)
        for name, inner in value.items()
        if name != WITHOUT_EFFECT
    }


def parameters_of(estimator: Any, *, deep: bool) -> dict[str, Any]:
    """Call ``get_params``; PyOD's changes the global warning filters, this does not."""
    with warnings.catch_warnings():
        parameters: dict[str, Any] = estimator.get_params(deep=deep)
    return parameters


def _described(value: Any, within: tuple[Any, ...] = ()) -> Any:
    return plain(value, otherwise=lambda other: _text_or_state(other, within))


def _text_or_state(value: Any, within: tuple[Any, ...]) -> Any:
    """Text for what JSON cannot hold, or class and attributes."""
    if isinstance(value, float):  # JSON has no infinity and no NaN
        return str(value)
    if isinstance(value, np.ndarray):  # whose text leaves out most of a long one
        return f"array {value.dtype} {value.shape} {joblib.hash(value)}"
    if isinstance(value, set | frozenset):  # in an order that no hash decides
        return sorted((_described(item, within) for item in value), key=json.dumps)
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
        name: _described(attribute, (*within, value))
        for name, attribute in sorted(attributes.items())
    }
