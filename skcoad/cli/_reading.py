"""Reading the series of a command: its options, and what was recognised."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skcoad._text import list_text
from skcoad._time import time_text

if TYPE_CHECKING:
    from skcoad.datasets import Series

STANDARD_INPUT = Path("-")
# Options of a table, by the names that they have as arguments of `load_series`.
TABLE_OPTIONS = (
    "sep",
    "decimal",
    "sheet",
    "dayfirst",
    "time_column",
    "drop_non_numeric",
    "resample",
)


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that reads one series."""
    parser.add_argument(
        "file",
        type=Path,
        help="the series; - reads a table from standard input; of a folder, a zip "
        "file of several, a quoted pattern such as 'site*/*.csv' or a table with the "
        "columns unique_id and ds, every series is fitted and searched by itself",
    )
    parser.add_argument(
        "--train",
        metavar="PART",
        help="fit on the first part, and search the rest for anomalies: a number of "
        "timestamps (5000), a share (0.3 or 30%%), or the time at which the rest "
        "begins (2024-03-01 or 01.03.2024, in the zone of the series; see "
        "--dayfirst); 0: fit on and search all "
        "(default: as the file's name says, otherwise 0)",
    )
    parser.add_argument(
        "--column",
        action="append",
        metavar="NAME",
        help="use only this column; may be repeated (default: all columns except "
        "times and labels)",
    )
    group = parser.add_argument_group("how to read a table, where it is not recognised")
    group.add_argument(
        "--sep",
        metavar="CHARACTER",
        help="what separates the fields; tab and space are words for these",
    )
    group.add_argument(
        "--decimal", choices=(".", ","), help="decimal mark of the numbers"
    )
    group.add_argument(
        "--sheet",
        metavar="NAME",
        help="sheet of an Excel file (default: the first in which there is a table)",
    )
    group.add_argument(
        "--dayfirst",
        action=argparse.BooleanOptionalAction,
        help="whether 01/02/2024 is 1 February",
    )
    group.add_argument(
        "--time-column",
        action="append",
        metavar="NAME",
        help="column of the time; given twice: of the date and of the time of day",
    )
    group.add_argument(
        "--drop-non-numeric",
        action="store_true",
        default=None,
        help="leave out columns of text, as --column does",
    )
    group.add_argument(
        "--resample",
        metavar="SPACING",
        help="average the rows of each interval, such as 10s, 1min, 1D or 1MS "
        "(months); a number if the times are numbers",
    )


def read_series(arguments: argparse.Namespace) -> Series:
    """Read the series that the arguments of `add_reading_arguments` name.

    Parameters
    ----------
    arguments : Namespace
        The arguments; the training part as `training_part` gives it.

    Returns
    -------
    series : Series
        With the columns and the training part that were asked for.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the series cannot be read, or the arguments do not fit it.
    """
    from skcoad.datasets import load_series, n_training_rows

    is_file = arguments.file != STANDARD_INPUT
    source = arguments.file if is_file else sys.stdin.buffer
    series = load_series(source, **reading_options(arguments))
    n_rows = n_training_rows(series, arguments.train)
    return replace(series, train_length=n_rows)


def reading_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options of `load_series` that were given as arguments."""
    options = {name: getattr(arguments, name) for name in TABLE_OPTIONS}
    options["columns"] = arguments.column
    return {name: value for name, value in options.items() if value is not None}


def describe(series: Series) -> str:
    """Say in one line what was recognised.

    Examples
    --------
    >>> from skcoad.cli._reading import describe
    >>> from skcoad.datasets import Series
    >>> describe(Series([1.0, 2.0], [0, 0], 0, "pump", ["flow"]))
    'pump: 2 timestamps of flow'
    """
    from skcoad.datasets._series import unobserved_channels

    times = series.timestamps
    names = ", ".join(series.channel_names)
    what = f"{series.name}: {len(series.values)} timestamps of {names}"
    if times is not None:
        first, last = (time_text(times[row], series.timezone) for row in (0, -1))
        what += f"; from {first} to {last}"
    empty = unobserved_channels(series)
    if empty:
        all_are = len(empty) == len(series.channel_names)
        what += f"; empty: {'every column' if all_are else list_text(empty)}"
    return "; ".join([what, *series.notes])


def training_part(text: str | None, dayfirst: bool | None) -> Any:
    """Read the argument of ``--train``.

    Parameters
    ----------
    text : str or None
        The argument; None if there is none.
    dayfirst : bool or None
        Whether ``01/02/2024`` is 1 February.

    Returns
    -------
    int, float, datetime or None
        A count, a share, or a time.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return _time(text, dayfirst)
    if 0 <= share <= 1:
        return share
    raise ValueError(f"--train: a share is between 0 and 1, got {text}")


def _time(text: str, dayfirst: bool | None) -> datetime:
    from skcoad.datasets._times import is_time
    from skcoad.datasets._training import read_time

    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if not is_time(text):
        raise ValueError(
            "--train is a number of timestamps, a share such as 0.3 or 30%, or a time "
            f"such as 2024-03-01 or 2024-03-01T12:00, got {text!r}"
        )
    try:
        time: datetime = read_time(text, dayfirst).to_pydatetime()
    except ValueError as error:
        raise ValueError(f"--train: {error}") from None
    return time
