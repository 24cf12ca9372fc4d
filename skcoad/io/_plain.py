"""Values of parameters as JSON knows them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["plain"]


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
