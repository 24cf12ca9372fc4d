"""How much of a training series may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skcoad._duration import duration_of
from skcoad._time import duration_text
from skcoad._typing import FloatArray

__all__ = ["check_missing_fraction"]

MAX_MISSING = 0.5  # fraction of a channel of the training series


def check_missing_fraction(
    X: FloatArray, names: Sequence[Any] | None = None, interval: float | None = None
) -> None:
    """Refuse a training series of which too much is missing.

    Parameters
    ----------
    X : ndarray of shape (n_timestamps, n_channels)
        The training series, with a row for each time at which one is missing.
    names : sequence of length n_channels, default=None
        Names of the channels; by default their positions.
    interval : float, default=None
        Seconds from one row to the next, if they have times.

    Raises
    ------
    ValueError
        If more than half of the values of a channel are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing._missing_fraction import check_missing_fraction
    >>> check_missing_fraction(np.array([[1.0], [np.nan], [2.0]]))
    """
    fraction = np.isnan(X).mean(axis=0)
    if (fraction > MAX_MISSING).any():
        worst = int(fraction.argmax())
        name = worst if names is None else names[worst]
        missing = f"{fraction[worst]:.0%} of the values of channel {name!r} are missing"
        limit = f"at most {MAX_MISSING:.0%} of a training series may be"
        if names is not None and len(names) > 1:
            limit += "; --column NAME (columns) says which others to use"
        empty = np.isnan(X).all(axis=1)
        others = np.isnan(X[~empty, worst])
        by_cells = others.sum() > MAX_MISSING * len(others) or empty.all()
        if interval is None or by_cells:
            raise ValueError(f"{missing}; {limit}")
        spacing = duration_text(duration_of(interval))
        raise ValueError(
            f"{missing}: of {len(X)} rows at a spacing of {spacing}, {empty.sum()} are "
            f"empty or not there; {limit}. If they are not there, resample to a longer "
            "spacing, as X.resample('1h').mean() and --resample 1h do"
        )
