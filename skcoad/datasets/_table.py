"""Ordinary tables: from a file or a DataFrame to a series.

Data run downhill: content (`_source`), dialect (`_dialect`), DataFrame (`_frames`),
columns by role (`_roles`), rows at regular times (`_rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

from skcoad._arguments import check_sequence, repeated
from skcoad.datasets._archive import AnyPath, ArchiveEntry
from skcoad.datasets._frames import parse_table, plain_frame
from skcoad.datasets._numbers import Marks, frame_marks
from skcoad.datasets._roles import Columns, assign_roles, several_rows
from skcoad.datasets._rows import to_series
from skcoad.datasets._series import Series, with_columns
from skcoad.datasets._source import decompress, read_bytes, uncompressed_name

if TYPE_CHECKING:
    import pandas as pd

_TEXT = (".csv", ".tsv", ".tab", ".txt", ".dat", ".json", ".jsonl", ".ndjson")
_BINARY = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".parquet", ".pq")


@dataclass(frozen=True)
class TableOptions:
    """What a reader is told about a table; `load_series` documents it."""

    columns: Sequence[str] | None = None

    sep: str | None = None
    decimal: str | None = None
    sheet: str | None = None
    dayfirst: bool | None = None
    time_column: Sequence[str] | str | None = None
    drop_non_numeric: bool = False
    resample: str | None = None

    def __post_init__(self) -> None:
        check_sequence("columns", self.columns)
        for column in repeated(self.columns or ()):
            raise ValueError(f"the column {column!r} is asked for twice")
        given = [] if isinstance(self.time_column, str) else self.time_column or []
        for column in repeated(given):
            raise ValueError(
                f"the time column {column!r} is given twice; two are the date and the "
                "time of day (--time-column, time_column)"
            )
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"a decimal mark is '.' or ',', got {self.decimal!r}")


def match_table(path: AnyPath) -> ArchiveEntry | None:
    """Return the entry for a file with the suffix of a table, perhaps compressed."""
    if not uncompressed_name(path.name).lower().endswith(_TEXT + _BINARY):
        return None
    return ArchiveEntry(stem(path.name), path, read_table)


def read_table(path: AnyPath, options: TableOptions | None = None) -> Series:
    """Read a file of any kind of table; `load_series` documents how."""
    options = options or TableOptions()
    return _to_series(read_columns(path, options), stem(path.name), options)


def read_stream(stream: IO[bytes], options: TableOptions) -> Series:
    """Read a table from a stream, such as standard input."""
    data = stream.read()
    if not isinstance(data, bytes):
        raise ValueError("a stream must be binary, such as sys.stdin.buffer")
    name = getattr(stream, "name", None)
    name = stem(name.rpartition("/")[2]) if isinstance(name, str) else "stream"
    name = name.strip("<>") or "stream"  # sys.stdin.buffer is named "<stdin>"
    columns = _parse_columns(decompress(data, name), name, options)
    return _to_series(columns, name, options)


def read_columns(path: AnyPath, options: TableOptions | None = None) -> Columns:
    """Read a table with its rows as they are in the file."""
    return _parse_columns(read_bytes(path), path.name, options or TableOptions())


def from_frame(
    frame: Any,
    *,
    name: str = "frame",
    columns: Sequence[str] | None = None,
    decimal: str | None = None,
    dayfirst: bool | None = None,
    time_column: Sequence[str] | str | None = None,
    drop_non_numeric: bool = False,
    resample: str | None = None,
) -> Series:
    """Make a series of a DataFrame, as `load_series` does of a file.

    Times are the index, if it holds times, or else the column that does. Rows are put
    into time order, missing rows become missing values, and columns of labels are
    never channels.

    Parameters
    ----------
    frame : DataFrame
        Of pandas or polars; or a Dataset or DataArray of xarray whose only dimension,
        channels aside, is time.
    name : str, default="frame"
        Name of the series.
    columns, decimal, dayfirst, time_column, drop_non_numeric, resample
        As in `load_series`.

    Returns
    -------
    series : Series
        The series, with an empty training part.

    Raises
    ------
    ValueError
        As in `load_series`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skcoad.datasets import from_frame
    >>> days = pd.to_datetime(["2024-01-04", "2024-01-02", "2024-01-01"])
    >>> series = from_frame(pd.DataFrame({"flow": [4.0, 2.0, 1.0]}, index=days))
    >>> series.values.ravel()
    array([ 1.,  2., nan,  4.])
    >>> series.notes
    ('every 1 d', 'newest first, turned around', '1 missing rows are missing values')
    """
    options = TableOptions(
        columns,
        decimal=decimal,
        dayfirst=dayfirst,
        time_column=time_column,
        drop_non_numeric=drop_non_numeric,
        resample=resample,
    )
    plain = plain_frame(frame)
    roles = _columns(plain, name, frame_marks(plain, decimal, name), options)
    return _to_series(roles, name, options)


def _parse_columns(data: bytes, name: str, options: TableOptions) -> Columns:
    frame, marks, notes = parse_table(
        data, name, sep=options.sep, decimal=options.decimal, sheet=options.sheet
    )
    columns = _columns(frame, name, marks, options)
    return replace(columns, notes=(*notes, *columns.notes))


def _columns(
    frame: pd.DataFrame, name: str, marks: Marks, options: TableOptions
) -> Columns:
    given = options.time_column
    return assign_roles(
        frame,
        name,
        marks,
        columns=options.columns,
        dayfirst=options.dayfirst,
        time_column=[given] if isinstance(given, str) else given,
        drop_non_numeric=options.drop_non_numeric,
    )


def _to_series(columns: Columns, name: str, options: TableOptions) -> Series:
    if options.resample is not None and columns.series_column is not None:
        if options.columns is None:
            raise ValueError(
                f"{name}: a time has {several_rows(columns.series_column)}"
            )
        note = f"averaged over the series of column {columns.series_column!r}"
        columns = replace(columns, notes=(*columns.notes, note))
    series = to_series(columns, name, options.resample, options.columns)
    return series if options.columns is None else with_columns(series, options.columns)


def stem(name: str) -> str:
    """A file's name without what says how it is written."""
    name = uncompressed_name(name)
    return name.rpartition(".")[0] or name
