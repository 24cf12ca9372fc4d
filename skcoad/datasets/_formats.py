"""Detect the format of a file, and read it."""

from __future__ import annotations

import os
from pathlib import Path

from skcoad.datasets._archive import (
    AnyPath,
    Archive,
    ArchiveEntry,
    find_entries,
    is_single_file,
)
from skcoad.datasets._csv import match_csv, read_csv
from skcoad.datasets._nab import match_nab
from skcoad.datasets._series import Series
from skcoad.datasets._tsb_ad import match_tsb_ad, match_tsb_uad
from skcoad.datasets._ucr import match_ucr


def load_series(path: str | os.PathLike[str]) -> Series:
    r"""Read one series from a file of any supported format.

    The format follows from the file's name: the UCR archive
    (``ID_UCR_Anomaly_NAME_TRAINEND_START_END.txt``, see `load_ucr`), TSB-AD
    (``*_tr_N_1st_N.csv``, see `load_tsb_ad`), TSB-UAD (``*.out``, lines of
    ``value,label``) and NAB (a CSV file near its ``combined_windows.json``, see
    `load_nab`). Anything else is read as plain CSV, comma-separated:

    - The first line is a header unless one of its fields is a number.
    - Timestamps are the first column that is named ``timestamp``, ``time``,
      ``datetime``, ``date`` or ``index``, has no name, or holds dates as text.
    - Labels are the column named ``label``, ``labels``, ``anomaly`` or
      ``is_anomaly``, in either case; without one, all labels are 0.
    - Every other column is a channel and must be numeric. An empty field is NaN.
    - The training part is empty.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    series : Series
        The series.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the path is a folder or a zip file, or the content cannot be read as
        the format requires; the message quotes what was found.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.datasets import load_series
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "pump.csv")
    ...     _ = file.write_text("time,flow,heat\n2020-01-01,1,5\n2020-01-02,2,6\n")
    ...     series = load_series(file)
    >>> series
    Series('pump', 2 timestamps, 2 channel(s), train_length=0, 0 anomalous)
    """
    file = Path(path).absolute()
    if not file.exists():
        raise FileNotFoundError(f"no such file: {path}")
    if not is_single_file(file):
        raise ValueError(
            f"{path} is a folder or a zip file, which may hold many series: "
            "use open_archive"
        )
    entry = _match(file)
    return read_csv(file) if entry is None else entry.read()


def open_archive(path: str | os.PathLike[str]) -> Archive:
    r"""Open all series at a path, in any supported format.

    Parameters
    ----------
    path : path-like
        A folder (searched recursively), a zip file, or one file. Of a folder or zip
        file, the files in a format of `load_series` are included, others are not;
        plain CSV files are those whose name ends in ``.csv``.

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
    ...     _ = Path(folder, "notes.txt").write_text("not a series")
    ...     names = open_archive(folder).names
    >>> names
    ('pump',)
    """
    file = Path(path).absolute()
    if is_single_file(file):
        entry = _match(file)
        return Archive([entry or ArchiveEntry(file.stem, file, read_csv)])
    return find_entries(file, _match, "series of any supported format")


def _match(path: AnyPath) -> ArchiveEntry | None:
    for match in (
        match_ucr,
        match_tsb_ad,
        match_tsb_uad,
        match_nab,
        match_csv,  # last: it matches every .csv
    ):
        if entry := match(path):
            return entry
    return None
