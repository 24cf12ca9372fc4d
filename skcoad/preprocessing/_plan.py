"""Sizes of period, window, patch and step, given or derived."""

from __future__ import annotations

import math
from typing import NamedTuple

from skcoad._typing import FloatArray, Size
from skcoad.preprocessing._period import dominant_period

__all__ = ["WindowPlan", "fallback_period", "plan_windows"]

MIN_TIMESTAMPS = 4
FALLBACK_PERIOD = 125  # TSB-AD's convention
MAX_PATCHES = 32  # of a window, unless the user sets the patch
MIN_PATCHES = 4
MIN_PATCH_SIZE = 4
QUERIES_PER_PERIOD = 16  # of the nearest neighbours, unless the step is shorter


class WindowPlan(NamedTuple):
    """Sizes in timestamps.

    Attributes
    ----------
    period : int
        Dominant period, at most the window.
    window_size : int
        Window, a multiple of the patch.
    patch_size : int
        Points that share one probability.
    step : int
        Distance between consecutive windows at scoring.
    """

    period: int
    window_size: int
    patch_size: int
    step: int

    def query_stride(self, queries_per_length: int) -> int:
        """Distance between nearest-neighbour queries of one period.

        The largest divisor of the step that gives at least so many queries in a period,
        so that a slice that starts at a multiple of the step is queried at the same
        timestamps as the whole.
        """
        longest = min(self.step, max(1, self.period // queries_per_length))
        return max(n for n in range(1, longest + 1) if self.step % n == 0)

    @property
    def receptive_field(self) -> int:
        """How far before or after it a value can influence an unsmoothed score.

        A value can be interpolated over a period and imputed from neighbours over two
        more; then it is in a subsequence, whose neighbour may be handed on for half a
        period, and that in a window.
        """
        widest = max(self.window_size, 2 * self.period)
        return max(self.window_size, self.period) + widest + 2 * self.period


def fallback_period(n_timestamps: int) -> int:
    """Period to assume for a series in which nothing repeats.

    Parameters
    ----------
    n_timestamps : int
        Length of the training series.

    Returns
    -------
    int
        125, TSB-AD's convention, but at most an eighth of the series and at least 2.

    Examples
    --------
    >>> from skcoad.preprocessing import fallback_period
    >>> fallback_period(10_000), fallback_period(400)
    (125, 50)
    """
    return min(FALLBACK_PERIOD, max(2, n_timestamps // 8))


def plan_windows(
    x: FloatArray,
    *,
    period: Size = "auto",
    window_periods: float = 2.0,
    window_size: Size = "auto",
    patch_size: Size = "auto",
    step: Size = "auto",
) -> WindowPlan:
    """Derive the sizes that are not given.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps, n_channels)
        The training series, finite.
    period : int or "auto", default="auto"
        At most half of the series and at most the window; by default
        :func:`dominant_period`, or :func:`fallback_period` where nothing repeats.
    window_periods : float, default=2.0
        Periods in a window of automatic size.
    window_size : int or "auto", default="auto"
        By default `window_periods` periods, but at most half of the series, unless a
        given period leaves a part of a patch.
    patch_size : int or "auto", default="auto"
        By default such that a window has about 32 patches of at least 4 points.
    step : int or "auto", default="auto"
        By default half of the window. A step longer than a sixteenth of the period is
        rounded down to a multiple of that.

    Returns
    -------
    WindowPlan

    Raises
    ------
    ValueError
        If the window is longer than the series, is not a multiple of the patch or has
        fewer than 4 patches, the step is longer than the window, or a given period is
        longer than half of the series or the window.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import plan_windows
    >>> x = np.sin(2 * np.pi * np.arange(1000) / 50)[:, None]
    >>> plan_windows(x)
    WindowPlan(period=50, window_size=100, patch_size=4, step=48)
    >>> plan_windows(x, window_periods=4, patch_size=8)
    WindowPlan(period=50, window_size=200, patch_size=8, step=99)
    """
    n = len(x)
    # Small numbers of numpy would overflow below.
    period, window_size, patch_size, step = (
        size if size == "auto" else int(size)
        for size in (period, window_size, patch_size, step)
    )
    shortest = 0 if period == "auto" else period  # window
    if period == "auto":
        period = dominant_period(x) or fallback_period(n)
    elif period > n // 2:
        raise ValueError(
            f"period={period} is longer than half of the series of {n} timestamps"
        )
    if window_size == "auto":
        wanted = min(round(float(window_periods) * period), n // 2)
        wanted = min(max(wanted, MIN_PATCHES), n)
        patch_size = _patch_size(wanted) if patch_size == "auto" else patch_size
        if MIN_PATCHES * patch_size > n:
            raise ValueError(
                f"{MIN_PATCHES} patches of patch_size={patch_size} are longer than the "
                f"series of {n} timestamps"
            )
        n_patches = max(MIN_PATCHES, round(wanted / patch_size))
        n_patches = max(n_patches, math.ceil(shortest / patch_size))
        window_size = min(n_patches, n // patch_size) * patch_size
    elif window_size > n:
        raise ValueError(
            f"a window of {window_size} timestamps is longer than the series of {n}"
        )
    elif window_size < shortest:
        raise ValueError(f"period={period} is longer than window_size={window_size}")
    elif patch_size == "auto":
        patch_size = _divisor(window_size)
    if window_size % patch_size:
        raise ValueError(
            f"window_size={window_size} is not a multiple of patch_size={patch_size}"
        )
    if window_size < MIN_PATCHES * patch_size:
        raise ValueError(
            f"window_size={window_size} holds fewer than {MIN_PATCHES} patches of "
            f"patch_size={patch_size}"
        )
    if step == "auto":
        step = window_size // 2
    elif step > window_size:
        raise ValueError(f"step={step} is longer than window_size={window_size}")
    # Queries are a divisor of the step apart: a prime step would have one a timestamp.
    unit = max(1, min(period, window_size) // QUERIES_PER_PERIOD)
    if step > unit:
        step = unit * (step // unit)
    return WindowPlan(min(period, window_size), window_size, patch_size, step)


def _patch_size(window_size: int) -> int:
    if window_size < MIN_PATCHES * MIN_PATCH_SIZE:
        return max(1, window_size // MIN_PATCHES)
    return max(MIN_PATCH_SIZE, math.ceil(window_size / MAX_PATCHES))


def _divisor(window_size: int) -> int:
    """Patch size for a window that was given, which the patch must divide."""
    largest = min(_patch_size(window_size), max(1, window_size // MIN_PATCHES))
    return max(p for p in range(1, largest + 1) if window_size % p == 0)
