"""The dialect of a text table: separator, header, units, comments, decimal mark."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from skcoad.datasets._fields import COMMENT, COMMENT_LINE, SPACES, Row, split_lines
from skcoad.datasets._header import find_header, is_numeric_header
from skcoad.datasets._numbers import Marks, agreed_marks, is_missing, is_number
from skcoad.datasets._times import is_time, is_time_name

_SEPARATORS = (";", "\t", ",", "|", SPACES)
_SEPARATOR_NAMES = {"tab": "\t", r"\t": "\t", "space": SPACES, " ": SPACES}
_SAMPLE = 200  # lines, comments apart, that show the separator and the header
_MARGIN = 0.02  # by which a separator must be better than one that is more usual
_MOSTLY = 0.9  # of the characters are numbers and times, or the separator is doubtful
_SAMPLE_CELLS = 2000  # of a line: a series in one line is no table
_MARKS_SAMPLE = 2**20  # characters that usually show the decimal mark


class NoTableError(ValueError):
    """Text without a line of numbers or times."""


class Dialect(NamedTuple):
    """How to read a text table.

    Attributes
    ----------
    separator : str
        One character, or `SPACES`.
    names : tuple of str or None
        The header, one name for each column; None if there is none.
    body : str
        The rows after the header, without comments.
    n_columns : int
        Number of fields in a row.
    marks : Marks
        Decimal mark and thousands separator.
    skipped : tuple of str
        Lines before the data that are neither header nor comment, such as units.
    """

    separator: str
    names: tuple[str, ...] | None
    body: str
    n_columns: int
    marks: Marks
    skipped: tuple[str, ...]


def find_dialect(
    text: str, name: str, separator: str | None = None, decimal: str | None = None
) -> Dialect:
    r"""Find the dialect of a text table.

    Parameters
    ----------
    text : str
        The whole table, with ``"\n"`` for line ends.
    name : str
        What to call it in an error.
    separator, decimal : str, default=None
        What is known already.

    Returns
    -------
    dialect : Dialect
        With the part of the text that holds the rows.

    Raises
    ------
    NoTableError
        If no line has numbers or times.
    ValueError
        If it is no table for another reason, or its decimal mark cannot be told.
    """
    if stated := re.match(r'"?sep=(.)"?[ ]*\n', text, re.IGNORECASE):
        text = text[stated.end() :]
        separator = separator or stated[1]
    text = text.rstrip(" \n")  # a tab may end a row
    if not text.strip():
        raise ValueError(f"{name} is empty")
    separator = _SEPARATOR_NAMES.get(separator or "", separator)
    if separator is not None and len(separator) > 1 and separator != SPACES:
        raise ValueError(f"a separator is one character, got {separator!r}")
    try:
        separator = separator or _find_separator(text, decimal)
        lines = list(_records(text, separator))
    except ValueError as error:
        raise ValueError(f"{name} is not a CSV file: {error}") from None
    kinds = _column_kinds([cells for _, cells in lines])
    n_columns = len(kinds)
    start = next(
        (i for i, (_, cells) in enumerate(lines) if _is_data(cells, kinds)), None
    )
    if start is None:
        raise NoTableError(
            f"{name} is not a CSV file: no line has numbers or times in its fields"
        )
    above = [cells for _, cells in lines[:start]]
    names, skipped = find_header(above, kinds, separator, name)
    if n_columns > 1 and ("time" in kinds or any(map(is_time_name, names or ()))):
        text = _without_empty_rows_at_the_end(text, separator)
    if names is None and is_numeric_header([cells for _, cells in lines[start:]]):
        names = tuple(cell.strip() for cell in lines[start][1])
        start += 1
    first_line = lines[start - 1][0] if start else 0
    body = _without_lines(text, first_line)
    if COMMENT_LINE.search(body):
        body = COMMENT_LINE.sub("", body)
    _check_widths(body, separator, n_columns, name)
    # The beginning usually shows it.
    samples = (
        split_lines(sample.split("\n"), separator)
        for sample in (body[:_MARKS_SAMPLE], body)
    )
    marks = agreed_marks(samples, decimal, separator, name)
    return Dialect(separator, names, body, n_columns, marks, skipped)


def _records(text: str, separator: str) -> Iterator[tuple[int, Row]]:
    """Yield the first rows, each with the number of lines read so far."""
    lines = _first_lines(text)
    if any(len(line) > csv.field_size_limit() for line in lines):
        raise ValueError(
            f"a line has more than {csv.field_size_limit()} characters; a table has a "
            "line for each timestamp"
        )
    n_read = 0

    def counted() -> Iterator[str]:
        nonlocal n_read
        for line in lines:
            n_read += 1
            yield line

    for cells in split_lines(counted(), separator):
        yield n_read, cells


def _first_lines(text: str) -> list[str]:
    lines: list[str] = []
    start = n_rows = 0
    while n_rows < _SAMPLE and start < len(text):
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        lines.append(text[start:stop])
        n_rows += COMMENT.match(lines[-1]) is None
        start = stop + 1
    return lines


def _find_separator(text: str, decimal: str | None) -> str:
    """The separator that gives rows of one length, of numbers and times."""
    best, best_share = "," if decimal != "," else ";", 0.0
    for separator in _SEPARATORS:
        if separator == decimal and '"' not in text:
            continue
        if separator != SPACES and separator not in text[:_MARKS_SAMPLE]:
            continue
        rows = _later_half([cells for _, cells in _records(text, separator)])
        if not rows:
            continue
        width, count = Counter(map(len, rows)).most_common(1)[0]
        if width < 2 or count < 0.9 * len(rows):
            continue
        cells = [c for row in rows if len(row) == width for c in row[:_SAMPLE_CELLS]]
        # By characters: a separator within words or times makes many fields of one.
        n_known = sum(len(cell) for cell in cells if _kind(cell) != "text")
        share = n_known / max(1, sum(map(len, cells)))
        if share > best_share + _MARGIN:
            best, best_share = separator, share
    if best == SPACES and best_share < _MOSTLY:
        return _separator_of_header(text, decimal) or best
    return best


def _separator_of_header(text: str, decimal: str | None) -> str | None:
    """The character that splits header and rows alike, where white space does not.

    Within a time that is not recognised there may be spaces.
    """
    widths: dict[str, list[int]] = {}
    for separator in _SEPARATORS:
        rows = [cells for _, cells in _records(text, separator)]
        rows = [cells for cells in rows if cells and not COMMENT.match(cells[0])]
        widths[separator] = [len(cells) for cells in rows]
    header, *others = widths.pop(SPACES)
    if not others or header == others[-1]:
        return None
    alike = (
        separator
        for separator, (first, *rest) in widths.items()
        if separator != decimal and first > 1 and set(rest) == {first}
    )
    return next(alike, None)


def _later_half(rows: Sequence[Row]) -> list[Row]:
    """Rows that are data for certain, if there are any: the later ones."""
    rows = [row for row in rows if row and not COMMENT.match(row[0])]
    return list(rows[len(rows) // 2 :])


def _kind(cell: str) -> str:
    if is_missing(cell):
        return "missing"
    if is_number(cell):
        return "number"
    return "time" if is_time(cell) else "text"


def _column_kinds(rows: Sequence[Row]) -> list[str]:
    """What most of the later cells of each column are."""
    later = _later_half(rows)
    if not later:
        return ["text"]
    width = Counter(map(len, later)).most_common(1)[0][0]
    kinds = []
    for column in range(width):
        counts = Counter(_kind(row[column]) for row in later if len(row) == width)
        del counts["missing"]
        kinds.append(counts.most_common(1)[0][0] if counts else "missing")
    return kinds


def _is_data(cells: Row, kinds: Sequence[str]) -> bool:
    """Whether a row looks like the later rows, rather than like a header."""
    if len(cells) != len(kinds) or COMMENT.match(cells[0]):
        # An empty line is an empty field where there is only one.
        return False
    pairs = [(_kind(cell), kind) for cell, kind in zip(cells, kinds, strict=True)]
    times = [own for own, kind in pairs if kind == "time"]
    numbers = [own for own, kind in pairs if kind == "number"]
    if times and ("time" in times or "text" in times):
        return "time" in times
    if len(pairs) == 1 and numbers == ["missing"]:
        return True
    return "number" in numbers and "text" not in numbers


def _without_empty_rows_at_the_end(text: str, separator: str) -> str:
    """Cut off lines of separators alone, as spreadsheets leave them."""
    marks = '\n\t "' + ("" if separator == SPACES else separator)
    stop = len(text)
    while (start := text.rfind("\n", 0, stop)) >= 0:
        if text[start:stop].strip(marks):
            break
        stop = start
    return text[:stop]


def _without_lines(text: str, n_lines: int) -> str:
    start = 0
    for _ in range(n_lines):
        start = text.index("\n", start) + 1
    return text[start:]


def _check_widths(body: str, separator: str, n_columns: int, name: str) -> None:
    """Raise ValueError for the first row with another number of fields."""
    if separator != SPACES and '"' not in body:  # the quick way
        lines = body.split("\n")
        widths = [line.count(separator) + 1 if line.strip() else 0 for line in lines]
    else:
        try:
            widths = list(map(len, split_lines(body.split("\n"), separator)))
        except ValueError as error:
            raise ValueError(f"{name} is not a CSV file: {error}") from None
    for row, width in enumerate(width for width in widths if width):
        if width != n_columns:
            raise ValueError(
                f"{name} is not a CSV file: row {row} has {width} fields instead of "
                f"{n_columns}"
            )
