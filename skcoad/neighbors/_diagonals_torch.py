"""Distances along diagonals of the distance matrix, on any device.

The functions of ``_diagonals.py``, for many diagonals at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from skcoad.neighbors._diagonals import n_sweeps
from skcoad.neighbors._distance import (
    EQUAL,
    NOWHERE,
    Comparison,
    squared_distance,
)

__all__ = ["follow_diagonals", "nearest_adjacent"]

PAIR_CHUNK = 2**19  # points of diagonals


class _Pairs(NamedTuple):
    """Best pair of each subsequence, ``(n_blocks, stride)``."""

    squared: Tensor  # distance
    total: Tensor  # sum of squared differences
    diagonal: Tensor  # index of the neighbour minus that of the subsequence


def nearest_adjacent(
    of: Comparison, starts: Tensor, candidates: Tensor, match: Tensor
) -> tuple[Tensor, Tensor]:
    """Find the nearest of three adjacent candidates; see ``_diagonals.py``."""
    near = torch.stack([candidates, candidates - 1, candidates + 1], -1)
    near = near.clamp_(0, len(of.y.mean) - 1)
    totals = torch.cat(
        [
            _squared_differences(of, starts[queries], near[queries])
            for queries in torch.split(
                torch.arange(len(starts), device=starts.device),
                max(1, PAIR_CHUNK // (of.length * near[0].numel())),
            )
        ]
    )
    squared = squared_distance(of, starts[:, None, None], near, totals / of.length)
    excluded = of.zone.excludes(near - match[:, None, None])
    squared.masked_fill_(excluded | of.incomplete[near], torch.inf)
    which = squared.argmin(-1, keepdim=True)
    return near.gather(-1, which)[..., 0], totals.gather(-1, which)[..., 0]


def _squared_differences(of: Comparison, starts: Tensor, near: Tensor) -> Tensor:
    """Sums of squared differences of subsequences, of the shape of `near`."""
    subsequences = of.x.series.unfold(0, of.length, 1)
    references = of.y.series.unfold(0, of.length, 1)
    # Far from the normal data, a shape is a small difference of large numbers.
    difference = references[near].double() - subsequences[starts][:, None, None]
    return difference.square().sum(-1)


def follow_diagonals(
    of: Comparison,
    starts: Tensor,
    stride: int,
    diagonals: Tensor,
    totals: Tensor,
    excluded: Tensor,
) -> tuple[Tensor, Tensor]:
    """Find the best pair of each subsequence; see ``_diagonals.py``."""
    n, device = len(of.x.mean), of.x.mean.device
    n_blocks = len(starts) - 1
    shape = (n_blocks, stride)
    best = _Pairs(
        torch.full(shape, torch.inf, dtype=torch.float64, device=device),
        torch.zeros(shape, dtype=torch.float64, device=device),
        torch.zeros(shape, dtype=torch.long, device=device),
    )
    size = 4 * stride * diagonals.shape[1]
    for chunk in _chunks(0, n_blocks + 1, size):
        queries = torch.arange(chunk.start, chunk.stop, device=device)
        first = (queries - 1) * stride
        # The last query, at the very end, is not at a multiple of the stride.
        known = starts[queries] - first
        diagonal = diagonals[queries]
        squared, along = _along(
            of, first, 2 * stride, diagonal, totals[queries], known, excluded[queries]
        )
        values, which = squared.min(1, keepdim=True)
        new = _Pairs(
            values[:, 0],
            along.gather(1, which)[:, 0],
            diagonal.gather(1, which[:, 0]),
        )
        _improve(best, chunk.start, _Pairs(*(part[:, stride:] for part in new)))
        _improve(best, chunk.start - 1, _Pairs(*(part[:, :stride] for part in new)))
    for _ in range(n_sweeps(of.length, stride)):
        _sweep(of, best, stride, excluded, forwards=True)
        _sweep(of, best, stride, excluded, forwards=False)
    return best.squared.flatten()[:n], best.diagonal.flatten()[:n]


def _sweep(
    of: Comparison, best: _Pairs, stride: int, excluded: Tensor, *, forwards: bool
) -> None:
    """Try what is best at the end of each block on the next one, in place."""
    step, edge = (1, stride - 1) if forwards else (-1, 0)
    # Copies: what a block hands on must not depend on the order of the blocks.
    diagonals, totals = best.diagonal[:, edge].clone(), best.total[:, edge].clone()
    diagonals[best.squared[:, edge].isinf()] = NOWHERE  # there is no pair
    first, stop = (1, len(diagonals)) if forwards else (0, len(diagonals) - 1)
    for chunk in _chunks(first, stop, 8 * stride):
        block = torch.arange(chunk.start, chunk.stop, device=diagonals.device)
        diagonal = diagonals[block - step, None]
        squared, total = _along(
            of,
            block * stride - int(forwards),
            stride + 1,
            diagonal,
            totals[block - step, None],
            torch.full_like(block, 0 if forwards else stride),
            torch.cat([excluded[block], excluded[block + 1]], 1),
        )
        kept = slice(1, None) if forwards else slice(0, stride)
        _improve(
            best,
            chunk.start,
            _Pairs(squared[:, 0, kept], total[:, 0, kept], diagonal.expand(-1, stride)),
        )


def _along(
    of: Comparison,
    first: Tensor,
    size: int,
    diagonal: Tensor,
    total: Tensor,
    known: Tensor,
    excluded: Tensor,
) -> tuple[Tensor, Tensor]:
    """Squared distances, and sums of squared differences, along diagonals.

    Parameters
    ----------
    of : Comparison
        The two series.
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

    Returns
    -------
    squared, totals : Tensor of shape (B, C, size)
        Infinite where there is no such pair.
    """
    x, y = of.x, of.y
    n_x, n_y = len(x.series), len(y.series)
    m = of.length
    i = first[:, None] + torch.arange(size, device=first.device)
    j = i[:, None] + diagonal[..., None]
    leaving, entering = i[:, :-1].clamp(0, n_x - 1), (i[:, :-1] + m).clamp(0, n_x - 1)
    leave = y.series[j[..., :-1].clamp(0, n_y - 1)]
    leave = leave - x.series[leaving].double()[:, None]
    enter = y.series[(j[..., :-1] + m).clamp(0, n_y - 1)]
    enter = enter - x.series[entering].double()[:, None]
    change = enter.square_().sub_(leave.square_())
    totals = F.pad(change.cumsum(-1, dtype=torch.float64), (1, 0))
    at = known[:, None, None].expand(*diagonal.shape, 1)
    totals += total[..., None] - totals.gather(-1, at)
    absent = ((i < 0) | (i >= len(x.mean)))[:, None] | (j < 0) | (j > n_y - m)
    overlaps = of.zone.excludes(diagonal[..., None] - excluded[:, None])
    i, j = i.clamp(0, len(x.mean) - 1)[:, None], j.clamp(0, n_y - m)
    squared = squared_distance(of, i, j, totals / m)
    absent |= overlaps.any(-1, keepdim=True) | of.incomplete[j]
    # Among equals the first is best, whatever the last digits say.
    squared = F.threshold(squared.float().to(squared.dtype), EQUAL, 0)
    return squared.masked_fill_(absent, torch.inf), totals


def _improve(best: _Pairs, first: int, new: _Pairs) -> None:
    """Keep the better pairs of consecutive blocks from `first` on, where they exist.

    Which these are is known without the device, so that it is not waited for.
    """
    stop = min(first + len(new.squared), len(best.squared))
    rows, kept = slice(max(first, 0), stop), slice(max(-first, 0), stop - first)
    better = new.squared[kept] < best.squared[rows]
    for old, update in zip(best, new, strict=True):
        old[rows] = torch.where(better, update[kept], old[rows])


def _chunks(first: int, stop: int, size: int) -> Iterator[range]:
    """Ranges of blocks, of `size` points of diagonals each."""
    step = max(1, PAIR_CHUNK // size)
    for start in range(first, stop, step):
        yield range(start, min(start + step, stop))
