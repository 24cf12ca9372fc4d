"""From the values of chunks of a series to their scores, in one graph without branches.

The same as :func:`skcoad.scoring.score_series` for chunks of fixed length without
missing values, with exact nearest neighbours in place of near exact ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import cast

import torch
from torch import Tensor, nn

from skcoad._rolling import moving_average
from skcoad._typing import Size
from skcoad.export._evidence import EvidenceGraph, rarity
from skcoad.export._windows import NetworkGraph
from skcoad.model import AGGREGATIONS, RESIDUALS, SCORES, CoADModel
from skcoad.model._scaler import MAX_SCALED
from skcoad.scoring import ScoringOptions, smoothing_reach

__all__ = ["ScoringGraph"]

CHUNK_HALOS = 8  # of a chunk of automatic size


class ScoringGraph(nn.Module):
    """Chunks of a series to scores of their timestamps.

    Chunks have one length, and their number is free. Away from the ends of a chunk by
    `halo`, scores are those of the whole series.

    Parameters
    ----------
    model : CoADModel
        Fitted and calibrated.
    options : ScoringOptions
        How to score; its references must be "train".
    chunk_size : int or "auto", default="auto"
        Timestamps in a chunk; by default eight times the halo.

    Attributes
    ----------
    chunk_size : int
        Timestamps in a chunk.
    halo : int
        How far a score depends on its surroundings: a window, a period and the
        averages of the network, rounded up to a multiple of the step between windows.
    stride : int
        Distance between consecutive chunks of a series, so that every timestamp is away
        from the ends of one of them.
    step : int
        Between windows. Scores of the network are those of the whole series where a
        chunk begins at a multiple of it.

    Raises
    ------
    TypeError
        If `chunk_size` is neither an int nor "auto".
    ValueError
        If the references are others, or the chunk has no core between its halos.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.export import ScoringGraph
    >>> from skcoad.scoring import ScoringOptions
    >>> X = np.sin(np.arange(1000.0) / 4)[:, None]
    >>> model = NeighborsDetector().fit(X).model_
    >>> graph = ScoringGraph(model, ScoringOptions(score_by="neighbors"))
    >>> scores, channel_scores = graph(torch.from_numpy(X[None, : graph.chunk_size]))
    >>> scores.shape == (1, graph.chunk_size)
    True
    """

    center: Tensor
    scale: Tensor
    rounding: Tensor

    def __init__(
        self,
        model: CoADModel,
        options: ScoringOptions,
        chunk_size: Size = "auto",
    ) -> None:
        super().__init__()
        if options.references != "train":
            raise ValueError(
                f"references={options.references!r} cannot be exported: scores then "
                "depend on the whole series; fit with references='train'"
            )
        plan = model.config.plan
        self.step = plan.step
        reach = plan.window_size + plan.period
        reach += smoothing_reach(model, options.width(plan.period))
        self.halo = plan.step * math.ceil(reach / plan.step)
        if chunk_size == "auto":
            self.chunk_size = CHUNK_HALOS * self.halo
        elif isinstance(chunk_size, Integral):
            self.chunk_size = int(chunk_size)
        else:
            raise TypeError(f'chunk_size must be an int or "auto", got {chunk_size!r}')
        self.stride = (self.chunk_size - 2 * self.halo) // plan.step * plan.step
        if self.stride < 1:
            raise ValueError(
                f"chunk_size={chunk_size} is less than two halos and a step, "
                f"{2 * self.halo + plan.step} timestamps"
            )
        self.register_buffer("center", model.scaler.center)
        self.register_buffer("scale", model.scaler.scale)
        self.register_buffer("rounding", model.scaler.rounding)
        self.channel_aggregation = options.channel_aggregation
        self.channels = cast(
            "Sequence[ChannelGraph]",
            nn.ModuleList(
                ChannelGraph(model, channel, options, self.chunk_size)
                for channel in range(model.config.n_channels)
            ),
        )
        self.aggregate = model.aggregate
        row = AGGREGATIONS.index(options.channel_aggregation) * len(SCORES)
        row += SCORES.index(options.score_by)
        self.aggregate_row = slice(row, row + 1)

    def forward(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Score every timestamp of chunks.

        Parameters
        ----------
        X : Tensor of shape (n_chunks, chunk_size, n_channels)
            float64, in the units of the training series.

        Returns
        -------
        scores : Tensor of shape (n_chunks, chunk_size)
            As ``decision_function``; float64.
        channel_scores : Tensor of shape (n_chunks, chunk_size, n_channels)
            As ``channel_scores``; float64. Both are NaN within a halo of a row with a
            value that is not finite.
        """
        finite = X.isfinite()
        unknown = self._within_halo(~finite.all(-1))
        # A number in its place, since a running sum would carry it to all later rows.
        X = torch.where(finite, X, self.center)
        scaled = 2 * ((X / 2 - self.center / 2) / self.scale)
        scaled = scaled.masked_fill(scaled.abs() <= self.rounding, 0.0)
        scaled = scaled.clamp(-MAX_SCALED, MAX_SCALED).float()
        x = [scaled[..., i] for i in range(len(self.channels))]
        channels = torch.stack([channel(x) for channel in self.channels]).double()
        if len(self.channels) == 1:
            scores = channels[0]
        else:
            if self.channel_aggregation == "max":
                combined = channels.amax(0)
            elif self.channel_aggregation == "mean":
                combined = channels.mean(0)
            else:
                combined = channels.square().mean(0).sqrt()
            scores = rarity(self.aggregate, combined[None], self.aggregate_row)[0]
        scores = scores.double().masked_fill(unknown, math.nan)
        channels = channels.movedim(0, -1)
        return scores, channels.masked_fill(unknown[..., None], math.nan)

    def _within_halo(self, rows: Tensor) -> Tensor:
        """Which rows ``(B, chunk_size)`` are within a halo of one of these."""
        width = 2 * self.halo + 1
        return nn.functional.max_pool1d(rows.float(), width, 1, self.halo) > 0


