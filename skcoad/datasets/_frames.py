"""From the content of a file to a DataFrame: text, workbooks, Parquet, JSON lines."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from skcoad.datasets._dialect import NoTableError, find_dialect
from skcoad.datasets._fields import LINE, SPACES
from skcoad.datasets._numbers import Marks, frame_marks
from skcoad.datasets._source import decode, is_workbook
from skcoad.datasets._unpacking import MAX_UNPACKED

if TYPE_CHECKING:
    import pandas as pd

# Of the values of a Parquet file, which is compressed by any factor.
_BYTES_PER_VALUE = 8

Parsed = tuple["pd.DataFrame", Marks, list[str]]


def parse_table(
    data: bytes,
    name: str,
    *,
    sep: str | None = None,
    decimal: str | None = None,
    sheet: str | None = None,
) -> Parsed:
    """Parse the content of a file, of whatever kind it is.

    Parameters
    ----------
    data : bytes
        The content, decompressed.
    name : str
        The file's name, for errors.
    sep : str, default=None
        Separator of a text file, where it is known.
    decimal : str, default=None
        Decimal mark of numbers that are text, where it is known.
    sheet : str, default=None
        Sheet of a workbook; by default the first that has a table.

    Returns
    -------
    frame : DataFrame
        Columns of unique names, those without one are ``channel_0``, ``channel_1``,
        ... but for ``""`` in the first place, which is an index.
    marks : Marks
        How numbers are written in columns that are text.
    notes : list of str
        What was recognised and is not obvious.

    Raises
    ------
    ValueError
        If the content is no table, or pandas lacks a library to read it.
    """
    is_parquet, is_book = data.startswith(b"PAR1"), is_workbook(data)
    is_text = not (is_parquet or is_book)
    text, encoding = decode(data, name) if is_text else ("", "")
    is_json = text.lstrip()[:1] in ("{", "[")
    if sep and (is_json or not is_text):
        raise ValueError(f"{name} is no text table that has a separator")
    if is_book:
        return _parse_workbook(data, name, decimal, sheet)
    if sheet is not None:
        raise ValueError(f"{name} is no workbook that has the sheet {sheet!r}")
    if is_json or is_parquet:
        with _parser_errors(name):
            frame = _parse_json(text) if is_json else _parse_parquet(data)
        return frame, frame_marks(frame, decimal, name), []
    frame, marks, notes = parse_text(text, name, sep, decimal)
    if encoding in ("cp1252", "latin-1"):
        notes.insert(0, "not UTF-8, read as Windows-1252")
    return frame, marks, notes


@contextmanager
def _parser_errors(name: str) -> Iterator[None]:
    """Turn what a library raises for damaged content into a ValueError."""
    try:
        yield
    except ImportError as error:
        raise ValueError(f"{name}: {error}") from None
    except Exception as error:  # whatever its parser stumbles over
        raise ValueError(f"{name} cannot be read: {error}") from None


def parse_text(text: str, name: str, sep: str | None, decimal: str | None) -> Parsed:
    """Parse a text table; see `parse_table`."""
    import pandas as pd

    dialect = find_dialect(text, name, sep, decimal)
    try:
        frame = pd.read_csv(
            io.StringIO(dialect.body),
            sep=dialect.separator,
            header=None,
            names=range(dialect.n_columns),
            index_col=False,
            decimal=dialect.marks.decimal,
            skip_blank_lines=dialect.n_columns > 1,
            skipinitialspace=dialect.separator != SPACES,
            low_memory=False,
        )
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise ValueError(f"{name} is not a CSV file: {error}") from None
    if len(frame) == len(dialect.lines):
        frame.index = pd.Index(dialect.lines, name=LINE)
    notes = [f"skipped: {line}" for line in dialect.skipped]
    notes += dialect.left_out
    if dialect.names is None:
        frame.columns = pd.Index(f"channel_{i}" for i in range(dialect.n_columns))
        return frame, dialect.marks, notes
    # An empty column without a name is but the separator at the end of each line.
    used = [i for i, n in enumerate(dialect.names) if n or not frame[i].isna().all()]
    frame = frame[used]
    frame.columns = pd.Index(unique_names(dialect.names[i] for i in used))
    return frame, dialect.marks, notes


def unique_names(names: Iterable[Any]) -> list[str]:
    """Make names unique by a number, as pandas does, and fill in empty ones.

    Examples
    --------
    >>> from skcoad.datasets._frames import unique_names
    >>> unique_names(["", "flow", "flow", ""])
    ['', 'flow', 'flow.1', 'channel_3']
    """
    given = [str(name) for name in names]
    unique: list[str] = []
    for position, name in enumerate(given):
        name = name or (f"channel_{position}" if position else "")
        number, candidate = 0, name
        while candidate in unique or (number and candidate in given):
            number += 1
            candidate = f"{name}.{number}"
        unique.append(candidate)
    return unique


def _parse_json(text: str) -> pd.DataFrame:
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        content = [json.loads(line) for line in text.split("\n") if line.strip()]
    return plain_frame(_json_frame(content))


def _json_frame(content: Any) -> pd.DataFrame:
    """Make a frame of rows or columns, in any form that pandas writes."""
    import pandas as pd

    if isinstance(content, list):
        if content and all(isinstance(row, list) for row in content):
            names = [f"channel_{i}" for i in range(max(map(len, content)))]
            return pd.DataFrame(content, columns=pd.Index(names))
        if not all(isinstance(row, dict) for row in content):
            raise ValueError("each row of a JSON table is an object with named values")
        return pd.json_normalize(content)  # "flow.mean" for {"flow": {"mean": ...}}
    if content.keys() == {"columns", "index", "data"}:
        return pd.DataFrame(**content)
    values = list(content.values())
    rows = [v for v in values if isinstance(v, list) and v and isinstance(v[0], dict)]
    if len(rows) == 1:  # the others say something about the table
        return _json_frame(rows[0])
    if not any(isinstance(column, (list, dict)) for column in values):
        keys = pd.Index(content)
        if list(keys) != list(map(str, range(len(keys)))) and not _are_times(keys):
            return _json_frame([content])  # a single line
        content = {"channel_0": content}
    elif not all(isinstance(column, (list, dict)) for column in values):
        return _json_frame([content])
    frame = pd.DataFrame(content)
    if _are_times(frame.columns) or _are_numbered_rows(content):
        frame = pd.DataFrame.from_dict(content, orient="index")
    times = _label_times(frame.index)
    return frame if times is None else frame.set_index(times)


def _are_numbered_rows(content: dict[str, Any]) -> bool:
    """Whether numbers lead to rows of named values, rather than names to columns."""
    import pandas as pd

    first, *others = content.values()
    if not isinstance(first, dict) or not all(map(str.isdigit, content)):
        return False
    if any(not isinstance(row, dict) or row.keys() != first.keys() for row in others):
        return False
    return not all(map(str.isdigit, first)) and not _are_times(pd.Index(first))


def _are_times(labels: pd.Index[Any]) -> bool:
    return _label_times(labels) is not None


def _label_times(labels: pd.Index[Any]) -> pd.Index[Any] | None:
    """The times that labels of text are, if they are."""
    import pandas as pd

    from skcoad.datasets._time_numbers import is_epoch
    from skcoad.datasets._times import holds_times, parse_times

    column = pd.Series(labels)
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().all():
        return (
            pd.Index(parse_times(numbers, None).values) if is_epoch(numbers) else None
        )
    return pd.Index(labels) if holds_times(column) else None


def _parse_parquet(data: bytes) -> pd.DataFrame:
    import pandas as pd
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_metadata(io.BytesIO(data))
    n_values = metadata.num_rows * metadata.num_columns
    if n_values * _BYTES_PER_VALUE > MAX_UNPACKED:
        raise ValueError(
            f"{metadata.num_rows} rows of {metadata.num_columns} columns need more "
            f"than {MAX_UNPACKED // 2**20} MiB"
        )
    return plain_frame(pd.read_parquet(io.BytesIO(data)))


def _parse_workbook(
    data: bytes, name: str, decimal: str | None, sheet: str | None
) -> Parsed:
    with _parser_errors(name):
        sheets = {str(title): cells for title, cells in _read_sheets(data).items()}
    if sheet is not None and sheet not in sheets:
        raise ValueError(
            f"{name} has no sheet {sheet!r}, only {', '.join(map(repr, sheets))}"
        )
    filled = [title for title in sheets if not sheets[title].empty]
    for title in filled if sheet is None else [sheet]:
        cells = sheets[title]
        if decimal == ",":  # is that of text, and now of numbers, too
            cells = cells.apply(lambda column: column.map(_with_comma))
        # As text, so that headers, units and bad cells are found as in other tables.
        text = cells.to_csv(index=False, header=False)
        try:
            frame, marks, notes = parse_text(text, f"{name}, {title}", ",", decimal)
        except NoTableError:
            continue
        if len(filled) > 1:
            others = [other for other in filled if other != title]
            notes.insert(0, f"sheet {title}, not {', '.join(others)}")
        return frame.reset_index(drop=True), marks, notes
    raise ValueError(
        f"{name}: no line has numbers or times in its fields, in any of the sheets "
        f"{', '.join(map(repr, [sheet] if sheet else sheets))}"
    )


def _with_comma(cell: Any) -> Any:
    is_number = isinstance(cell, float) and cell == cell
    return str(cell).replace(".", ",") if is_number else cell


def _read_sheets(data: bytes) -> dict[str, pd.DataFrame]:
    """Cells of each sheet, as objects."""
    import pandas as pd

    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
        if size > MAX_UNPACKED:
            raise ValueError(
                f"it is more than {MAX_UNPACKED // 2**20} MiB when unpacked"
            )
    return pd.read_excel(
        io.BytesIO(data), sheet_name=None, header=None, dtype=object, na_values=[]
    )


def library_of(value: Any) -> str | None:
    """Whether a value is a frame of pandas, polars or xarray, or of none."""
    libraries = {base.__module__.partition(".")[0] for base in type(value).__mro__}
    return next(iter(libraries & {"pandas", "polars", "xarray"}), None)


def plain_frame(table: Any) -> pd.DataFrame:
    """Convert a frame of pandas, polars or xarray; an index of times is a column.

    Raises
    ------
    ValueError
        If it is no frame with one row for each timestamp.
    """
    import pandas as pd

    from skcoad.datasets._times import holds_times

    library = library_of(table)
    if library == "polars" and hasattr(table, "height"):
        frame = pd.DataFrame({n: _of_polars(table[n]) for n in table.columns})
    elif library == "polars" and hasattr(table, "to_frame"):
        return plain_frame(table.to_frame())
    elif library == "xarray":
        is_dataset = hasattr(table, "data_vars")
        frame = table = _time_first(table)
        if is_dataset or table.ndim <= 2:
            frame = table.to_dataframe() if is_dataset else table.to_pandas()
    else:
        frame = table
    if isinstance(frame, pd.Series):
        frame = frame.to_frame(frame.name if frame.name is not None else "channel_0")
    if isinstance(frame, pd.DataFrame) and isinstance(frame.index, pd.MultiIndex):
        raise ValueError(
            "a table has one row for each time, got one whose index has the levels "
            f"{list(frame.index.names)}; take one series of it, or make columns of "
            "them, as frame.reset_index() does"
        )
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(
            "a table is a DataFrame of pandas or polars, or of xarray with one "
            f"dimension of time, got {type(table).__name__}"
        )
    index = frame.index
    frame = frame.reset_index(drop=True)
    frame.columns = pd.Index(unique_names(frame.columns))
    times = index.to_series()
    if holds_times(times):
        label = index.name if isinstance(index.name, str) else ""
        frame.insert(0, label, times.reset_index(drop=True), allow_duplicates=True)
        frame.columns = pd.Index(unique_names(frame.columns))
    return frame


def _of_polars(column: Any) -> Any:
    """Values of a column of polars, which numpy would have without their zone."""
    import pandas as pd

    values, zone = column.to_numpy(), getattr(column.dtype, "time_zone", None)
    return (
        values if zone is None else pd.DatetimeIndex(values, tz="UTC").tz_convert(zone)
    )


def _time_first(table: Any) -> Any:
    """Transpose an array of xarray so that its dimension of times is the first."""
    from skcoad.datasets._times import holds_times

    times = [d for d, i in table.indexes.items() if holds_times(i.to_series())]
    return table.transpose(times[0], ...) if len(times) == 1 else table
