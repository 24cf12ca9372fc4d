"""What the columns of a table are: times, labels, channels, or none of these."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skcoad.datasets._fields import place
from skcoad.datasets._labels import find_labels
from skcoad.datasets._numbers import Marks, shorten, to_floats
from skcoad.datasets._time_names import TIME_NAMES, is_time_name, normalise, words
from skcoad.datasets._time_numbers import (
    TimeColumn,
    clock_of_numbers,
    hours_of_numbers,
    is_date_number,
    is_epoch,
    is_serial_date,
)
from skcoad.datasets._times import holds_times, is_date, join_calendar, parse_times

if TYPE_CHECKING:
    import pandas as pd

# Numbers in columns with one of these words are times if they are epochs; so are those
# of a first column that is in order.
_TIME_WORDS = TIME_NAMES | {"epoch", "unix", "unixtime", "ts", "utc"}
_CALENDAR = ("year", "month", "day", "hour", "minute", "second")
# Whole numbers to 24 under these names are times of day where dates repeat.
_HOUR_NAMES = {
    *("hour", "hours", "hr", "hrs", "hour_of_day", "hour_ending", "hour_beginning"),
    *("he", "time", "stunde", "std", "heure", "hora", "ora", "uur"),
}
# Whole numbers in order under these names number the rows.
_INDEX_NAMES = {"", "index", "id", "row", "record", "no", "nr", "unnamed_0"}
# Whole numbers in any order under these are pandas' index, of rows that were selected
# or put together; the second name is given where it is read and written again.
_UNNAMED = re.compile(r"(?:Unnamed: 0(?:\.\d+)?)?")
# Of a table of many series, as Nixtla's libraries name them.
ID, TIME = "unique_id", "ds"
# Share of rows that may have the time of another row of their series, by mistake.
_FEW_REPEATED = 0.01


@dataclass(frozen=True)
class Columns:
    """The columns of a table by their roles; every array has one entry for each row."""

    values: NDArray[np.float64]  # (n_rows, n_channels)
    channel_names: tuple[str, ...]
    labels: NDArray[np.int64]
    times: NDArray[Any] | None
    timezone: str | None  # of the times, which are then of UTC
    is_clock: bool  # whether the times are times of day, without a date
    series_column: str | None  # whose values tell apart the rows of each time
    notes: tuple[str, ...]


def assign_roles(
    frame: pd.DataFrame,
    name: str,
    marks: Marks,
    *,
    columns: Sequence[str] | None,
    dayfirst: bool | None,
    time_column: Sequence[str] | None,
    drop_non_numeric: bool,
) -> Columns:
    """Tell times, labels and channels apart, and convert them.

    Parameters
    ----------
    frame : DataFrame
        With unique names, in the order of the table.
    name : str
        What to call the table in an error.
    marks : Marks
        Decimal mark and thousands separator of numbers that are text.
    columns : sequence of str or None
        Names of the channels to be used, if not all are: nothing is asked of the
        others, nor of labels that are none.
    dayfirst : bool or None
        See `parse_times`.
    time_column : sequence of str or None
        Names of the columns of times, if they are known.
    drop_non_numeric : bool
        Whether to leave out columns of text, rather than to refuse the table.

    Returns
    -------
    columns : Columns
        Rows as in the table.

    Raises
    ------
    ValueError
        If a column fits no role, or two fit one; the message names the option that
        decides.
    """
    notes: list[str] = []
    time_names, others = _find_times(frame, name, time_column)
    if time_names:  # lines of separators alone, as spreadsheets leave at the end
        frame = frame[~frame.isna().all(axis=1)]
    try:
        times = _parse_times(frame[time_names], dayfirst)
    except ValueError as error:
        source = " and ".join(column or "index" for column in time_names)
        raise ValueError(f"{name}: {source}: {error}") from None
    notes += [
        f"{column}: Excel's numbers of days, read as dates"
        for column in time_names
        if is_serial_date(frame[column])
    ]
    rest = [c for c in map(str, frame) if c not in (*time_names, *others)]

    labels, label_names, invalid_labels = find_labels(frame[rest])
    if invalid_labels and columns is None:
        column, cell = next(iter(invalid_labels.items()))
        raise ValueError(
            f"{name}: column {column!r} is taken for labels by its name, and "
            f"labels must be 0 or 1, got {cell!r}; --column NAME (columns) says which "
            "columns to use instead"
        )
    if label_names:
        notes.append(f"labels: {', '.join(label_names)}")
    if columns is not None:
        others += [column for column in invalid_labels if column not in columns]
    rest = [column for column in rest if column not in (*label_names, *others)]

    series_column = (
        None if times is None else find_series_column(frame[rest], times.values)
    )
    asked = rest if columns is None else columns
    channels, texts, n_bad = _channels(frame[rest], name, marks, asked)
    if texts and columns is None and not drop_non_numeric:
        column, cell = next(iter(texts.items()))
        if column == series_column:
            raise ValueError(f"{name}: a time has {several_rows(column)}")
        raise ValueError(
            f"{name}: column {column!r} must be numeric, got {cell}; "
            "--drop-non-numeric (drop_non_numeric=True) leaves such columns out"
        )
    unnamed = [c for c in channels if _UNNAMED.fullmatch(c) and _is_whole(frame[c])]
    if len(unnamed) < len(channels):
        others += unnamed
        channels = {c: v for c, v in channels.items() if c not in unnamed}
    if others:
        notes.insert(0, f"not used: {', '.join(name or 'index' for name in others)}")
    if not channels:
        raise ValueError(
            f"{name} has no column of values, only {list(map(str, frame.columns))}"
        )
    if texts:
        notes.append(f"not numeric, left out: {', '.join(texts)}")
    if n_bad:
        notes.append(f"{n_bad} bad cells are missing values")
    return Columns(
        np.column_stack(list(channels.values())),
        tuple(channels),
        labels,
        None if times is None else times.values,
        None if times is None else times.zone,
        times is not None and times.kind == "clock",
        series_column,
        tuple(notes),
    )


def _channels(
    frame: pd.DataFrame, name: str, marks: Marks, asked: Sequence[str]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str], int]:
    """Numbers of the numeric columns, a cell that is none of each other, and bad cells.

    Bad cells of numeric columns are counted; they are missing values.
    """
    channels: dict[str, NDArray[np.float64]] = {}
    texts: dict[str, str] = {}
    n_bad = 0
    for column in map(str, frame):
        values, invalid = to_floats(frame[column], marks)
        if len(invalid):
            texts[column] = f"{shorten(invalid.iloc[0])} in {place(invalid, 0)}"
        elif not np.isinf(values).any():
            channels[column] = values
            n_bad += int(np.isnan(values).sum() - frame[column].isna().sum())
        elif column in asked:
            where = place(frame[column], int(np.argmax(np.isinf(values))))
            raise ValueError(f"{name}: column {column!r} is infinite in {where}")
    return channels, texts, n_bad


def several_rows(series_column: str) -> str:
    """What an error says of a time whose rows belong to several series."""
    if series_column == ID:
        return (
            f"more than one row, of several series by column {ID!r}: a table of many "
            f"series is one file, given by its own name, with times in {TIME!r}"
        )
    return (
        f"more than one row, of several series by column {series_column!r}; with "
        f"the names {ID} for it and {TIME} for the time, skcoad detect and "
        "skcoad.panel take the table for one of many series; --column NAME (columns) "
        "with --resample SPACING (resample) averages over them"
    )


def find_series_column(frame: pd.DataFrame, times: Any) -> str | None:
    """Find the column that says which series a row belongs to, where times repeat.

    Parameters
    ----------
    frame : DataFrame
        Columns that are neither times nor labels, by different names that are text.
    times : ndarray or Index of shape (n_rows,)
        Time of each row.

    Returns
    -------
    column : str or None
        A column of text or of a few whole numbers that differ in the rows of each time.
    """
    import pandas as pd

    first = ~frame.assign(**{"": times}).duplicated().to_numpy()
    frame, times = frame[first], times[first]
    counts = pd.Series(times).value_counts(dropna=False)
    if len(counts) > 0.75 * len(times):  # most times have a single row
        return None
    for column in map(str, frame):
        if frame[column].dtype.kind in "bfc" or normalise(column) in _CALENDAR:
            continue
        values = frame[column].astype(str)
        n_values = values.nunique()
        # Measured values hardly repeat, so that they tell apart any rows.
        if 2 * n_values > len(values):
            continue
        if _is_whole(frame[column]) and n_values > 2 * counts.max():
            continue
        repeated = values.to_frame("value").assign(time=times).duplicated()
        if repeated.sum() <= _FEW_REPEATED * len(values):
            return column
    return None


def _find_times(
    frame: pd.DataFrame, name: str, given: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Names of the columns that are the time, and of those not to be used."""
    names = list(map(str, frame))
    texts = [column for column in names if holds_times(frame[column])]
    index = [c for c in names if _is_index_name(c) and _is_in_order(frame[c])]
    counts = [column for column in index if _counts(frame[column])]
    numeric = [
        column
        for column in names
        if column not in texts and (is_time_name(column) or _holds_times(frame, column))
    ]
    if given is not None:
        for column in given:
            if column not in frame:
                raise ValueError(
                    f"{name} has no column {column!r} for the time, only "
                    f"{', '.join(names)}"
                )
        return list(given), [c for c in (*texts, *numeric, *index) if c not in given]
    if len(texts) > 1 and not (len(texts) == 2 and _are_parts(frame[texts])):
        raise ValueError(
            f"{name}: {', '.join(texts)} all hold times; --time-column NAME "
            "(time_column) says which is that of the row"
        )
    times = texts or numeric[:1] or _calendar(frame) or counts[:1]
    if len(times) == 1 and len(frame):
        times = [*times, *islice(_clocks(frame, times[0], numeric), 1)]
    # Without times, numbers with gaps may be measured, whatever their name is; of an
    # index of pandas, the other columns decide.
    named = [c for c in index if not _UNNAMED.fullmatch(c)] if times else []
    return times, [c for c in (*numeric, *named) if c not in times]


