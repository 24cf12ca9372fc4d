"""Spectra of windows and of the surroundings of each timestamp.

The short-time Fourier transform is written as a product with a small matrix,
:func:`stft_basis`. The transformer here and the frequency branch of the network
(:mod:`skcoad.model`) multiply with the same one.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skcoad._typing import FloatArray
from skcoad._validation import (
    StrOptions,
    channel_names,
    check_parameters,
    integers,
    validate_series,
)
from skcoad.preprocessing._windows import sliding_windows

__all__ = ["FFTTransformer", "STFTTransformer", "stft_basis"]

OUTPUTS = StrOptions({"magnitude", "power", "complex"})


def stft_basis(n_fft: int, window: str = "hann") -> NDArray[np.float64]:
    """Matrix that takes `n_fft` values to their windowed Fourier coefficients.

    Parameters
    ----------
    n_fft : int
        Values in a frame.
    window : str, default="hann"
        A window of :func:`scipy.signal.get_window` (periodic).

    Returns
    -------
    ndarray of shape (n_fft, 2 * (n_fft // 2 + 1))
        Real parts of all bins, then imaginary parts, as in Eq. 1 of the paper.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import stft_basis
    >>> np.ones(4) @ stft_basis(4, window="boxcar")
    array([4., 0., 0., 0., 0., 0.])
    """
    taper = signal.get_window(window, int(n_fft))
    spectrum = np.fft.rfft(np.diag(taper), axis=1)
    # + 0.0 turns the -0.0 of bins that have no imaginary part into 0.0.
    return np.hstack([spectrum.real, spectrum.imag]) + 0.0


class FFTTransformer(TransformerMixin, BaseEstimator):
    """Spectrum of each row of a table of windows.

    Parameters
    ----------
    n_channels : int, default=1
        Channels in a row, interleaved as :class:`SlidingWindowTransformer` makes them:
        all channels of the first timestamp first.
    output : {"magnitude", "power", "complex"}, default="magnitude"
        What to return of each coefficient: its modulus, the square of that, or its
        real and imaginary parts.

    Attributes
    ----------
    n_features_in_ : int
        Values in a row.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when `fit` saw any.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import FFTTransformer
    >>> FFTTransformer().fit_transform(np.array([[1.0, 1.0, 1.0, 1.0]]))
    array([[4., 0., 0.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_channels": [integers(1)],
        "output": [OUTPUTS],
    }

    def __init__(
        self,
        *,
        n_channels: int = 1,
        output: Literal["magnitude", "power", "complex"] = "magnitude",
    ) -> None:
        self.n_channels = n_channels
        self.output = output

    def fit(self, X: Any, y: object = None) -> FFTTransformer:
        """Check the parameters and note the columns.

        Parameters
        ----------
        X : array-like of shape (n_windows, window_size * n_channels)
            The windows.
        y : ignored

        Returns
        -------
        FFTTransformer
            Itself.

        Raises
        ------
        ValueError
            If a parameter is out of its range or the columns do not divide into
            `n_channels`.
        """
        check_parameters(self)
        X = validate_series(self, X, reset=True)
        if X.shape[1] % int(self.n_channels):
            raise ValueError(
                f"{X.shape[1]} columns do not divide into n_channels={self.n_channels}"
            )
        return self

    def transform(self, X: Any) -> FloatArray:
        """Transform each row.

        Parameters
        ----------
        X : array-like of shape (n_windows, window_size * n_channels)
            The windows.

        Returns
        -------
        ndarray of shape (n_windows, n_channels * n_bins)
            With ``n_bins = window_size // 2 + 1``, twice as many for ``"complex"``;
            channel by channel, within a channel by rising frequency (all real parts
            before the imaginary ones).
        """
        check_is_fitted(self)
        X = validate_series(self, X, reset=False)
        windows = X.reshape(len(X), -1, self.n_channels).swapaxes(1, 2)
        spectrum = np.fft.rfft(windows, axis=-1)
        parts = np.concatenate([spectrum.real, spectrum.imag], axis=-1)
        return _output(parts, self.output).reshape(len(X), -1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns, such as ``channel0_fft1``.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Only checked; a coefficient belongs to no single input column.

        Returns
        -------
        ndarray of shape (n_channels * n_bins,)
        """
        check_is_fitted(self)
        channel_names(self, input_features)
        n_channels = int(self.n_channels)
        window_size = self.n_features_in_ // n_channels
        channels = [f"channel{i}" for i in range(n_channels)]
        return _coefficient_names(channels, "fft", window_size // 2 + 1, self.output)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")


class STFTTransformer(TransformerMixin, BaseEstimator):
    """Time-frequency features of each timestamp: an STFT with hop 1.

    The row of timestamp *t* is the spectrum of the `n_fft` values around it; the
    borders are mirrored.

    Parameters
    ----------
    n_fft : int, default=4
        Values in a frame; the paper's 4 by default.
    window : str, default="hann"
        Taper, a name that :func:`scipy.signal.get_window` knows.
    output : {"complex", "magnitude", "power"}, default="complex"
        What to return of each coefficient: its real and imaginary parts as in the
        paper, its modulus, or the square of that.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, when `fit` saw any.

    References
    ----------
    Tang et al., "Bridging Classification and Reconstruction: Cooperative Time Series
    Anomaly Detection", KDD 2026, Eq. 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import STFTTransformer
    >>> X = np.ones((5, 1))
    >>> STFTTransformer(output="magnitude", window="boxcar").fit_transform(X)[0]
    array([4., 0., 0.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_fft": [integers(2)],
        "window": [str],
        "output": [OUTPUTS],
    }

    def __init__(
        self,
        *,
        n_fft: int = 4,
        window: str = "hann",
        output: Literal["complex", "magnitude", "power"] = "complex",
    ) -> None:
        self.n_fft = n_fft
        self.window = window
        self.output = output

    def fit(self, X: Any, y: object = None) -> STFTTransformer:
        """Check the parameters and note the channels.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            The series, rows in time order.
        y : ignored

        Returns
        -------
        STFTTransformer
            Itself.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        check_parameters(self)
        signal.get_window(self.window, int(self.n_fft))  # raises for an unknown name
        validate_series(self, X, reset=True)
        return self

    def transform(self, X: Any) -> FloatArray:
        """Transform the surroundings of each timestamp.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            The series, rows in time order, longer than ``n_fft // 2``.

        Returns
        -------
        ndarray of shape (n_timestamps, n_channels * n_bins)
            With ``n_bins = n_fft // 2 + 1``, twice as many for ``"complex"``; channel
            by channel, within a channel by rising frequency (all real parts
            before the imaginary ones).

        Raises
        ------
        ValueError
            If the series is too short to be mirrored.
        """
        check_is_fitted(self)
        X = validate_series(self, X, reset=False)
        n_fft = int(self.n_fft)  # a small integer of numpy would overflow
        before = n_fft // 2
        if len(X) <= before:
            raise ValueError(
                f"n_fft={n_fft} needs more than {before} timestamps, got {len(X)}"
            )
        X = np.pad(X, ((before, n_fft - 1 - before), (0, 0)), mode="reflect")
        frames = sliding_windows(X, n_fft).swapaxes(1, 2)
        parts = frames @ stft_basis(n_fft, self.window)
        return _output(parts, self.output).reshape(len(parts), -1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns, such as ``x0_stft1_real``.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the channels; those seen in `fit`, or ``x0, x1, ...``, if None.

        Returns
        -------
        ndarray of shape (n_channels * n_bins,)
        """
        check_is_fitted(self)
        channels = channel_names(self, input_features)
        n_bins = int(self.n_fft) // 2 + 1
        return _coefficient_names(channels, "stft", n_bins, self.output)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")


def _output(parts: FloatArray, output: str) -> FloatArray:
    """Real and imaginary parts (..., 2 * n_bins) in the form that was asked for."""
    if output == "complex":
        return parts
    real, imaginary = np.split(parts, 2, axis=-1)
    power = real**2 + imaginary**2
    return np.asarray(np.sqrt(power) if output == "magnitude" else power)


def _coefficient_names(
    channels: Any, transform: str, n_bins: int, output: str
) -> NDArray[np.object_]:
    endings = ("_real", "_imag") if output == "complex" else ("",)
    return np.array(
        [
            f"{channel}_{transform}{bin_}{ending}"
            for channel in channels
            for ending in endings
            for bin_ in range(n_bins)
        ],
        dtype=object,
    )
