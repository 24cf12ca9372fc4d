"""Numbers as tables write them: decimal marks, thousands, missing and bad values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

# What loggers, historians and spreadsheets write where there is no value; lower case.
_MISSING = {
    *("", "-", "--", "---", "----", "*", "?", "."),
    *("na", "n/a", "#na", "#n/a", "nan", "-nan", "nil", "none", "null", "<na>"),
    *("missing", "no data", "nodata", "no sample", "no result", "not available"),
    *("#value!", "#div/0!", "#ref!", "#name?", "#num!", "#null!", "#n/a n/a"),
    *("error", "err", "invalid", "bad", "bad input", "bad data", "bad quality"),
    *("i/o timeout", "comm fail", "calc failed", "scan off", "intf shut"),
    *("not connect", "not connected", "out of serv", "pt created", "configure"),
    *("out of range", "over range", "under range", "shutdown"),
}

# Spaces and apostrophes between groups of three digits are thousands separators.
_SPACES = " '\u00a0\u202f\u2009\u2019"
_SHOWN = 60  # characters
_SIGN = r"[-+\u2212]?"
_EXPONENT = r"(?:[eE][-+]?\d{1,5})?"
_NUMBER = re.compile(
    rf"{_SIGN}(?:\d+[.,]?\d*|[.,]\d+"
    rf"|\d{{1,3}}(?:,\d{{3}})+(?:\.\d*)?|\d{{1,3}}(?:\.\d{{3}})+(?:,\d*)?"
    rf"|\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d*)?){_EXPONENT}"
    rf"|{_SIGN}inf(?:inity)?",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    rf"[-+]?(?:\d+\.?\d*|\.\d+){_EXPONENT}|[-+]?(?:inf|infinity)", re.IGNORECASE
)


class Marks(NamedTuple):
    """The decimal mark of a table, and what separates its thousands."""

    decimal: str = "."
    thousands: str = ","


def is_missing(cell: str) -> bool:
    """Whether a cell holds no value."""
    return cell.strip().lower() in _MISSING


def shorten(cell: object) -> str:
    """A cell as an error shows it."""
    text = repr(cell)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def is_number(cell: str) -> bool:
    """Whether a cell is a number, with any decimal mark."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def agreed_marks(
    samples: Iterable[Iterable[Sequence[str]]],
    decimal: str | None,
    separator: str,
    name: str,
) -> Marks:
    """The marks of the first of several samples of a table that shows them.

    Parameters
    ----------
    samples : iterable of iterables of sequences of str
        Rows, as for `find_marks`.
    decimal, separator
        As for `find_marks`.
    name : str
        What to call the table in an error.

    Returns
    -------
    marks : Marks
        Those that are given, or found.

    Raises
    ------
    ValueError
        If the cells contradict each other, or can be read in two ways.
    """
    for rows in samples:
        try:
            marks = find_marks(rows, decimal, separator)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if marks is not None:
            return marks
    raise ValueError(
        f"{name}: numbers such as 1,234 may have a decimal comma or a thousands "
        "separator; --decimal , or --decimal . (decimal) says which"
    )


def frame_marks(frame: pd.DataFrame, decimal: str | None, name: str) -> Marks:
    """The marks of the numbers that are text in the columns of a frame.

    Raises
    ------
    ValueError
        As from `agreed_marks`.
    """
    texts = [
        dict.fromkeys(cell for cell in frame[column] if isinstance(cell, str))
        for column in frame
        if frame[column].dtype.kind not in "biufcmM"
    ]
    return agreed_marks([zip_longest(*texts, fillvalue="")], decimal, "", name)


