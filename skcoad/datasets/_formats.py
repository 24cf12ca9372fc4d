"""Detect the format of a file, and read it."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from skcoad.datasets._archive import (
    AnyPath,
    Archive,
    ArchiveEntry,
    find_entries,
    is_single_file,
)
from skcoad.datasets._nab import is_beside_windows, match_nab
from skcoad.datasets._series import Series, with_columns
from skcoad.datasets._source import is_workbook_members, member_names
from skcoad.datasets._table import (
    TableOptions,
    match_table,
    read_stream,
    read_table,
    stem,
)
from skcoad.datasets._tsb_ad import match_tsb_ad, match_tsb_uad
from skcoad.datasets._ucr import match_ucr
from skcoad.datasets._unpacking import unpack_errors

# Whatever its suffix: a hidden file, or a text about the others.
_NO_SERIES = re.compile(r"\.|(readme|licen[cs]e)\.", re.IGNORECASE)


def load_series(
    source: str | os.PathLike[str] | IO[bytes],
    *,
    columns: Sequence[str] | None = None,
    sep: str | None = None,
    decimal: str | None = None,
    sheet: str | None = None,
    dayfirst: bool | None = None,
    time_column: Sequence[str] | str | None = None,
    drop_non_numeric: bool = False,
    resample: str | None = None,
) -> Series:
    r"""Read one series from a file of any supported format.

    The format follows from the file's name: the UCR archive
    (``ID_UCR_Anomaly_NAME_TRAINEND_START_END.txt``, see `load_ucr`), TSB-AD
    (``*_tr_N_1st_N.csv``, see `load_tsb_ad`), TSB-UAD (``*.out``, lines of
    ``value,label``) and NAB (a CSV file near its ``combined_windows.json``, see
    `load_nab`). Anything else is read as a table: text with any separator, decimal
    mark and encoding, JSON (lines, or any form that pandas writes), Excel or Parquet
    (``pip install skcoad[tables]``). Each may be compressed: in gzip, bzip2, xz, or
    alone in a zip file.

    - Lines before the header, comments, and lines of units are skipped. There need
      not be a header. Left out, with a note, are the header where it comes again, a
      last line that was cut off, and a footer: up to five lines below the rows that
      have no time where rows have theirs, such as ``Mean;20.5``.
    - Times are the columns of dates or times of day, or the column of numbers that is
      named ``time``, ``timestamp``, ``date``, ``Zeit`` or the like, or columns named
      ``year``, ``month``, ``day`` and so on; without these, a column that counts the
      rows. Numbers are read as time since 1970 or as dates where they can be, and
      under the name of a date (``Date``, ``Datum``, ``Fecha``) as Excel's numbers of
      days. The zone of times is kept (``series.timezone``; ``series.timestamps`` are
      then of UTC): their offset, or UTC where offsets vary, as over the change to
      winter time. A column named ``hour`` or the like, of 0 to 24, is joined with dates
      that repeat.
    - Rows are put into time order. The spacing is the median step, or the smallest
      where so many rows are missing that the median is a multiple of it; missing rows
      become missing values.
    - Labels are all columns whose name says label, anomaly, outlier or changepoint; a
      row is anomalous where one of them is 1 (changepoints count if there are no
      others). Without one, all labels are 0.
    - Columns that number the rows are not used: the index that pandas writes, and
      beside times also ``id``, ``row`` and the like, perhaps with gaps.
    - Every other column is a channel and must be numeric. An empty field is NaN, and
      so are the usual words for no value, such as ``-`` or ``Bad Input``.
    - The training part is empty.

    Parameters
    ----------
    source : path-like or binary file
        The file, or a stream such as ``sys.stdin.buffer``, which is read as a table.
    columns : sequence of str, default=None
        Names of the channels to take; whatever is in the others does not matter, and a
        column is used as labels only if it is of 0 and 1.
    sep : str, default=None
        What separates the fields of a text table: a character, or ``"space"`` for any
        white space; found by default. This and all further parameters are for tables.
    decimal : {".", ","}, default=None
        Decimal mark, also of numbers that are text in JSON, Excel or Parquet; found by
        default, unless all numbers are like ``1,234``.
    sheet : str, default=None
        Sheet of an Excel file; by default the first in which there is a table.
    dayfirst : bool, default=None
        Whether ``01/02/2024`` is 1 February; found by default, if a day is above 12.
    time_column : str or sequence of str, default=None
        Column of the time, or those of date and time of day; found by default, unless
        several columns hold times.
    drop_non_numeric : bool, default=False
        Leave out columns of text instead of refusing the table.
    resample : str, default=None
        Average the rows over intervals, such as ``"1min"`` or ``"1MS"`` (months); for
        numeric times, a number in their unit. Needed where rows have no regular
        spacing, or times are repeated.

    Returns
    -------
    series : Series
        The series; its ``notes`` say what was recognised.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the path is a folder or a zip file of several files, or the content cannot be
        read as the format requires, or only by guessing; the message quotes what was
        found and names the parameter that decides.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.datasets import load_series
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "pump.csv")
    ...     _ = file.write_text("time;flow\n01.02.2024;1,5\n02.02.2024;2,5\n")
    ...     series = load_series(file)
    >>> series
    Series('pump', 2 timestamps, 1 channel(s), train_length=0, 0 anomalous)
    >>> series.timestamps[0].astype("datetime64[D]"), series.values.ravel()
    (np.datetime64('2024-02-01'), array([1.5, 2.5]))
    """
    options = TableOptions(
        columns, sep, decimal, sheet, dayfirst, time_column, drop_non_numeric, resample
    )
    if not isinstance(source, (str, os.PathLike)):
        return read_stream(source, options)
    file = Path(source).absolute()
    if not file.exists():
        raise FileNotFoundError(f"no such file: {source}")
    entry = _single_entry(file)
    if entry is None:
        raise ValueError(
            f"{source} is a folder or a zip file, which may hold many series: "
            "use open_archive"
        )
    return _with_options(entry, options).read()


def open_archive(path: str | os.PathLike[str], **options: Any) -> Archive:
    r"""Open all series at a path, in any supported format.

    Parameters
    ----------
    path : path-like
        A folder (searched recursively), a zip file, or one file. Of a folder or zip
        file, the files in a format of `load_series` are included, others are not.
        Tables are those with a suffix of text (``.csv``, ``.tsv``, ``.tab``, ``.txt``,
        ``.dat``), of JSON (``.json``, ``.jsonl``, ``.ndjson``), of a workbook
        (``.xls``, ``.xlsx``, ``.xlsm``, ``.xlsb``, ``.ods``) or of Parquet
        (``.parquet``, ``.pq``), in upper or lower case, perhaps followed by that of a
        compression (``.gz``, ``.bz2``, ``.xz``, ``.zip``). Files whose name begins with
        a dot are hidden, and not included; nor are those named ``README`` or
        ``LICENSE``.
    **options
        How to read each file: `columns`, `sep` and the other parameters of
        `load_series`.

    Returns
    -------
    archive : Archive
        Each series is read on access.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If no series is found.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.datasets import open_archive
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "pump.csv").write_text("flow,label\n1,0\n2,1\n")
    ...     _ = Path(folder, "notes.md").write_text("not a series")
    ...     names = open_archive(folder).names
    >>> names
    ('pump',)
    """
    how = TableOptions(**options)
    file = Path(path).absolute()
    if file.exists() and (entry := _single_entry(file)):
        return Archive([_with_options(entry, how)])

    def match(file: AnyPath) -> ArchiveEntry | None:
        if _NO_SERIES.match(file.name):
            return None
        if file.name.lower().endswith(".json") and is_beside_windows(file):
            return None
        entry = _match(file)
        return entry and _with_options(entry, how)

    return find_entries(file, match, "series of any supported format")


def _with_options(entry: ArchiveEntry, options: TableOptions) -> ArchiveEntry:
    """An entry that is read as the options say."""

    def read(path: AnyPath) -> Series:
        if entry.reader is read_table:
            return read_table(path, options)
        if replace(options, columns=None) != TableOptions():
            raise ValueError(
                f"{path.name} is a file of a benchmark by its name, and read as such: "
                "sep, decimal, sheet, dayfirst, time_column, drop_non_numeric and "
                "resample are for other tables"
            )
        series = entry.reader(path)
        return (
            series if options.columns is None else with_columns(series, options.columns)
        )

    return replace(entry, reader=read)


def _single_entry(file: Path) -> ArchiveEntry | None:
    """The series of a file of one; None for a folder, and a zip file of several."""
    if file.is_dir():
        return None
    if not file.is_file():
        raise ValueError(
            f"{file} is no regular file; a pipe is read as a stream, such as standard "
            "input"
        )
    if is_single_file(file):
        return _match(file) or ArchiveEntry(stem(file.name), file, read_table)
    with unpack_errors(file), zipfile.ZipFile(file) as archive:
        names = member_names(archive)
    if is_workbook_members(archive.namelist()):
        return ArchiveEntry(stem(file.name), file, read_table)
    if len(names) != 1:
        return None
    member = zipfile.Path(file, names[0])
    return _match(member) or ArchiveEntry(stem(member.name), member, read_table)


def _match(path: AnyPath) -> ArchiveEntry | None:
    for match in (
        match_ucr,
        match_tsb_ad,
        match_tsb_uad,
        match_nab,
        match_table,  # last: it matches every .csv and .txt
    ):
        if entry := match(path):
            return entry
    return None
