"""What a series is: the check under all others; pandas is only loaded for its own."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "channel_position",
    "check_length",
    "check_series",
    "check_train_length",
    "with_nan",
]

MAX_LISTED = 20  # channels in an error


def check_series(x: ArrayLike, name: str = "x") -> NDArray[np.float64]:
    """Return a series as an array of two dimensions.

    Parameters
    ----------
    x : array-like of shape (n_timestamps,) or (n_timestamps, n_channels)
        The series; masked values are missing.
    name : str, default="x"
        What to call it in an error.

    Returns
    -------
    ndarray of shape (n_timestamps, n_channels)
        Missing values are NaN.

    Raises
    ------
    ValueError
        If it is empty, or has another number of dimensions.

    Examples
    --------
    >>> from skcoad._series import check_series
    >>> check_series([1, 2, 3]).shape
    (3, 1)
    """
    series = with_nan(x)
    if hasattr(series, "iloc"):  # of pandas, whose NA numpy does not know
        series = series.to_numpy(np.float64, na_value=np.nan)
    values = np.asarray(series, dtype=np.float64)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    if values.ndim != 2 or values.size == 0:
        raise ValueError(
            f"{name} must have shape (n_timestamps, n_channels) or (n_timestamps,) and "
            f"not be empty, got {values.shape}"
        )
    return values


def with_nan(X: Any) -> Any:
    """Mark what is missing by NaN, the one form that scikit-learn knows everywhere.

    Parameters
    ----------
    X : array-like
        Masked, sparse columns of pandas, or objects, of which some may be missing.

    Returns
    -------
    array-like
        A frame if it was one, with the same names; what has no other form than NaN,
        and nullable numbers, as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad._series import with_nan
    >>> with_nan(np.ma.array([1, 2], mask=[False, True]))
    array([ 1., nan])
    """
    if isinstance(X, np.ma.MaskedArray):
        return np.ma.filled(X.astype(np.float64), np.nan)
    if hasattr(X, "sparse"):  # of pandas; scikit-learn takes it for a matrix of zeros
        X = X.sparse.to_dense()
    dtypes = getattr(X, "dtypes", getattr(X, "dtype", None))
    names = {str(dtype) for dtype in (dtypes if np.iterable(dtypes) else [dtypes])}
    if not names & {"object", "boolean"}:  # which may hold pandas.NA
        return X
    import pandas as pd

    if isinstance(X, np.ndarray):
        return np.where(pd.isna(X), np.nan, X)
    return X.astype(object).where(X.notna(), np.nan)


def channel_position(channel: Any, names: Sequence[Any]) -> int:
    """Position of a channel that is given by its name or its position.

    Parameters
    ----------
    channel : int, str or other label
        What was given. Where names are integers, an integer is a name.
    names : sequence
        Of all channels, or their positions if they have no names.

    Returns
    -------
    int
        From 0.

    Raises
    ------
    ValueError
        If there is no such channel; it lists those that there are.

    Examples
    --------
    >>> from skcoad._series import channel_position
    >>> channel_position("heat", ["flow", "heat"]), channel_position(0, ["flow"])
    (1, 0)
    >>> channel_position(18, [17, 18])
    1
    """
    names = list(names)
    is_integer = isinstance(channel, (int, np.integer)) and not isinstance(
        channel, (bool, np.timedelta64)
    )
    # A number of another kind may equal an integer.
    is_label = is_integer or not isinstance(channel, (Number, np.generic))
    if (is_label or isinstance(channel, str)) and channel in names:
        return names.index(channel)
    numbered = any(isinstance(name, int) for name in names)
    if is_integer and not numbered and 0 <= channel < len(names):
        return int(channel)
    listed = ", ".join(map(str, names[:MAX_LISTED]))
    more = len(names) - MAX_LISTED
    listed += f" and {more} more" if more > 0 else ""
    raise ValueError(f"there are {len(names)} channels, none is {channel!r}: {listed}")


def check_length(array: NDArray[Any], name: str, n_timestamps: int) -> None:
    """Raise ValueError unless an array has one entry for each timestamp."""
    if array.shape != (n_timestamps,):
        raise ValueError(f"{name} must have shape ({n_timestamps},), got {array.shape}")


def check_train_length(train_length: int, name: str, n_timestamps: int) -> None:
    """Raise ValueError unless a beginning of this length is within the series."""
    if not 0 <= train_length <= n_timestamps:
        raise ValueError(
            f"{name} must be between 0 and the {n_timestamps} timestamps, got "
            f"{train_length}"
        )
