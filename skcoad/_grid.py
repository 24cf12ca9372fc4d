"""Times of rows, and the regular grid that they lie on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skcoad._spacing import Grid, calendar_grid, fixed_grid
from skcoad._time import in_utc, time_index
from skcoad._typing import FloatArray

__all__ = [
    "check_times",
    "insert_missing_rows",
    "regular_grid",
    "row_times",
    "zoned_grid",
]


def regular_grid(X: Any) -> Grid | None:
    """Find the regular grid of the times of the rows.

    Parameters
    ----------
    X : array-like
        What `validate_series` has taken.

    Returns
    -------
    Grid or None
        With the times as a `pandas.DatetimeIndex` in the zone of `X`, or a
        `TimedeltaIndex`; None where times are not known.

    Raises
    ------
    ValueError
        If the times have no regular spacing.
    """
    index = _times_of_rows(X)
    if index is None:
        return None
    try:
        return zoned_grid(index)
    except ValueError as error:
        raise ValueError(
            f"{error}; resample the series, as X.resample('1h').mean() does"
        ) from None


def zoned_grid(index: Any) -> Grid:
    """Find the regular grid of an index of times, by the calendar of its zone.

    Parameters
    ----------
    index : pandas.DatetimeIndex, TimedeltaIndex or PeriodIndex
        Strictly increasing.

    Returns
    -------
    grid : Grid
        With times in the zone of the index.

    Raises
    ------
    ValueError
        If there is no such grid, or most of it would be empty.

    Examples
    --------
    >>> import pandas as pd
    >>> from skcoad._grid import zoned_grid
    >>> months = pd.date_range("2024-03", periods=4, freq="MS", tz="Europe/Berlin")
    >>> zoned_grid(months[[0, 1, 3]]).times[2].isoformat()
    '2024-05-01T00:00:00+02:00'
    """
    import pandas as pd

    zone = getattr(index, "tz", None)
    times = in_utc(index).to_numpy()
    # Days and months are those of the clock; by it, an hour may be there twice.
    clock = times if zone is None else index.tz_localize(None).to_numpy()
    grid = calendar_grid(clock)
    if grid is None:
        grid = fixed_grid(times, zone)
    elif zone is not None:
        grid = grid._replace(times=_clock_in_utc(grid.times, zone))
        grid.times[grid.rows] = times
    every: Any = pd.Index(grid.times)
    if zone is not None:
        every = every.tz_localize("UTC").tz_convert(zone)
    return grid._replace(times=every)


def _clock_in_utc(times: NDArray[Any], zone: Any) -> NDArray[Any]:
    """Times of a clock in UTC; those that it skips later, of two the first."""
    import pandas as pd

    index = pd.DatetimeIndex(times).tz_localize(
        zone, ambiguous=np.ones(len(times), dtype=bool), nonexistent="shift_forward"
    )
    return np.array(index.tz_convert(None))


def insert_missing_rows(
    series: FloatArray, grid: Grid | None
) -> tuple[FloatArray, Any]:
    """Make missing rows missing values.

    Parameters
    ----------
    series : ndarray of shape (n_timestamps, n_channels)
        The rows.
    grid : Grid or None
        Of :func:`regular_grid`.

    Returns
    -------
    regular : ndarray of shape (n_regular, n_channels)
        With a row of NaN for each time that is missing; the series itself where none
        is, or where times are not known.
    rows : slice, or ndarray of shape (n_timestamps,)
        Where the rows of the series are in it.
    """
    if grid is None or not grid.n_missing:
        return series, slice(None)
    regular = np.full((len(grid.times), series.shape[1]), np.nan, dtype=series.dtype)
    regular[grid.rows] = series
    return regular, grid.rows


def row_times(X: Any) -> NDArray[Any] | None:
    """Return the times of the rows; periods by their start, zones as UTC.

    Parameters
    ----------
    X : array-like
        What `validate_series` has taken.

    Returns
    -------
    ndarray of shape (n_timestamps,), or None
        datetime64 or timedelta64; None if the times are not known.
    """
    index = _times_of_rows(X)
    if index is None:
        return None
    times: NDArray[Any] = in_utc(index).to_numpy()
    return times


def check_times(X: Any) -> None:
    """Raise ValueError unless the times of the rows, if known, increase."""
    index = _times_of_rows(X)
    if index is None:
        return
    if index.hasnans:
        raise ValueError(
            f"the timestamp of row {int(np.argmax(index.isna()))} is missing"
        )
    if not index.is_monotonic_increasing:
        later = int(np.argmax(np.asarray(index[1:] < index[:-1]))) + 1
        raise ValueError(
            f"the timestamps are not sorted: row {later} ({index[later]}) is earlier "
            f"than row {later - 1} ({index[later - 1]}); sort the series by time"
        )
    if not index.is_unique:
        again = index[index.duplicated()][0]
        raise ValueError(
            f"the timestamp {again} occurs more than once; keep or average one row "
            "for each time"
        )


def _times_of_rows(X: Any) -> Any:
    """The times of the rows, as an index of pandas; None if they are not known."""
    index: Any = getattr(X, "index", None)
    if hasattr(X, "indexes") and hasattr(X, "dtype"):  # an array of xarray
        index = X.indexes.get(X.dims[0])
    return time_index(index)
