"""The UCR Anomaly Archive, also known as KDD21."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from skcoad.datasets._archive import (
    AnyPath,
    Archive,
    ArchiveEntry,
    find_entries,
    is_single_file,
)
from skcoad.datasets._series import Series
from skcoad.datasets._source import uncompressed_name
from skcoad.datasets._text import read_text

_FILE_NAME = re.compile(r"(\d+_UCR_Anomaly_.+_(\d+)_(\d+)_(\d+))\.txt")


def load_ucr(path: str | os.PathLike[str]) -> Series | Archive:
    """Read series of the UCR Anomaly Archive.

    A file is named ``ID_UCR_Anomaly_NAME_TRAINEND_START_END.txt``. The three
    numbers are 1-based, inclusive positions: the first TRAINEND points are for
    training, and the only anomaly consists of points START to END. The values are
    separated by white space, usually line ends.

    Parameters
    ----------
    path : path-like
        A file, a folder (searched recursively) or the archive's zip file.

    Returns
    -------
    series : Series or Archive
        A `Series` from a file; an `Archive`, which reads each series on access, from
        a folder or a zip file.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the file name or its content is not as above, or a folder or zip file
        holds no such file.

    References
    ----------
    R. Wu and E. Keogh, "Current time series anomaly detection benchmarks are
    flawed and are creating the illusion of progress", IEEE Transactions on
    Knowledge and Data Engineering, 2021.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.datasets import load_ucr
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "001_UCR_Anomaly_example_2_3_4.txt")
    ...     _ = file.write_text("0.5 0.6 9.0 8.0 0.5")
    ...     series = load_ucr(file)
    >>> series.train_length, series.labels
    (2, array([0, 0, 1, 1, 0]))
    """
    if is_single_file(path):
        return read_ucr(Path(path))
    return find_entries(path, match_ucr, "UCR series (ID_UCR_Anomaly_*.txt)")


def match_ucr(path: AnyPath) -> ArchiveEntry | None:
    """Return the entry for a file whose name has the archive's form."""
    match = _FILE_NAME.fullmatch(uncompressed_name(path.name))
    return ArchiveEntry(match[1], path, read_ucr) if match else None


def read_ucr(path: AnyPath) -> Series:
    """Read one file of the archive."""
    match = _FILE_NAME.fullmatch(uncompressed_name(path.name))
    if match is None:
        raise ValueError(
            "a UCR file is named ID_UCR_Anomaly_NAME_TRAINEND_START_END.txt, "
            f"got {path.name!r}"
        )
    train_end, start, end = (int(position) for position in match.groups()[1:])
    fields = read_text(path).split()
    try:
        values = np.array(fields, dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if not 1 <= start <= end <= len(values):
        raise ValueError(
            f"{path.name}: the anomaly, {start} to {end}, is not within the "
            f"{len(values)} values"
        )
    labels = np.zeros(len(values), dtype=np.int64)
    labels[start - 1 : end] = 1
    return Series(values, labels, train_end, match[1])
