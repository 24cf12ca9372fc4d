"""Rates of false alarms as people state them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import numpy as np

from skcoad._duration import check_duration
from skcoad._grid import zoned_grid
from skcoad._time import in_utc, time_index

__all__ = [
    "Duration",
    "events_per_row",
    "in_seconds",
    "parse_rate",
    "sampling_interval",
]

Duration = float | str | timedelta | np.timedelta64

SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 7 * 86_400,
    "month": 365.25 / 12 * 86_400,  # a mean one
    "year": 365.25 * 86_400,
}
MAX_ROWS = 1e12  # per event; rarer ones are beyond any data
NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
RATE = re.compile(rf"({NUMBER}) per (?:({NUMBER}) )?([a-z]+?)s?", re.IGNORECASE)


def events_per_row(false_alarms: str, interval: Duration | None = None) -> float:
    """Read a rate of false alarms.

    Parameters
    ----------
    false_alarms : str
        "<number> per <number> <unit>", where the second number may be left out if it is
        1; the unit is "rows", or "seconds", "minutes", "hours", "days", "weeks",
        "months" (of 30.4375 days) or "years" (of 365.25), singular or plural.
    interval : float, str, timedelta or None, default=None
        Seconds from one row to the next, or a duration such as ``"1h"``, if known.

    Returns
    -------
    float
        Events per row, above 0 and below 1.

    Raises
    ------
    ValueError
        If the text is no such rate, the unit is of time and the interval unknown or not
        above 0, or there would be an event in every row or in no less than 1e12 rows.

    Examples
    --------
    >>> from skcoad.thresholds import events_per_row
    >>> events_per_row("2 per 1000 rows")
    0.002
    >>> round(1 / events_per_row("1 per week", interval=60))
    10080
    """
    events, per, unit = parse_rate(false_alarms)
    if unit != "row":
        if interval is None:
            raise ValueError(
                f"false_alarms={false_alarms!r} needs the times of the rows: fit on a "
                "DataFrame with an index of times (which a Pipeline passes on after "
                "pipeline.set_output(transform='pandas')), or state the rate in rows"
            )
        per *= SECONDS[unit] / in_seconds(interval)
        _check(false_alarms, events, per, "row")
    return events / per


def in_seconds(interval: Duration) -> float:
    """Return the time from one row to the next in seconds.

    Parameters
    ----------
    interval : float, str, timedelta or timedelta64
        In seconds, or a duration of Python, numpy or pandas, also as text.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it is neither, not above 0, or not finite.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from skcoad.thresholds._rate import in_seconds
    >>> in_seconds(timedelta(hours=1))
    3600.0
    """
    seconds = interval
    if isinstance(interval, str):
        seconds = check_duration("interval", interval) / np.timedelta64(1, "s")
    elif isinstance(interval, (timedelta, np.timedelta64)):
        seconds = np.timedelta64(interval) / np.timedelta64(1, "s")
    if not isinstance(seconds, (int, float, np.number)) or not 0 < seconds < np.inf:
        raise ValueError(
            "the interval from one row to the next must be seconds above 0, or a "
            f"duration such as '1h', got {interval!r}; an index of times has to "
            "increase"
        )
    return float(seconds)


def parse_rate(false_alarms: str) -> tuple[float, float, str]:
    """Parse a rate of false alarms, whatever the data.

    Parameters
    ----------
    false_alarms : str
        See :func:`events_per_row`.

    Returns
    -------
    events, per : float
        So many events per so many units.
    unit : str
        ``"row"`` or a unit of time, in the singular.

    Raises
    ------
    ValueError
        If it cannot be a rate with any data.

    Examples
    --------
    >>> from skcoad.thresholds._rate import parse_rate
    >>> parse_rate("1 per 12 hours")
    (1.0, 12.0, 'hour')
    """
    match = RATE.fullmatch(" ".join(false_alarms.split()))
    unit = match[3].lower() if match else ""
    if match is None or (unit != "row" and unit not in SECONDS):
        raise ValueError(
            f"false_alarms={false_alarms!r} is no rate; write '1 per 10000 rows', "
            f"'1 per week' or '2 per 12 hours' (units: row, {', '.join(SECONDS)})"
        )
    events, per = float(match[1]), float(match[2] or 1)
    _check(false_alarms, events, per, unit)
    return events, per, unit


def _check(false_alarms: str, events: float, per: float, unit: str) -> None:
    is_rate = 0 < events < np.inf and 0 < per < np.inf
    if unit == "row":
        is_rate = is_rate and events < per <= MAX_ROWS * events
    if not is_rate:
        raise ValueError(
            f"false_alarms={false_alarms!r} must be less than one a row, and at least "
            f"one in {MAX_ROWS:g}; it is {events:g} per {per:g} {unit}s"
        )


def sampling_interval(times: Any) -> float | None:
    """Time from one row to the next, as detectors take it.

    That is the mean on the regular grid of the times, missing ones included: on a
    calendar, steps vary. Where there is no such grid, it is the median.

    Parameters
    ----------
    times : Index, ndarray or None
        One time for each row.

    Returns
    -------
    float or None
        In seconds; None if these are no times, or fewer than two.

    Examples
    --------
    >>> import pandas as pd
    >>> from skcoad.thresholds import sampling_interval
    >>> sampling_interval(pd.date_range("2026-01-01", periods=9, freq="5min"))
    300.0
    """
    index = time_index(times)
    if index is None or len(index) < 2:
        return None
    if index.is_monotonic_increasing and index.is_unique:
        try:
            return zoned_grid(index).interval
        except ValueError:
            pass
    steps = np.diff(in_utc(index).to_numpy())
    return float(np.median(steps / np.timedelta64(1, "s")))
