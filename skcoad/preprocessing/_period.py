"""The dominant period of a series, from its autocorrelation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, signal

from skcoad.preprocessing._missing import bridge_gaps

__all__ = ["autocorrelation", "dominant_period"]

# A lag counts as a repetition when its peak stands out by this much, and by so many
# standard errors of the autocorrelation of noise (many, as many lags are tried), ...
MIN_PROMINENCE = 0.05
MIN_STANDARD_ERRORS = 5.0
# ... and as *the* period when it is the first to come this near to the best one:
# multiples of a period correlate as well as the period itself.
NEAR_BEST = 0.85
MAX_FFT = 2**16  # points at once
MAX_TIMESTAMPS = 2**20  # that are looked at, the first of the series


def autocorrelation(x: NDArray[np.floating[Any]], max_lag: int) -> NDArray[np.float64]:
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
    x = x - x.mean()
    n = len(x)
    n_fft = fft.next_fast_len(min(2 * n, max(MAX_FFT, 4 * max_lag)), real=True)
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
    x: NDArray[np.floating[Any]], min_period: int = 8, max_period: int = 1000
) -> int | None:
    """Dominant period of a series or of several channels.

    The first lag whose autocorrelation peak comes near that of the best lag. A slow
    trend is taken away first (a moving mean over twice the largest lag), since it
    would raise the autocorrelation of every lag. Of a series of more than a million
    timestamps the first million is looked at.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,) or (n_timestamps, n_channels)
        The series; NaN is bridged. The autocorrelations of the channels are averaged;
        constant channels have no say.
    min_period, max_period : int, default=8 and 1000
        The range of lags to look at; never more than a third of the series. A peak
        has two sides, so the longest lags themselves cannot be the period.

    Returns
    -------
    int or None
        The period in timestamps; None if no lag stands out.

    References
    ----------
    Tang et al., "Bridging Classification and Reconstruction: Cooperative Time Series
    Anomaly Detection", KDD 2026, section 4 (window length by autocorrelation).

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
    channels = x.reshape(len(x), -1).T
    max_lag = min(max_period, len(x) // 3)
    if max_lag < min_period:
        return None
    correlations = [
        autocorrelation(_detrend(channel / np.abs(channel).max(), max_lag), max_lag)
        for channel in map(bridge_gaps, channels)
        if channel.max() > channel.min()
    ]
    if not correlations:
        return None
    correlation = np.mean(correlations, axis=0)
    n_pairs = len(x) - max_lag
    least = max(MIN_PROMINENCE, MIN_STANDARD_ERRORS / np.sqrt(n_pairs))
    peaks, _ = signal.find_peaks(correlation, height=least, prominence=least)
    peaks = peaks[peaks >= min_period]
    if len(peaks) == 0:
        return None
    height = correlation[peaks]
    return int(peaks[height >= NEAR_BEST * height.max()][0])


def _detrend(x: NDArray[np.float64], max_lag: int) -> NDArray[np.float64]:
    return np.asarray(x - ndimage.uniform_filter1d(x, 2 * max_lag + 1, mode="mirror"))
