"""Local statistics of a channel: what its neighbours don't explain.

Nearest neighbours say little about a series in which nothing repeats: one sample of
noise, or a sensor that is stuck amid noise, hardly changes the distance of a
subsequence. There, a value, its level, its step and its volatility are the evidence.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad._rolling import moving_average
from skcoad.calibration import Deviation
from skcoad.neighbors import diff_missing, difference_scale, first_differences
from skcoad.preprocessing import WindowPlan

__all__ = ["STATISTICS", "ChannelStatistics", "level", "statistics"]

# Of values and of first differences: each as it is, and over a quarter of a period.
STATISTICS = ("value", "level", "difference", "volatility")
WIDTHS_PER_PERIOD = 4
# Of the differences, in their standard deviations: a smaller volatility is none, and a
# larger difference counts as this.
MIN_VOLATILITY = 1e-3
MAX_DIFFERENCE = 1e2


def level(x: Tensor, missing: Tensor, plan: WindowPlan) -> tuple[Tensor, Tensor]:
    """Moving average over a quarter of a period, and where it is defined.

    Parameters
    ----------
    x, missing : Tensor of shape (n_timestamps,)
        A series, and which of its values don't count, bool.
    plan : WindowPlan
        Sizes.

    Returns
    -------
    mean, defined : Tensor of shape (n_timestamps,)
        0 and False where more than half of the values don't count: a mean of few varies
        more than one of all does on normal data.
    """
    width = max(1, plan.period // WIDTHS_PER_PERIOD)
    mean = moving_average(x, width, missing)
    defined = moving_average(missing.to(x.dtype), width) <= 0.5
    return mean.where(defined, 0.0).to(x.dtype), defined


def statistics(
    x: Tensor, missing: Tensor, plan: WindowPlan, difference_scale: Tensor
) -> tuple[Tensor, Tensor]:
    """Compute the local statistics of a channel.

    Parameters
    ----------
    x : Tensor of shape (n_timestamps,)
        Scaled, its missing values interpolated.
    missing : Tensor of shape (n_timestamps,)
        Which values are missing, bool.
    plan : WindowPlan
        Sizes.
    difference_scale : Tensor of shape ()
        Standard deviation of the first differences on normal data.

    Returns
    -------
    values : Tensor of shape (4, n_timestamps)
        The value, its moving average, the first difference, and the logarithm of the
        root mean square of the differences.
    observed : Tensor of shape (4, n_timestamps)
        Where each is defined, bool.

    Examples
    --------
    >>> import torch
    >>> from skcoad.model._statistics import statistics
    >>> from skcoad.preprocessing import WindowPlan
    >>> x, missing = torch.zeros(8), torch.zeros(8, dtype=torch.bool)
    >>> x[4:] = 1
    >>> values, _ = statistics(x, missing, WindowPlan(8, 8, 2, 4), torch.tensor(1.0))
    >>> values[:3]
    tensor([[0.0000, 0.0000, 0.0000, 0.0000, 1.0000, 1.0000, 1.0000, 1.0000],
            [0.0000, 0.0000, 0.0000, 0.0000, 0.5000, 1.0000, 1.0000, 1.0000],
            [0.0000, 0.0000, 0.0000, 0.0000, 1.0000, 0.0000, 0.0000, 0.0000]])
    """
    difference = first_differences(x) / difference_scale
    # What came before the first value is not known.
    unknown = F.pad(diff_missing(missing)[..., 1:], (1, 0), value=True)
    square = difference.clamp(-MAX_DIFFERENCE, MAX_DIFFERENCE).square()
    power, has_power = level(square, unknown, plan)
    volatility = 0.5 * (power + MIN_VOLATILITY**2).log()
    smooth, has_level = level(x, missing, plan)
    return (
        torch.stack([x, smooth, difference, volatility]),
        torch.stack([~missing, has_level, ~unknown, has_power]),
    )


class ChannelStatistics(nn.Module):
    """The local statistics of one channel beside their normal range.

    Parameters
    ----------
    plan : WindowPlan
        Sizes.

    Attributes
    ----------
    difference_scale : Tensor of shape ()
        Standard deviation of the first differences on normal data.
    deviation : Deviation
        Of the four :data:`STATISTICS`.

    Examples
    --------
    A sensor that is stuck amid noise:

    >>> import torch
    >>> from skcoad.model import ChannelStatistics
    >>> from skcoad.preprocessing import WindowPlan
    >>> x = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    >>> missing = torch.zeros(1000, dtype=torch.bool)
    >>> channel = ChannelStatistics(WindowPlan(40, 80, 4, 40)).fit(x, missing)
    >>> x[500:540] = x[500]
    >>> value, level, difference, volatility = channel(x, missing)
    >>> int(volatility.argmax()) in range(500, 540)
    True
    """

    difference_scale: Tensor

    def __init__(self, plan: WindowPlan) -> None:
        super().__init__()
        self.plan = plan
        self.register_buffer("difference_scale", torch.ones((), dtype=torch.float32))
        self.deviation = Deviation(len(STATISTICS))

    def fit(self, x: Tensor, missing: Tensor) -> ChannelStatistics:
        """Estimate the normal range.

        Parameters
        ----------
        x, missing : Tensor of shape (n_timestamps,)
            The scaled training series, its missing values interpolated, and where they
            were.

        Returns
        -------
        ChannelStatistics
            Itself.
        """
        self.difference_scale = difference_scale(x)
        self.deviation.fit(*self._statistics(x, missing))
        return self

    def forward(self, x: Tensor, missing: Tensor) -> Tensor:
        """Rarity of the statistics of a series, in decades, ``(4, n_timestamps)``.

        Parameters
        ----------
        x, missing : Tensor of shape (n_timestamps,)
            As in :meth:`fit`.

        Returns
        -------
        Tensor of shape (4, n_timestamps)
            0 where nothing is observed.
        """
        evidence: Tensor = self.deviation(*self._statistics(x, missing))
        return evidence

    def normal(self, x: Tensor, missing: Tensor) -> Tensor:
        """Rarity on the training series itself, as if each quarter of it were new."""
        return self.deviation.normal(*self._statistics(x, missing))

    def _statistics(self, x: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
        return statistics(x, missing, self.plan, self.difference_scale)