def _clocks(frame: pd.DataFrame, date: str, numeric: Sequence[str]) -> Iterator[str]:
    """Columns of numbers that are times of day, if another is of dates."""
    others = [column for column in map(str, frame) if column != date]
    if is_date(frame[date]):
        # Beside dates, a time of day such as 930 is one whatever its spacing.
        for column in others:
            if column in numeric and clock_of_numbers(frame[column]) is not None:
                yield column
    if not frame[date].is_unique and _are_dates(frame[date]):
        for column in others:
            is_hour = normalise(column) in _HOUR_NAMES
            if is_hour and hours_of_numbers(frame[column]) is not None:
                yield column


def _are_dates(column: pd.Series) -> bool:
    """Whether no time has a time of day, but for midnight."""
    if column.dtype.kind in "iuf":
        return is_date(column)
    texts = column.astype(str).str.strip()
    return bool(texts.str.fullmatch(r"[^:]*?(?:[ T]00:00(?::00)?)?").all())


def _holds_times(frame: pd.DataFrame, column: str) -> bool:
    """Whether a column of numbers holds times, by its name, its place and its values.

    Such as times since 1970, dates like 202401312359, years, or a first column t [s].
    """
    values = frame[column]
    if values.dtype.kind not in "iuf":
        return False
    ordered = values.is_monotonic_increasing or values.is_monotonic_decreasing
    is_first = column == frame.columns[0] and ordered and values.is_unique
    if is_serial_date(values):
        return True
    if words(column) & _TIME_WORDS:
        return is_epoch(values)
    if not is_first:
        return False
    if normalise(column) in ("t", "year"):
        return len(values) > 1
    return values.dtype.kind in "iu" and (is_epoch(values) or is_date_number(values))


