"""Distances along diagonals of the distance matrix, on any device.

The functions of ``_diagonals.py``, for many diagonals of all joins at once: a device is
busy for longer than it takes to tell it what to do only if it is told much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from skcoad.neighbors._diagonals import n_sweeps
from skcoad.neighbors._distance import (
    EQUAL,
    NOWHERE,
    Comparison,
    shrinkage_of,
    squared_distance,
)
from skcoad.neighbors._inverted_file import ExclusionZone

__all__ = ["follow_diagonals", "nearest_adjacent"]

PAIR_CHUNK = 2**21  # points of diagonals, bounded by memory only


class _Joins(NamedTuple):
    """Several comparisons of series of the same lengths, one in each row."""

    x: Tensor  # n_joins, n_timestamps
    y: Tensor
    x_terms: Tensor  # 3, n_joins, n_x; see `distance_terms`
    y_terms: Tensor
    shrinkage: Tensor  # n_joins, 1, 1, 1
    incomplete: Tensor  # n_joins, n_y
    length: int
    zone: ExclusionZone


class _Pairs(NamedTuple):
    """Best pair of each subsequence, ``(n_joins, n_blocks, stride)``."""

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
    x, y = of.terms
    squared = squared_distance(
        [each[starts, None, None] for each in x],
        [each[near] for each in y],
        totals / of.length,
        shrinkage_of(of.metric),
    )
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
    joins: Sequence[Comparison],
    starts: Tensor,
    stride: int,
    diagonals: Tensor,
    totals: Tensor,
    excluded: Tensor,
) -> tuple[Tensor, Tensor]:
    """Find the best pair of each subsequence; see ``_diagonals.py``."""
    of = _stacked(joins)
    n, device = len(joins[0].x.mean), starts.device
    n_joins, n_blocks = len(joins), len(starts) - 1
    shape = (n_joins, n_blocks, stride)
    best = _Pairs(
        torch.full(shape, torch.inf, dtype=torch.float64, device=device),
        torch.zeros(shape, dtype=torch.float64, device=device),
        torch.zeros(shape, dtype=torch.long, device=device),
    )
    size = 4 * stride * diagonals.shape[2] * n_joins
    for chunk in _chunks(0, n_blocks + 1, size):
        queries = torch.arange(chunk.start, chunk.stop, device=device)
        first = (queries - 1) * stride
        # The last query, at the very end, is not at a multiple of the stride.
        known = starts[queries] - first
        diagonal = diagonals[:, queries]
        squared, along = _along(
            of,
            first,
            2 * stride,
            diagonal,
            totals[:, queries],
            known,
            excluded[:, queries],
        )
        values, which = squared.min(2, keepdim=True)
        new = _Pairs(
            values[:, :, 0],
            along.gather(2, which)[:, :, 0],
            diagonal.gather(2, which[:, :, 0]),
        )
        _improve(best, chunk.start, _Pairs(*(part[..., stride:] for part in new)))
        _improve(best, chunk.start - 1, _Pairs(*(part[..., :stride] for part in new)))
    for _ in range(n_sweeps(of.length, stride)):
        _sweep(of, best, stride, excluded, forwards=True)
        _sweep(of, best, stride, excluded, forwards=False)
    return best.squared.flatten(1)[:, :n], best.diagonal.flatten(1)[:, :n]


def _stacked(joins: Sequence[Comparison]) -> _Joins:
    shrinkage = [shrinkage_of(of.metric) for of in joins]
    shrinkages = torch.tensor(shrinkage, dtype=torch.float64)
    terms = [of.terms for of in joins]
    return _Joins(
        torch.stack([of.x.series for of in joins]),
        torch.stack([of.y.series for of in joins]),
        torch.stack([x for x, _ in terms], 1),
        torch.stack([y for _, y in terms], 1),
        shrinkages.to(joins[0].x.series.device).view(-1, 1, 1, 1),
        torch.stack([of.incomplete for of in joins]),
        joins[0].length,
        joins[0].zone,
    )


def _sweep(
    of: _Joins, best: _Pairs, stride: int, excluded: Tensor, *, forwards: bool
) -> None:
    """Try what is best at the end of each block on the next one, in place."""
    step, edge = (1, stride - 1) if forwards else (-1, 0)
    # Copies: what a block hands on must not depend on the order of the blocks.
    totals = best.total[..., edge].clone()
    there_is_a_pair = best.squared[..., edge].isfinite()
    diagonals = torch.where(there_is_a_pair, best.diagonal[..., edge], NOWHERE)
    n_joins, n_blocks = diagonals.shape
    first, stop = (1, n_blocks) if forwards else (0, n_blocks - 1)
    for chunk in _chunks(first, stop, 8 * stride * n_joins):
        block = torch.arange(chunk.start, chunk.stop, device=diagonals.device)
        diagonal = diagonals[:, block - step, None]
        squared, total = _along(
            of,
            block * stride - int(forwards),
            stride + 1,
            diagonal,
            totals[:, block - step, None],
            torch.full_like(block, 0 if forwards else stride),
            torch.cat([excluded[:, block], excluded[:, block + 1]], 2),
        )
        kept = slice(1, None) if forwards else slice(0, stride)
        _improve(
            best,
            chunk.start,
            _Pairs(
                squared[:, :, 0, kept],
                total[:, :, 0, kept],
                diagonal.expand(-1, -1, stride),
            ),
        )


def _along(
    of: _Joins,
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
    of : _Joins
        What is compared.
    first : Tensor of shape (B,)
        First subsequence of each run.
    size : int
        Subsequences in a run.
    diagonal, total : Tensor of shape (n_joins, B, C)
        Diagonals, and the sum of squared differences at ``first + known``.
    known : Tensor of shape (B,)
        See `total`.
    excluded : Tensor of shape (n_joins, B, E)
        Diagonals that exclude others.

    Returns
    -------
    squared, totals : Tensor of shape (n_joins, B, C, size)
        Infinite where there is no such pair.
    """
    n_x, n_y, m = of.x_terms.shape[2], of.y_terms.shape[2], of.length
    i = first[:, None] + torch.arange(size, device=first.device)
    j = i[:, None] + diagonal[..., None]
    absent = ((i < 0) | (i >= n_x))[:, None] | (j < 0) | (j >= n_y)
    leaving, entering = i[:, :-1], i[:, :-1] + m
    leave = _at(of.y, j[..., :-1]) - _row(of.x, leaving).double()
    enter = _at(of.y, j[..., :-1] + m) - _row(of.x, entering).double()
    change = enter.square_().sub_(leave.square_())
    totals = F.pad(change.cumsum(-1, dtype=torch.float64), (1, 0))
    at = known[:, None, None].expand(*diagonal.shape, 1)
    totals += total[..., None] - totals.gather(-1, at)
    squared = squared_distance(
        [_row(each, i) for each in of.x_terms],
        [_at(each, j) for each in of.y_terms],
        totals / m,
        of.shrinkage,
    )
    overlaps = of.zone.excludes(diagonal[..., None] - excluded[:, :, None])
    absent |= overlaps.any(-1, keepdim=True) | _at(of.incomplete, j)
    # Among equals the first is best, whatever the last digits say.
    squared = F.threshold(squared.float().to(squared.dtype), EQUAL, 0)
    return squared.masked_fill_(absent, torch.inf), totals


