"""Distances along diagonals of the distance matrix, compiled for the CPU.

The pairs ``(i, i + diagonal)`` of two series lie on one diagonal. From one pair to the
next, two values enter and two leave, so the sum of squared differences follows in O(1).
``_diagonals_torch.py`` has the same two functions for other devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skcoad._threads import in_threads
from skcoad.neighbors._compiled import compiled
from skcoad.neighbors._distance import Comparison, shrinkage_of
from skcoad.neighbors._pairs import (
    Side,
    compared,
    make_side,
    pair_distance,
    sum_squares,
)

__all__ = ["follow_diagonals", "n_sweeps", "nearest_adjacent"]

MAX_SWEEPS = 8


class _Sides(NamedTuple):
    """The two series that are compared."""

    x: Side
    y: Side
    length: int  # of a subsequence
    shrinkage: float  # of the squared difference of the means
    incomplete: NDArray[np.bool_]  # which subsequences of y are no neighbours


class _Pairs(NamedTuple):
    """Best pair of each subsequence."""

    squared: NDArray[np.float64]  # distance
    total: NDArray[np.float64]  # sum of squared differences
    diagonal: NDArray[np.int64]  # index of the neighbour minus that of the subsequence


def nearest_adjacent(
    of: Comparison, starts: Tensor, candidates: Tensor, match: Tensor
) -> tuple[Tensor, Tensor]:
    """Find the nearest of each candidate and those one timestamp before and after it.

    Parameters
    ----------
    of : Comparison
        The series, and how they are compared.
    starts : Tensor of shape (n_queries,)
        Subsequences of `x`.
    candidates : Tensor of shape (n_queries, n_candidates)
        Subsequences of `y` that each is compared with.
    match : Tensor of shape (n_queries,)
        Where in `y` a query stands itself: it excludes those around it.

    Returns
    -------
    nearest : Tensor of shape (n_queries, n_candidates)
        The candidate itself where all three are excluded.
    totals : Tensor of shape (n_queries, n_candidates)
        Sum of squared differences to the query there, float64.
    """
    nearest, totals = candidates.clone(), np.zeros(candidates.shape)
    _nearest_adjacent(
        _sides(of),
        _array(starts),
        _array(match),
        of.zone.width,
        of.zone.past_only,
        nearest.numpy(),
        totals,
    )
    return nearest, torch.from_numpy(totals)


def follow_diagonals(
    joins: Sequence[Comparison],
    starts: Tensor,
    stride: int,
    diagonals: Tensor,
    totals: Tensor,
    excluded: Tensor,
) -> tuple[Tensor, Tensor]:
    """Find the best pair of each subsequence on the diagonals of some queries.

    Each diagonal is followed from its query to the queries on either side. What is best
    at the end of a block between two queries is tried on the next block, forwards and
    backwards, in several sweeps (PatchMatch; Barnes et al., SIGGRAPH 2009).

    Parameters
    ----------
    joins : sequence of Comparison
        The series of each join, and how they are compared; of the same lengths.
    starts : Tensor of shape (n_queries,)
        Subsequences of `x` that are queries: the multiples of the stride and the last.
    stride : int
        Distance between two queries.
    diagonals, totals : Tensor of shape (n_joins, n_queries, n_candidates)
        Diagonals of the candidates, and the sums of squared differences there.
    excluded : Tensor of shape (n_joins, n_queries, n_excluded)
        Diagonals that exclude others of a query.

    Returns
    -------
    squared, diagonal : Tensor of shape (n_joins, n_x)
        Squared distance, float64 and infinite where there is no pair, and diagonal.
    """

    def follow(row: int) -> _Pairs:
        of, n = joins[row], len(joins[row].x.mean)
        best = _Pairs(np.full(n, np.inf), np.zeros(n), np.zeros(n, dtype=np.int64))
        _follow(
            _sides(of),
            _array(starts),
            _array(diagonals[row]),
            _array(totals[row]),
            _array(excluded[row]),
            stride,
            of.zone.width,
            of.zone.past_only,
            n_sweeps(of.length, stride),
            best,
        )
        return best

    squared, _, diagonal = zip(*in_threads(follow, range(len(joins))), strict=True)
    return torch.from_numpy(np.stack(squared)), torch.from_numpy(np.stack(diagonal))


def n_sweeps(length: int, stride: int) -> int:
    """How often pairs are handed on: for half a subsequence, so the reach is bounded.

    Parameters
    ----------
    length, stride : int
        Of a subsequence, and between two queries.

    Returns
    -------
    int
    """
    return min(MAX_SWEEPS, max(1, length // (2 * stride)))


def _sides(of: Comparison) -> _Sides:
    x_terms, y_terms = of.terms
    return _Sides(
        make_side(of.x.series, x_terms),
        make_side(of.y.series, y_terms),
        of.length,
        shrinkage_of(of.metric),
        of.incomplete.numpy(),
    )


def _array(tensor: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(tensor.numpy())


@compiled()
def _nearest_adjacent(
    sides: _Sides,
    starts: NDArray[np.int64],
    match: NDArray[np.int64],
    width: int,
    past_only: bool,
    nearest: NDArray[np.int64],
    totals: NDArray[np.float64],
) -> None:
    """Fill in the totals, and move the candidates; see :func:`nearest_adjacent`."""
    x, y, length, shrinkage, incomplete = sides
    for query, i in enumerate(starts):
        subsequence = x.series[i : i + length]
        for candidate, found in enumerate(nearest[query]):
            least = np.inf
            for j in (found, found - 1, found + 1):
                if not 0 <= j < len(incomplete):
                    continue
                total = sum_squares(subsequence, y.series[j : j + length])
                offset = j - match[query]
                excluded = offset > -width and (past_only or offset < width)
                squared = np.inf
                if not (excluded or incomplete[j]):
                    squared = pair_distance(
                        x.moments[i], y.moments[j], total / length, shrinkage
                    )
                if j == found or squared < least:
                    least = squared
                    nearest[query, candidate], totals[query, candidate] = j, total


@compiled()
def _follow(
    sides: _Sides,
    starts: NDArray[np.int64],
    diagonals: NDArray[np.int64],
    totals: NDArray[np.float64],
    excluded: NDArray[np.int64],
    stride: int,
    width: int,
    past_only: bool,
    sweeps: int,
    best: _Pairs,
) -> None:
    """Fill in the best pairs; see :func:`follow_diagonals`."""
    n, n_blocks = len(sides.x.moments), len(starts) - 1
    for query in range(len(starts)):
        start = starts[query]
        first, stop = max(0, (query - 1) * stride), min(n, (query + 1) * stride)
        for candidate, diagonal in enumerate(diagonals[query]):
            if _excludes(excluded[query], diagonal, width, past_only):
                continue
            total = totals[query, candidate]
            _walk(sides, start, stop, diagonal, total, best)
            # The query before may have followed it to here.
            if (
                query == 0
                or diagonal not in diagonals[query - 1]
                or _excludes(excluded[query - 1], diagonal, width, past_only)
            ):
                _walk(sides, start, first - 1, diagonal, total, best)
    for sweep in range(2 * sweeps):
        forwards = sweep % 2 == 0
        # Copies: what a block hands on must not depend on the order of the blocks.
        edges = np.arange(1, n_blocks) * stride - forwards
        squared, total = best.squared[edges], best.total[edges]
        diagonal = best.diagonal[edges]
        for k in range(len(edges)):
            block = k + forwards  # that the pair is handed on to
            beyond = edges[k] + 1 if forwards else edges[k] - 1
            if best.diagonal[beyond] == diagonal[k] and best.squared[beyond] < np.inf:
                continue  # it has been followed there
            if (
                squared[k] < np.inf
                and not _excludes(excluded[block], diagonal[k], width, past_only)
                and not _excludes(excluded[block + 1], diagonal[k], width, past_only)
            ):
                stop = min(n, (block + 1) * stride) if forwards else block * stride - 1
                _walk(sides, edges[k], stop, diagonal[k], total[k], best)


@compiled(inline="always")
def _excludes(
    excluded: NDArray[np.int64], diagonal: int, width: int, past_only: bool
) -> bool:
    """Whether one of some diagonals excludes another; see ``ExclusionZone``."""
    for other in excluded:
        offset = diagonal - other
        if offset > -width and (past_only or offset < width):
            return True
    return False


@compiled(inline="always")
def _walk(
    sides: _Sides, i: int, stop: int, diagonal: int, total: float, best: _Pairs
) -> None:
    """Keep the pairs of a diagonal that are better, from `i` to before `stop`."""
    x, y, length, shrinkage, incomplete = sides
    step = 1 if stop > i else -1
    while True:
        j = i + diagonal
        if not incomplete[j]:
            squared = pair_distance(
                x.moments[i], y.moments[j], total / length, shrinkage
            )
            squared = compared(squared)
            if squared < best.squared[i]:
                best.squared[i], best.total[i] = squared, total
                best.diagonal[i] = diagonal
        i += step
        if i == stop or not 0 <= i + diagonal < len(y.moments):
            break
        entering, leaving = (i + length - 1, i - 1) if step > 0 else (i, i + length)
        enter = np.float64(y.series[entering + diagonal]) - np.float64(
            x.series[entering]
        )
        leave = np.float64(y.series[leaving + diagonal]) - np.float64(x.series[leaving])
        total += enter * enter - leave * leave
