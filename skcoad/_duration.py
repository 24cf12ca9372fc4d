"""Durations that users give, with their unit."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["check_duration", "check_unit", "duration_of"]


def check_duration(name: str, value: Any) -> np.timedelta64:
    """Refuse an argument that is no duration, or has no unit.

    Parameters
    ----------
    name : str
        Of the argument.
    value : str, timedelta or timedelta64
        A duration as pandas reads it.

    Returns
    -------
    timedelta64
        In nanoseconds, above 0.

    Raises
    ------
    ValueError
        Naming the argument and its value.

    Examples
    --------
    >>> from skcoad._duration import check_duration
    >>> str(check_duration("interval", "1min"))
    '60000000000 nanoseconds'
    """
    import pandas as pd

    if not isinstance(value, np.timedelta64):
        check_unit(name, value)
    try:
        duration = pd.Timedelta(value)
    except (ValueError, TypeError):
        raise ValueError(f"{name}={value!r} is no duration, as '60s' is") from None
    if not duration > pd.Timedelta(0):
        raise ValueError(f"{name}={value!r} is not above 0")
    return duration.as_unit("ns").to_timedelta64()


def check_unit(name: str, value: Any) -> None:
    """Refuse a number, or text of one: pandas would count nanoseconds.

    Parameters
    ----------
    name : str
        Of the argument.
    value : object
        What was given for it.

    Raises
    ------
    ValueError
        Naming the argument and its value.

    Examples
    --------
    >>> from skcoad._duration import check_unit
    >>> check_unit("start", "60s")
    """
    try:
        float(value)
    except (TypeError, ValueError):
        return
    raise ValueError(f"{name}={value!r} has no unit, as '60s' has")


def duration_of(seconds: float) -> np.timedelta64:
    """Return seconds as a duration.

    Parameters
    ----------
    seconds : float
        Such as an interval from one row to the next.

    Returns
    -------
    timedelta64
        Rounded to nanoseconds.

    Examples
    --------
    >>> from skcoad._duration import duration_of
    >>> str(duration_of(0.5))
    '500000000 nanoseconds'
    """
    return np.timedelta64(round(1e9 * seconds), "ns")
