"""Channels beside what other channels predict of them.

Each channel alone may look normal while two that used to move together part company.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from skcoad.calibration import Deviation
from skcoad.model._statistics import level
from skcoad.preprocessing import WindowPlan

__all__ = ["RESIDUALS", "ChannelRegression"]

# Of the residual: as it is, and its moving average over a quarter of a period.
RESIDUALS = ("residual", "residual_level")
MAX_PREDICTORS = 8
RIDGE = 1e-3  # of unit variances
MIN_VARIANCE = 1e-12  # of a channel that is not constant

Channel = Callable[[int], tuple[Tensor, Tensor]]


class ChannelRegression(nn.Module):
    """Ridge regression of each channel on the few most correlated others.

    Parameters
    ----------
    plan : WindowPlan
        Sizes.
    n_channels : int
        At least 2.

    Attributes
    ----------
    predictors : Tensor of shape (n_channels, n_predictors)
        The other channels, at most 8, with the largest absolute correlation.
    weights : Tensor of shape (n_channels, n_predictors)
        Their weights.
    explained : Tensor of shape (n_channels,)
        Fraction of the variance that they explain, cross-fitted on the halves of the
        training series; at least 0.
    deviations : ModuleList of Deviation
        Of the residual of each channel and of its moving average.

    Examples
    --------
    >>> import torch
    >>> from skcoad.model import ChannelRegression
    >>> from skcoad.preprocessing import WindowPlan
    >>> common = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    >>> noise = torch.randn(2, 1000, generator=torch.Generator().manual_seed(1))
    >>> x, missing = common + 0.1 * noise, torch.zeros(1000, dtype=torch.bool)
    >>> def channel(i):
    ...     return x[i], missing
    >>> regression = ChannelRegression(WindowPlan(40, 80, 4, 40), 2).fit(channel)
    >>> x[1, 500:600] = x[1, 100:200]
    >>> int(regression(channel, 1)[1].argmax()) in range(500, 600)
    True
    """

    predictors: Tensor
    weights: Tensor
    explained: Tensor

    def __init__(self, plan: WindowPlan, n_channels: int) -> None:
        super().__init__()
        self.plan = plan
        self.n_channels = n_channels
        shape = (n_channels, min(MAX_PREDICTORS, n_channels - 1))
        for name, size, dtype in (
            ("predictors", shape, torch.int64),
            ("weights", shape, torch.float32),
            ("explained", (n_channels,), torch.float32),
        ):
            self.register_buffer(name, torch.zeros(size, dtype=dtype))
        self.deviations = cast(
            "Sequence[Deviation]",
            nn.ModuleList(Deviation(len(RESIDUALS)) for _ in range(n_channels)),
        )

    def fit(self, channel: Channel) -> ChannelRegression:
        """Choose the predictors and estimate weights and residuals.

        Parameters
        ----------
        channel : callable
            Returns a channel by its number: scaled, its missing values interpolated,
            and where they were.

        Returns
        -------
        ChannelRegression
            Itself.
        """
        correlation = _correlation(channel, self.n_channels).abs().fill_diagonal_(-1)
        n_predictors = self.predictors.shape[1]
        self.predictors = correlation.topk(n_predictors).indices
        weights, explained = [], []
        for i, deviation in enumerate(self.deviations):
            target, others, missing = self._series(channel, i)
            weights.append(_ridge(target, others, ~missing))
            residual, _ = self.cross_fitted(channel, i)
            total, left = (
                (part.square() * ~missing).sum() for part in (target, residual)
            )
            n_observed = (~missing).sum().clamp_min(1).to(total)
            fraction = 1 - left / (MIN_VARIANCE * n_observed).clamp_min(total)
            explained.append(fraction * (total > MIN_VARIANCE * n_observed))
            deviation.fit(*self._statistics(residual, missing))
        self.weights = torch.stack(weights)
        self.explained = torch.stack(explained).clamp(0, 1)
        return self

    def forward(self, channel: Channel, i: int) -> Tensor:
        """Rarity of the residual of a channel, in decades.

        Parameters
        ----------
        channel : callable
            As in :meth:`fit`.
        i : int
            Which channel.

        Returns
        -------
        Tensor of shape (2, n_timestamps)
            0 where the channel or a predictor is missing.
        """
        target, others, missing = self._series(channel, i)
        residual = target - self.weights[i] @ others
        evidence: Tensor = self.deviations[i](*self._statistics(residual, missing))
        return evidence

    def normal(self, channel: Channel, i: int) -> Tensor:
        """Rarity on the training series itself, as if each part of it were new."""
        residual, missing = self.cross_fitted(channel, i)
        return self.deviations[i].normal(*self._statistics(residual, missing))

    def cross_fitted(self, channel: Channel, i: int) -> tuple[Tensor, Tensor]:
        """Residual of each half of the training series by weights of the other.

        Parameters
        ----------
        channel : callable
            As in :meth:`fit`.
        i : int
            Which channel.

        Returns
        -------
        residual, missing : Tensor of shape (n_timestamps,)
            And where the channel or a predictor is missing.
        """
        target, others, missing = self._series(channel, i)
        half = len(target) // 2
        first, second = slice(None, half), slice(half, None)
        residual = torch.empty_like(target)
        for part, other in ((first, second), (second, first)):
            weights = _ridge(target[other], others[:, other], ~missing[other])
            residual[part] = target[part] - weights @ others[:, part]
        return residual, missing

    def _series(self, channel: Channel, i: int) -> tuple[Tensor, Tensor, Tensor]:
        """A channel, its predictors, and where one of them is missing."""
        target, missing = channel(i)
        others = [channel(j) for j in self.predictors[i].tolist()]
        for _, absent in others:
            missing = missing | absent
        return target, torch.stack([x for x, _ in others]), missing

    def _statistics(self, residual: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
        smooth, defined = level(residual, missing, self.plan)
        return torch.stack([residual, smooth]), torch.stack([~missing, defined])


def _correlation(channel: Channel, n_channels: int) -> Tensor:
    """Correlations of the channels, of each pair where both are observed."""
    x, missing = (
        torch.stack(parts)
        for parts in zip(*(channel(i) for i in range(n_channels)), strict=True)
    )
    observed = (~missing).to(x)
    x = x * observed
    squares = x.square() @ observed.T
    scale = (squares * squares.T).sqrt()
    return x @ x.T / scale.clamp_min(MIN_VARIANCE * x.shape[1])


def _ridge(target: Tensor, others: Tensor, observed: Tensor) -> Tensor:
    """Weights of some series that predict another where observed, ``(n_others,)``."""
    n = observed.sum().clamp_min(1)
    penalty = RIDGE * torch.eye(len(others), dtype=target.dtype, device=target.device)
    known = others * observed
    weights: Tensor = torch.linalg.solve(
        known @ others.T / n + penalty, known @ target / n
    )
    return weights
