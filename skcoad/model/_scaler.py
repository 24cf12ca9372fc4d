"""Scaling of the channels by the training series."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from skcoad._typing import FloatArray
from skcoad.preprocessing import interpolate_missing

__all__ = ["Scaler"]

# Scaled values are clipped here, so that no input overflows single precision.
MAX_SCALED = 1e4
# Scale of a constant channel, in its own value: it has shown no variation, so that any
# change counts that is more than single precision of the value.
CONSTANT_SCALE = 1e-6
# Single precision of the value of a constant channel, in its scale.
CONSTANT_ROUNDING = float(np.finfo(np.float32).eps) / CONSTANT_SCALE
# A deviation of a few units in the last place of the largest value is no variation.
ROUNDING = 8 * np.finfo(np.float64).eps
STATISTICS_CHUNK = 2**20  # timestamps


class Scaler(nn.Module):
    """Mean and standard deviation of each channel of the training series.

    Stays on the CPU in double precision wherever the model is moved: that is where the
    input comes from.

    Parameters
    ----------
    n_channels : int
        Number of channels.

    Attributes
    ----------
    center, scale : Tensor of shape (n_channels,)
        Subtracted from each channel, and divided by; float64. The scale of a constant
        channel is a millionth of its value, or 1 if that is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.model._scaler import Scaler
    >>> scaler = Scaler(n_channels=1).fit(np.array([[1.0], [3.0]]))
    >>> scaled, missing = scaler.transform(np.array([1.0, 3.0, np.nan]), channel=0)
    >>> scaled, missing
    (tensor([-1.,  1.,  1.]), tensor([False, False,  True]))
    """

    center: Tensor
    scale: Tensor

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(n_channels, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(n_channels, dtype=torch.float64))

    def _apply(self, fn: object, recurse: bool = True) -> Scaler:
        return self  # not moved, not cast

    def fit(self, X: FloatArray) -> Scaler:
        """Compute mean and standard deviation without overflow.

        Parameters
        ----------
        X : ndarray of shape (n_timestamps, n_channels)
            The training series; NaN is ignored.

        Returns
        -------
        Scaler
            Itself.
        """
        center, scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
        for channel in range(X.shape[1]):
            x = X[:, channel]
            largest = float(max(np.nanmax(x), -np.nanmin(x)))
            if largest > 0:
                mean, deviation = _mean_and_deviation(x, largest)
                center[channel] = mean * largest
                varies = np.nanmax(x) > np.nanmin(x) and deviation > ROUNDING
                scale[channel] = largest * (deviation if varies else CONSTANT_SCALE)
        # No division by a subnormal number.
        scale = scale.clip(min=np.finfo(np.float64).tiny)
        self.center, self.scale = torch.from_numpy(center), torch.from_numpy(scale)
        return self

    @property
    def rounding(self) -> Tensor:
        """Up to where the scaled values of each channel count as 0.

        The single precision of a constant channel, which the same value read as float32
        and as float64 differ by; 0 of others. Tensor of shape (n_channels,).
        """
        # Of scales, not of values: these would overflow.
        expected = self.center.abs() * CONSTANT_SCALE
        constant = (self.scale - expected).abs() <= 1e-9 * self.scale
        return constant.double() * CONSTANT_ROUNDING

    def transform(
        self, x: FloatArray, channel: int, reach: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Scale one channel and interpolate its missing values.

        Parameters
        ----------
        x : ndarray of shape (n_timestamps,)
            In the units of the input.
        channel : int
            Which channel it is.
        reach : int, default=None
            How far observed values are interpolated into a run of missing ones; in the
            middle of a longer run is the mean. By default, over any run.

        Returns
        -------
        scaled : Tensor of shape (n_timestamps,)
            float32, on the CPU, within 1e4 standard deviations.
        missing : Tensor of shape (n_timestamps,)
            Which values were NaN, bool.
        """
        missing = torch.from_numpy(np.isnan(x))
        scaled = np.array(x, dtype=np.float64)
        # Halves, whose differences cannot overflow; exact in binary.
        scaled /= 2
        scaled -= self.center[channel].item() / 2
        with np.errstate(over="ignore"):  # clipped below
            scaled /= self.scale[channel].item()
            scaled *= 2
        scaled.clip(-MAX_SCALED, MAX_SCALED, out=scaled)
        if rounding := self.rounding[channel].item():
            scaled[np.abs(scaled) <= rounding] = 0
        scaled = interpolate_missing(scaled, reach)
        return torch.tensor(scaled, dtype=torch.float32), missing

    def inverse_transform(self, scaled: FloatArray, channel: int) -> FloatArray:
        """Bring scaled values back to the units of the input.

        Parameters
        ----------
        scaled : ndarray of shape (n_timestamps,)
            Of the channel.
        channel : int
            Which channel it is.

        Returns
        -------
        ndarray of shape (n_timestamps,)
            float64, finite: the largest number takes the place of infinity.
        """
        with np.errstate(over="ignore"):
            values = scaled.astype(np.float64) * self.scale[channel].item()
            values += self.center[channel].item()
        return np.nan_to_num(values)


def _mean_and_deviation(x: FloatArray, unit: float) -> tuple[float, float]:
    """Of the observed values, in a unit of theirs; nothing is copied whole."""
    chunks = np.array_split(x, -(-len(x) // STATISTICS_CHUNK))
    n_observed = sum(np.count_nonzero(~np.isnan(chunk)) for chunk in chunks)
    mean = (
        sum(np.nansum(chunk.astype(np.float64) / unit) for chunk in chunks) / n_observed
    )
    squares = sum(
        np.nansum((chunk.astype(np.float64) / unit - mean) ** 2) for chunk in chunks
    )
    return float(mean), float(np.sqrt(squares / n_observed))
