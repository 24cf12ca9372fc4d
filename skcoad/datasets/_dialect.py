"""The dialect of a text table: separator, header, units, comments, decimal mark."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skcoad.datasets._body import Layout, find_body
from skcoad.datasets._fields import COMMENT, SPACES, Row, numbered_rows, split_lines
from skcoad.datasets._header import find_header, is_numeric_header
from skcoad.datasets._numbers import Marks, agreed_marks
from skcoad.datasets._time_names import is_time_name
from skcoad.datasets._times import kind_of

_SEPARATORS = (";", "\t", ",", "|", SPACES)
_SEPARATOR_NAMES = {"tab": "\t", r"\t": "\t", "space": SPACES, " ": SPACES}
_SAMPLE = 200  # lines, comments apart, that show the separator and the header
_FEW_LINES = 3
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
    lines : ndarray of shape (n_rows,)
        In which line of the text each row begins, the first line being 1.
    left_out : tuple of str
        What was left out between the rows and below them, in words.
    """

    separator: str
    names: tuple[str, ...] | None
    body: str
    n_columns: int
    marks: Marks
    skipped: tuple[str, ...]
    lines: NDArray[np.intp]
    left_out: tuple[str, ...]


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
        text = "\n" + text[stated.end() :]  # so that lines keep their numbers
        separator = separator or stated[1]
    ended, text = text, text.rstrip(" \n")  # a tab may end a row
    if not text.strip():
        raise ValueError(f"{name} is empty")
    separator = _SEPARATOR_NAMES.get(separator or "", separator)
    if separator is not None and len(separator) > 1 and separator != SPACES:
        raise ValueError(f"a separator is one character, got {separator!r}")
    is_ended = "\n" in ended[len(text) :]
    sample = text if is_ended else _without_last_line(text)
    try:
        separator = separator or _find_separator(sample, decimal)
        lines = list(_records(sample, separator))
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
    if names is None and is_numeric_header([cells for _, cells in lines[start:]]):
        names = tuple(cell.strip() for cell in lines[start][1])
        start += 1
    first, header = lines[start - 1][0] if start else 0, _header_lines(lines, names)
    layout = Layout(
        separator,
        kinds,
        _time_position(kinds, names),
        header,
        is_ended,
    )
    try:
        body, rows, left_out = find_body(text.split("\n"), first, layout)
    except ValueError as error:
        raise ValueError(f"{name} is not a CSV file: {error}") from None
    # The beginning usually shows it.
    samples = (
        split_lines(sample.split("\n"), separator)
        for sample in (body[:_MARKS_SAMPLE], body)
    )
    marks = agreed_marks(samples, decimal, separator, name)
    return Dialect(separator, names, body, n_columns, marks, skipped, rows, left_out)


def _without_last_line(text: str) -> str:
    """Leave out what may be cut off, of a table whose other lines show what it is."""
    return text[: text.rfind("\n")] if text.count("\n") > _FEW_LINES else text


def _records(text: str, separator: str) -> Iterator[tuple[int, Row]]:
    """Yield the first rows, each with the number of lines read so far."""
    lines = _first_lines(text)
    if any(len(line) > csv.field_size_limit() for line in lines):
        raise ValueError(
            f"a line has more than {csv.field_size_limit()} characters; a table has a "
            "line for each timestamp"
        )
    yield from numbered_rows(lines, separator)


def _header_lines(
    records: Sequence[tuple[int, Row]], names: Sequence[str] | None
) -> slice:
    """Positions of the lines of the header, if words are among its names."""
    start = 0
    for stop, cells in records:
        given = [" ".join(cell.split()) for cell in cells if cell.strip()]
        if given == [name for name in names or () if name]:
            is_of_words = any(kind_of(cell) == "text" for cell in given)
            return slice(start, stop if is_of_words else start)
        start = stop
    return slice(0, 0)


def _time_position(kinds: Sequence[str], names: Sequence[str] | None) -> int | None:
    """Position of the first column of times, also of times that are numbers."""
    named = map(is_time_name, names or [""] * len(kinds))
    times = (
        position
        for position, (kind, is_named) in enumerate(zip(kinds, named, strict=True))
        if kind == "time" or (kind == "number" and is_named)
    )
    return next(times, None)


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
        share = _known_share([row for row in rows if len(row) == width])
        if share > best_share + _MARGIN:
            best, best_share = separator, share
    if best == SPACES and best_share < _MOSTLY:
        return _separator_of_header(text, decimal) or best
    return best


def _known_share(rows: Sequence[Row]) -> float:
    """Share of the characters of rows that are in numbers and times.

    By characters: a separator within words or times makes many fields of one. A header
    that is repeated has neither, and does not count.
    """
    n_known = n_all = 0
    for row in rows:
        cells = [(kind_of(cell), len(cell)) for cell in row[:_SAMPLE_CELLS]]
        if any(kind in ("number", "time") for kind, _ in cells):
            n_known += sum(length for kind, length in cells if kind != "text")
            n_all += sum(length for _, length in cells)
    return n_known / max(1, n_all)


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


def _column_kinds(rows: Sequence[Row]) -> list[str]:
    """What most of the later cells of each column are."""
    later = _later_half(rows)
    if not later:
        return ["text"]
    width = Counter(map(len, later)).most_common(1)[0][0]
    kinds = []
    for column in range(width):
        counts = Counter(kind_of(row[column]) for row in later if len(row) == width)
        del counts["missing"]
        kinds.append(counts.most_common(1)[0][0] if counts else "missing")
    return kinds


def _is_data(cells: Row, kinds: Sequence[str]) -> bool:
    """Whether a row looks like the later rows, rather than like a header."""
    if len(cells) != len(kinds) or COMMENT.match(cells[0]):
        # An empty line is an empty field where there is only one.
        return False
    pairs = [(kind_of(cell), kind) for cell, kind in zip(cells, kinds, strict=True)]
    times = [own for own, kind in pairs if kind == "time"]
    numbers = [own for own, kind in pairs if kind == "number"]
    if times and ("time" in times or "text" in times):
        return "time" in times
    if len(pairs) == 1 and numbers == ["missing"]:
        return True
    return "number" in numbers and "text" not in numbers
