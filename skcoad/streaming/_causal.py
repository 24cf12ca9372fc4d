"""What is known of a series up to now: no value depends on a later one."""

from __future__ import annotations

import numpy as np

from skcoad._typing import BoolArray, FloatArray
from skcoad.neighbors import subsequences

__all__ = ["carry_forward", "trailing_mean"]


def carry_forward(x: FloatArray, missing: BoolArray, reach: int) -> FloatArray:
    """Replace missing values by the last observed one, which fades to 0.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        A series, scaled; NaN where it is missing.
    missing : ndarray of shape (n_timestamps,)
        Which of its values are missing, bool.
    reach : int
        Timestamps until the value has faded.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        The series itself if nothing is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.streaming._causal import carry_forward
    >>> x = np.array([np.nan, 8.0, np.nan, np.nan])
    >>> carry_forward(x, np.isnan(x), reach=4)
    array([0., 8., 6., 4.])
    """
    if not missing.any():
        return x
    now = np.arange(len(x))
    last = np.maximum.accumulate(np.where(missing, -1, now))
    fade = (1 - (now - last) / reach).clip(min=0)
    carried: FloatArray = np.where(last < 0, 0, fade * x[last])
    return carried


def trailing_mean(
    x: FloatArray, missing: BoolArray, width: int, n_last: int
) -> FloatArray:
    """Mean of the newest `width` values at each of the last timestamps.

    Parameters
    ----------
    x, missing : ndarray of shape (n_timestamps,)
        A series of finite values, and which of them do not count, bool.
    width : int
        At least 1; fewer values at the beginning.
    n_last : int
        How many timestamps.

    Returns
    -------
    ndarray of shape (n_last,)
        NaN where no value counts.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.streaming._causal import trailing_mean
    >>> trailing_mean(np.arange(4.0), np.zeros(4, dtype=bool), width=3, n_last=2)
    array([1., 2.])
    """
    n_rows = n_last + width - 1
    x, missing = x[-n_rows:], missing[-n_rows:]
    before = n_rows - len(x)
    if before == 0 and not missing.any():
        mean: FloatArray = np.add.reduce(subsequences(x, width), 1) / width
        return mean
    observed = np.pad(~missing, (before, 0))
    values = np.where(observed, np.pad(x, (before, 0)), 0)
    total = subsequences(values, width).sum(1)
    count = subsequences(observed, width).sum(1)
    mean = np.full(n_last, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean
