"""The header of a text table: names, and the lines above and below them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from skcoad.datasets._fields import COMMENT, SPACES, Row
from skcoad.datasets._numbers import is_missing
from skcoad.datasets._time_names import is_time_name

Names = tuple[str, ...]


def find_header(
    above: Sequence[Row], kinds: Sequence[str], separator: str, name: str
) -> tuple[Names | None, Names]:
    """Find the header among the lines above the data.

    Parameters
    ----------
    above : sequence of lists of str
        The lines, split into fields.
    kinds : sequence of str
        What the cells of each column are: "number", "time", "text" or "missing".
    separator : str
        What separates the fields.
    name : str
        What to call the table in an error.

    Returns
    -------
    names : tuple of str or None
        One for each column, perhaps empty; None if there is no header.
    skipped : tuple of str
        The other lines, without comments and empty ones.

    Raises
    ------
    ValueError
        If the line above the data has another number of names than the data columns.
    """
    rest = list(above)
    while rest and _is_blank(rest[-1]):
        rest.pop()
    block: list[Row] = []  # the lines with a field for each column, without a gap
    while rest and _is_full(rest[-1], kinds):
        block.insert(0, rest.pop())
    if not block and rest:
        last = rest.pop()
        if COMMENT.match(last[0]):
            block = _commented(last, kinds, separator)
        elif rest and _is_full(rest[-1], kinds):  # units of some columns only
            block = [rest.pop()]
            rest.append(last)
        else:
            block = [_completed(last, kinds, separator, name)]
    skipped = [c for c in rest if not _is_blank(c) and not COMMENT.match(c[0])]
    if not block:
        return None, tuple(map(_line, skipped))
    # Titles above the names and units below them leave fields empty.
    header = max(
        block, key=lambda cells: (any(map(is_time_name, cells)), _n_filled(cells))
    )
    skipped += [cells for cells in block if cells is not header]
    return tuple(" ".join(cell.split()) for cell in header), tuple(map(_line, skipped))


def _n_filled(cells: Row) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _is_blank(cells: Row) -> bool:
    return _n_filled(cells) == 0


def _is_full(cells: Row, kinds: Sequence[str]) -> bool:
    return (
        len(cells) == len(kinds)
        and not _is_blank(cells)
        and not COMMENT.match(cells[0])
    )


def _commented(cells: Row, kinds: Sequence[str], separator: str) -> list[Row]:
    """A header that is a comment, as numpy.savetxt writes it, if it is one."""
    cells = [COMMENT.sub("", cells[0], count=1), *cells[1:]]
    if separator == SPACES and not cells[0]:
        cells = cells[1:]
    return [cells] if len(cells) == len(kinds) == _n_filled(cells) else []


def _completed(cells: Row, kinds: Sequence[str], separator: str, name: str) -> Row:
    """A header with fewer or more names than there are columns."""
    names = list(cells)
    while len(names) > len(kinds) and not names[-1]:
        names.pop()
    if len(names) == len(kinds) - 1:
        if kinds[-1] == "missing":  # each row ends with a separator
            names.append("")
        elif separator != ",":  # R does not name the column of its row names
            names.insert(0, "")
    if len(names) == len(kinds):
        return names
    advice = "; --sep (sep) says what separates the fields"
    if separator == "," and len(names) < len(kinds):
        advice = (
            "; if the comma is a decimal mark, the table needs another separator, or "
            "quotes around its numbers"
        )
    raise ValueError(
        f"{name}: the header has {len(names)} names for {len(kinds)} columns{advice}"
    )


def _line(cells: Row) -> str:
    return ", ".join(cell.strip() for cell in cells if cell.strip())


def is_numeric_header(rows: Sequence[Row]) -> bool:
    """Whether the first row is of whole numbers and no other value is.

    Such as the column numbers that pandas writes.
    """
    first = [cell.strip() for cell in rows[0]]
    if not all(cell.isdigit() for cell in first) or len(set(first)) < len(first):
        return False
    others = [row for row in rows[1:] if len(row) == len(first)]
    cells = [cell for row in others for cell in row if not is_missing(cell)]
    return len(others) > 2 and all(re.search(r"\d[.,]\d", cell) for cell in cells)
