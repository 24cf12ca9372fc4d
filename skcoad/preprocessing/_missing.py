"""Missing values: where they are, and something to stand in for them.

A gap is first bridged by a straight line, so that every computation has a number to
work with. With references what stands there has no influence: they come from
subsequences without gaps (unless there is none), a point that is missing takes the
value of its reference before anything is compared with it, its patch is hidden from the
reconstruction, and it adds nothing to the error. Without references the classifier sees
the bridge, and the points beside a gap may score higher for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_MISSING", "bridge_gaps"]

MAX_MISSING = 0.5  # share of a channel of the training series


def bridge_gaps(x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Replace NaN by a straight line between the neighbours.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        One channel.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        Before the first and after the last value the nearest one is repeated; all
        zero if every value is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import bridge_gaps
    >>> bridge_gaps(np.array([np.nan, 1.0, np.nan, 3.0]))
    array([1., 1., 2., 3.])
    """
    bridged: NDArray[np.float64] = np.array(x, dtype=np.float64)
    missing = np.isnan(bridged)
    if missing.all():
        return np.zeros_like(bridged)
    if missing.any():
        known = np.flatnonzero(~missing)
        # Halves, whose differences cannot overflow.
        bridged[missing] = 2 * np.interp(
            np.flatnonzero(missing), known, bridged[known] / 2
        )
    return bridged
