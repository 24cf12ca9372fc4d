"""Windows of one channel through the network, and back to its timestamps."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from skcoad._rolling import moving_average
from skcoad.export._cover import WindowCover
from skcoad.export._search import ExactSearch
from skcoad.model import CoADModel, CoADNetwork, CoADOutput
from skcoad.neighbors import ChannelNeighbors
from skcoad.neighbors._profile import cross_fade
from skcoad.scoring import ScoringOptions

__all__ = ["NetworkGraph"]


class NetworkGraph(nn.Module):
    """Smoothed probability and error of one channel.

    Parameters
    ----------
    model : CoADModel
        Fitted, with a network.
    channel : int
        Which channel.
    options : ScoringOptions
        How to score.
    chunk_size : int
        Timestamps in a chunk.
    """

    def __init__(
        self, model: CoADModel, channel: int, options: ScoringOptions, chunk_size: int
    ) -> None:
        super().__init__()
        plan = model.config.plan
        self.plan = plan
        self.aggregation = options.score_aggregation
        self.width = options.width(plan.period)
        self.windows = WindowCover(chunk_size, plan.window_size, plan.step)
        self.network = cast("CoADNetwork", model.network)
        self.retrieve: RetrievalGraph | None = None
        if model.neighbors is not None:
            self.retrieve = RetrievalGraph(model.neighbors[channel], chunk_size)

    def forward(self, x: Tensor) -> Tensor:
        """Map scaled chunks ``(B, chunk_size)`` to ``(2, B, chunk_size)``."""
        cut = self.windows.cut(x)  # B, n_windows, window_size
        windows = cut.flatten(0, 1)
        reference = None
        if self.retrieve is not None:
            reference = self.windows.cut(self.retrieve(x)).flatten(0, 1)
        output: CoADOutput = self.network(windows, reference)
        parts = (
            output.probability.repeat_interleave(self.plan.patch_size, 1),
            (output.reconstruction - windows).abs(),
        )
        averages = [
            moving_average(
                self.windows(part.reshape(cut.shape), self.aggregation), self.width
            )
            for part in parts
        ]
        return torch.stack(averages)


class RetrievalGraph(nn.Module):
    """A channel as its nearest neighbours reconstruct it, without missing values."""

    def __init__(self, neighbors: ChannelNeighbors, chunk_size: int) -> None:
        super().__init__()
        index, plan = neighbors.index, neighbors.plan
        self.search = ExactSearch(
            index.series, index.incomplete, plan.period, "euclidean"
        )
        self.queries = WindowCover(
            chunk_size, plan.period, plan.query_stride(2), cross_fade(plan.period)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct ``(B, chunk_size)``; as :func:`skcoad.neighbors.retrieve`."""
        nearest = self.search(x, self.queries.starts)
        values = self.search.subsequences(self.search.series[None])[0][nearest.indices]
        mean = self.queries.cut(x).mean(-1, keepdim=True)
        result: Tensor = self.queries(values - values.mean(-1, keepdim=True) + mean)
        return result