def _calendar(frame: pd.DataFrame) -> list[str]:
    """Columns of years, months and days, if there are any, and of parts of the day."""
    found = {normalise(column): column for column in map(str, frame)}
    if not all(part in found for part in _CALENDAR[:3]):
        return []
    columns = [found[part] for part in _CALENDAR if part in found]
    return columns if all(frame[c].dtype.kind in "iu" for c in columns) else []


def _is_index_name(name: str) -> bool:
    # Of a name in another script, `normalise` leaves nothing.
    return name.isascii() and normalise(name) in _INDEX_NAMES


def _is_whole(column: pd.Series) -> bool:
    """Whether a column has whole numbers, and no empty cell."""
    return column.dtype.kind in "iu" and not column.isna().any()


def _is_in_order(column: pd.Series) -> bool:
    """Whether the whole numbers of a column always increase, or always decrease."""
    ordered = column.is_monotonic_increasing or column.is_monotonic_decreasing
    return _is_whole(column) and ordered and column.is_unique


def _counts(column: pd.Series) -> bool:
    """Whether numbers in order, of which there are some, have no gaps."""
    return len(column) > 0 and int(column.max()) - int(column.min()) == len(column) - 1


def _are_parts(frame: pd.DataFrame) -> bool:
    """Whether one column has dates, the other times of day."""
    clocks = [
        bool(re.fullmatch(r"\s*\d{1,2}:\d{2}.*", str(frame[column].iloc[0])))
        for column in frame
    ]
    return sum(clocks) == 1


def _parse_times(frame: pd.DataFrame, dayfirst: bool | None) -> TimeColumn | None:
    """Times of the columns of a frame, joined."""
    if frame.shape[1] > 2:
        names = [normalise(str(column)) for column in frame]
        return join_calendar(frame.set_axis(names, axis=1))
    columns = [_without_clock(parse_times(frame[t], dayfirst)) for t in frame]
    if not columns:
        return None
    if len(columns) == 1:
        return columns[0]
    if sorted(column.kind for column in columns) == ["date", "number"]:
        columns = [_as_clock(frame[t], c) for t, c in zip(frame, columns, strict=True)]
    kinds = sorted(column.kind for column in columns)
    if kinds != ["clock", "date"]:
        raise ValueError(f"a date and a time of day can be joined, not {kinds}")
    date, clock = sorted(columns, key=lambda column: column.kind == "clock")
    return TimeColumn("datetime", date.values + clock.values, date.zone)


def _as_clock(column: pd.Series, times: TimeColumn) -> TimeColumn:
    """Take numbers that can be times of day, such as 930 or 9, for these."""
    if times.kind != "number":
        return times
    clock = clock_of_numbers(column)
    if clock is None:
        clock = hours_of_numbers(column)
    return times if clock is None else TimeColumn("clock", clock)


def _without_clock(column: TimeColumn) -> TimeColumn:
    """Take times that are all midnight for dates, as spreadsheets show them."""
    if (
        column.kind != "datetime"
        or (column.values != column.values.astype("M8[D]")).any()
    ):
        return column
    return column._replace(kind="date")
