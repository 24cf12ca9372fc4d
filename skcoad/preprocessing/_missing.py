"""Missing values: how many are allowed, and what stands in for them.

A run of missing values is first interpolated linearly, so that every computation has a
number to work with. With neighbours the interpolated values have no influence: indexed
subsequences are complete (unless none is), a missing value is imputed from the nearest
neighbour before anything is compared with it, its patch is masked in the
reconstruction, and it adds nothing to the error. Without neighbours the classifier sees
the interpolated values, and timestamps beside a run may score higher for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skcoad._typing import FloatArray

__all__ = ["MAX_MISSING", "check_missing_fraction", "interpolate_missing"]

MAX_MISSING = 0.5  # fraction of a channel of the training series


def interpolate_missing(
    x: FloatArray, longest: int | None = None, center: float = 0.0
) -> NDArray[np.float64]:
    """Replace NaN by linear interpolation between the observed values.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        One channel.
    longest : int or None, default=None
        Longest run that is interpolated, at least 1. In a longer one an observed value
        is repeated so often, into the run from either side, and in between stands
        `center`: then no value depends on one that is farther away.
    center : float, default=0.0
        See `longest`.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        Before the first and after the last observed value the nearest one is repeated,
        all the way unless `longest` is given; all `center` if every value is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import interpolate_missing
    >>> interpolate_missing(np.array([np.nan, 1.0, np.nan, 3.0]))
    array([1., 1., 2., 3.])
    """
    filled: NDArray[np.float64] = np.array(x, dtype=np.float64)
    missing = np.isnan(filled)
    if missing.all():
        return np.full_like(filled, center)
    if missing.any():
        observed, unknown = np.flatnonzero(~missing), np.flatnonzero(missing)
        # Halves, whose differences cannot overflow.
        filled[missing] = 2 * np.interp(unknown, observed, filled[observed] / 2)
        if longest is not None:
            _limit_runs(filled, observed, unknown, longest, center)
    return filled


def _limit_runs(
    filled: NDArray[np.float64],
    observed: NDArray[np.intp],
    unknown: NDArray[np.intp],
    longest: int,
    center: float,
) -> None:
    """Make no interpolated value depend on one that is more than `longest` away."""
    after = np.searchsorted(observed, unknown)
    n = len(filled)
    # Beyond the ends of the series there is no observed value.
    previous = np.concatenate([observed, [-n]])[after - 1]
    following = np.concatenate([observed, [2 * n]])[after]
    long = following - previous - 1 > longest
    unknown, previous, following = unknown[long], previous[long], following[long]
    from_previous, from_following = unknown - previous, following - unknown
    filled[unknown] = center
    # The later value last: a slice that begins within a run knows it alone.
    for near, source in ((from_previous, previous), (from_following, following)):
        reached = (near <= longest) & (source >= 0) & (source < n)
        filled[unknown[reached]] = filled[source[reached]]


def check_missing_fraction(X: FloatArray) -> None:
    """Refuse a training series of which too much is missing.

    Parameters
    ----------
    X : ndarray of shape (n_timestamps, n_channels)
        The training series.

    Raises
    ------
    ValueError
        If more than half of the values of a channel are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing._missing import check_missing_fraction
    >>> check_missing_fraction(np.array([[1.0], [np.nan], [2.0]]))
    """
    fraction = np.isnan(X).mean(axis=0)
    if (fraction > MAX_MISSING).any():
        worst = int(fraction.argmax())
        raise ValueError(
            f"{fraction[worst]:.0%} of the values of channel {worst} are missing; at "
            f"most {MAX_MISSING:.0%} of a training series may be"
        )
