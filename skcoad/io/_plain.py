"""Values of parameters as JSON knows them."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["get_parameters", "parameters_of", "plain"]


def plain(value: Any, otherwise: Callable[[Any], Any]) -> Any:
    """Return a value as JSON knows it.

    Parameters
    ----------
    value : object
        Numbers and arrays of numpy, sequences and mappings are converted.
    otherwise : callable
        Called with what JSON does not know, NaN and infinity included.

    Returns
    -------
    object

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.io._plain import plain
    >>> plain((np.float64(0.5), {"a": 1j}), otherwise=repr)
    [0.5, {'a': '1j'}]
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return otherwise(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [plain(item, otherwise) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item, otherwise) for key, item in value.items()}
    return otherwise(value)


def get_parameters(estimator: Any) -> dict[str, Any] | None:
    """Return the parameters of a detector in a form that JSON can hold.

    Parameters
    ----------
    estimator : object
        A detector.

    Returns
    -------
    parameters : dict or None
        Those of the constructor; values that JSON cannot hold become text. None if
        the detector has no ``get_params``.
    """
    if not hasattr(estimator, "get_params"):
        return None
    return {
        name: plain(value, otherwise=_as_text)
        for name, value in sorted(parameters_of(estimator, deep=False).items())
    }


def parameters_of(estimator: Any, *, deep: bool) -> dict[str, Any]:
    """Call ``get_params``; PyOD's changes the global warning filters, this does not."""
    with warnings.catch_warnings():
        parameters: dict[str, Any] = estimator.get_params(deep=deep)
    return parameters


def _as_text(value: Any) -> str:
    if isinstance(value, float):  # JSON has no infinity and no NaN
        return str(value)
    # On one line, and without memory addresses, which differ from run to run.
    return re.sub(r" at 0x[0-9a-f]+", "", " ".join(repr(value).split()))
