"""Evidence of one channel: distances, local statistics and residuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from skcoad.calibration import Deviation, TailCalibration
from skcoad.export._search import ExactSearch
from skcoad.model import CoADModel
from skcoad.model._regression import ChannelRegression
from skcoad.model._statistics import level, statistics
from skcoad.neighbors import (
    VIEWS,
    excess_distance,
    first_differences,
    known_neighbors,
)
from skcoad.preprocessing import WindowPlan

__all__ = ["EvidenceGraph", "rarity"]


class EvidenceGraph(nn.Module):
    """Evidence of one channel, in decades of rarity.

    Parameters
    ----------
    model : CoADModel
        Fitted, with neighbours.
    channel : int
        Which channel.
    """

    baselines: Tensor
    difference_scale: Tensor

    def __init__(self, model: CoADModel, channel: int) -> None:
        super().__init__()
        if model.neighbors is None or model.statistics is None:
            raise ValueError("the model has no neighbours")
        neighbors = model.neighbors[channel]
        self.plan = model.config.plan
        self.channel = channel
        self.searches = cast(
            "Sequence[ExactSearch]",
            nn.ModuleList(ExactSearch.of_join(join) for join in neighbors.joins),
        )
        self.register_buffer("baselines", neighbors.baselines)
        self.register_buffer("difference_scale", neighbors.difference_scale)
        self.calibration = neighbors.calibration
        self.deviation = model.statistics[channel].deviation
        self.residual: ResidualGraph | None = None
        if model.regression is not None:
            self.residual = ResidualGraph(model.regression, channel)

    def forward(self, channels: Sequence[Tensor]) -> Tensor:
        """Compute the evidence.

        Parameters
        ----------
        channels : sequence of Tensor of shape (B, n_timestamps)
            All channels, scaled.

        Returns
        -------
        Tensor of shape (n_evidence, B, n_timestamps)
            In the order of :data:`skcoad.model.EVIDENCE`, without the residuals where
            there is a single channel.
        """
        x = channels[self.channel]
        views = {
            "values": x,
            "differences": first_differences(x) / self.difference_scale,
        }
        period = self.plan.period
        starts = torch.arange(x.shape[1] - period + 1, device=x.device)
        excess = [
            excess_distance(
                known_neighbors(kind, search(views[kind], starts)), baseline, period
            )
            for search, baseline, (kind, _) in zip(
                self.searches, self.baselines, VIEWS, strict=True
            )
        ]
        local, defined = statistics(
            x, _nothing_missing(x), self.plan, self.difference_scale
        )
        evidence = [
            self.calibration(torch.stack(excess)),
            _deviation(self.deviation, local, defined),
        ]
        if self.residual is not None:
            evidence.append(self.residual(channels))
        return torch.cat(evidence)


class ResidualGraph(nn.Module):
    """Rarity of what the other channels don't predict of one; see ChannelRegression."""

    weights: Tensor

    def __init__(self, regression: ChannelRegression, channel: int) -> None:
        super().__init__()
        self.plan: WindowPlan = regression.plan
        self.channel = channel
        self.predictors: list[int] = regression.predictors[channel].tolist()
        self.register_buffer("weights", regression.weights[channel])
        self.deviation = regression.deviations[channel]

    def forward(self, channels: Sequence[Tensor]) -> Tensor:
        """Map all channels ``(B, n_timestamps)`` to ``(2, B, n_timestamps)``."""
        others = torch.stack([channels[i] for i in self.predictors], -1)
        residual = channels[self.channel] - others @ self.weights
        smooth, defined = level(residual, _nothing_missing(residual), self.plan)
        return _deviation(
            self.deviation,
            torch.stack([residual, smooth]),
            torch.stack([defined, defined]),
        )


def rarity(
    calibration: TailCalibration, evidence: Tensor, kinds: slice = slice(None)
) -> Tensor:
    """Decades of rarity of evidence ``(n_kinds, B, n_timestamps)``, float32."""
    flat = evidence.to(torch.float32).flatten(1)
    result: Tensor = calibration(flat, kinds)
    return result.reshape(evidence.shape)


def _deviation(deviation: Deviation, values: Tensor, defined: Tensor) -> Tensor:
    result: Tensor = deviation(values.flatten(1), defined.flatten(1))
    return result.reshape(values.shape)


def _nothing_missing(x: Tensor) -> Tensor:
    return torch.zeros_like(x, dtype=torch.bool)
