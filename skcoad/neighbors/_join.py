"""The nearest normal neighbour of every subsequence of a series, near exact.

A matrix profile of one series against another (an AB-join) in near-linear time:

1. All subsequences of the normal series are stored by their principal components, in an
   inverted file: sorted into about sqrt(n) cells by k-means.
2. Of the other series, every `query_stride`-th subsequence is a query. The best member
   of each of the nearest cells, or the one before or after it, is a candidate.
3. A candidate is a diagonal of the distance matrix. Its distance is computed at the
   query; along the diagonal, up to the queries on either side, it follows from the
   values that enter and leave, in O(1) for each subsequence.
4. Diagonals that are best at the end of a block between two queries are tried on the
   next one, in both directions and for up to half a subsequence (PatchMatch; Barnes et
   al., SIGGRAPH 2009).

Every distance is exact for its pair; only the choice of pairs is approximate.
``benchmarks/recall.py`` compares it with brute force. The last two steps are in
``_diagonals.py`` for the CPU and in ``_diagonals_torch.py`` for other devices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad._rolling import rolling_sum
from skcoad._threads import in_threads
from skcoad.neighbors import _diagonals, _diagonals_torch
from skcoad.neighbors._distance import (
    MEAN_WEIGHT,
    NOWHERE,
    VARIANCE_FLOOR,
    Comparison,
    Metric,
    Moments,
    distance_terms,
)
from skcoad.neighbors._index import TRIVIAL_MATCH, Neighbors
from skcoad.neighbors._inverted_file import N_SAMPLE, ExclusionZone, InvertedFile
from skcoad.neighbors._pairs import Side, make_side

__all__ = ["JoinIndex", "Metric", "join_all", "self_join_all"]

N_COMPONENTS = 64
MAX_POINTS = 256  # of a subsequence in the first stage; longer ones are downsampled
MAX_INDEXED = 2**18  # subsequences; of a longer series, evenly spaced ones
EMBEDDING_CHUNK = 2**11
# Coordinates below it are 0, far below rounding: squares of what they differ by would
# be subnormal, with which a CPU is many times slower.
TINY = 1e-11


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
        Root mean squared difference of two subsequences, after shrinking their means
        to a fifth, or after z-normalisation (with a floor for the variance).

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
    ) -> None:
        super().__init__()
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
    def _y(self) -> Moments:
        return Moments(self.series, self.mean, self.variance)

    def _moments(self, series: Tensor) -> Moments:
        centred = (series.double() - self.shift).to(series.dtype)
        x = centred.double()  # the moments of what is compared, rounding and all
        sums = rolling_sum(torch.stack([x, x.square()]), self.length)
        mean, mean_square = sums / self.length
        variance = (mean_square - mean.square()).clamp_min(0)
        return Moments(centred, mean, variance)

    def _embed(self, x: Moments, starts: Tensor) -> Tensor:
        """Principal components of subsequences, ``(Q, n_components)``."""
        subsequences = self._downsampled(x.series)
        total = self.components.sum(0)
        embedded = []
        for chunk in torch.split(starts, EMBEDDING_CHUNK):
            points = subsequences[chunk]
            mean = x.mean[chunk, None].to(points.dtype)
            coordinates = points @ self.components
            if self.metric == "euclidean":
                coordinates -= (1 - MEAN_WEIGHT) * mean * total
            else:
                deviation = (x.variance[chunk, None] + VARIANCE_FLOOR).sqrt()
                coordinates = (coordinates - mean * total) / deviation.to(points.dtype)
            embedded.append(F.hardshrink(coordinates, TINY))
        return torch.cat(embedded)

    def _downsampled(self, series: Tensor) -> Tensor:
        """Means of consecutive values of each subsequence, ``(n, n_points)``."""
        means = series
        if self.factor > 1:
            means = F.avg_pool1d(series[None], self.factor, stride=1)[0]
        return means.unfold(0, self.length - self.factor + 1, 1)[:, :: self.factor]

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

    def side(self) -> Side:
        """Make the arrays of the series that compiled functions read."""
        terms = distance_terms(self._y, self.metric)
        return make_side(self.series.cpu(), terms.cpu())

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
        return _joined([self], None, query_stride, zone)[0]

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
        return join_all([self], [x], query_stride)[0]

    def _query(self, x: Tensor | None, starts: Tensor, zone: ExclusionZone) -> _Queried:
        """Find candidates for some subsequences, of the series itself if `x` is None.

        The first stage is coarse: one timestamp earlier or later may be nearer.
        """
        of = Comparison(
            self._y if x is None else self._moments(x),
            self._y,
            self.incomplete,
            zone,
            self.metric,
        )
        embedded = self._embed(of.x, starts)
        kernels = _kernels(starts.device)

        def nearest(rows: Tensor | slice, match: Tensor) -> tuple[Tensor, Tensor]:
            found = self.file.search(embedded[rows], match[rows], zone)
            nearest: tuple[Tensor, Tensor] = kernels.nearest_adjacent(
                of, starts[rows], found, match[rows]
            )
            return nearest

        if x is None:
            found, totals = nearest(slice(None), starts)
            return _Queried(of, found, totals, torch.zeros_like(starts))
        match = torch.full_like(starts, NOWHERE)
        found, totals = nearest(slice(None), match)
        total, which = totals.min(1)
        trivial = total <= TRIVIAL_MATCH * self.length * of.x.variance[starts]
        match = torch.where(trivial, found.gather(1, which[:, None])[:, 0], NOWHERE)
        if starts.device.type != "cpu":  # to search again is faster than to ask it
            found, totals = nearest(slice(None), match)
        elif trivial.any():
            found[trivial], totals[trivial] = nearest(trivial, match)
        return _Queried(
            of, found, totals, torch.where(trivial, match - starts, NOWHERE)
        )


class _Queried(NamedTuple):
    """A join, and candidates of its queries.

    Attributes
    ----------
    of : Comparison
        What is joined.
    found, totals : Tensor of shape (n_queries, n_probes)
        Candidates, and their sums of squared differences to the query.
    excluded : Tensor of shape (n_queries,)
        The diagonal of the trivial match, or ``NOWHERE``.
    """

    of: Comparison
    found: Tensor
    totals: Tensor
    excluded: Tensor


def join_all(
    indexes: Sequence[JoinIndex], x: Sequence[Tensor], query_stride: int
) -> list[Neighbors]:
    """Join several normal series with one other each, at once.

    Parameters
    ----------
    indexes : sequence of JoinIndex
        Of normal series of the same length, for subsequences of the same length.
    x : sequence of Tensor of shape (n_timestamps,)
        What each is joined with, all of the same length.
    query_stride : int
        As in :meth:`JoinIndex.join`.

    Returns
    -------
    list of Neighbors
        What :meth:`JoinIndex.join` gives for each.
    """
    return _joined(indexes, x, query_stride, ExclusionZone(indexes[0].length))


def self_join_all(indexes: Sequence[JoinIndex], query_stride: int) -> list[Neighbors]:
    """Join several normal series with themselves, at once.

    Parameters
    ----------
    indexes, query_stride : sequence of JoinIndex, int
        As for :func:`join_all`.

    Returns
    -------
    list of Neighbors
        What :meth:`JoinIndex.self_join` gives for each.
    """
    return _joined(indexes, None, query_stride, ExclusionZone(indexes[0].length))


def _joined(
    indexes: Sequence[JoinIndex],
    x: Sequence[Tensor] | None,
    stride: int,
    zone: ExclusionZone,
) -> list[Neighbors]:
    """Join with other series, or each with itself if there is none."""
    series = indexes[0].series if x is None else x[0]
    n, device = len(series) - indexes[0].length + 1, series.device
    stride = min(stride, n)
    n_blocks = -(-n // stride)
    starts = (torch.arange(n_blocks + 1, device=device) * stride).clamp_max(n - 1)

    def query(row: int) -> _Queried:
        return indexes[row]._query(None if x is None else x[row], starts, zone)

    # On an accelerator one after the other, as each takes much of its memory.
    apply = in_threads if device.type == "cpu" else map
    queried = list(apply(query, range(len(indexes))))
    n_probes = max(each.found.shape[1] for each in queried)
    found, totals = (
        torch.stack([_widened(candidates, n_probes) for candidates in part])
        for part in zip(*((each.found, each.totals) for each in queried), strict=True)
    )
    # A block excludes the trivial matches of the queries on both of its sides.
    around = F.pad(
        torch.stack([each.excluded for each in queried]),
        (1, 1),
        value=0 if x is None else NOWHERE,
    )
    squared, diagonal = _kernels(device).follow_diagonals(
        [each.of for each in queried],
        starts,
        stride,
        found - starts[:, None],
        totals,
        around.unfold(1, 3, 1),
    )
    indices = torch.arange(n, device=device) + diagonal
    return [
        Neighbors(*pair)
        for pair in zip(indices, squared.sqrt().to(series.dtype), strict=True)
    ]


def _kernels(device: torch.device) -> ModuleType:
    """The module of the last two steps."""
    return _diagonals if device.type == "cpu" else _diagonals_torch


def _widened(candidates: Tensor, n: int) -> Tensor:
    """Candidates of each query, the last one repeated until there are so many."""
    last = candidates[:, -1:].expand(-1, n - candidates.shape[1])
    return torch.cat([candidates, last], 1)
