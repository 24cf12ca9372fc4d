"""What may come as rows of a stream, and where they stand on the grid of times."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skcoad._duration import check_duration
from skcoad._grid import row_times
from skcoad._time import duration_text, time_index, time_text
from skcoad._typing import FloatArray, IntArray
from skcoad._validation import as_named, validate_series
from skcoad.detectors import TimeSeriesDetector

__all__ = ["Clock", "Reader", "Tick", "frame_of_row"]
# The grid of times follows the rows by this fraction of each deviation, so that it
# keeps step with a slow clock and is not moved much by a single late row.
FOLLOWING = 16
# Rows at a shorter spacing than the interval fall behind the grid. One that follows a
# late row, which was taken for the next but one, may be at the place of that.
SOONEST = -0.55  # of an interval, after the place of the last row
FEW = 10  # rows, which may come at any times
EVEN, MOST = 0.05, 0.75  # so near to the usual step are most of those of even rows
OFF = 0.15  # even rows that are so far off the interval have another


def frame_of_row(detector: TimeSeriesDetector, rows: Any) -> Any:
    """Frame with the time and the names of a single row of a frame, ``frame.iloc[i]``.

    Parameters
    ----------
    detector : TimeSeriesDetector
        Fitted on a series with these channels.
    rows : array-like
        Whatever came.

    Returns
    -------
    DataFrame or array-like
        A frame if `rows` is such a pandas Series; else `rows`.
    """
    if not isinstance(rows, pd.Series):
        return rows
    # Else these are rows of the only channel.
    if detector.n_features_in_ == 1 and list(rows.index) != detector.channel_names_:
        return rows
    frame = rows.to_frame().T.infer_objects()
    if isinstance(rows.name, pd.Timestamp):
        frame.index = pd.DatetimeIndex([rows.name])
    return frame


class Reader:
    """Reads rows, and has it said once that only they, or the detector, have names.

    Parameters
    ----------
    detector : TimeSeriesDetector
        Fitted on a series with the channels of the rows.
    """

    def __init__(self, detector: TimeSeriesDetector) -> None:
        self._detector = detector
        self._told = False

    def read(self, rows: Any) -> FloatArray:
        """Check one row or many, and return them as an array.

        Parameters
        ----------
        rows : array-like
            Of shape (n_rows, n_channels); or one row, of shape (n_channels,); or of a
            single channel, a number or an array of shape (n_rows,).

        Returns
        -------
        ndarray of shape (n_rows, n_channels)
            float64.

        Raises
        ------
        ValueError
            If these are no such rows.
        """
        detector = self._detector
        n_channels = detector.n_features_in_
        if rows is None or isinstance(rows, (dict, str)):
            raise ValueError(
                f"rows are numbers, lists, arrays or frames, got {type(rows).__name__}"
            )
        if isinstance(rows, (list, tuple, float, int, np.generic)):
            rows = np.asarray(rows)
        if isinstance(rows, np.ndarray) and rows.ndim < 2 and rows.size:
            rows = rows.reshape((-1, 1) if n_channels == 1 else (1, -1))
        # scikit-learn's own checks take longer than a score.
        plain = type(rows) is np.ndarray and rows.dtype.kind in "fiu"
        if plain and rows.ndim == 2 and rows.shape[1] == n_channels:
            X: FloatArray = rows.astype(np.float64)
            if np.isfinite(X).all():
                return X
        if len(rows) == 0:
            return np.empty((0, n_channels))
        named = as_named(detector, rows)
        # scikit-learn warns of names on one side only, and would for every row.
        told = self._told or named is not detector
        X = validate_series(
            named if self._told else detector,
            rows,
            reset=False,
            allow_1d=True,
            allow_nan=detector.missing == "mask",
        )
        self._told = told
        return X.astype(np.float64, copy=False)


class Tick(NamedTuple):
    """When a row came, in nanoseconds.

    Attributes
    ----------
    time : int
        Of the row.
    grid : int
        Of its place on the grid of times.
    passed : tuple of int or None
        From row to row of the first rows of a stream; None once they are enough.
    """

    time: int
    grid: int
    passed: tuple[int, ...] | None = None


class Clock:
    """Counts the rows that are missing between two times.

    Times are rounded to a grid that follows them, not to multiples of the interval from
    one row to the next: rows that are early and late in turn leave no gaps.

    Parameters
    ----------
    interval : str, timedelta or None
        From one row to the next, as pandas reads it; None if rows have no times.

    Attributes
    ----------
    interval : int or None
        In nanoseconds.
    last : Tick or None
        When the newest row came; None before the first.

    Raises
    ------
    ValueError
        If the interval is none.

    Examples
    --------
    >>> import pandas as pd
    >>> from skcoad.streaming._rows import Clock
    >>> clock = Clock("1min")
    >>> times = pd.to_datetime(["2026-01-01 00:00", "2026-01-01 00:01"])
    >>> steps, clock.last = clock.steps(pd.Series([1.0, 2.0], index=times), 2)
    >>> later = pd.to_datetime(["2026-01-01 00:04"])
    >>> steps, _ = clock.steps(pd.Series([3.0], index=later), 1)
    >>> steps
    array([3])
    """

    def __init__(self, interval: Any = None) -> None:
        self.last: Tick | None = None
        self.interval: int | None = None
        if interval is not None:
            self.interval = int(check_duration("interval", interval).astype(np.int64))

    def steps(self, rows: Any, n_rows: int) -> tuple[IntArray, Tick | None]:
        """Count the intervals from each row to the next.

        Parameters
        ----------
        rows : array-like
            With an index of times, if there is an interval.
        n_rows : int
            How many rows.

        Returns
        -------
        steps : ndarray of shape (n_rows,)
            From the row before, at least 1; beyond that, rows are missing. 1 for the
            first row of all.
        last : Tick or None
            What :attr:`last` is after these rows.

        Raises
        ------
        ValueError
            If the rows have times and there is no interval, or the other way round; if
            their times do not increase; if they keep coming sooner than the interval;
            or if the first ones are evenly spaced, but not by the interval.
        """
        times = row_times(rows) if n_rows else None
        if n_rows == 0 or (times is None and self.interval is None):
            return np.ones(n_rows, dtype=np.int64), self.last
        if self.interval is None:
            raise ValueError(
                "the rows have times: say how far they are apart, as in "
                "StreamingDetector(detector, interval='1min'), so that missing rows "
                "are known; or pass X.to_numpy(), if none is ever missing"
            )
        if times is None:
            raise ValueError(
                "the rows have no times, and there is an interval; pass frames with an "
                "index of times"
            )
        at = times.astype(f"{times.dtype.kind}8[ns]").astype(np.int64)
        before = int(at[0]) - self.interval  # of the first row of all
        last = Tick(before, before, ()) if self.last is None else self.last
        passed = np.diff(at, prepend=last.time)
        if (passed <= 0).any():
            row = int((passed <= 0).argmax())
            early = f"{_text(-passed[row])} earlier"
            order = early if passed[row] else "at the same time"
            raise ValueError(
                f"row {row} ({_when(rows, times[row])}) is not later than the row "
                f"before, but {order}"
            )
        first = self._first_steps(last, passed)
        if n_rows >= FEW and last.passed is None:
            _check_spacing(passed[1:], self.interval, begun=True)
        steps = np.empty(n_rows, dtype=np.int64)
        grid = last.grid
        for row, time in enumerate(at.tolist()):
            intervals = (time - grid) / self.interval
            if intervals < SOONEST:
                raise ValueError(
                    f"row {row} ({_when(rows, times[row])}) is only "
                    f"{_text(passed[row])} after the row before, and interval is "
                    f"{_text(self.interval)}"
                )
            steps[row] = step = max(1, round(intervals))
            grid += step * self.interval
            grid += (time - grid) // FOLLOWING
        return steps, Tick(int(at[-1]), grid, first)

    def _first_steps(self, last: Tick, passed: IntArray) -> tuple[int, ...] | None:
        """Take note of the first rows of a stream, and check them when there are few.

        They may come one by one, or at once.
        """
        assert self.interval is not None
        if last.passed is None:
            return None
        # Nothing came before the first row.
        first = (*last.passed, *passed[self.last is None :].tolist())
        if len(first) < FEW - 1:
            return first
        _check_spacing(np.array(first), self.interval, begun=False)
        return None


def _check_spacing(passed: IntArray, interval: int, *, begun: bool) -> None:
    """Refuse rows that are evenly spaced, but not by the interval.

    Once a stream has begun, every other row may be missing for a while.
    """
    usual = np.median(passed)
    even = (np.abs(passed / usual - 1) <= EVEN).mean() >= MOST
    n_intervals = max(1, round(usual / interval)) if begun else 1
    if even and abs(usual / (n_intervals * interval) - 1) > OFF:
        raise ValueError(
            f"the rows are {_text(usual)} apart, and interval is {_text(interval)}"
        )


def _when(rows: Any, time: Any) -> str:
    """Write a time of UTC in the zone of the rows."""
    zone = getattr(time_index(getattr(rows, "index", None)), "tz", None)
    return time_text(time, zone)


def _text(nanoseconds: Any) -> str:
    return duration_text(np.timedelta64(int(nanoseconds), "ns"))
