"""The rows of a text table, without what exports put between and below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skcoad._text import list_text
from skcoad.datasets._fields import (
    COMMENT_LINE,
    SPACES,
    numbered_rows,
    split_lines,
)
from skcoad.datasets._numbers import shorten
from skcoad.datasets._times import kind_of

LINES_LEFT_OUT = "lines left out"  # begins the notes that say so
_MAX_FOOTER = 5  # lines; more are no footer, but rows that are damaged
_MIN_ROWS = 2  # for each line of a footer, which few rows do not show to be one


class Layout(NamedTuple):
    """What is known of a text table before its rows are looked at.

    Attributes
    ----------
    separator : str
        One character, or `SPACES`.
    kinds : sequence of str
        What the cells of each column are: "number", "time", "text" or "missing".
    time_column : int or None
        Position of the column of times.
    header : slice
        Positions of the lines of the header; empty if there is none.
    is_ended : bool
        Whether the last line has a line end.
    """

    separator: str
    kinds: Sequence[str]
    time_column: int | None
    header: slice
    is_ended: bool


class Body(NamedTuple):
    """The rows of a table.

    Attributes
    ----------
    text : str
        The rows, without comments and without all that is not one.
    lines : ndarray of shape (n_rows,)
        In which line of the table each row begins, the first line being 1.
    notes : tuple of str
        What was left out.
    """

    text: str
    lines: NDArray[np.intp]
    notes: tuple[str, ...]


def find_body(lines: list[str], first: int, layout: Layout) -> Body:
    """Find the rows among the lines of a table.

    Left out are comments, headers that are repeated, as on each page of an export, a
    footer, and a last line that was cut off while it was written.

    Parameters
    ----------
    lines : list of str
        All lines of the table.
    first : int
        Position of the first row.
    layout : Layout
        Of the table.

    Returns
    -------
    body : Body
        Its rows.

    Raises
    ------
    ValueError
        If a row has another number of fields than the table has columns, or no end.
    """
    kept = np.arange(first, len(lines))
    if any(map(COMMENT_LINE.match, lines[first:])):
        comments = [COMMENT_LINE.match(lines[i]) is not None for i in kept]
        kept = kept[~np.array(comments)]
    notes: list[str] = []
    repeated = _repeated_headers(lines, kept, first, layout.header)
    if repeated:
        again = list_text([str(kept[part.start] + 1) for part in repeated])
        notes.append(f"{LINES_LEFT_OUT}, header again: {again}")
        kept = np.delete(kept, np.concatenate([np.r_[part] for part in repeated]))
    if _is_cut_off(lines, kept, layout):
        notes.append(f"{LINES_LEFT_OUT}, cut off: {shorten(lines[kept[-1]])}")
        kept = kept[:-1]
    footer = _footer(lines, kept, layout)
    if footer:
        quoted = ", ".join(shorten(lines[kept[i]]) for i in footer)
        notes.append(f"{LINES_LEFT_OUT}, footer: {quoted}")
        kept = kept[: footer[0]]
    if layout.time_column is not None and len(layout.kinds) > 1:
        while len(kept) and _is_empty_row(lines[kept[-1]], layout.separator):
            kept = kept[:-1]  # as spreadsheets leave them
    rows = [lines[i] for i in kept]
    starts, widths = _widths(rows, layout.separator)
    n_columns = len(layout.kinds)
    wrong = np.flatnonzero((widths != n_columns) & (widths > 0))
    if wrong.size:
        raise ValueError(
            f"line {kept[starts[wrong[0]]] + 1} has {widths[wrong[0]]} fields instead "
            f"of {n_columns}"
        )
    if n_columns > 1:  # an empty line is a missing value where there is one column
        starts = starts[widths > 0]
    return Body("\n".join(rows), kept[starts] + 1, tuple(notes))


def _is_empty_row(line: str, separator: str) -> bool:
    """Whether a line is of separators alone."""
    return not line.strip('\t "' + ("" if separator == SPACES else separator))


def _repeated_headers(
    lines: Sequence[str], kept: NDArray[np.intp], first: int, header: slice
) -> list[slice]:
    """Which of the kept lines are those of the header again, and those below it."""
    n_header, found = header.stop - header.start, []
    if not n_header:
        return []
    head = [x for x in lines[header.start : first] if not COMMENT_LINE.match(x)]
    for start in [i for i, at in enumerate(kept) if lines[at] == head[0]]:
        below = [lines[at] for at in kept[start : start + len(head)]]
        same = [own == line for own, line in zip(head, below, strict=False)]
        n_same = [*same, False].index(False)
        if n_same >= n_header:
            found.append(slice(start, start + n_same))
    return found


def _is_cut_off(lines: Sequence[str], kept: NDArray[np.intp], layout: Layout) -> bool:
    """Whether the last line ends before its last field does."""
    if layout.is_ended or len(kept) < 2 or len(layout.kinds) == 1:
        return False
    last = lines[kept[-1]]
    cells = next(split_lines([last], layout.separator), [])
    if last.count('"') % 2:
        # It may also be the end of a row that began in another line.
        return bool(sum(lines[at].count('"') for at in kept) % 2)
    return 0 < len(cells) < len(layout.kinds)


def _footer(lines: Sequence[str], kept: NDArray[np.intp], layout: Layout) -> list[int]:
    """Positions, among the kept lines, of those below the rows that have no time."""
    found: list[int] = []
    if layout.time_column is None:
        return found
    for position in reversed(range(len(kept))):
        line = lines[kept[position]]
        if _is_empty_row(line, layout.separator):
            continue
        if line.count('"') % 2:  # a part of a row
            break
        cells = next(split_lines([line], layout.separator))
        column = min(layout.time_column, len(cells) - 1)
        if kind_of(cells[column]) in ("missing", layout.kinds[column]):
            break
        found.insert(0, position)
        if len(found) > _MAX_FOOTER:
            return []
    return found if found and found[0] >= _MIN_ROWS * len(found) else []


def _widths(
    rows: Sequence[str], separator: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each record begins, and its number of fields; 0 of an empty line."""
    if separator != SPACES and not any('"' in row for row in rows):  # the quick way
        counts = [row.count(separator) + 1 if row.strip() else 0 for row in rows]
        return np.arange(len(rows)), np.array(counts, dtype=np.intp)
    records = [(n, len(cells)) for n, cells in numbered_rows(rows, separator)]
    stops, widths = np.array(records, dtype=np.intp).reshape(-1, 2).T
    return np.concatenate([[0], stops[:-1]]).astype(np.intp), widths
