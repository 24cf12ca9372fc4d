"""The training series without its gross outliers, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skcoad._typing import FloatArray
from skcoad._warnings import warn_user
from skcoad.preprocessing import mask_gross_outliers
from skcoad.preprocessing._missing_fraction import check_missing_fraction

__all__ = ["without_gross_outliers"]

MAX_NAMED = 3  # in a warning


def without_gross_outliers(
    X: FloatArray, names: Sequence[Any], interval: float | None = None
) -> FloatArray:
    """Make gross outliers of a training series missing values.

    Warns of exact values that come more than once: they may be data after all, and if
    they say that there is no value, they should say so in what is scored, too.

    Parameters
    ----------
    X : ndarray of shape (n_timestamps, n_channels)
        The training series; NaN is missing.
    names : sequence of length n_channels
        Of the channels.
    interval : float, default=None
        Seconds between rows that have times; an error names it.

    Returns
    -------
    ndarray of shape (n_timestamps, n_channels)
        `X` itself if it has none.

    Raises
    ------
    ValueError
        If more than half of a channel is missing, of itself or with them.
    """
    check_missing_fraction(X, names, interval)
    normal = mask_gross_outliers(X)
    if normal is X:
        return X
    codes = [
        f"{count} training rows of channel {names[channel]} are exactly {value:.6g}"
        for channel, gross in enumerate((np.isnan(normal) & ~np.isnan(X)).T)
        for value, count in zip(
            *np.unique(X[gross, channel], return_counts=True), strict=True
        )
        if count > 1
    ]
    if codes:
        more = f", and {len(codes) - MAX_NAMED} more" if codes[MAX_NAMED:] else ""
        warn_user(
            f"{', '.join(codes[:MAX_NAMED])}{more}, far from all other values: taken "
            "as missing. In what is scored they are anomalies, unless replaced by NaN",
            UserWarning,
        )
    check_missing_fraction(normal, names, interval)
    return normal
