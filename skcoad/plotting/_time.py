"""The axis along which a series is drawn: positions, numbers, dates, durations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad._series import check_length
from skcoad._time import time_index

if TYPE_CHECKING:
    from datetime import tzinfo

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["TimeAxis", "drawn_labels", "time_axis"]

MAX_PLAIN = 1e8  # positions below are written in full
HOLE = 2.5  # a step of so many usual ones is a hole in time
# Matplotlib's dates are days in double precision, and of these years only.
MIN_DATE_STEP = 10**7  # nanoseconds
DATE_YEARS = (100, 9000)
YEAR = 365.2425 * 86400  # seconds
# Nanoseconds in each unit of a duration.
UNITS = {
    "days": 86400 * 10**9,
    "hours": 3600 * 10**9,
    "minutes": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "µs": 10**3,
    "ns": 1,
}


@dataclass(frozen=True, eq=False)
class TimeAxis:
    """Where the timestamps of a series are drawn.

    Attributes
    ----------
    values : ndarray of shape (n_timestamps,)
        Coordinates; of dates, matplotlib's.
    holes : ndarray of int
        Positions after which timestamps are missing.
    step : float
        The usual distance of two timestamps; above 0.
    label : str
        What the coordinates are; empty for dates, and for numbers of an unknown unit.
    dates : bool
        Whether they are dates.
    zone : tzinfo or None
        In which dates are shown.
    """

    values: NDArray[np.float64]
    holes: NDArray[np.intp]
    step: float
    label: str = ""
    dates: bool = False
    zone: tzinfo | None = None

    def part(self, start: int, stop: int) -> TimeAxis:
        """The axis of ``x[start:stop]``."""
        inside = (self.holes >= start) & (self.holes < stop - 1)
        return replace(
            self, values=self.values[start:stop], holes=self.holes[inside] - start
        )

    def set_up(self, axes: Axes, max_ticks: int) -> None:
        """Set limits and ticks of the horizontal axis."""
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.ticker import MaxNLocator, ScalarFormatter

        left, right = self.values[0], self.values[-1]
        if left == right:
            margin = max(self.step / 2, 1e-9 * abs(left))
            left, right = left - margin, right + margin
        axes.set_xlim(left, right)
        if not self.dates:
            axes.xaxis.set_major_locator(MaxNLocator(max_ticks, steps=[1, 2, 5, 10]))
            formatter = ScalarFormatter(useOffset=False)
            formatter.set_scientific(max(abs(left), abs(right)) >= MAX_PLAIN)
            axes.xaxis.set_major_formatter(formatter)
            return
        locator = AutoDateLocator(  # type: ignore[no-untyped-call]
            tz=self.zone,
            minticks=2,
            maxticks=max_ticks,  # with 3, some ranges have no interval
        )
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(
            ConciseDateFormatter(  # type: ignore[no-untyped-call]
                locator, tz=self.zone
            )
        )


def time_axis(timestamps: ArrayLike | None, n_timestamps: int) -> TimeAxis:
    """Find where timestamps are drawn.

    Dates too close together or too far away for matplotlib's are drawn as the time
    since the first and as years.

    Parameters
    ----------
    timestamps : array-like of shape (n_timestamps,) or None
        Numbers, dates or durations; None for positions from 0.
    n_timestamps : int
        Length of the series.

    Returns
    -------
    TimeAxis

    Raises
    ------
    ValueError
        If there is not one for each timestamp, one is missing, or they are neither
        numbers nor times.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.plotting._time import time_axis
    >>> axis = time_axis(np.datetime64("2024-01-01", "us") + np.arange(3), 3)
    >>> axis.values, axis.label
    (array([0., 1., 2.]), 'µs after 2024-01-01 00:00:00')
    """
    if timestamps is None:
        return _axis(np.arange(n_timestamps, dtype=np.float64), "timestamp")
    import pandas as pd

    index = pd.Index(cast("Any", timestamps))
    check_length(np.asarray(index), "timestamps", n_timestamps)
    if index.hasnans:
        row = int(np.argmax(index.isna()))
        raise ValueError(f"the timestamp of row {row} is missing")
    times = time_index(index)
    index = index if times is None else times
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if isinstance(index, pd.DatetimeIndex):
        return _dates(index)
    if isinstance(index, pd.TimedeltaIndex):
        return _durations(index.to_numpy())
    if not pd.api.types.is_numeric_dtype(index):
        raise ValueError(f"timestamps must be numbers or times, got {index[0]!r}")
    return _axis(index.to_numpy(dtype=np.float64))


def drawn_labels(index: pd.Index[Any]) -> pd.Index[Any] | None:
    """Return the labels of rows if they can be drawn along an axis.

    Parameters
    ----------
    index : pandas.Index
        Labels of any kind.

    Returns
    -------
    pandas.Index or None
        None for positions, where labels are neither numbers nor times, or one is
        missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from skcoad.plotting._time import drawn_labels
    >>> drawn_labels(pd.Index(["row0", "row1"]))
    """
    try:
        time_axis(index, len(index))
    except ValueError:
        return None
    return index


def _dates(index: Any) -> TimeAxis:
    from matplotlib.dates import date2num

    times = index.tz_convert(None) if index.tz is not None else index
    times = times.to_numpy()
    elapsed = times - times[0]
    steps = np.abs(np.diff(elapsed))
    years = times[[0, -1]].astype("datetime64[Y]").astype(int) + 1970
    far = not DATE_YEARS[0] <= years.min() <= years.max() <= DATE_YEARS[1]
    dense = len(steps) and np.median(steps) < np.timedelta64(MIN_DATE_STEP, "ns")
    if dense or (far and np.ptp(years) <= 1):
        return _durations(elapsed, f" after {index[0]}")
    if far:
        years = 1970 + times.astype("datetime64[s]").astype(np.float64) / YEAR
        return _axis(years, "year")
    dates = date2num(times)  # type: ignore[no-untyped-call]
    return _axis(dates, dates=True, zone=index.tz)


def _durations(elapsed: NDArray[Any], origin: str = "") -> TimeAxis:
    """Durations in a unit of at most the longest of them."""
    longest = np.abs(elapsed).max() / np.timedelta64(1, "ns")
    unit = next((unit for unit, size in UNITS.items() if longest >= size), "ns")
    return _axis(elapsed / np.timedelta64(UNITS[unit], "ns"), unit + origin)


def _axis(values: NDArray[np.float64], label: str = "", **what: Any) -> TimeAxis:
    steps = np.abs(np.diff(values))
    step = (float(np.median(steps)) if len(steps) else 0.0) or 1.0
    return TimeAxis(values, np.flatnonzero(steps > HOLE * step), step, label, **what)
