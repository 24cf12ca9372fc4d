"""Which rows of a series come before the part that is searched."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from skcoad._time import time_text
from skcoad.datasets._series import Series

__all__ = ["n_training_rows"]


def n_training_rows(series: Series, train: Any) -> int:
    """Count the rows before the part that is searched.

    Parameters
    ----------
    series : Series
        The series.
    train : int, float, str, datetime or None
        A number of rows; a share, between 0 and 1; the time at which the search begins,
        in UTC if it has no zone; or None for what the series says.

    Returns
    -------
    int
        0 if all is to be searched.

    Raises
    ------
    ValueError
        If `train` is below 0, a share above 1, leaves no row to search, or is a time
        that is not within those of the series.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.datasets import Series, n_training_rows
    >>> days = np.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]")
    >>> series = Series(np.zeros(10), np.zeros(10, int), 0, "pump", timestamps=days)
    >>> [n_training_rows(series, train) for train in (5, 0.2, "2024-01-04")]
    [5, 2, 3]
    """
    if train is None:
        n_rows = series.train_length
    elif isinstance(train, Integral):
        n_rows = int(train)
    elif isinstance(train, Real):
        share = float(train)
        if not 0 <= share <= 1:
            raise ValueError(f"a share is between 0 and 1, got train={train}")
        n_rows = round(share * len(series.values))
    else:
        n_rows = _rows_before(series, train)
    if n_rows < 0:
        raise ValueError(f"train must be at least 0, got {n_rows}")
    if n_rows >= len(series.values):
        raise ValueError(
            f"fitting on the first {n_rows} of {len(series.values)} timestamps leaves "
            "none to search; 0 fits on and searches all"
        )
    return n_rows


def _rows_before(series: Series, time: Any) -> int:
    import pandas as pd

    times = series.timestamps
    if times is None or times.dtype.kind != "M":
        raise ValueError(f"train={time} needs dates, and {series.name} has none")
    limit = pd.Timestamp(time)
    if limit.tz is not None:
        limit = limit.tz_convert(None)
    n_rows = int(np.searchsorted(times, limit.to_datetime64()))
    if n_rows in (0, len(times)):
        first, last = time_text(times[0]), time_text(times[-1])
        raise ValueError(f"train={time} is not between {first} and {last}")
    return n_rows
