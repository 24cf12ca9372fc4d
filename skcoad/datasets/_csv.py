"""Plain CSV files."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

from skcoad.datasets._archive import AnyPath, ArchiveEntry
from skcoad.datasets._series import Series
from skcoad.datasets._text import read_text

if TYPE_CHECKING:
    import pandas as pd

# In lower case. The column without a name is the index as pandas writes it.
_TIME_NAMES = ("timestamp", "timestamps", "time", "datetime", "date", "index", "")
_LABEL_NAMES = ("label", "labels", "anomaly", "is_anomaly")


def match_csv(path: AnyPath) -> ArchiveEntry | None:
    """Return the entry for a file whose name ends in ``.csv``."""
    name = path.name
    return ArchiveEntry(name[:-4], path, read_csv) if name.endswith(".csv") else None


def read_csv(path: AnyPath) -> Series:
    """Read a plain CSV file; `load_series` documents the roles of its columns."""
    import pandas as pd

    text = read_text(path)
    if not text.strip():
        raise ValueError(f"{path.name} is empty")
    first_line = next(csv.reader(io.StringIO(text)))
    has_header = not any(_is_number(field) for field in first_line)
    try:
        frame = pd.read_csv(io.StringIO(text), header=None, skiprows=int(has_header))
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise ValueError(f"{path.name} is not a CSV file: {error}") from None
    n_columns = frame.shape[1]
    if has_header and len(first_line) != n_columns:
        raise ValueError(
            f"{path.name}: the header has {len(first_line)} names for {n_columns} "
            "columns"
        )
    names = (
        [field.strip() for field in first_line]
        if has_header
        else [f"channel_{column}" for column in range(n_columns)]
    )

    time_column = label_column = None
    for column, name in enumerate(names):
        if name.lower() in _LABEL_NAMES:
            label_column = column
        elif time_column is None and (
            name.lower() in _TIME_NAMES or _is_time(frame[column])
        ):
            time_column = column
    channels = [
        column
        for column in range(n_columns)
        if column not in (time_column, label_column)
    ]
    if not channels:
        raise ValueError(f"{path.name} has no column of values, only {names}")
    return Series(
        np.column_stack([_numbers(frame[c], names[c], path) for c in channels]),
        np.zeros(len(frame), dtype=np.int64)
        if label_column is None
        else _numbers(frame[label_column], names[label_column], path),
        0,
        path.name.rsplit(".", 1)[0],
        tuple(names[column] for column in channels),
        None if time_column is None else _times(frame[time_column], path),
    )


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _is_time(column: pd.Series) -> bool:
    """Whether a column is text whose first entry can be parsed as a time."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return False
    try:
        pd.Timestamp(column.iloc[0])
    except (TypeError, ValueError):
        return False
    return True


def _times(column: pd.Series, path: AnyPath) -> np.ndarray:
    """Convert text to datetime64 (UTC where a zone is given); keep numbers."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy()
    try:
        times = pd.to_datetime(column)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    if times.dt.tz is not None:
        times = times.dt.tz_convert(None)
    return times.to_numpy()


def _numbers(column: pd.Series, name: str, path: AnyPath) -> np.ndarray:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    invalid = column[numbers.isna() & column.notna()]
    if len(invalid):
        raise ValueError(
            f"{path.name}: column {name!r} must be numeric, got {invalid.iloc[0]!r} "
            f"in row {invalid.index[0]}"
        )
    return numbers.to_numpy(dtype=float)