class ChannelGraph(nn.Module):
    """Scaled chunks of all channels to the score of one channel, in decades."""

    evidence_weights: Tensor

    def __init__(
        self, model: CoADModel, channel: int, options: ScoringOptions, chunk_size: int
    ) -> None:
        super().__init__()
        self.channel = channel
        self.score_by = options.score_by
        self.evidence: EvidenceGraph | None = None
        self.network: NetworkGraph | None = None
        if model.neighbors is not None and options.score_by in ("joint", "neighbors"):
            self.evidence = EvidenceGraph(model, channel)
        if model.network is not None and options.score_by != "neighbors":
            self.network = NetworkGraph(model, channel, options, chunk_size)
        weights = torch.from_numpy(model.evidence_weights(channel))
        if model.regression is None:
            weights = weights[: -len(RESIDUALS)].clone()  # not a view of the rest
        self.register_buffer("evidence_weights", weights)
        self.network_weight = model.network_weight(channel)
        self.period = model.config.plan.period
        calibration = model.calibrations[channel]
        self.network_calibration = calibration.network
        self.score_calibration = calibration.scores
        row = SCORES.index(options.score_by)
        self.row = slice(row, row + 1)

    def forward(self, channels: Sequence[Tensor]) -> Tensor:
        """Score ``(B, chunk_size)`` of one channel."""
        score = self._combined(channels)[None]
        return rarity(self.score_calibration, score, self.row)[0]

    def _combined(self, channels: Sequence[Tensor]) -> Tensor:
        """As :func:`skcoad.scoring.combine`."""
        if self.network is None:
            return self._neighbors(channels)
        network: Tensor = self.network(channels[self.channel])  # 2, B, chunk_size
        if self.score_by == "classification":
            return network[0]
        if self.score_by == "reconstruction":
            return network[1]
        if self.evidence is None:
            return network.sum(0)
        rare = rarity(self.network_calibration, network).double()
        decades = moving_average(rare, self.period).square().mean(0).sqrt()
        return self._neighbors(channels) * (1 + self.network_weight * decades)

    def _neighbors(self, channels: Sequence[Tensor]) -> Tensor:
        """Weighted quadratic mean of the evidence."""
        evidence: Tensor = cast("EvidenceGraph", self.evidence)(channels)
        squares = evidence.double().square()
        return (self.evidence_weights[:, None, None] * squares).sum(0).sqrt()
