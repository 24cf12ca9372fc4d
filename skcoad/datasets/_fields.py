"""Lines of a text table, split into fields."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

Row = list[str]

LINE = "line"  # name of an index that has the lines of a file, the first of which is 1

SPACES = r"\s+"  # any white space between fields, as pandas writes it
# A spreadsheet's errors begin with # as well.
_COMMENT_START = r"(?:#(?!N/?A|VALUE!|DIV/0!|REF!|NAME\?|NUM!|NULL!)|%|//)"
COMMENT = re.compile(rf"\s*{_COMMENT_START}")
COMMENT_LINE = re.compile(rf"^[ \t]*{_COMMENT_START}.*\n?", re.MULTILINE)
_SPACED_FIELD = re.compile(r'"(?:[^"]|"")*"|[^ \t]+')


def split_lines(lines: Iterable[str], separator: str) -> Iterator[Row]:
    """Split lines into fields; a field in quotes may span lines.

    Raises
    ------
    ValueError
        If a field is longer than any, such as one whose quotes do not end.
    """
    if separator == SPACES:
        yield from map(_split_spaces, lines)
        return
    ended = (line + "\n" for line in lines)
    try:
        yield from csv.reader(ended, delimiter=separator, skipinitialspace=True)
    except csv.Error as error:
        raise ValueError(str(error)) from None


def numbered_rows(lines: Iterable[str], separator: str) -> Iterator[tuple[int, Row]]:
    """Yield each row of `split_lines` with the number of lines read so far."""
    n_read = 0

    def counted() -> Iterator[str]:
        nonlocal n_read
        for line in lines:
            n_read += 1
            yield line

    for cells in split_lines(counted(), separator):
        yield n_read, cells


def place(column: pd.Series, row: int) -> str:
    """Say where a row is: its line, if the table is of text, or its number."""
    return f"{column.index.name or 'row'} {column.index[row]}"


def _split_spaces(line: str) -> Row:
    fields = _SPACED_FIELD.findall(line)
    return [f[1:-1].replace('""', '"') if f.startswith('"') else f for f in fields]
