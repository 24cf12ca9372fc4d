"""The regular spacing of times, and the rows that are missing between them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skcoad._time import duration_text, time_text
from skcoad._typing import IntArray

__all__ = [
    "MAX_STRETCH",
    "Grid",
    "calendar_grid",
    "find_grid",
    "fixed_grid",
    "mean_interval",
]

Times = NDArray[Any]

MAX_STRETCH = 10  # a grid has at most so many rows for each row given
# A step is off the grid when it is farther than this from a whole number of spacings.
TOLERANCE = 0.25
EXACT = 0.02  # where the smallest step is taken for the spacing
MAX_OFF_GRID = 0.05  # share of steps, or of rows
MIN_FITTED = 20  # rows; of fewer, any lie near some grid
MONTH_LENGTHS = {1: (28, 31), 3: (89, 92), 12: (365, 366)}  # days, by months
DAY = np.timedelta64(1, "D")


class Grid(NamedTuple):
    """Where rows lie on a regular grid of times.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,)
        Increasing positions of the rows on the grid, the first of them 0.
    times : ndarray or pandas.Index of shape (n_grid,)
        The times of the rows, and those of the missing rows in between.
    spacing : str
        In words, such as ``"15 min"`` or ``"1 month"``.
    """

    rows: IntArray
    times: Any
    spacing: str

    @property
    def n_missing(self) -> int:
        """Number of positions without a row."""
        return len(self.times) - len(self.rows)

    @property
    def interval(self) -> float | None:
        """Mean seconds from one position to the next; see :func:`mean_interval`."""
        return mean_interval(self.times)


def find_grid(times: Times) -> Grid:
    """Find the regular grid that increasing times lie on.

    The spacing is the median step, of two in the middle the lower: a fixed duration,
    one or several months, or business days. Where so many rows are missing that this is
    a multiple of it, it is the smallest step. Times may deviate from the grid by a
    fifth of the spacing, in a long series by a quarter, of fewer than 20 rows by an
    eighth, and the clock may drift; the times of the rows stay as they are.

    Parameters
    ----------
    times : ndarray of shape (n_rows,)
        Numbers, datetime64 or timedelta64, strictly increasing.

    Returns
    -------
    grid : Grid
        The positions of the rows, and the times of all positions.

    Raises
    ------
    ValueError
        If there is no such grid, or most of it would be empty; the message says
        between which times.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad._spacing import find_grid
    >>> grid = find_grid(np.array(["2024-01-01", "2024-01-02", "2024-01-04"], "M8[D]"))
    >>> grid.rows, grid.spacing, grid.n_missing
    (array([0, 1, 3]), '1 d', 1)
    """
    return calendar_grid(times) or fixed_grid(times)


def calendar_grid(times: Times) -> Grid | None:
    """Find the grid of months or business days that increasing times lie on.

    Parameters
    ----------
    times : ndarray of shape (n_rows,)
        As in :func:`find_grid`; dates are those of a calendar in the zone of the times.

    Returns
    -------
    grid : Grid or None
        None if there is no such grid.

    Raises
    ------
    ValueError
        If most of it would be empty.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad._spacing import calendar_grid
    >>> calendar_grid(np.array(["2024-01-31", "2024-02-29"], "M8[D]")).spacing
    '1 month'
    """
    if len(times) < 2 or times.dtype.kind != "M":
        return None
    return _months(times) or _business_days(times)


def fixed_grid(times: Times, zone: Any = None) -> Grid:
    """Find the grid of a fixed duration that increasing times lie on.

    Parameters
    ----------
    times : ndarray of shape (n_rows,)
        As in :func:`find_grid`; of dates, in UTC.
    zone : tzinfo or None, default=None
        In which an error shows them.

    Returns
    -------
    grid : Grid
        The positions of the rows, and the times of all positions.

    Raises
    ------
    ValueError
        As in :func:`find_grid`.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad._spacing import fixed_grid
    >>> fixed_grid(np.array([0.0, 0.5, 1.5])).rows
    array([0, 1, 3])
    """
    if len(times) < 2:
        return Grid(np.zeros(len(times), dtype=np.int64), times, "unknown")
    steps = np.diff(times)
    usual = _usual(steps)
    spacing, whole = usual, _whole_steps(steps, usual, TOLERANCE)
    if whole is None:
        # With many rows missing, the usual step can be a multiple of the spacing.
        spacing = steps.min()
        whole = _whole_steps(steps, spacing, EXACT)
    if whole is None:
        # A row may be late and the next one early: their step is off by both.
        spacing, whole = usual, _fitted_steps(times, usual)
    if whole is None:
        worst = int(np.argmax(np.abs(steps / usual - np.rint(steps / usual))))
        raise ValueError(
            "the times have no regular spacing: rows are mostly "
            f"{duration_text(usual)} apart, but {duration_text(steps[worst])} "
            f"between {time_text(times[worst], zone)} and "
            f"{time_text(times[worst + 1], zone)}"
        )
    n_grid = 1 + int(whole.sum())
    _check_stretch(n_grid, duration_text(spacing), times, zone)
    rows = _positions(whole)
    before = np.searchsorted(rows, np.arange(n_grid), side="right") - 1
    ahead = np.arange(n_grid) - rows[before]
    widths = np.append(np.diff(rows), 1)
    gaps = np.append(steps, steps[-1])
    return Grid(
        rows, times[before] + ahead * (gaps / widths)[before], duration_text(spacing)
    )


def _check_stretch(n_grid: int, spacing: str, times: Times, zone: Any = None) -> None:
    """Raise ValueError if most positions of a grid would be empty."""
    if n_grid <= MAX_STRETCH * len(times):
        return
    gap = int(np.argmax(np.diff(times)))
    raise ValueError(
        f"at a spacing of {spacing}, most rows are missing: {len(times)} of {n_grid} "
        f"are there, and between {time_text(times[gap], zone)} and "
        f"{time_text(times[gap + 1], zone)} there is none"
    )


def _whole_steps(steps: Times, spacing: Any, tolerance: float) -> IntArray | None:
    """Steps as multiples of a spacing; None if they are not."""
    ratios = steps / spacing
    whole = np.maximum(np.rint(ratios), 1)
    off = np.abs(ratios - whole) > tolerance
    allowed = MAX_OFF_GRID * len(steps)
    # After a gap, a logger may go on out of phase.
    in_gap = off & (ratios > 2 - tolerance)
    if (off & ~in_gap).sum() > allowed or off.sum() > max(1, allowed):
        return None
    positions: IntArray = whole.astype(np.int64)
    return positions


def _fitted_steps(times: Times, usual: Any) -> IntArray | None:
    """Steps as multiples of the spacing of a fitted grid; None if rows are off it."""
    if len(times) < MIN_FITTED:
        return None
    at = (times - times[0]) / usual
    steps = np.diff(at)
    spacing = steps[np.rint(steps) == 1].mean()  # what is late and early cancels
    whole = np.maximum(np.rint(steps / spacing), 1).astype(np.int64)
    rows = _positions(whole)
    spacing, first = np.polyfit(rows, at, 1)
    off = np.abs(at - first - spacing * rows) > TOLERANCE * spacing
    return whole if off.mean() <= MAX_OFF_GRID else None


def _months(times: Times) -> Grid | None:
    """The grid of times that are a whole number of months apart."""
    days = _usual(np.diff(times)) / DAY
    months = times.astype("M8[M]")
    in_month = times - months
    for n_months, (shortest, longest) in MONTH_LENGTHS.items():
        if not shortest <= days <= longest:
            continue
        numbers = months.astype(np.int64)
        steps = numbers[1:] - numbers[:-1]
        if (steps % n_months).any() or (steps < 1).any():
            return None
        at_end = (times.astype("M8[D]") + DAY).astype("M8[M]") != months
        if (in_month != in_month[0]).any() and not at_end.all():
            return None
        rows, spacing = _positions(steps // n_months), _plural(n_months, "month")
        _check_stretch(int(rows[-1]) + 1, spacing, times)
        grid = months[0] + n_months * np.arange(rows[-1] + 1)
        last_day = (grid + 1).astype("M8[D]") - DAY
        inserted = last_day if at_end.all() else grid + in_month[0]
        filled = inserted.astype(times.dtype)
        filled[rows] = times
        return Grid(rows, filled, spacing)
    return None


def _business_days(times: Times) -> Grid | None:
    """The grid of daily times that leaves out every weekend."""
    steps = np.diff(times)
    days = times.astype("M8[D]")
    is_daily = _usual(steps) == DAY and not (steps % DAY).astype(np.int64).any()
    if not is_daily or not np.is_busday(days).all() or steps.max() == DAY:
        return None
    rows = np.busday_count(days[0], days)
    if rows[-1] == (days[-1] - days[0]) / DAY:  # no weekend in between
        return None
    _check_stretch(int(rows[-1]) + 1, "1 business day", times)
    filled = np.busday_offset(days[0], np.arange(rows[-1] + 1)).astype(times.dtype)
    return Grid(rows, filled + (times[0] - days[0]), "1 business day")


def _usual(steps: Times) -> Any:
    """The median; of an even number, the lower of the two in the middle."""
    return np.sort(steps)[(len(steps) - 1) // 2]


def _positions(steps: IntArray) -> IntArray:
    return np.concatenate([[0], np.cumsum(steps)])


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}" + "s" * (count > 1)


def mean_interval(times: Any) -> float | None:
    """Mean seconds from one time to the next.

    Parameters
    ----------
    times : ndarray or pandas.Index of shape (n_rows,)
        Increasing.

    Returns
    -------
    float or None
        None if these are no times, or fewer than two.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad._spacing import mean_interval
    >>> mean_interval(np.array(["2024-01-01", "2024-01-02", "2024-01-04"], "M8[D]"))
    129600.0
    """
    n_steps = len(times) - 1
    if times.dtype.kind not in "mM" or n_steps < 1:
        return None
    return float((times[-1] - times[0]) / np.timedelta64(1, "s") / n_steps)
