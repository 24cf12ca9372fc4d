"""The dominant period of a series, from its autocorrelation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, signal

from skcoad._typing import FloatArray
from skcoad.preprocessing._missing import interpolate_missing

__all__ = ["autocorrelation", "dominant_period"]

# A peak of the autocorrelation counts when it has this height and prominence, and so
# many standard errors of the autocorrelation of white noise (many, as many lags are
# tried) and of noise as red as the series (whose lags are hardly independent).
MIN_PROMINENCE = 0.05
MIN_STANDARD_ERRORS = 5.0
MIN_RED_STANDARD_ERRORS = 3.5
FFT_CHUNK = 2**16  # points
MAX_TIMESTAMPS = 2**20  # of the beginning of the series
MAX_PERIOD = 1000
MAX_LONG_PERIOD = 10_000  # where nothing repeats sooner
ALIKE = 0.05  # how far the periods of both halves of a series may be apart
ROUNDING = 1e-9  # of the largest value: nothing else is left of a line
Detrend = Callable[[NDArray[np.float64], int], NDArray[np.float64]]


def autocorrelation(x: FloatArray, max_lag: int) -> NDArray[np.float64]:
    """Autocorrelation of a series, each lag by its own number of pairs.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        The series, finite.
    max_lag : int
        The largest lag, less than ``n_timestamps``.

    Returns
    -------
    ndarray of shape (max_lag + 1,)
        1 at lag 0; all zero (but lag 0) for a constant series.

    Notes
    -----
    By the Wiener-Khinchin theorem, in O(n log n).

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import autocorrelation
    >>> autocorrelation(np.array([1.0, -1.0, 1.0, -1.0]), max_lag=2).round(3)
    array([ 1., -1.,  1.])
    """
    x = np.asarray(x, dtype=np.float64)
    # The mean of equal values may differ from them in the last place.
    x = x - (x[0] if x.max() == x.min() else x.mean())
    n = len(x)
    n_fft = fft.next_fast_len(min(2 * n, max(FFT_CHUNK, 4 * max_lag)), real=True)
    block = n_fft - max_lag
    covariance = np.zeros(max_lag + 1)
    # Products of each block with itself and the beginning of what follows.
    for start in range(0, n, block):
        spectrum = fft.rfft(x[start : start + block], n_fft).conj()
        spectrum *= fft.rfft(x[start : start + n_fft], n_fft)
        covariance += fft.irfft(spectrum, n_fft)[: max_lag + 1]
    covariance /= n - np.arange(max_lag + 1)
    if covariance[0] <= 0:
        covariance[:] = 0
        covariance[0] = 1
    correlation: NDArray[np.float64] = covariance / covariance[0]
    return correlation


def dominant_period(
    x: FloatArray,
    min_period: int = 8,
    max_period: int | None = None,
    *,
    near_best: float = 0.85,
    detrend: bool = True,
) -> int | None:
    """Dominant period of a series or of several channels.

    The first lag whose autocorrelation peak comes near that of the best lag. A slow
    trend (a moving mean over twice the largest lag) is subtracted first, since it
    would raise the autocorrelation of every lag. A peak has to stand out of what noise
    with the series' short-term correlation shows by chance (Bartlett's standard error),
    so about five periods are the least that can be told from red noise. Where nothing
    stands out, steps and steep trends may hide it: then a moving median, which follows
    them, is subtracted, and both halves have to have the same period. Only the first
    million timestamps of a longer series are used.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,) or (n_timestamps, n_channels)
        The series; NaN is interpolated. The autocorrelations of the channels are
        averaged; constant channels are ignored.
    min_period : int, default=8
        Least lag.
    max_period : int, default=None
        Largest lag; never more than a third of the series. A peak has two sides, so the
        largest lag itself cannot be the period. By default 1,000; and where nothing
        stands out up to there, 10,000, but no more than an eighth of the series, if
        both halves of it have the same period.
    near_best : float, default=0.85
        The period is the first peak at least this fraction as high as the highest:
        multiples of a period correlate as well as the period itself.
    detrend : bool, default=True
        Whether to subtract the slow trend.

    Returns
    -------
    int or None
        The period in timestamps; None if no lag stands out.

    References
    ----------
    Tang et al., "Bridging Classification and Reconstruction: Cooperative Time Series
    Anomaly Detection", KDD 2026, section 4 (window length by autocorrelation).

    Bartlett, "On the theoretical specification and sampling properties of
    autocorrelated time-series", JRSS Supplement 8, 1946 (the standard error).

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import dominant_period
    >>> dominant_period(np.sin(2 * np.pi * np.arange(1000) / 25))
    25
    >>> dominant_period(np.zeros(1000)) is None
    True
    """
    x = np.asarray(x[:MAX_TIMESTAMPS], dtype=np.float64)
    usual = MAX_PERIOD if max_period is None else max_period
    without_trend = _without_mean if detrend else _as_it_is
    found = _dominant_period(x, min_period, usual, near_best, without_trend)
    longest = min(MAX_LONG_PERIOD, len(x) // 8)
    if found is None and max_period is None and longest > MAX_PERIOD:
        # So many lags are tried that some would stand out by chance, as of bursts.
        found = _period_of_both_halves(x, min_period, longest, near_best, without_trend)
    if found is None and detrend:
        found = _period_of_both_halves(x, min_period, usual, near_best, _without_median)
    return found


def _period_of_both_halves(
    x: FloatArray, min_period: int, max_period: int, near_best: float, detrend: Detrend
) -> int | None:
    """The dominant period, if both halves of the series have it as well."""
    found = _dominant_period(x, min_period, max_period, near_best, detrend)
    if found is None:
        return None
    for half in (x[: len(x) // 2], x[len(x) // 2 :]):
        other = _dominant_period(half, min_period, max_period, near_best, detrend)
        if other is None or not np.isclose(other, found, rtol=ALIKE):
            return None
    return found


def _dominant_period(
    x: FloatArray, min_period: int, max_period: int, near_best: float, detrend: Detrend
) -> int | None:
    channels = x.reshape(len(x), -1).T
    max_lag = min(max_period, len(x) // 3)
    if max_lag < min_period:
        return None
    correlations = [
        autocorrelation(detrend(channel, max_lag), max_lag)
        for channel in map(_normalized, channels)
        if channel.max() > channel.min()
    ]
    if not correlations:
        return None
    correlation = np.mean(correlations, axis=0)
    n_pairs = len(x) - np.arange(max_lag + 1)
    least = max(MIN_PROMINENCE, MIN_STANDARD_ERRORS / np.sqrt(n_pairs[-1]))
    red = MIN_RED_STANDARD_ERRORS * np.sqrt(_variance_factor(correlation) / n_pairs)
    height = np.maximum(least, red)
    peaks, _ = signal.find_peaks(correlation, height=height, prominence=least)
    peaks = peaks[peaks >= min_period]
    if len(peaks) == 0:
        return None
    heights = correlation[peaks]
    return int(peaks[heights >= near_best * heights.max()][0])


def _variance_factor(correlation: NDArray[np.float64]) -> float:
    """How much short-term correlation raises the variance of the autocorrelation.

    By Bartlett's formula, from the lags before the first that is not positive: those
    behind it show what repeats, if anything does.
    """
    ends = np.flatnonzero(correlation <= 0)
    short_term = correlation[1 : ends[0] if len(ends) else None]
    return float(1 + 2 * np.square(short_term).sum())


def _normalized(channel: FloatArray) -> NDArray[np.float64]:
    """Without missing values and within -1 and 1, so that no square overflows."""
    filled = interpolate_missing(channel)
    return filled / (np.abs(filled).max() or 1.0)


def _as_it_is(x: NDArray[np.float64], max_lag: int) -> NDArray[np.float64]:
    return x


def _without_mean(x: NDArray[np.float64], max_lag: int) -> NDArray[np.float64]:
    return np.asarray(x - ndimage.uniform_filter1d(x, 2 * max_lag + 1, mode="mirror"))


def _without_median(x: NDArray[np.float64], max_lag: int) -> NDArray[np.float64]:
    """Subtract a line of the usual slope, and a moving median, which follows steps."""
    x = x - np.median(np.diff(x)) * np.arange(len(x))
    # Reflected at the points at both ends, so that a trend goes on beyond them.
    longer = np.pad(x, max_lag, mode="reflect", reflect_type="odd")
    width = max_lag + 1 - max_lag % 2  # odd; of the longest period
    rest = x - ndimage.median_filter(longer, width)[max_lag:-max_lag]
    return np.where(np.abs(rest).max() > ROUNDING, rest, 0.0)
