"""The Numenta Anomaly Benchmark."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from skcoad._time import time_text
from skcoad.datasets._archive import (
    AnyPath,
    Archive,
    ArchiveEntry,
    find_entries,
    is_single_file,
)
from skcoad.datasets._series import Series
from skcoad.datasets._source import uncompressed_name
from skcoad.datasets._table import read_columns
from skcoad.datasets._text import read_text


def load_nab(path: str | os.PathLike[str]) -> Series | Archive:
    r"""Read series of the Numenta Anomaly Benchmark (NAB) with their windows.

    The values are in ``GROUP/NAME.csv`` (columns ``timestamp`` and ``value``) and
    the anomalies of all files in one ``combined_windows.json``, which is expected
    beside the group's folder or, as in NAB's repository, in the folder ``labels``
    beside the folder of the groups. A point is anomalous when its timestamp lies
    within a window, both ends included. Where the clock was set back, timestamps
    repeat or decrease; they are kept, and detectors take such a series by position.

    The training part is NAB's probationary period, in which detectors are trained
    and not scored: 15 % of the points, at most 750.

    Parameters
    ----------
    path : path-like
        A file of values, or a folder (searched recursively) or zip file with values
        and windows.

    Returns
    -------
    series : Series or Archive
        A `Series` from a file; an `Archive`, which reads each series on access, from
        a folder or a zip file. Series are named ``GROUP/NAME``.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the windows are not found or are no pairs of times, the timestamps of the
        values are no dates, or a folder or zip file holds no series.

    References
    ----------
    A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection algorithms: the
    Numenta Anomaly Benchmark", ICMLA 2015.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.datasets import load_nab
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "group", "load.csv")
    ...     file.parent.mkdir()
    ...     _ = file.write_text("timestamp,value\n2020-01-01,1.0\n2020-01-02,9.0\n")
    ...     windows = '{"group/load.csv": [["2020-01-02", "2020-01-03"]]}'
    ...     _ = Path(folder, "combined_windows.json").write_text(windows)
    ...     series = load_nab(file)
    >>> series.name, series.labels
    ('group/load', array([0, 1]))
    """
    if is_single_file(path):
        # Absolute, so that "nyc_taxi.csv" has parents as well.
        return read_nab(Path(path).absolute())
    folder = Path(path).absolute()
    return find_entries(folder, match_nab, "NAB series with combined_windows.json")


def match_nab(path: AnyPath) -> ArchiveEntry | None:
    """Return the entry for a CSV file that has NAB's windows beside it."""
    if (
        uncompressed_name(path.name).endswith(".csv")
        and _windows_file(path) is not None
    ):
        return ArchiveEntry(_key(path).removesuffix(".csv"), path, read_nab)
    return None


def read_nab(path: AnyPath) -> Series:
    """Read one file of values and its windows."""
    file = _windows_file(path)
    if file is None:
        raise ValueError(f"found no combined_windows.json for {path}")
    text = read_text(file)
    try:
        all_windows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not JSON: {error}") from None
    key = _key(path)
    if not isinstance(all_windows, dict) or key not in all_windows:
        raise ValueError(f"{file} has no windows for {key!r}")
    windows = _windows(file, key, all_windows[key])
    columns = read_columns(path)
    if columns.times is None:
        raise ValueError(f"{path.name}: a NAB file has the columns timestamp and value")
    if columns.times.dtype.kind != "M":
        raise ValueError(
            f"{path.name}: the timestamps of a NAB file must be dates, got "
            f"{time_text(columns.times[0])}"
        )
    labels = np.zeros(len(columns.values), dtype=np.int64)
    for first, last in windows:
        labels[(columns.times >= first) & (columns.times <= last)] = 1
    return Series(
        columns.values,
        labels,
        min(len(labels) * 15 // 100, 750),
        key.removesuffix(".csv"),
        columns.channel_names,
        columns.times,
        timezone=columns.timezone,
    )


def is_beside_windows(path: AnyPath) -> bool:
    """Whether a file is the ``combined_windows.json`` of NAB, or lies beside it."""
    return (cast(AnyPath, path.parent) / "combined_windows.json").is_file()


def _key(path: AnyPath) -> str:
    """Key of a file in NAB's windows."""
    return f"{cast(AnyPath, path.parent).name}/{uncompressed_name(path.name)}"


def _windows(file: AnyPath, key: str, given: Any) -> list[NDArray[Any]]:
    """First and last time of each window of a file of values."""
    windows = []
    for pair in given if isinstance(given, list) else [given]:
        window = np.full(2, np.datetime64("NaT", "us"))
        match pair:
            case [str(), str()]:
                with suppress(ValueError):
                    window = np.array(pair, dtype=window.dtype)
        if np.isnat(window).any():
            raise ValueError(
                f"{file}: a window of {key!r} must be its first and last time, got "
                f"{pair!r:.80}"
            )
        windows.append(window)
    return windows


def _windows_file(path: AnyPath) -> AnyPath | None:
    groups = cast(AnyPath, cast(AnyPath, path.parent).parent)
    for folder in (groups, cast(AnyPath, groups.parent) / "labels"):
        file = folder / "combined_windows.json"
        if file.is_file():
            return file
    return None
