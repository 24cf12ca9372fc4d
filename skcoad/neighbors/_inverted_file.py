"""An inverted file: points sorted into cells, of which the nearest are searched."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad.neighbors._cells import CellArrays, nearest_cells, search_cells

__all__ = ["ExclusionZone", "InvertedFile"]

N_SAMPLE = 2**13  # points that the cells are estimated from
MIN_INDEXED = 2**11  # points; fewer are searched as one cell
MAX_CELLS = 1024
MAX_CELL_SIZE = 8  # in mean sizes; beyond it, a cell keeps evenly spaced members
N_PROBES = 4  # cells searched for each query
# On other devices than the CPU:
QUERY_CHUNK = 2**13
PAIR_CHUNK = 2**21  # of queries and members, bounded by memory only


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
    members: Tensor
    edges: Tensor

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
        cell = _nearest(embeddings, centers, 1)[:, 0]
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
            ("members", embeddings[order]),
            ("edges", F.pad(counts[counts > 0].cumsum(0), (1, 0))),
        ):
            self.register_buffer(name, value, persistent=False)
        self.largest = int(counts.max())  # size of a cell

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
        if queries.device.type == "cpu":
            best = search_cells(
                self.arrays(),
                queries.numpy(),
                N_PROBES,
                at.numpy(),
                zone.width,
                zone.past_only,
            )
            return torch.from_numpy(best)
        cells = _nearest(queries, self.centers, min(N_PROBES, len(self.centers)))
        found = []
        for chunk in torch.split(
            torch.arange(len(queries), device=queries.device),
            max(1, PAIR_CHUNK // (cells.shape[1] * self.largest)),
        ):
            # A row for each cell, as long as the largest is.
            rank = torch.arange(self.largest, device=queries.device)
            member = self.edges[cells[chunk], None] + rank
            beyond = member >= self.edges[cells[chunk] + 1, None]
            member = member.clamp_max(len(self.members) - 1)  # query, cell, member
            points = self.members[member]
            squared = (points - queries[chunk, None, None]).square_().sum(-1)
            position = self.positions[member]
            excluded = zone.excludes(position - at[chunk, None, None]) | beyond
            nearest = squared.masked_fill_(excluded, torch.inf).argmin(-1, keepdim=True)
            found.append(position.gather(-1, nearest)[..., 0])
        return torch.cat(found)

    def arrays(self) -> CellArrays:
        """The points as the compiled search reads them, on the CPU."""
        return CellArrays(
            self.centers.T.contiguous().cpu().numpy(),
            _half_norms(self.centers).cpu().numpy(),
            self.edges.cpu().numpy(),
            self.members.cpu().numpy(),
            self.positions.cpu().numpy(),
        )


def _half_norms(points: Tensor) -> Tensor:
    return points.square().sum(1) / 2


def _nearest(points: Tensor, centers: Tensor, n: int) -> Tensor:
    """The nearest `n` centres of each point, ``(n_points, n)``, the nearest first."""
    if points.device.type == "cpu":
        cells = torch.zeros(len(points), n, dtype=torch.long)
        nearest_cells(
            points.numpy(),
            centers.T.contiguous().numpy(),
            _half_norms(centers).numpy(),
            cells.numpy(),
        )
        return cells
    return torch.cat(
        [
            _similarity(part, centers).topk(n).indices
            for part in torch.split(points, QUERY_CHUNK)
        ]
    )


def _similarity(points: Tensor, others: Tensor) -> Tensor:
    """Minus half the squared distances, but for a constant in each row.

    Rounded once: which of equals is nearest must not depend on what else is searched.
    """
    half_norms = _half_norms(others.double())
    product = torch.addmm(half_norms, points.double(), others.double().T, beta=-1)
    return product.to(points.dtype)


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
        cell = _nearest(points, centers, 1)[:, 0]
        total = torch.zeros_like(centers).index_add_(0, cell, points)
        count = torch.bincount(cell, minlength=n_cells)[:, None].to(points.dtype)
        centers = torch.where(count > 0, total / count.clamp_min(1), centers)
    return centers
