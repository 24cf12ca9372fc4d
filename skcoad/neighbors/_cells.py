"""The search of an inverted file, compiled for the CPU.

Every distance is computed by itself, in the same order, so that which point is nearest
does not depend on what else is searched, as it would by the rounding of one large
matrix product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skcoad._typing import IntArray
from skcoad.neighbors._compiled import compiled

__all__ = ["CellArrays", "nearest_cells", "search_cells"]

FloatArray = NDArray[np.float32]

FAST = {"contract", "nnan", "nsz"}  # several members in one instruction


class CellArrays(NamedTuple):
    """Points in cells, as the compiled functions read them."""

    centers: FloatArray  # n_components, n_cells
    half_norms: FloatArray  # n_cells: half of the squared norm of a centre
    edges: IntArray  # n_cells + 1: where the members of each cell start
    members: FloatArray  # n_points, n_components
    positions: IntArray  # n_points, in ascending order within a cell


@compiled(fastmath=FAST)
def nearest_cells(
    queries: FloatArray, centers: FloatArray, half_norms: FloatArray, cells: IntArray
) -> None:
    """Fill in the nearest cells of each query, the nearest first.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_components)
        Points.
    centers, half_norms : ndarray
        As in :class:`CellArrays`.
    cells : ndarray of shape (n_queries, n_probes)
        Filled in; at most as many as there are cells.
    """
    n_probes = cells.shape[1]
    similarity = np.empty(len(half_norms), dtype=np.float32)
    best = np.empty(n_probes, dtype=np.float32)
    for row in range(len(queries)):
        _similarities(queries[row], centers, half_norms, similarity)
        best[:] = -np.inf
        for cell in range(len(similarity)):
            if similarity[cell] > best[-1]:  # insert it, behind equals
                rank = n_probes - 1
                while rank > 0 and similarity[cell] > best[rank - 1]:
                    best[rank] = best[rank - 1]
                    cells[row, rank] = cells[row, rank - 1]
                    rank -= 1
                best[rank], cells[row, rank] = similarity[cell], cell


def search_cells(
    of: CellArrays,
    queries: FloatArray,
    n_probes: int,
    at: IntArray,
    width: int,
    past_only: bool,
) -> IntArray:
    """Find the best member of each of the nearest cells.

    Parameters
    ----------
    of : CellArrays
        The cells.
    queries : ndarray of shape (n_queries, n_components)
        Points.
    n_probes : int
        How many cells are searched for each; all if there are fewer.
    at, width, past_only : ndarray of shape (n_queries,), int, bool
        The position that excludes others, and which; see ``ExclusionZone``.

    Returns
    -------
    ndarray of shape (n_queries, n_probes)
        Positions, the first of equals; where all of a cell is excluded, its first.
    """
    cells = np.zeros((len(queries), min(n_probes, len(of.half_norms))), np.int64)
    nearest_cells(queries, of.centers, of.half_norms, cells)
    found = np.zeros_like(cells)
    _nearest_members(of, queries, cells, at, width, past_only, found)
    return found


@compiled(fastmath=FAST)
def _nearest_members(
    of: CellArrays,
    queries: FloatArray,
    cells: IntArray,
    at: IntArray,
    width: int,
    past_only: bool,
    found: IntArray,
) -> None:
    """Fill in the best member of some cells of each query; see `search_cells`."""
    n_probes, n_cells = cells.shape[1], len(of.edges) - 1
    order, first_pair = _by_cell(cells.ravel(), n_cells)
    for cell in range(n_cells):
        pairs = order[first_pair[cell] : first_pair[cell + 1]]
        if len(pairs) == 0:
            continue
        first, stop = of.edges[cell], of.edges[cell + 1]
        points = np.ascontiguousarray(of.members[first:stop].T)
        positions = of.positions[first:stop]
        squared = np.empty(len(positions), dtype=np.float32)
        for pair in pairs:
            row = pair // n_probes
            _squared_distances(queries[row], points, squared)
            if past_only or positions[0] - width < at[row]:
                # Positions ascend, so that the exclusion zone is one range of them.
                near = np.searchsorted(positions, at[row] - width, side="right")
                far = len(positions)
                if not past_only:
                    far = np.searchsorted(positions, at[row] + width)
                squared[near:far] = np.inf
            found[row, pair % n_probes] = positions[_first_least(squared)]


@compiled(fastmath=FAST)
def _similarities(
    query: FloatArray, points: FloatArray, half_norms: FloatArray, out: FloatArray
) -> None:
    """Fill in minus half the squared distances, but for a constant of the query."""
    n, n_components = len(out), len(query)
    for j in range(n):
        out[j] = -half_norms[j]
    whole = n_components - n_components % 4
    for k in range(0, whole, 4):  # four at once: fewer accesses to the sum
        q_0, q_1, q_2, q_3 = query[k], query[k + 1], query[k + 2], query[k + 3]
        for j in range(n):
            out[j] += (
                q_0 * points[k, j]
                + q_1 * points[k + 1, j]
                + q_2 * points[k + 2, j]
                + q_3 * points[k + 3, j]
            )
    for k in range(whole, n_components):
        for j in range(n):
            out[j] += query[k] * points[k, j]


@compiled(fastmath=FAST)
def _squared_distances(query: FloatArray, points: FloatArray, out: FloatArray) -> None:
    """Fill in squared distances, of differences: those of near equals are exact."""
    n, n_components = len(out), len(query)
    out[:] = 0
    whole = n_components - n_components % 4
    for k in range(0, whole, 4):
        q_0, q_1, q_2, q_3 = query[k], query[k + 1], query[k + 2], query[k + 3]
        for j in range(n):
            d_0, d_1 = q_0 - points[k, j], q_1 - points[k + 1, j]
            d_2, d_3 = q_2 - points[k + 2, j], q_3 - points[k + 3, j]
            out[j] += d_0 * d_0 + d_1 * d_1 + d_2 * d_2 + d_3 * d_3
    for k in range(whole, n_components):
        for j in range(n):
            difference = query[k] - points[k, j]
            out[j] += difference * difference


@compiled(fastmath=FAST)
def _first_least(values: FloatArray) -> int:
    """Find the first of the least values."""
    least = np.float32(np.inf)
    for value in values:
        least = value if value < least else least
    for k, value in enumerate(values):
        if value == least:
            return k
    return 0  # NaN


@compiled()
def _by_cell(cells: IntArray, n_cells: int) -> tuple[IntArray, IntArray]:
    """Sort pairs of queries and cells by cell (a stable counting sort).

    Returns
    -------
    order : ndarray of shape (n_pairs,)
        Pairs, cell by cell.
    edges : ndarray of shape (n_cells + 1,)
        Where those of each cell start.
    """
    edges = np.zeros(n_cells + 1, dtype=np.int64)
    for cell in cells:
        edges[cell + 1] += 1
    for cell in range(n_cells):
        edges[cell + 1] += edges[cell]
    order, end = np.empty(len(cells), dtype=np.int64), edges[:-1].copy()
    for pair, cell in enumerate(cells):
        order[end[cell]] = pair
        end[cell] += 1
    return order, edges
