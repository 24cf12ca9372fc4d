"""The nearest normal neighbour of every subsequence of a series, near exact.

A matrix profile of one series against another (an AB-join) in near-linear time:

1. All subsequences of the normal series are stored by their principal components, in an
   inverted file: sorted into about sqrt(n) cells by k-means.
2. Of the other series, every `query_stride`-th subsequence is a query. The best member
   of each of the nearest cells is a candidate.
3. A candidate is a diagonal of the distance matrix. Its distance is computed at the
   query; along the diagonal, up to the queries on either side, it follows from the
   values that enter and leave, in O(1) for each subsequence.
4. Diagonals that are best at the end of a block between two queries are tried on the
   next one, in both directions (PatchMatch; Barnes et al., SIGGRAPH 2009).

Every distance is exact for its pair; only the choice of pairs is approximate.
``benchmarks/recall.py`` compares it with brute force.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad.neighbors._index import MEAN_WEIGHT, TRIVIAL_MATCH, Neighbors
from skcoad.neighbors._inverted_file import N_SAMPLE, ExclusionZone, InvertedFile
from skcoad.preprocessing._rolling import rolling_sum

__all__ = ["JoinIndex", "Metric"]

Metric = Literal["euclidean", "znormalized"]

# Added to variances before z-normalisation, in variances of the normal series: below
# this amplitude, shape is noise.
VARIANCE_FLOOR = 0.02**2
EQUAL = 1e-9  # squared distance of equals, with the rounding of their moments
N_COMPONENTS = 64
MAX_POINTS = 256  # of a subsequence in the first stage; longer ones are downsampled
MAX_INDEXED = 2**18  # subsequences; of a longer series, evenly spaced ones
N_SWEEPS = 2
QUERIES_PER_LENGTH = 16
EMBEDDING_CHUNK = 2**11
PAIR_CHUNK = 2**19  # points of diagonals
NOWHERE = -(2**40)  # index of no subsequence, far from all


class _Moments(NamedTuple):
    """A series with mean and variance of each of its subsequences."""

    series: Tensor
    mean: Tensor  # float64
    variance: Tensor


class _Best(NamedTuple):
    """Best pair of each subsequence, ``(n_blocks, stride)``."""

    squared: Tensor  # distance
    total: Tensor  # sum of squared differences
    diagonal: Tensor  # index of the neighbour minus that of the subsequence


class JoinIndex(nn.Module):
    """All subsequences of a normal series, of one length, to be joined with others.

    Parameters
    ----------
    series : Tensor of shape (n_timestamps,)
        Normal data of standard deviation 1.
    missing : Tensor of shape (n_timestamps,)
        Which values are imputed, bool; a subsequence with one of them is no neighbour,
        unless all have one.
    length : int
        Length of a subsequence, at most `n_timestamps`.
    metric : {"euclidean", "znormalized"}
        Root mean squared difference of two subsequences, after shrinking their means,
        or after z-normalisation (with a floor for the variance).
    mean_weight : float, default=0.2
        What the means are shrunk to; 0 ignores them, 1 is the plain distance.

    Examples
    --------
    >>> import torch
    >>> from skcoad.neighbors import JoinIndex
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> missing = torch.zeros(400, dtype=torch.bool)
    >>> index = JoinIndex(series, missing, length=25, metric="euclidean")
    >>> x = series[100:200] + 0.01 * torch.sin(torch.arange(100.0) * 2)
    >>> x[50:60] = 0
    >>> int(index.join(x, query_stride=2).distances.argmax()) in range(30, 60)
    True
    """

    series: Tensor
    mean: Tensor
    variance: Tensor
    incomplete: Tensor
    components: Tensor

    def __init__(
        self,
        series: Tensor,
        missing: Tensor,
        length: int,
        metric: Metric,
        mean_weight: float = MEAN_WEIGHT,
    ) -> None:
        super().__init__()
        self.mean_weight = mean_weight
        self.length = length
        self.metric = metric
        self.shift = float(series.double().mean())
        self.factor = math.ceil(length / MAX_POINTS)
        n_missing = rolling_sum(missing, length)
        incomplete = (n_missing > 0) & (n_missing == 0).any()
        self._set(incomplete=incomplete, **self._moments(series)._asdict())
        generator = torch.Generator().manual_seed(0)
        usable = (~incomplete).nonzero()[:, 0]
        positions = usable[:: math.ceil(len(usable) / MAX_INDEXED)]
        sample = torch.randperm(len(positions), generator=generator)[: 4 * N_SAMPLE]
        sample = positions[sample.to(series.device)]
        n_points = length // self.factor
        identity = torch.eye(n_points, dtype=series.dtype, device=series.device)
        self._set(components=identity)
        points = self._embed(self._y, sample[:N_SAMPLE].sort().values).double()
        vectors = torch.linalg.eigh(points.T @ points).eigenvectors
        self._set(components=vectors[:, -N_COMPONENTS:].to(series).contiguous())
        self.file = InvertedFile(
            positions,
            self._embed(self._y, positions),
            self._embed(self._y, sample),
            generator,
        )

    def _set(self, **buffers: Tensor) -> None:
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    @property
    def _y(self) -> _Moments:
        return _Moments(self.series, self.mean, self.variance)

    def _moments(self, series: Tensor) -> _Moments:
        centred = (series.double() - self.shift).to(series.dtype)
        x = centred.double()  # the moments of what is compared, rounding and all
        sums = rolling_sum(torch.stack([x, x.square()]), self.length)
        mean, mean_square = sums / self.length
        variance = (mean_square - mean.square()).clamp_min(0)
        return _Moments(centred, mean, variance)

    def _embed(self, x: _Moments, starts: Tensor) -> Tensor:
        """Principal components of subsequences, ``(Q, n_components)``."""
        subsequences = x.series.unfold(0, self.length, 1)
        n_points = self.components.shape[0]
        total = self.components.sum(0)
        embedded = []
        for chunk in torch.split(starts, EMBEDDING_CHUNK):
            points = subsequences[chunk]
            if self.factor > 1:
                points = points[:, : n_points * self.factor]
                points = points.reshape(len(points), n_points, self.factor).mean(2)
            mean = x.mean[chunk, None].to(points.dtype)
            coordinates = points @ self.components
            if self.metric == "euclidean":
                coordinates -= (1 - self.mean_weight) * mean * total
            else:
                deviation = (x.variance[chunk, None] + VARIANCE_FLOOR).sqrt()
                coordinates = (coordinates - mean * total) / deviation.to(points.dtype)
            embedded.append(coordinates)
        return torch.cat(embedded)

    def embed_own(self, starts: Tensor) -> Tensor:
        """Principal components of subsequences of the series itself.

        Parameters
        ----------
        starts : Tensor of shape (n_queries,)
            Where they start.

        Returns
        -------
        Tensor of shape (n_queries, n_components)
        """
        return self._embed(self._y, starts)

    def self_join(
        self, query_stride: int, exclusion: int | None = None, past_only: bool = False
    ) -> Neighbors:
        """Find the nearest neighbour of every subsequence of the series itself.

        Parameters
        ----------
        query_stride : int
            As in :meth:`join`.
        exclusion : int, default=None
            Neighbours start at least this far away; by default the length of a
            subsequence, so that they don't overlap.
        past_only : bool, default=False
            Whether neighbours are earlier ones only.

        Returns
        -------
        Neighbors
            Of all subsequences; infinitely far where everything is excluded.
        """
        zone = ExclusionZone(self.length if exclusion is None else exclusion, past_only)
        return self._join(self._y, query_stride, zone, itself=True)

    def join(self, x: Tensor, query_stride: int) -> Neighbors:
        """Find the nearest neighbour of every subsequence of another series.

        Parameters
        ----------
        x : Tensor of shape (n_timestamps,)
            At least a subsequence long; in the scale of the normal series. A
            subsequence that is found in the normal series itself, a trivial match, is
            treated as in :meth:`self_join`.
        query_stride : int
            Distance between two queries, for instance a sixteenth of the length.

        Returns
        -------
        Neighbors
            Of all subsequences, ``(n_timestamps - length + 1,)``; infinitely far where
            everything is excluded.
        """
        zone = ExclusionZone(self.length)
        return self._join(self._moments(x), query_stride, zone, itself=False)

    def _join(
        self, x: _Moments, stride: int, zone: ExclusionZone, itself: bool
    ) -> Neighbors:
        n = len(x.mean)
        stride = min(stride, n)
        n_blocks = -(-n // stride)
        device = x.series.device
        starts = (torch.arange(n_blocks + 1, device=device) * stride).clamp_max(n - 1)
        found, excluded = self._candidates(x, starts, zone, itself)
        # A block excludes the trivial matches of the queries on both of its sides.
        around = F.pad(excluded, (1, 1), value=0 if itself else NOWHERE)
        around = torch.stack([around[:-2], around[1:-1], around[2:]], 1)  # queries, 3
        shape = (n_blocks, stride)
        best = _Best(
            torch.full(shape, torch.inf, dtype=x.series.dtype, device=device),
            torch.zeros(shape, dtype=torch.float64, device=device),
            torch.zeros(shape, dtype=torch.long, device=device),
        )
        subsequences = x.series.unfold(0, self.length, 1)
        references = self.series.unfold(0, self.length, 1)
        size = found.shape[1] * max(self.length, 4 * stride)
        every = torch.arange(n_blocks + 1, device=device)
        for queries in torch.split(every, max(1, PAIR_CHUNK // size)):
            start, candidates = starts[queries], found[queries]
            # Far from the normal data, a shape is a small difference of large numbers.
            difference = references[candidates].double() - subsequences[start][:, None]
            total = difference.square().sum(-1)
            diagonal = candidates - start[:, None]
            first = (queries - 1) * stride
            # The last query, at the very end, is not at a multiple of the stride.
            known = start - first
            squared, totals = self._along(
                x, first, 2 * stride, diagonal, total, known, around[queries], zone
            )
            values, which = squared.min(1, keepdim=True)
            new = _Best(
                values[:, 0],
                totals.gather(1, which)[:, 0],
                diagonal.gather(1, which[:, 0]),
            )
            _improve(best, queries, _Best(*(part[:, stride:] for part in new)))
            _improve(best, queries - 1, _Best(*(part[:, :stride] for part in new)))
        for _ in range(N_SWEEPS):
            self._sweep(best, x, stride, around, zone, forwards=True)
            self._sweep(best, x, stride, around, zone, forwards=False)
        indices = torch.arange(n, device=device) + best.diagonal.flatten()[:n]
        return Neighbors(indices, best.squared.flatten()[:n].sqrt())

    def _sweep(
        self,
        best: _Best,
        x: _Moments,
        stride: int,
        around: Tensor,
        zone: ExclusionZone,
        *,
        forwards: bool,
    ) -> None:
        """Try what is best at the end of each block on the next one, in place."""
        step, edge = (1, stride - 1) if forwards else (-1, 0)
        # Copies: what a block hands on must not depend on the order of the blocks.
        diagonals, totals = best.diagonal[:, edge].clone(), best.total[:, edge].clone()
        diagonals[best.squared[:, edge].isinf()] = NOWHERE  # there is no pair
        blocks = torch.arange(len(diagonals), device=diagonals.device)
        blocks = blocks[1:] if forwards else blocks[:-1]
        for block in torch.split(blocks, max(1, PAIR_CHUNK // (8 * stride))):
            diagonal = diagonals[block - step, None]
            squared, total = self._along(
                x,
                block * stride - int(forwards),
                stride + 1,
                diagonal,
                totals[block - step, None],
                torch.full_like(block, 0 if forwards else stride),
                torch.cat([around[block], around[block + 1]], 1),
                zone,
            )
            kept = slice(1, None) if forwards else slice(0, stride)
            _improve(
                best,
                block,
                _Best(
                    squared[:, 0, kept], total[:, 0, kept], diagonal.expand(-1, stride)
                ),
            )

    def _candidates(
        self, x: _Moments, starts: Tensor, zone: ExclusionZone, itself: bool
    ) -> tuple[Tensor, Tensor]:
        """Candidates ``(Q, n_probes)`` of queries, and what they exclude ``(Q,)``.

        The second is the diagonal of the trivial match, or ``NOWHERE``.
        """
        embedded = self._embed(x, starts)
        if itself:
            return self.file.search(embedded, starts, zone), torch.zeros_like(starts)
        found = self.file.search(embedded, torch.full_like(starts, NOWHERE), zone)
        subsequences = x.series.unfold(0, self.length, 1)
        references = self.series.unfold(0, self.length, 1)
        match = torch.full_like(starts, NOWHERE)
        every = torch.arange(len(starts), device=starts.device)
        size = self.length * found.shape[1]
        for queries in torch.split(every, max(1, PAIR_CHUNK // size)):
            start = starts[queries]
            difference = references[found[queries]] - subsequences[start][:, None]
            squared, which = difference.square().mean(-1).min(1)
            trivial = squared <= TRIVIAL_MATCH * x.variance[start]
            index = found[queries].gather(1, which[:, None])[:, 0]
            match[queries] = torch.where(trivial, index, NOWHERE)
        trivial = (match != NOWHERE).nonzero()[:, 0]
        if len(trivial):
            found[trivial] = self.file.search(embedded[trivial], match[trivial], zone)
        return found, torch.where(match == NOWHERE, NOWHERE, match - starts)

    def _along(
        self,
        x: _Moments,
        first: Tensor,
        size: int,
        diagonal: Tensor,
        total: Tensor,
        known: Tensor,
        excluded: Tensor,
        zone: ExclusionZone,
    ) -> tuple[Tensor, Tensor]:
        """Squared distances, and sums of squared differences, along diagonals.

        Parameters
        ----------
        x : _Moments
            The other series.
        first : Tensor of shape (B,)
            First subsequence of each run.
        size : int
            Subsequences in a run.
        diagonal, total : Tensor of shape (B, C)
            Diagonals, and the sum of squared differences at ``first + known``.
        known : Tensor of shape (B,)
            See `total`.
        excluded : Tensor of shape (B, E)
            Diagonals that exclude others.
        zone : ExclusionZone
            Which others.

        Returns
        -------
        squared, totals : Tensor of shape (B, C, size)
            Infinite where there is no such pair.
        """
        m, n_x, n_y = self.length, len(x.series), len(self.series)
        i = first[:, None] + torch.arange(size, device=first.device)
        j = i[:, None] + diagonal[..., None]
        leaving, entering = (
            i[:, :-1].clamp(0, n_x - 1),
            (i[:, :-1] + m).clamp(0, n_x - 1),
        )
        leave = self.series[j[..., :-1].clamp(0, n_y - 1)]
        leave = leave - x.series[leaving].double()[:, None]
        enter = self.series[(j[..., :-1] + m).clamp(0, n_y - 1)]
        enter = enter - x.series[entering].double()[:, None]
        change = enter.square_().sub_(leave.square_())
        totals = F.pad(change.cumsum(-1, dtype=torch.float64), (1, 0))
        at = known[:, None, None].expand(*diagonal.shape, 1)
        totals += total[..., None] - totals.gather(-1, at)
        absent = ((i < 0) | (i >= len(x.mean)))[:, None] | (j < 0) | (j > n_y - m)
        overlaps = zone.excludes(diagonal[..., None] - excluded[:, None])
        i, j = i.clamp(0, len(x.mean) - 1)[:, None], j.clamp(0, n_y - m)
        squared = self._squared_distance(x, totals / m, i, j).to(x.series.dtype)
        absent |= overlaps.any(-1, keepdim=True) | self.incomplete[j]
        squared = F.threshold(squared, EQUAL, 0)
        return squared.masked_fill_(absent, torch.inf), totals

    def _squared_distance(
        self, x: _Moments, mean_square: Tensor, i: Tensor, j: Tensor
    ) -> Tensor:
        """Squared distance of two subsequences, from their mean squared difference."""
        between = (x.mean[i] - self.mean[j]).square_()
        if self.metric == "euclidean":
            return mean_square - (1 - self.mean_weight**2) * between
        # With v the variances, c the covariance and a = v + floor:
        # v_x / a_x + v_y / a_y - 2 c / sqrt(a_x a_y).
        v_x, v_y = x.variance[i], self.variance[j]
        a_x, a_y = v_x + VARIANCE_FLOOR, v_y + VARIANCE_FLOOR
        twice_covariance = v_x + v_y + between - mean_square
        return v_x / a_x + v_y / a_y - twice_covariance / (a_x * a_y).sqrt()


def _improve(best: _Best, blocks: Tensor, new: _Best) -> None:
    """Keep the better pairs of consecutive blocks; the first and last may not exist."""
    kept = (blocks >= 0) & (blocks < len(best.squared))
    if not kept.any():
        return
    rows = slice(int(blocks[kept][0]), int(blocks[kept][-1]) + 1)
    better = new.squared[kept] < best.squared[rows]
    for old, update in zip(best, new, strict=True):
        old[rows] = torch.where(better, update[kept], old[rows])
