"""What stands in for missing values.

A run of missing values is first interpolated linearly, so that every computation has a
number to work with; within a run longer than a period, towards the mean of the channel,
so that its ends know nothing of each other. With neighbours the interpolated values
have no influence: indexed subsequences are complete (unless none is), a missing value
is imputed from the nearest neighbour before anything is compared with it, its patch is
masked in the reconstruction, and it adds nothing to the error. Without neighbours the
classifier sees the interpolated values, and timestamps beside a run may score higher
for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skcoad._typing import FloatArray, IntArray

__all__ = ["in_break", "interpolate_missing"]


def interpolate_missing(x: FloatArray, reach: int | None = None) -> NDArray[np.float64]:
    """Replace NaN by linear interpolation between the observed values.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        One channel.
    reach : int, default=None
        An observed value fades to 0 over so many timestamps, so that longer runs are 0
        in the middle; shorter runs are interpolated as without it.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        Before the first and after the last observed value the nearest one is
        repeated, or fades; all zero if every value is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import interpolate_missing
    >>> interpolate_missing(np.array([np.nan, 1.0, np.nan, 3.0]))
    array([1., 1., 2., 3.])
    >>> interpolate_missing(np.array([4.0, np.nan, np.nan, np.nan, 4.0]), reach=2)
    array([4., 2., 0., 2., 4.])
    """
    filled: NDArray[np.float64] = np.array(x, dtype=np.float64)
    missing = np.isnan(filled)
    if missing.all():
        return np.zeros_like(filled)
    if missing.any():
        observed = np.flatnonzero(~missing)
        if reach is not None:
            filled[missing] = _faded(filled, observed, np.flatnonzero(missing), reach)
            return filled
        # Halves, whose differences cannot overflow.
        filled[missing] = 2 * np.interp(
            np.flatnonzero(missing), observed, filled[observed] / 2
        )
    return filled


def _faded(
    x: FloatArray, observed: IntArray, positions: IntArray, reach: int
) -> FloatArray:
    """Values at missing positions, each the sum of those on either side as they fade.

    Over a shorter run than the reach, both fade over the run: linear interpolation.
    """
    # Before the first and after the last, a 0 that is out of reach.
    ends = np.concatenate([[-reach - 1], observed, [len(x) + reach]])
    values = np.concatenate([[0.0], x[observed], [0.0]])
    i = np.searchsorted(observed, positions)
    left, right = ends[i], ends[i + 1]
    width = np.minimum(right - left, reach)
    before = (1 - (positions - left) / width).clip(min=0) * values[i]
    after = (1 - (right - positions) / width).clip(min=0) * values[i + 1]
    faded: FloatArray = before + after
    return faded


def in_break(X: FloatArray, period: int) -> NDArray[np.bool_]:
    """Tell which rows are in a break: more than a period of rows without any value.

    Parameters
    ----------
    X : ndarray of shape (n_timestamps, n_channels)
        The series; NaN is missing.
    period : int
        Of the series.

    Returns
    -------
    ndarray of shape (n_timestamps,)

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing._missing import in_break
    >>> x = np.array([1.0, np.nan, 2.0, np.nan, np.nan, np.nan, 3.0])
    >>> np.flatnonzero(in_break(x[:, None], period=2))
    array([3, 4, 5])
    """
    runs, _ = ndimage.label(np.isnan(X).all(axis=1))
    lengths = np.bincount(runs)
    lengths[0] = 0  # of rows with values
    is_in_break: NDArray[np.bool_] = (lengths > period)[runs]
    return is_in_break
