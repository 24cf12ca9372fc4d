"""What a series is: the check under all others, with numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["channel_position", "check_length", "check_series", "check_train_length"]

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
    if isinstance(x, np.ma.MaskedArray):
        x = np.ma.filled(x.astype(np.float64), np.nan)
    values = np.asarray(x, dtype=np.float64)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    if values.ndim != 2 or values.size == 0:
        raise ValueError(
            f"{name} must have shape (n_timestamps, n_channels) or (n_timestamps,) and "
            f"not be empty, got {values.shape}"
        )
    return values


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
