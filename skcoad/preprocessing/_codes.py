"""Error codes of a channel: one exact value, again and again, far from all others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skcoad._typing import FloatArray

__all__ = ["is_error_code"]

MAX_CODES = 0.25  # fraction of the observed values; what is more frequent is a state
MAX_OTHERS = 0.01  # fraction of the values that lie as far out and are no codes
MIN_LEVELS = 10  # different ordinary values; each of fewer is a state, as of a switch
MAX_EQUAL = 0.9  # fraction of the ordinary values; more, and what is rare is an event
# In ranges of the ordinary values, from them and from zero: of a value that occurs more
# often than any of them, and of others, where many values repeat.
FAR = 5.0
FAR_AMONG_REPEATED = 20.0


def is_error_code(x: FloatArray) -> NDArray[np.bool_]:
    """Tell which values of a channel are error codes or placeholders.

    A code is one exact value that occurs at least twice, by five ranges of all ordinary
    values away from them and from zero; by 20 ranges, if it isn't more frequent than
    each of them. Between zero and the ordinary values is where a machine rests, so that
    a placeholder of 0 is no code. Nor is there any in a channel with fewer than 10
    ordinary values, such as a switch, or if 90 % of them are equal, as in rare counts.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        The training values; NaN is missing.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        Less than a quarter of the observed values.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing._codes import is_error_code
    >>> x = 20 + np.sin(np.arange(200.0))
    >>> x[50:60] = -999
    >>> np.flatnonzero(is_error_code(x))
    array([50, 51, 52, 53, 54, 55, 56, 57, 58, 59])
    """
    values, counts = np.unique(x[~np.isnan(x)], return_counts=True)
    return np.isin(x, _codes(values, counts))


def _codes(values: FloatArray, counts: NDArray[np.intp]) -> FloatArray:
    """Codes among different values, in increasing order, and their numbers."""
    none = values[:0]
    if not (counts > 1).any():
        return none
    # Outwards from the median, in halves, whose differences cannot overflow.
    n_observed = counts.sum()
    middle = values[np.searchsorted(counts.cumsum(), n_observed / 2)]
    order = np.argsort(np.abs(values / 2 - middle / 2), kind="stable")
    values, counts = values[order] / 2, counts[order]
    low, high = np.minimum.accumulate(values), np.maximum.accumulate(values)
    width = high - low
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    with np.errstate(over="ignore"):
        # Each value by the range of those before.
        beyond = np.maximum(low[:-1] - values[1:], values[1:] - high[:-1])
        borders = 1 + np.flatnonzero((beyond > FAR * width[:-1]) & (counts[1:] > 1))
        most, n_inside = np.maximum.accumulate(counts), counts.cumsum()
        for border in borders:
            inside = border - 1
            outer, often = values[border:], counts[border:]
            factor = np.where(often > most[inside], FAR, FAR_AMONG_REPEATED)
            beyond = np.maximum(low[inside] - outer, outer - high[inside])
            code = (often > 1) & (beyond > factor * width[inside])
            if (
                code[0]
                and border >= MIN_LEVELS
                and most[inside] < MAX_EQUAL * n_inside[inside]
                and often[code].sum() < MAX_CODES * n_observed
                and often[~code].sum() <= MAX_OTHERS * n_observed
            ):
                codes: FloatArray = outer[code] * 2
                return codes
    return none
