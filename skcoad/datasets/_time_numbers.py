"""Columns of numbers that are times: epochs, dates and times of day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skcoad._spacing import find_grid
from skcoad.datasets._time_names import is_date_name

if TYPE_CHECKING:
    import pandas as pd

EpochUnit = Literal["s", "ms", "us", "ns"]
TimeKind = Literal["datetime", "date", "clock", "number"]

# The time since 1970 from 1980 to 2100, which no unit shares with another.
_EPOCH_UNITS: dict[EpochUnit, float] = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
_EPOCH_RANGE = (3.1e8, 4.2e9)  # seconds
# Excel counts days, of which its 25569 is the first of 1970.
_SERIAL_RANGE = (25_569, 73_415)  # to the end of 2100
_SERIAL_START = np.datetime64("1899-12-30")
_COMPACT_FORMATS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


class TimeColumn(NamedTuple):
    """A column of times; dates and times of day can be added to each other."""

    kind: TimeKind
    values: NDArray[Any]  # of shape (n_rows,); dates that have a zone are of UTC
    zone: str | None = None  # by a name that pandas knows


def is_epoch(column: pd.Series) -> bool:
    """Whether all values of a numeric column are times since 1970 in one unit."""
    return _epoch_unit(column.to_numpy(dtype=float, na_value=np.nan)) is not None


def is_date_number(column: pd.Series) -> bool:
    """Whether all values of a numeric column are dates such as 202401312359.

    Or times of day such as 930 and 1015.
    """
    return column.dtype.kind in "iu" and parse_numbers(column).kind != "number"


def is_serial_date(column: pd.Series) -> bool:
    """Whether a column is a date by its name, and of Excel's numbers of days in order.

    Examples
    --------
    >>> import pandas as pd
    >>> from skcoad.datasets._time_numbers import is_serial_date
    >>> days = [45292.0, 45292.5]
    >>> is_serial_date(pd.Series(days, name="Date")), is_serial_date(pd.Series(days))
    (True, False)
    """
    if column.dtype.kind not in "iuf" or not is_date_name(str(column.name)):
        return False
    ordered = column.is_monotonic_increasing or column.is_monotonic_decreasing
    return len(column) > 0 and ordered and bool(column.between(*_SERIAL_RANGE).all())


def clock_of_numbers(column: pd.Series) -> NDArray[Any] | None:
    """Read whole numbers as times of day such as 930 and 1015, or 93000 and 101500.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        Numbers.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        Of timedelta64; None if a number is no such time, or all are below 100.
    """
    if column.dtype.kind not in "iu":
        return None
    numbers = column.to_numpy(dtype=np.int64)
    if numbers.min() < 0 or not 100 <= numbers.max() <= 24_00_00:
        return None
    if numbers.max() <= 24_00:
        numbers = 100 * numbers
    minutes, seconds = numbers // 100 % 100, numbers % 100
    if (minutes > 59).any() or (seconds > 59).any():
        return None
    total: NDArray[np.int64] = 3600 * (numbers // 100_00) + 60 * minutes + seconds
    return total.astype("timedelta64[s]")


def hours_of_numbers(column: pd.Series) -> NDArray[Any] | None:
    """Read whole numbers as hours since midnight; 24 is the midnight that ends the day.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        Numbers.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        Of timedelta64; None if a number is no such hour.
    """
    if column.dtype.kind not in "iu" or not column.between(0, 24).all():
        return None
    return 3600 * column.to_numpy(dtype=np.int64).astype("timedelta64[s]")


def parse_numbers(column: pd.Series) -> TimeColumn:
    """Convert a column of numbers to times, if they can be; see `parse_times`."""
    import pandas as pd

    numbers = column.to_numpy(dtype=float)
    if not np.isfinite(numbers).all():
        raise ValueError("a time is infinite")
    # Of epochs, those of 2030 to 2036 alone could look like it, and hardly all rows.
    hours = _hours_of_days(column)
    if hours is not None:
        return TimeColumn("datetime", hours)
    if unit := _epoch_unit(numbers):
        times = pd.to_datetime(column.to_numpy(), unit=unit)
        if pd.api.types.is_float_dtype(column):
            # Seconds with a fraction are exact to about 0.2 microseconds.
            times = times.round("us")
        return TimeColumn("datetime", times.to_numpy())
    if is_serial_date(column):
        # With all the digits of a double they are exact to a microsecond.
        since = np.round(86_400_000 * numbers).astype("timedelta64[ms]")
        return TimeColumn("datetime", _SERIAL_START + since)
    if column.dtype.kind in "iu":
        text = column.astype("string")
        widths = text.str.len().unique()
        if len(widths) == 1 and (form := _COMPACT_FORMATS.get(int(widths[0]))):
            dates = pd.to_datetime(text, format=form, errors="coerce")
            if dates.notna().all() and dates.dt.year.between(1900, 2100).all():
                kind: TimeKind = "date" if form == "%Y%m%d" else "datetime"
                return TimeColumn(kind, dates.to_numpy())
        months = _months_of_years(column)
        if months is not None and _is_regular_as_times_alone(column, months):
            return TimeColumn("date", months)
        clock = clock_of_numbers(column)
        if clock is not None and _is_regular_as_times_alone(column, clock):
            return TimeColumn("clock", clock)
        return TimeColumn("number", column.to_numpy(dtype=np.int64))
    return TimeColumn("number", numbers)


def _hours_of_days(column: pd.Series) -> NDArray[Any] | None:
    """Read 2024013123 as an hour of a day; None if a number is no such hour.

    The hours of a day are 0 to 23 or 1 to 24.
    """
    if column.dtype.kind not in "iu":
        return None
    numbers = column.to_numpy(dtype=np.int64)
    hours = numbers % 100
    if numbers.min() < 1900_01_01_00 or numbers.max() > 2100_12_31_24:
        return None
    if hours.max() > 24 or (hours.max() == 24 and hours.min() == 0):
        return None
    days = _days(numbers // 100)
    return None if days is None else days + hours.astype("timedelta64[h]")


def _months_of_years(column: pd.Series) -> NDArray[Any] | None:
    """Read 202401 as a month of a year; None if a number is no such month."""
    numbers = column.to_numpy(dtype=np.int64)
    if numbers.min() < 1900_01 or numbers.max() > 2100_12:
        return None
    return _days(100 * numbers + 1)


def _days(numbers: NDArray[np.int64]) -> NDArray[Any] | None:
    """Read 20240131 as a day; None if a number is no such day."""
    import pandas as pd

    days = pd.to_datetime(numbers.astype(str), format="%Y%m%d", errors="coerce")
    return None if days.hasnans else days.to_numpy()


def _is_regular_as_times_alone(column: pd.Series, times: NDArray[Any]) -> bool:
    """Whether numbers of more than one hour have even steps as times of day alone.

    Of 930, 945, 1000 the numbers from 60 to 99 of each hundred are left out. In the
    same way, those of more than one year as months: of 202311, 202312, 202401.
    """
    times, numbers = np.unique(times), np.unique(column.to_numpy(dtype=np.int64))
    if numbers[0] // 100 == numbers[-1] // 100 or np.ptp(np.diff(numbers)) == 0:
        return False
    try:
        find_grid(times)
    except ValueError:
        return False
    return True


def _epoch_unit(numbers: NDArray[np.float64]) -> EpochUnit | None:
    if not numbers.size or not np.isfinite(numbers).all():
        return None
    for unit, per_second in _EPOCH_UNITS.items():
        low, high = (limit * per_second for limit in _EPOCH_RANGE)
        if low <= numbers.min() and numbers.max() <= high:
            return unit
    return None
