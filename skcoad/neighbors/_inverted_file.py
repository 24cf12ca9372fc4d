"""An inverted file: points sorted into cells, of which the nearest are searched."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad.neighbors._compiled import compiled

__all__ = ["ExclusionZone", "InvertedFile"]

N_SAMPLE = 2**13  # points that the cells are estimated from
MIN_INDEXED = 2**11  # points; fewer are searched as one cell
MAX_CELLS = 1024
MAX_CELL_SIZE = 8  # in mean sizes; beyond it, a cell keeps evenly spaced members
N_PROBES = 4  # cells searched for each query
QUERY_CHUNK = 2**13
PAIR_CHUNK = 2**19  # of queries and members
BLOCK = 64  # members of a cell that are looked through at once
ROUNDING = np.float32(1e-5)  # of a matrix product, in squares of its rows


class ExclusionZone(NamedTuple):
    """Which positions are no neighbours of a position.

    Attributes
    ----------
    width : int
        Those less than this far away.
    past_only : bool
        And all later ones.
    """

    width: int
    past_only: bool = False

    def excludes(self, offset: Tensor) -> Tensor:
        """Whether positions so far after the one that excludes are excluded."""
        return offset > -self.width if self.past_only else offset.abs() < self.width


class InvertedFile(nn.Module):
    """Points at some positions of a series, sorted into cells by k-means.

    Parameters
    ----------
    positions : Tensor of shape (n_points,)
        Where each point stands, in ascending order.
    embeddings : Tensor of shape (n_points, n_components)
        The points.
    sample : Tensor of shape (n_sample, n_components)
        Points to estimate the cells from; about sqrt(n_points) cells are made.
    generator : torch.Generator
        Of the first centres.

    Examples
    --------
    >>> import torch
    >>> from skcoad.neighbors._inverted_file import ExclusionZone, InvertedFile
    >>> points = torch.tensor([[0.0], [1.0], [2.0], [1.1]])
    >>> file = InvertedFile(torch.arange(4), points, points, torch.Generator())
    >>> at = torch.tensor([3])  # not its own neighbour
    >>> file.search(torch.tensor([[1.1]]), at, ExclusionZone(width=1))
    tensor([[1]])
    """

    centers: Tensor
    positions: Tensor
    embeddings: Tensor
    half_norms: Tensor
    repeated: Tensor

    def __init__(
        self,
        positions: Tensor,
        embeddings: Tensor,
        sample: Tensor,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        n_cells = round(math.sqrt(len(positions)))
        if len(positions) < MIN_INDEXED:
            n_cells = 1
        centers = _k_means(sample, n_cells, generator)
        cell = torch.cat([_nearest(part, centers) for part in _split(embeddings)])
        counts = torch.bincount(cell, minlength=len(centers))
        order = cell.argsort(stable=True)
        # Where a series stands still, thousands of subsequences are alike.
        most = math.ceil(MAX_CELL_SIZE * len(positions) / len(centers))
        rank = torch.arange(len(order), device=order.device)
        rank -= (counts.cumsum(0) - counts)[cell[order]]
        thinning = ((counts + most - 1) // most).clamp_min(1)[cell[order]]
        order = order[rank % thinning == 0]
        counts = torch.bincount(cell[order], minlength=len(centers))
        for name, value in (
            ("centers", centers[counts > 0]),
            ("positions", positions[order]),
            ("embeddings", embeddings[order]),
            ("half_norms", _half_norms(embeddings[order])),
            ("repeated", _repeats(embeddings[order])),
        ):
            self.register_buffer(name, value, persistent=False)
        self.edges = F.pad(counts[counts > 0].cumsum(0), (1, 0)).tolist()

    def search(self, queries: Tensor, at: Tensor, zone: ExclusionZone) -> Tensor:
        """Find the best member of each of the nearest cells.

        Parameters
        ----------
        queries : Tensor of shape (n_queries, n_components)
            Points.
        at : Tensor of shape (n_queries,)
            The position that excludes others, for each query; one far from all where
            there is none.
        zone : ExclusionZone
            Which others.

        Returns
        -------
        Tensor of shape (n_queries, n_probes)
            Their positions. Where all of a cell is excluded, an excluded one.
        """
        n_probes = min(N_PROBES, len(self.centers))
        cells = torch.cat(
            [
                _similarity(part, self.centers).topk(n_probes).indices
                for part in _split(queries)
            ]
        ).flatten()
        order = cells.argsort(stable=True)
        counts = torch.bincount(cells, minlength=len(self.centers))
        edges = F.pad(counts.cumsum(0), (1, 0)).tolist()
        found = torch.zeros_like(cells)
        for cell in range(len(self.centers)):
            members = slice(self.edges[cell], self.edges[cell + 1])
            index, points = self.positions[members], self.embeddings[members]
            pairs = order[edges[cell] : edges[cell + 1]]
            for chunk in torch.split(pairs, max(1, PAIR_CHUNK // len(index))):
                query = chunk // n_probes
                which = _best_outside(
                    queries[query],
                    points,
                    self.half_norms[members],
                    self.repeated[members],
                    index,
                    at[query],
                    zone,
                )
                found[chunk] = index[which]
        return found.view(-1, n_probes)


def _split(embedded: Tensor) -> tuple[Tensor, ...]:
    return torch.split(embedded, QUERY_CHUNK)


def _best_outside(
    queries: Tensor,
    points: Tensor,
    half_norms: Tensor,
    repeated: Tensor,
    positions: Tensor,
    at: Tensor,
    zone: ExclusionZone,
) -> Tensor:
    """Nearest point of each query, outside of the exclusion zone of its position.

    Which of equals it is must not depend on what else is searched, as the rounding of
    a matrix product does.
    """
    if queries.device.type != "cpu":
        excluded = zone.excludes(positions - at[:, None])
        similarity = _product(half_norms, queries, points.T)
        return similarity.masked_fill(excluded, -torch.inf).argmax(1)
    similarity = torch.addmm(half_norms, queries, points.T, beta=-1)
    which = np.zeros(len(queries), dtype=np.int64)
    _nearest_outside(
        similarity.numpy(),
        queries.numpy(),
        points.numpy(),
        repeated.numpy(),
        positions.numpy(),
        at.numpy(),
        zone.width,
        zone.past_only,
        which,
    )
    return torch.from_numpy(which)


@compiled(fastmath={"nnan", "nsz"})  # the largest of a block in a few instructions
def _nearest_outside(
    similarity: NDArray[np.float32],
    queries: NDArray[np.float32],
    points: NDArray[np.float32],
    repeated: NDArray[np.bool_],
    positions: NDArray[np.int64],
    at: NDArray[np.int64],
    width: int,
    past_only: bool,
    which: NDArray[np.int64],
) -> None:
    """Fill in the nearest points; those that are about as similar are compared again.

    Positions ascend, so that the exclusion zone is one range of them; the similarities
    there are overwritten.
    """
    n = len(positions)
    most = np.empty(-(-n // BLOCK), dtype=np.float32)  # of each block of members
    for row in range(len(queries)):
        similar = similarity[row]
        first = np.searchsorted(positions, at[row] - width, side="right")
        stop = n
        if not past_only:
            stop = np.searchsorted(positions, at[row] + width)
        similar[first:stop] = -np.inf
        best = np.float32(-np.inf)
        for block in range(len(most)):
            largest = np.float32(-np.inf)
            for value in similar[block * BLOCK : (block + 1) * BLOCK]:
                largest = value if value > largest else largest
            most[block] = largest
            best = max(best, largest)
        square = np.float32(0)
        for value in queries[row]:
            square += value * value
        least = best - ROUNDING * (square + abs(best))
        nearest = np.float32(np.inf)
        for block in range(len(most)):
            if most[block] < least:
                continue
            for member in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
                if similar[member] < least:
                    continue
                if repeated[member] and similar[member - 1] >= least:
                    continue  # as far as the one before
                total = 0.0
                for k in range(queries.shape[1]):
                    difference = np.float64(queries[row, k]) - points[member, k]
                    total += difference * difference
                if np.float32(total) < nearest:
                    nearest, which[row] = np.float32(total), member


def _argmax(x: Tensor) -> Tensor:
    """Argmax of each row; numpy's is several times as fast as torch's on a CPU."""
    if x.device.type == "cpu":
        return torch.from_numpy(x.numpy().argmax(1))
    return x.argmax(1)


def _half_norms(points: Tensor) -> Tensor:
    return points.square().sum(1) / 2


def _repeats(points: Tensor) -> Tensor:
    """Which points equal the one before."""
    return F.pad((points[1:] == points[:-1]).all(1), (1, 0))


def _similarity(points: Tensor, centers: Tensor) -> Tensor:
    """Minus half the squared distance, but for a constant in each row."""
    return _product(_half_norms(centers), points, centers.T)


def _product(half_norms: Tensor, points: Tensor, others: Tensor) -> Tensor:
    """Similarities, rounded once: which of equals is best must not depend on others."""
    product = torch.addmm(
        half_norms.double(), points.double(), others.double(), beta=-1
    )
    return product.to(points.dtype)


def _nearest(points: Tensor, centers: Tensor) -> Tensor:
    return _argmax(_similarity(points, centers))


def _hash(points: Tensor) -> Tensor:
    """Random linear combination of integer coordinates, modulo 2^64."""
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(2**62, points.shape[1:], generator=generator)
    return (points * factors.to(points.device)).sum(1)


def _k_means(sample: Tensor, n_cells: int, generator: torch.Generator) -> Tensor:
    """Centres of cells; subsequences that are alike to 0.1 % count once."""
    if n_cells == 1:
        return sample.mean(0, keepdim=True)
    grain = 1e-3 * sample.std(0, correction=0).max().clamp_min(1e-12)
    codes = _hash((sample / grain).round().long())
    _, group = torch.unique(codes, return_inverse=True)
    order = torch.arange(len(sample), device=sample.device)
    first = torch.full_like(order, len(sample))[: int(group.max()) + 1]
    first.scatter_reduce_(0, group, order, "amin")
    points = sample[first.sort().values][:N_SAMPLE]
    n_cells = max(1, min(MAX_CELLS, n_cells, len(points) // 4))
    chosen = torch.randperm(len(points), generator=generator)[:n_cells]
    centers = points[chosen.to(points.device)].clone()
    for _ in range(6):
        cell = _nearest(points, centers)
        total = torch.zeros_like(centers).index_add_(0, cell, points)
        count = torch.bincount(cell, minlength=n_cells)[:, None].to(points.dtype)
        centers = torch.where(count > 0, total / count.clamp_min(1), centers)
    return centers
