"""Checks of single arguments, the same for every function of the package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

__all__ = ["check_integer", "check_number", "check_sequence", "repeated"]


def check_integer(name: str, value: Any, least: int) -> None:
    """Refuse an argument that is no integer, or too small.

    Parameters
    ----------
    name : str
        Of the argument.
    value : object
        What was given for it.
    least : int
        The smallest that it may be.

    Raises
    ------
    ValueError
        Naming the argument, its value and the limit.
    """
    # A duration of numpy is one of its integers.
    excluded = (bool, np.timedelta64)
    if not isinstance(value, (int, np.integer)) or isinstance(value, excluded):
        raise ValueError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def check_number(name: str, value: Any) -> None:
    """Raise ValueError for an argument that is no number, or not finite."""
    if not isinstance(value, Real) or isinstance(value, (bool, np.timedelta64)):
        raise ValueError(f"{name} must be a number, got {value!r}")
    if not np.isfinite(float(value)):
        raise ValueError(f"{name} must be finite, got {value}")


def check_sequence(name: str, value: Any, of: str = "names") -> None:
    """Refuse text where a sequence of texts is meant: it would be read by letters.

    Parameters
    ----------
    name : str
        Of the argument.
    value : object
        What was given for it.
    of : str, default="names"
        What the sequence should hold.

    Raises
    ------
    ValueError
        Naming the argument and its value.
    """
    if isinstance(value, str):
        raise ValueError(f"{name} must be a sequence of {of}, got {value!r}")


def repeated(names: Iterable[str]) -> list[str]:
    """Names that come more than once, in the order of their first.

    Examples
    --------
    >>> from skcoad._arguments import repeated
    >>> repeated(["flow", "heat", "flow"])
    ['flow']
    """
    return [name for name, count in Counter(names).items() if count > 1]