def _row(values: Tensor, i: Tensor) -> Tensor:
    """Values ``(n_joins, n)`` at the same places of all joins, ``(n_joins, B, 1, .)``.

    What is beyond an end is taken from the end.
    """
    return values[:, i.clamp(0, values.shape[1] - 1)][:, :, None]


def _at(values: Tensor, j: Tensor) -> Tensor:
    """Values ``(n_joins, n)`` at places of each join, ``(n_joins, B, C, .)``.

    What is beyond an end is taken from the end.
    """
    j = j.clamp(0, values.shape[1] - 1)
    return values.gather(1, j.flatten(1)).view_as(j)


def _improve(best: _Pairs, first: int, new: _Pairs) -> None:
    """Keep the better pairs of consecutive blocks from `first` on, where they exist.

    Which these are is known without the device, so that it is not waited for.
    """
    stop = min(first + new.squared.shape[1], best.squared.shape[1])
    rows, kept = slice(max(first, 0), stop), slice(max(-first, 0), stop - first)
    better = new.squared[:, kept] < best.squared[:, rows]
    for old, update in zip(best, new, strict=True):
        old[:, rows] = torch.where(better, update[:, kept], old[:, rows])


def _chunks(first: int, stop: int, size: int) -> Iterator[range]:
    """Ranges of blocks, of `size` points of diagonals each."""
    step = max(1, PAIR_CHUNK // size)
    for start in range(first, stop, step):
        yield range(start, min(start + step, stop))
