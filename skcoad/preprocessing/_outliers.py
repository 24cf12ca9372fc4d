"""Gross outliers of a training series: error codes and placeholders."""

from __future__ import annotations

import numpy as np

from skcoad._typing import FloatArray
from skcoad.preprocessing._codes import is_error_code
from skcoad.preprocessing._period import dominant_period

__all__ = ["mask_gross_outliers", "normal_dominant_period"]

BULK = 0.9  # fraction of the values whose deviations from the median are ordinary
GROSS = 20.0  # times the largest deviation of the bulk
MAX_GROSS = 0.01  # fraction of the values; more of them are data


def mask_gross_outliers(X: FloatArray) -> FloatArray:
    """Replace gross outliers of a training series by NaN.

    A few values of 65535, -999 or 0 amid others would become mean, scale and period of
    a channel. A value is grossly out of range when it deviates from the median by more
    than 20 times what 90 % of the values do. Where more than 1 % of a channel is, or
    90 % of it is equal, such values are data. But one exact value that occurs again and
    again, farther from zero and all others than five times their range, is an error
    code in less than a quarter of the channel, also beside other codes.

    Parameters
    ----------
    X : ndarray of shape (n_timestamps, n_channels)
        The training series; NaN is missing.

    Returns
    -------
    ndarray of shape (n_timestamps, n_channels)
        `X` itself if there are none, else a copy.

    Raises
    ------
    ValueError
        If `X` is not two-dimensional.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import mask_gross_outliers
    >>> X = np.sin(np.arange(200.0))[:, None]
    >>> X[50] = 65535
    >>> np.flatnonzero(np.isnan(mask_gross_outliers(X)))
    array([50])
    """
    if X.ndim != 2:
        raise ValueError(f"X must be two-dimensional, got shape {X.shape}")
    masked = X
    for channel in range(X.shape[1]):
        x = X[:, channel]
        if np.isnan(x).all():
            continue
        replaced = is_error_code(x)
        if replaced.any():
            x = np.where(replaced, np.nan, x)
        # Halves, whose differences cannot overflow.
        deviation = np.abs(x / 2 - np.nanmedian(x / 2))
        ordinary = np.nanquantile(deviation, BULK)
        with np.errstate(over="ignore", invalid="ignore"):
            gross = deviation > GROSS * ordinary
        if ordinary > 0 and gross.sum() <= MAX_GROSS * len(x):
            replaced |= gross
        if replaced.any():
            if masked is X:
                masked = X.astype(np.float64)
            masked[replaced, channel] = np.nan
    return masked


def normal_dominant_period(X: FloatArray) -> int | None:
    """Dominant period of a series as a detector looks for it: not among error codes.

    Parameters
    ----------
    X : ndarray of shape (n_timestamps, n_channels)
        The series; NaN is missing.

    Returns
    -------
    int or None
        As of :func:`dominant_period`, of what :func:`mask_gross_outliers` leaves.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import dominant_period, normal_dominant_period
    >>> X = np.sin(2 * np.pi * np.arange(1000)[:, None] / 25)
    >>> X[400] = 65535
    >>> dominant_period(X), normal_dominant_period(X)
    (None, 25)
    """
    observed = ~np.isnan(X).all(0)
    if not observed.any():
        return None
    return dominant_period(mask_gross_outliers(X[:, observed]))