def find_marks(
    rows: Iterable[Sequence[str]], decimal: str | None, separator: str
) -> Marks | None:
    """Find the decimal mark from the cells that only one of them can explain.

    ``1,5`` has a decimal comma, ``1,234,567`` and ``1,234.5`` a decimal point;
    ``1,234`` alone may be either. ``1.234`` has a decimal point unless the table shows
    that it has not, or leaves it open: semicolons separate the fields where commas are
    decimal marks, and a column of ``1.234`` and ``567`` looks like whole numbers.

    Parameters
    ----------
    rows : iterable of sequences of str
        Rows of a table; cells that are no numbers are ignored.
    decimal : {".", ","} or None
        The decimal mark, where it is known.
    separator : str
        What separates the fields; empty if nothing does.

    Returns
    -------
    marks : Marks or None
        None if the cells can be read in two ways.

    Raises
    ------
    ValueError
        If some cells can only have a decimal comma and others only a decimal point.
    """
    proofs: dict[str, str] = {}  # mark to a cell that only it explains
    unclear: dict[str, set[int]] = {",": set(), ".": set()}  # columns by mark
    whole: set[int] = set()  # columns with whole numbers below 1,000
    spaced = False
    for column, cell in chain.from_iterable(map(enumerate, rows)):
        text = cell.strip().lstrip("-+\u2212")
        if not _NUMBER.fullmatch(text):
            continue
        stripped = re.sub(rf"(?<=\d)[{_SPACES}](?=\d{{3}})", "", text)
        spaced = spaced or stripped != text
        if stripped.isdigit():
            if len(stripped) <= 3:
                whole.add(column)
            continue
        for mark, other in (",.", ".,"):
            if mark not in stripped:
                continue
            if re.fullmatch(rf"[1-9]\d{{0,2}}\{mark}\d{{3}}", stripped):
                unclear[mark].add(column)
            elif stripped.count(mark) > 1 or (
                other in stripped and stripped.find(mark) < stripped.find(other)
            ):
                proofs.setdefault(other, cell)
            else:
                proofs.setdefault(mark, cell)
    if decimal is None and len(proofs) == 2:
        raise ValueError(
            f"{proofs['.']!r} has a decimal point and {proofs[',']!r} a decimal comma; "
            "--decimal (decimal) says which it is"
        )
    decimal = decimal or next(iter(proofs), None)
    if decimal is None:
        if unclear[","] or (separator == ";" and unclear["."]):
            return None
        if separator != "," and unclear["."] & whole:
            return None
        decimal = "."
    if spaced:
        return Marks(decimal, " ")
    return Marks(decimal, "," if decimal == "." else ".")


def to_floats(column: pd.Series, marks: Marks) -> tuple[NDArray[np.float64], pd.Series]:
    """Convert a column to floats; missing and bad values become NaN.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        Of any type.
    marks : Marks
        For the cells that are text.

    Returns
    -------
    values : ndarray of shape (n_rows,)
        float64.
    invalid : Series
        The cells that are neither a number nor missing; their index is that of the
        rows. If there are any, the values are not to be used.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if pd.api.types.is_bool_dtype(column) or (
        pd.api.types.is_numeric_dtype(column)
        and not pd.api.types.is_complex_dtype(column)
    ):
        return column.to_numpy(dtype=float, na_value=np.nan), column[:0]
    values = np.full(len(column), np.nan)
    valid = np.ones(len(column), dtype=bool)
    cells = column.to_numpy(dtype=object)
    for row in np.flatnonzero(column.notna()):
        number = _to_float(cells[row], marks)
        if number is None:
            valid[row] = False
        else:
            values[row] = number
    return values, column[~valid]


def _to_float(cell: object, marks: Marks) -> float | None:
    from decimal import Decimal

    if isinstance(cell, (bool, int, float, Decimal, np.number, np.bool_)):
        try:
            return float(cell)
        except OverflowError:  # an integer of hundreds of digits
            return None
    if not isinstance(cell, str):
        return None
    if is_missing(cell):
        return np.nan
    text = cell.strip().replace("\u2212", "-")
    group = f"[{_SPACES}]" if marks.thousands == " " else re.escape(marks.thousands)
    if re.fullmatch(rf"[-+]?\d{{1,3}}(?:{group}\d{{3}})+(?:\D.*)?", text):
        text = re.sub(group, "", text)
    if marks.decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    if not _PLAIN.fullmatch(text):
        return None
    number = float(text)
    # Digits that overflow are no measurement, and not the infinity that was written.
    return None if np.isinf(number) and "n" not in text.lower() else number
