"""Shared by the baselines: input check, normalisation, scores of timestamps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite

from skcoad._series import check_series
from skcoad.preprocessing import windows_to_timestamps

LEAST_DEVIATION = 1e-10  # below, a window is constant up to rounding


def check_finite_series(x: ArrayLike) -> NDArray[np.float64]:
    """Return a series as finite float64 values, one column for each channel."""
    series = check_series(x, "X")
    assert_all_finite(series)
    return series


def check_channels(x: NDArray[np.float64], n_channels: int) -> None:
    """Raise ValueError unless a series has as many channels as that of `fit`."""
    if x.shape[1] != n_channels:
        raise ValueError(
            f"X must have the channels of fit, {n_channels}, got {x.shape[1]}"
        )


def znormalize(windows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Scale each channel of each window to mean 0 and deviation 1; join channels.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, window_size, n_channels)
        The windows.

    Returns
    -------
    normalized : ndarray of shape (n_windows, window_size * n_channels)
        Constant windows become 0.
    """
    deviation = windows.std(axis=1, keepdims=True)
    constant = deviation < LEAST_DEVIATION
    scaled = (windows - windows.mean(axis=1, keepdims=True)) / np.where(
        constant, 1.0, deviation
    )
    scaled *= ~constant  # only rounding is left there
    joined: NDArray[np.float64] = scaled.reshape(len(windows), -1)
    return joined


def timestamp_scores(
    window_scores: NDArray[np.float64], n_timestamps: int, window_size: int
) -> NDArray[np.float64]:
    """Score each timestamp by the mean over the windows that cover it."""
    return np.asarray(windows_to_timestamps(window_scores, n_timestamps, window_size))
