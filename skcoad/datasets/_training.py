"""Which rows of a series come before the part that is searched."""

from __future__ import annotations

from contextlib import suppress
from numbers import Integral, Real
from typing import Any

import numpy as np

from skcoad._time import in_utc, time_index, time_text
from skcoad.datasets._series import Series
from skcoad.datasets._times import is_time, parse_times

__all__ = ["check_train", "n_training_rows"]


def check_train(train: Any) -> None:
    """Check what to fit on, as far as that is possible without a series.

    Parameters
    ----------
    train : int, float, str, datetime or None
        See :func:`n_training_rows`.

    Raises
    ------
    ValueError
        If `train` is below 0, a share above 1, or neither a number nor a time.

    Examples
    --------
    >>> from skcoad.datasets._training import check_train
    >>> check_train("2024-01-04")
    """
    if isinstance(train, (bool, np.bool_)):
        raise ValueError(
            f"train is a number of rows, a share or a time, got {train}; 0 fits on all"
        )
    if isinstance(train, Integral):
        if train < 0:
            raise ValueError(f"train must be at least 0, got {train}")
    elif isinstance(train, Real):
        if not 0 <= float(train) <= 1:
            raise ValueError(f"a share is between 0 and 1, got train={train}")
    elif train is not None:
        _as_time(train)


def n_training_rows(series: Series, train: Any) -> int:
    """Count the rows before the part that is searched.

    Parameters
    ----------
    series : Series
        The series.
    train : int, float, str, datetime or None
        A number of rows; a share, between 0 and 1; the time at which the search begins,
        in the zone of the series if it has none; or None for what the series says.

    Returns
    -------
    int
        0 if all is to be searched.

    Raises
    ------
    ValueError
        If `train` is below 0, a share above 1, neither a number nor a time, leaves no
        row to search, or is a time that is not within those of the series.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.datasets import Series, n_training_rows
    >>> days = np.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]")
    >>> series = Series(np.zeros(10), np.zeros(10, int), 0, "pump", timestamps=days)
    >>> [n_training_rows(series, train) for train in (5, 0.2, "2024-01-04")]
    [5, 2, 3]
    """
    check_train(train)
    if train is None:
        n_rows = series.train_length
    elif isinstance(train, Integral):
        n_rows = int(train)
    elif isinstance(train, Real):
        n_rows = round(float(train) * len(series.values))
    else:
        n_rows = _rows_before(series, train)
    if n_rows >= len(series.values):
        raise ValueError(
            f"fitting on the first {n_rows} of {len(series.values)} timestamps leaves "
            "none to search; 0 fits on and searches all"
        )
    return n_rows


def _rows_before(series: Series, time: Any) -> int:
    index = time_index(series.timestamps)
    if index is None or index.dtype.kind == "m":
        raise ValueError(f"train={time} needs dates, and {series.name} has none")
    times = in_utc(index).to_numpy()
    limit = _as_time(time)
    if limit.tz is None and series.timezone is not None:
        limit = limit.tz_localize(
            series.timezone, ambiguous=True, nonexistent="shift_forward"
        )
    if limit.tz is not None:
        limit = limit.tz_convert(None)
    n_rows = int(np.searchsorted(times, limit.to_datetime64()))
    if n_rows in (0, len(times)):
        first, last = (time_text(times[row], series.timezone) for row in (0, -1))
        raise ValueError(f"train={time} is not between {first} and {last}")
    return n_rows


def read_time(text: str, dayfirst: bool | None = None) -> Any:
    """Read a time as the reader of tables does.

    Parameters
    ----------
    text : str
        A date, or a date with a time of day and perhaps a zone.
    dayfirst : bool or None, default=None
        Whether ``01/02/2024`` is 1 February.

    Returns
    -------
    pandas.Timestamp

    Raises
    ------
    ValueError
        If it is no such time, or day and month cannot be told apart.

    Examples
    --------
    >>> from skcoad.datasets._training import read_time
    >>> read_time("20.03.2024 12:00")
    Timestamp('2024-03-20 12:00:00')
    """
    import pandas as pd

    try:
        times = parse_times(pd.Series([text]), dayfirst)
    except ValueError as error:
        raise ValueError(str(error).replace(" in row 0", "")) from None
    if times.values.dtype.kind != "M":
        raise ValueError(f"{text!r} has no date")
    time = pd.Timestamp(times.values[0])
    if times.zone is None:
        return time
    return time.tz_localize("UTC").tz_convert(times.zone)


def _as_time(value: Any) -> Any:
    import pandas as pd

    if isinstance(value, str) and is_time(value):  # pandas puts the month first
        try:
            return read_time(value)
        except ValueError as error:
            raise ValueError(f"train={value}: {error}") from None
    time: Any = pd.NaT
    with suppress(TypeError, ValueError):
        time = pd.Timestamp(value)
    if time is pd.NaT:
        raise ValueError(
            f"train is a number of rows, a share or a time, and {value!r} is no time"
        )
    return time
