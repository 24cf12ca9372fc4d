"""The exact nearest normal neighbour of every subsequence, without branches.

The joins of :mod:`skcoad.neighbors` look at few pairs, chosen by the data. A graph that
is computed the same way whatever the data are compares all of them, in one matrix
product: its distances are the exact ones, and at most those of the joins.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad.neighbors import Neighbors
from skcoad.neighbors._distance import EQUAL, MEAN_WEIGHT, VARIANCE_FLOOR, Metric
from skcoad.neighbors._index import TRIVIAL_MATCH
from skcoad.neighbors._join import JoinIndex

__all__ = ["ExactSearch"]

# Distances of queries to all subsequences that are held at once, for each series of a
# batch: 256 MiB.
MAX_DISTANCES = 2**25


class ExactSearch(nn.Module):
    """All subsequences of a normal series, compared with those of others.

    Computed in double precision, so that the order of a sum does not decide which of
    two similar subsequences is nearer.

    Parameters
    ----------
    series : Tensor of shape (n_normal,)
        Normal data of standard deviation 1.
    incomplete : Tensor of shape (n_normal - length + 1,)
        Which subsequences are no neighbours, bool.
    length : int
        Of a subsequence.
    metric : {"euclidean", "znormalized"}
        As for :class:`skcoad.neighbors.JoinIndex`.
    shift : float, default=0.0
        Subtracted from the other series; from the normal one it has been already.

    Examples
    --------
    >>> import torch
    >>> from skcoad.export._search import ExactSearch
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> incomplete = torch.zeros(376, dtype=torch.bool)
    >>> search = ExactSearch(series, incomplete, 25, "znormalized")
    >>> x = 2 * series[None, 100:130] + 0.01 * torch.sin(torch.arange(30.0) * 2)
    >>> bool(search(x, torch.arange(6)).distances.max() < 0.02)
    True
    """

    series: Tensor
    incomplete: Tensor

    def __init__(
        self,
        series: Tensor,
        incomplete: Tensor,
        length: int,
        metric: Metric,
        shift: float = 0.0,
    ) -> None:
        super().__init__()
        self.length = length
        self.metric = metric
        self.shift = shift
        self.register_buffer("series", series)
        self.register_buffer("incomplete", incomplete)

    @classmethod
    def of_join(cls, join: JoinIndex) -> ExactSearch:
        """Search what a join searches, by its metric."""
        return cls(join.series, join.incomplete, join.length, join.metric, join.shift)

    def forward(self, x: Tensor, starts: Tensor) -> Neighbors:
        """Find the nearest neighbours of subsequences.

        Parameters
        ----------
        x : Tensor of shape (B, n_timestamps)
            Series in the scale of the normal one.
        starts : Tensor of shape (Q,)
            Where the subsequences start.

        Returns
        -------
        Neighbors
            Indices and distances, ``(B, Q)``. A subsequence that stands in the normal
            series itself (a trivial match) has a neighbour elsewhere; infinitely far
            where there is none.
        """
        normal = self.subsequences(self.series[None])[0].double()  # n, length
        reference = self._normalised(normal)
        reference_norm = (
            reference.square().sum(-1).masked_fill(self.incomplete, torch.inf)
        )
        x = (x.double() - self.shift).to(x.dtype)
        size = max(1, MAX_DISTANCES // len(reference))
        found = [
            self._nearest(x, starts[i : i + size], normal, reference, reference_norm)
            for i in range(0, len(starts), size)
        ]
        indices, squared = (torch.cat(part, 1) for part in zip(*found, strict=True))
        distances = F.threshold(squared, EQUAL, 0).to(x.dtype).sqrt()
        return Neighbors(indices, distances)

    def subsequences(self, x: Tensor, starts: Tensor | None = None) -> Tensor:
        """Subsequences ``(B, Q, length)`` of series ``(B, n)``; all by default."""
        if starts is None:
            starts = torch.arange(x.shape[1] - self.length + 1, device=x.device)
        return x[:, starts[:, None] + torch.arange(self.length, device=x.device)]

    def _nearest(
        self,
        x: Tensor,
        starts: Tensor,
        normal: Tensor,
        reference: Tensor,
        reference_norm: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Index and mean squared difference of the nearest, each ``(B, Q)``."""
        queries = self.subsequences(x, starts).double()
        normalised = self._normalised(queries)
        squared = reference_norm - 2 * normalised @ reference.T  # B, Q, n
        match = squared.argmin(-1)
        difference = (normal[match] - queries).square().mean(-1)
        trivial = difference <= TRIVIAL_MATCH * queries.var(-1, correction=0)
        distance = torch.arange(len(normal), device=x.device) - match[..., None]
        excluded = trivial[..., None] & (distance.abs() < self.length)
        values, indices = squared.masked_fill(excluded, torch.inf).min(-1)
        return indices, (values + normalised.square().sum(-1)) / self.length

    def _normalised(self, subsequences: Tensor) -> Tensor:
        """Subsequences whose mean squared difference is the squared distance."""
        mean = subsequences.mean(-1, keepdim=True)
        if self.metric == "euclidean":
            return subsequences - (1 - MEAN_WEIGHT) * mean
        centred = subsequences - mean
        variance = centred.square().mean(-1, keepdim=True)
        return centred / (variance + VARIANCE_FLOOR).sqrt()
