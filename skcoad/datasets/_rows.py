"""Rows in time order and at regular times."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skcoad._grid import zoned_grid
from skcoad._spacing import MAX_STRETCH, Grid, find_grid
from skcoad._text import list_text
from skcoad._time import in_utc, time_text
from skcoad.datasets._roles import Columns, several_rows
from skcoad.datasets._series import Series, zoned_index

_RESAMPLE_ADVICE = (
    "; --resample SPACING (resample), such as 1min, averages the rows of each interval"
)
_CLOCK_CHANGE = np.timedelta64(1, "h")
ROUNDED = 1e-6  # of an interval: so near to a whole number of them is one


def to_series(
    columns: Columns,
    name: str,
    resample: str | None,
    asked: Sequence[str] | None = None,
) -> Series:
    """Make a series of the rows, in time order and at regular times.

    Parameters
    ----------
    columns : Columns
        Rows in any order.
    name : str
        Name of the series.
    resample : str or None
        Width of the intervals to average over.
    asked : sequence of str, default=None
        Names of the channels that will be used, if not all are.

    Returns
    -------
    series : Series
        With a row of NaN for each time that was missing.

    Raises
    ------
    ValueError
        If the times are neither regular nor made so by `resample`.
    """
    notes: list[str] = []
    try:
        if columns.times is None:
            if resample is not None:
                raise ValueError("resampling needs times, and no column has any")
            missing = _missing_shares(columns)
        else:
            columns, spacing, missing, notes = _regular(columns, resample)
            if len(columns.values) > 1:
                notes.insert(0, f"every {spacing}")
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if text := _missing_text(missing, asked):
        notes.append(text)
    times = columns.times
    if times is not None and times.dtype.kind == "m":
        times = times / np.timedelta64(1, "s")
        notes.append("times in seconds")
    return Series(
        columns.values,
        columns.labels,
        0,
        name,
        columns.channel_names,
        times,
        (*notes, *columns.notes),
        columns.timezone,
    )


def _missing_shares(columns: Columns) -> dict[str, float]:
    """Share of the values of each channel that are missing."""
    if not len(columns.values):
        return {}
    shares = np.isnan(columns.values).mean(axis=0)
    return dict(zip(columns.channel_names, shares.tolist(), strict=True))


def _missing_text(
    shares: Mapping[str, float], asked: Sequence[str] | None
) -> str | None:
    """Say how much is missing of the channels that have some values, most first."""
    known = {name: share for name, share in shares.items() if 0 < share < 1}
    texts = [
        f"{_percent(share)} of {name}"
        for name, share in sorted(known.items(), key=lambda item: -item[1])
        if asked is None or name in asked
    ]
    return f"missing: {list_text(texts)}" if texts else None


def _percent(share: float) -> str:
    if share < 0.005:
        return "less than 1%"
    return "more than 99%" if share > 0.995 else f"{share:.0%}"


def _regular(
    columns: Columns, resample: str | None
) -> tuple[Columns, str, dict[str, float], list[str]]:
    """Columns at regular times, their spacing, what was missing before, and notes."""
    columns, notes = _in_order(columns, resampled=resample is not None)
    columns, n_repeated = _without_repeated_rows(columns)
    if n_repeated:
        notes.append(f"{n_repeated} repeated rows left out")
    times = _times(columns)
    if resample is not None:
        columns = _resampled(columns, resample)
        return columns, resample, _missing_shares(columns), notes
    same = np.flatnonzero(times[1:] == times[:-1])
    if same.size:
        first = time_text(times[same[0]], columns.timezone)
        if columns.series_column is not None:
            raise ValueError(
                f"the time {first} has {several_rows(columns.series_column)}"
            )
        raise ValueError(f"the time {first} has more than one row{_RESAMPLE_ADVICE}")
    try:
        grid = _grid(columns)
    except ValueError as error:
        raise ValueError(f"{error}{_RESAMPLE_ADVICE}") from None
    missing = _missing_shares(columns)
    if not grid.n_missing:
        return columns, grid.spacing, missing, notes
    notes.append(f"{grid.n_missing} missing rows are missing values")
    values = np.full((len(grid.times), columns.values.shape[1]), np.nan)
    labels = np.zeros(len(grid.times), dtype=np.int64)
    values[grid.rows], labels[grid.rows] = columns.values, columns.labels
    filled = replace(columns, values=values, labels=labels, times=grid.times)
    return filled, grid.spacing, missing, notes


def _grid(columns: Columns) -> Grid:
    """The grid of the rows, by the calendar of their zone."""
    times = _times(columns)
    if columns.timezone is None:
        return find_grid(times)
    grid = zoned_grid(zoned_index(times, columns.timezone))
    return grid._replace(times=in_utc(grid.times).to_numpy())


def _times(columns: Columns) -> NDArray[Any]:
    if columns.times is None:
        raise TypeError("columns without times")
    return columns.times


def _take(columns: Columns, rows: Any) -> Columns:
    return replace(
        columns,
        values=columns.values[rows],
        labels=columns.labels[rows],
        times=_times(columns)[rows],
    )


def _in_order(columns: Columns, *, resampled: bool) -> tuple[Columns, list[str]]:
    """Put rows into time order; which order they had does not matter to averages."""
    times = _times(columns)
    steps = np.diff(times)
    zero = steps.dtype.type(0)
    if (steps >= zero).all():
        return columns, []
    if (steps <= zero).all():
        return _take(columns, slice(None, None, -1)), ["newest first, turned around"]
    back = int(np.argmax(steps < zero)) + 1
    time = time_text(times[back], columns.timezone)
    where = f"row {back} ({time}) is earlier than row {back - 1}"
    if columns.is_clock:
        raise ValueError(f"the times of day have no date: {where}")
    if times.dtype.kind == "M" and not resampled:
        # A clock that is set back repeats an hour; sorting would interleave its rows.
        spacing = np.median(np.abs(steps))
        backward = steps[steps < zero] + _CLOCK_CHANGE
        if (np.abs(backward - spacing) <= spacing / 2).all():
            raise ValueError(
                f"{where}: was the clock set back? Times in UTC or with their zone "
                f"are not ambiguous{_RESAMPLE_ADVICE}"
            )
    return _take(columns, np.argsort(times, kind="stable")), ["sorted by time"]


def _without_repeated_rows(columns: Columns) -> tuple[Columns, int]:
    """Leave out rows that are the same as the one before."""
    times, values, labels = _times(columns), columns.values, columns.labels
    same = (times[1:] == times[:-1]) & (labels[1:] == labels[:-1])
    same[same] = [
        np.array_equal(values[row], values[row + 1], equal_nan=True)
        for row in np.flatnonzero(same)
    ]
    if not same.any():
        return columns, 0
    return _take(columns, np.concatenate([[True], ~same])), int(same.sum())


def _resampled(columns: Columns, width: str) -> Columns:
    """Average the values over intervals; the labels of an interval are joined."""
    import pandas as pd

    times = _times(columns)
    if times.dtype.kind not in "mM":
        return _resampled_numbers(columns, width)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of units to be written in another case
            offset = pd.tseries.frequencies.to_offset(width)
        start = pd.Timestamp(times[0] if times.dtype.kind == "M" else 0) + offset
        step = start + offset - start  # of months and the like, the length of one
        is_fixed = isinstance(offset, (pd.offsets.Tick, pd.offsets.Day))
        if offset.n <= 0 or not (is_fixed or times.dtype.kind == "M"):
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(
            f"an interval is a number above 0 and a unit such as 10s, 1min, 2h, 1D or "
            f"1MS (months, of dates), got {width!r}"
        ) from None
    _check_bins(float((times[-1] - times[0]) / step.to_timedelta64()), times, width)
    index = zoned_index(times, columns.timezone)  # its days begin at midnight
    values = pd.DataFrame(columns.values, index=index).resample(offset).mean()
    labels = pd.Series(columns.labels, index=index).resample(offset).max().fillna(0)
    return replace(
        columns,
        values=values.to_numpy(),
        labels=labels.to_numpy(dtype=np.int64),
        times=in_utc(values.index).to_numpy(),
    )


def _resampled_numbers(columns: Columns, width: str) -> Columns:
    import pandas as pd

    times = _times(columns)
    try:
        step = float(width)
    except ValueError:
        step = 0.0
    if not 0 < step < np.inf:
        raise ValueError(
            f"the times are numbers; an interval is a number above 0, got {width!r}"
        )
    _check_bins((times[-1] - times[0]) / step, times, width)
    at = (times - times[0]) / step
    whole = np.rint(at)  # 0.3 / 0.1 is a little less than 3
    bins = np.where(np.abs(at - whole) < ROUNDED, whole, np.floor(at)).astype(np.int64)
    every = np.arange(bins[-1] + 1)
    values = pd.DataFrame(columns.values).groupby(bins).mean().reindex(every)
    labels = pd.Series(columns.labels).groupby(bins).max().reindex(every, fill_value=0)
    return replace(
        columns,
        values=values.to_numpy(),
        labels=labels.to_numpy(dtype=np.int64),
        times=times[0] + every * step,
    )


def _check_bins(n_bins: float, times: NDArray[Any], width: str) -> None:
    if n_bins > MAX_STRETCH * len(times):
        raise ValueError(
            f"{n_bins:.0f} intervals of {width} for {len(times)} rows would be almost "
            "all empty; choose a wider one"
        )
