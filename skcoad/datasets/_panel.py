"""Many series, from files, frames or arrays; public as part of `skcoad.panel`."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skcoad._time import time_index
from skcoad.datasets._archive import Archive, walk_files
from skcoad.datasets._formats import load_series, open_archive
from skcoad.datasets._frames import library_of, plain_frame, unique_names
from skcoad.datasets._long import read_long
from skcoad.datasets._roles import ID, TIME, find_series_column, several_rows
from skcoad.datasets._series import Series
from skcoad.datasets._table import TableOptions, from_frame, stem
from skcoad.datasets._times import holds_times
from skcoad.io._results import is_results

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Panel", "open_long", "open_panel"]

OF_FILES = ("sep", "sheet")  # options that a parsed table has no use for


@dataclass(frozen=True)
class Panel:
    """Many series, of which only the names are known until one is read.

    Parameters
    ----------
    names : sequence of str
        All different.
    read : callable
        Gives the series at an index of `names`.
    left_out : sequence of str, default=()
        Names of the files in a folder that are no series by their suffix.

    Raises
    ------
    ValueError
        If there is no series, or two have the same name.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.datasets import Series
    >>> from skcoad.panel import Panel
    >>> def read(index):
    ...     return Series(np.arange(5.0) ** index, np.zeros(5), 0, f"power {index}")
    >>> Panel(["power 0", "power 1", "power 2"], read).read(2).values.ravel()
    array([ 0.,  1.,  4.,  9., 16.])
    """

    names: Sequence[str]
    read: Callable[[int], Series]
    left_out: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("the panel has no series")
        name, count = Counter(self.names).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{count} series are named {name!r}")


def open_panel(source: Any, **options: Any) -> Panel:
    """Open the series of a folder, of a frame or of a dict.

    Parameters
    ----------
    source : path-like, DataFrame, mapping, Archive or Panel
        - A folder (searched recursively), a zip file, a file, or a pattern such as
          ``"site*/pump_*.csv"`` (``**`` for any folders), of files that
          :func:`skcoad.datasets.load_series` reads. A series is named by its path below
          the folder, or below the part of the pattern without wildcards, without its
          suffixes, that of a compression included. Of a folder, these are the files
          with a suffix that :func:`skcoad.datasets.open_archive` lists; hidden files,
          whose name or folder begins with a dot, and results of :func:`detect_panel`
          and of benchmarks are left out.
        - A long-format DataFrame of pandas or polars, with the columns ``unique_id``
          and ``ds`` (of pandas also as levels of the index) and one column for each
          channel, such as ``y``: one series for each id, sorted by ``ds``. Also a text,
          JSON or Parquet file of such a table.
        - Any other DataFrame: each column is a series of one channel, unless it holds
          the times.
        - A mapping of names to series: arrays, DataFrames, or
          :class:`skcoad.datasets.Series`.

        Frames of pandas, polars or xarray are read as by
        :func:`skcoad.datasets.from_frame`: times are those of the index or of a column,
        rows are put into time order, missing rows become missing values, and labels are
        no channels. Without times, the labels of a pandas index are kept.
    **options
        How to read files and long-format frames: `columns`, `sep` and the other
        parameters of :func:`skcoad.datasets.load_series`.

    Returns
    -------
    Panel
        Files are read, and frames are cut, when a series is read.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    ValueError
        If there is no series, or two have the same name.
    TypeError
        If the source is none of these, or an option is unknown or not for it.

    Examples
    --------
    >>> import pandas as pd
    >>> from skcoad.panel import open_panel
    >>> frame = pd.DataFrame({"unique_id": ["b", "a", "b"], "ds": [2, 1, 1], "y": 1.0})
    >>> panel = open_panel(frame)
    >>> panel.names, panel.read(0).timestamps
    (('b', 'a'), array([1, 2]))
    """
    if isinstance(source, (str, os.PathLike)):
        table = open_long(source, **options)
        return _open_path(os.fspath(source), options) if table is None else table
    if library_of(source) == "polars" and hasattr(source, "height"):
        source = plain_frame(source)
    is_frame = hasattr(source, "columns") and hasattr(source, "groupby")
    if is_frame:
        source = _with_id_and_time(source)
        if ID in source.columns:
            _check_options(options)
            return _of_long(source, options)
    if options:
        raise TypeError(
            f"{', '.join(options)} are for files and frames with the column {ID!r}, "
            f"got a {type(source).__name__}"
        )
    if isinstance(source, Panel):
        return source
    if isinstance(source, Archive):
        return Panel(source.names, source.__getitem__)
    if isinstance(source, Mapping):
        names, values = tuple(map(str, source)), list(source.values())
        return Panel(names, lambda index: _series(names[index], values[index]))
    if is_frame:
        return _of_wide(source)
    raise TypeError(
        "a panel is a path, a DataFrame of pandas or polars, or a mapping of names to "
        f"series, got {type(source).__name__}"
    )


def open_long(path: str | os.PathLike[str], **options: Any) -> Panel | None:
    """Open a file that is a table of many series, in long format.

    Parameters
    ----------
    path : path-like
        Of any file.
    **options
        As for :func:`open_panel`.

    Returns
    -------
    Panel or None
        None if the file is none.

    Raises
    ------
    ValueError
        If it has the names of that format somewhere, and is no such table.
    """
    _check_options(options)
    found = read_long(Path(path), TableOptions(**options))
    if found is None:
        return None
    frame, notes = found
    return _of_long(frame, options, notes)


def _check_options(options: Mapping[str, Any]) -> None:
    known = [field.name for field in fields(TableOptions)]
    for name in options:
        if name not in known:
            raise TypeError(
                f"there is no option {name!r}; those of files are {', '.join(known)}"
            )
    TableOptions(**options)


def _open_path(path: str, options: Mapping[str, Any]) -> Panel:
    if glob.has_magic(path) and not os.path.exists(path):
        root, pattern = _split_pattern(Path(path))
        files = [file for file in sorted(root.glob(pattern)) if file.is_file()]
        if not _is_hidden(Path(pattern)):
            files = [file for file in files if not _is_hidden(file.relative_to(root))]
        files = [file for file in files if not _is_results(file)]
        if not files:
            raise FileNotFoundError(f"no file matches {path}")
        names = _names(files, root)
        return Panel(names, lambda index: load_series(files[index], **options))
    archive = open_archive(path, **options)
    if not os.path.isdir(path):
        return Panel(archive.names, archive.__getitem__)
    root = Path(path).absolute()
    taken = {
        file: position
        for position, file in enumerate(archive.files)
        if not _is_hidden(file.relative_to(root)) and not _is_results(file)
    }
    positions = list(taken.values())
    others = (
        file.relative_to(root)
        for file in walk_files(root)
        if isinstance(file, Path) and file not in taken
    )
    return Panel(
        _names(taken, root),
        lambda index: archive[positions[index]],
        sorted(file.as_posix() for file in others if not _is_hidden(file)),
    )


def _split_pattern(path: Path) -> tuple[Path, str]:
    """The folder that a pattern begins with, and the rest.

    A folder may be named `run[1]`: what is there is no pattern.
    """
    root, *parts = Path(path.anchor), *path.relative_to(path.anchor).parts
    while len(parts) > 1 and (
        not glob.has_magic(parts[0]) or (root / parts[0]).exists()
    ):
        root /= parts.pop(0)
    return root.absolute(), os.path.join(*parts)


def _is_hidden(file: Path) -> bool:
    return any(part.startswith(".") for part in file.parts)


def _is_results(file: Path) -> bool:
    """Whether a file has results, or is one without any yet."""
    with suppress(OSError):  # reading it says what is wrong
        is_empty = file.suffix.lower() == ".jsonl" and not file.stat().st_size
        return is_empty or is_results(file)
    return False


def _names(files: Iterable[Path], root: Path) -> tuple[str, ...]:
    # Of the path alone: a file that is added later changes no other name.
    named: dict[str, Path] = {}
    for file in files:
        name = file.relative_to(root).with_name(stem(file.name)).as_posix()
        if name in named:
            raise ValueError(
                f"{named[name].name} and {file.name} would both be named {name!r}: "
                "choose one of them by a pattern, such as "
                f"{os.fspath(root / '**' / ('*' + file.suffix))!r}"
            )
        named[name] = file
    return tuple(named)


def _with_id_and_time(frame: pd.DataFrame) -> pd.DataFrame:
    """Make columns of the levels of an index that a long-format frame may have."""
    levels = list(frame.index.names)
    if ID in levels or ID in frame.columns:
        own = [n for n in (ID, TIME) if n in levels and n not in frame.columns]
        return frame.reset_index(own) if own else frame
    if len(levels) > 1:
        raise ValueError(
            f"a frame whose index has several levels has {ID!r} and {TIME!r} among "
            f"them, got {levels}; rename them, as frame.rename_axis(index=...) does"
        )
    return frame


def _of_long(
    frame: pd.DataFrame, options: Mapping[str, Any], notes: Sequence[str] = ()
) -> Panel:
    given = options.get("time_column") or TIME
    times = [given] if isinstance(given, str) else list(given)
    options = {k: v for k, v in options.items() if k not in OF_FILES}
    options["time_column"] = times
    frame = frame.set_axis(unique_names(frame.columns), axis=1)
    channels = [column for column in frame.columns if column not in (ID, *times)]
    if not {*times} <= set(frame.columns) or not channels:
        raise ValueError(
            f"a long-format frame has the columns {ID!r}, {TIME!r} and one for each "
            f"channel, got {list(frame.columns)}"
        )
    for asked in options.get("columns") or ():
        if asked not in channels:
            others = ", ".join(map(str, channels))
            raise ValueError(f"there is no column {asked!r}, only {others}")
    if frame[ID].isna().any():
        raise ValueError(f"{int(frame[ID].isna().sum())} rows have no {ID}")
    rows = frame.groupby(ID, sort=False, observed=True).indices
    # In the order of their first rows.
    positions = sorted(rows.values(), key=lambda found: int(found[0]))
    names = tuple(str(frame[ID].iloc[found[0]]) for found in positions)

    def read(index: int) -> Series:
        one = frame.iloc[positions[index]][[*times, *channels]]
        series = from_frame(one, name=names[index], **options)
        return replace(series, notes=(*notes, *series.notes))

    return Panel(names, read)


def _of_wide(frame: pd.DataFrame) -> Panel:
    times = [i for i in range(frame.shape[1]) if holds_times(frame.iloc[:, i])]
    channels = [i for i in range(frame.shape[1]) if i not in times]
    names = tuple(str(frame.columns[i]) for i in channels)
    _check_one_series_a_column(frame, times)

    def read(index: int) -> Series:
        one = frame.iloc[:, [*times, channels[index]]]
        # Whatever its name is, it holds values.
        one = one.set_axis([*one.columns[:-1], "value"], axis=1)
        series = _series(names[index], one)
        return replace(series, channel_names=(names[index],))

    return Panel(names, read)


def _check_one_series_a_column(frame: pd.DataFrame, times: Sequence[int]) -> None:
    """Raise ValueError for a frame in long format whose columns have other names."""
    import pandas as pd

    at: Any = frame.iloc[:, times[0]] if times else frame.index
    if times or time_index(at) is not None:
        others = frame.set_axis(unique_names(frame.columns), axis=1)
        others = others.drop(columns=others.columns[list(times)])
        column = find_series_column(others, pd.Index(at))
        if column is not None:
            raise ValueError(f"a time has {several_rows(column)}")


def _series(name: str, values: Any) -> Series:
    """Make a series of an array or a frame; of a series, one of that name."""
    if isinstance(values, Series):
        return replace(values, name=name)
    if library_of(values) is None:
        if np.ndim(values) == 0:
            raise TypeError(
                "a series is an array, a DataFrame or a skcoad.datasets.Series, got "
                f"{type(values).__name__}"
            )
        return Series(values, np.zeros(len(values), dtype=np.int64), 0, name)
    series = from_frame(values, name=name)
    index: Any = getattr(values, "index", None)
    if not hasattr(index, "dtype"):  # the method of a list, or none
        return series
    if index.dtype.kind == "m" and series.timestamps is not None:  # in seconds now
        durations = np.round(1e9 * series.timestamps).astype("timedelta64[ns]")
        return replace(series, timestamps=durations)
    counts = getattr(index, "start", None) == 0 and getattr(index, "step", None) == 1
    if series.timestamps is not None or counts:
        return series
    return replace(series, timestamps=index.to_numpy())
