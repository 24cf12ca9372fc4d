"""From nearest neighbours of subsequences to values for each timestamp.

Windows are queried every few timestamps. What is retrieved for them becomes a series
again by overlap-add (:func:`retrieve`), and the distances become a profile
(:func:`excess_distance`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from skcoad._device import chunk_sizes
from skcoad.neighbors._index import SubsequenceIndex
from skcoad.preprocessing._rolling import coverage_weight, overlap_add, rolling_sum
from skcoad.preprocessing._windows import window_starts

__all__ = ["WindowNeighbors", "excess_distance", "impute", "query_windows", "retrieve"]

# Exponent of the coverage weight of a subsequence, observed_fraction ** MISSING_POWER.
MISSING_POWER = 16
N_IMPUTATIONS = 2  # queries that only improve the imputed values


class WindowNeighbors(NamedTuple):
    """Nearest neighbours of overlapping subsequences of some windows.

    Attributes
    ----------
    query_offsets : Tensor of shape (k,)
        Where each subsequence starts in its window.
    indices : Tensor of shape (B, k)
        Where its nearest neighbour starts in the indexed series.
    """

    query_offsets: Tensor
    indices: Tensor


def query_windows(
    index: SubsequenceIndex,
    x: Tensor,
    query_stride: int,
    exclude_at: Tensor | None = None,
) -> WindowNeighbors:
    """Find the nearest neighbours of overlapping subsequences of windows.

    Parameters
    ----------
    index : SubsequenceIndex
        What to search.
    x : Tensor of shape (B, T)
        Windows, or one whole series; T is at least the index's `length`.
    query_stride : int
        Distance between queries, at most the index's `length`, so that
        :func:`retrieve` covers every point.
    exclude_at : Tensor of shape (B,), default=None
        Where the windows stand in the indexed series; see
        :meth:`SubsequenceIndex.query`.

    Returns
    -------
    WindowNeighbors
    """
    offsets = torch.from_numpy(window_starts(x.shape[1], index.length, query_stride))
    offsets = offsets.to(x.device)
    subsequences = x.unfold(1, index.length, 1)  # B, ., length
    indices = []
    for chunk in _chunks(offsets, x):
        queries = subsequences[:, chunk].flatten(0, 1)
        at = None if exclude_at is None else (exclude_at[:, None] + chunk).flatten()
        indices.append(index.query(queries, at).indices.view(len(x), -1))
    return WindowNeighbors(offsets, torch.cat(indices, 1))


def impute(
    index: SubsequenceIndex,
    x: Tensor,
    missing: Tensor,
    query_stride: int,
    exclude_at: Tensor | None = None,
) -> Tensor:
    """Replace missing values by those of the nearest neighbours.

    Parameters
    ----------
    index : SubsequenceIndex
        What to search.
    x : Tensor of shape (B, T)
        Windows, their missing values interpolated.
    missing : Tensor of shape (B, T)
        Which of their values are missing, bool.
    query_stride, exclude_at : int, Tensor or None
        As in :func:`query_windows`.

    Returns
    -------
    Tensor of shape (B, T)
    """
    if not missing.any():
        return x
    for _ in range(N_IMPUTATIONS):
        neighbors = query_windows(index, x, query_stride, exclude_at)
        x = torch.where(missing, retrieve(index, x, neighbors, missing), x)
    return x


def retrieve(
    index: SubsequenceIndex,
    x: Tensor,
    neighbors: WindowNeighbors,
    missing: Tensor | None = None,
) -> Tensor:
    """Reconstruct windows from their nearest neighbours.

    Parameters
    ----------
    index : SubsequenceIndex
        What was searched.
    x : Tensor of shape (B, T)
        Windows.
    neighbors : WindowNeighbors
        From :func:`query_windows`.
    missing : Tensor of shape (B, T), default=None
        Which of the values are missing, bool; the weight of a subsequence falls with
        the fraction that is missing.

    Returns
    -------
    Tensor of shape (B, T)
        The neighbours at the mean of the subsequences, cross-faded by a triangular
        weight.
    """
    within = torch.arange(index.length, device=x.device)
    # Triangular, so that overlapping neighbours blend without seams.
    fade = 1 - ((within + 0.5) / index.length * 2 - 1).abs() + 1e-3
    total, total_weight = torch.zeros_like(x), torch.zeros_like(x)
    subsequences = x.unfold(1, index.length, 1)
    references = index.series.unfold(0, index.length, 1)
    offsets, indices = neighbors
    weight = _weight(index, offsets, missing)
    for chunk in _chunks(torch.arange(len(offsets), device=x.device), x):
        mean = subsequences[:, offsets[chunk]].mean(-1, keepdim=True)  # B, k, 1
        values = references[indices[:, chunk]]
        values = values - values.mean(-1, keepdim=True) + mean
        weights = (fade * weight[:, chunk, None]).expand_as(values)
        overlap_add(total, weights * values, offsets[chunk])
        overlap_add(total_weight, weights, offsets[chunk])
    return total / total_weight


def excess_distance(
    index: SubsequenceIndex,
    x: Tensor,
    neighbors: WindowNeighbors,
    missing: Tensor | None = None,
) -> Tensor:
    """Distance to the nearest neighbour, minus that one's own baseline distance.

    Where the training series itself hardly ever repeats, a large distance is no
    evidence. The nearest-neighbour data description of D. M. J. Tax ("One-class
    classification", thesis, TU Delft 2001) takes the quotient of the same two.

    Parameters
    ----------
    index : SubsequenceIndex
        What was searched.
    x : Tensor of shape (B, T)
        Windows.
    neighbors : WindowNeighbors
        From :func:`query_windows`.
    missing : Tensor of shape (B, T), default=None
        As in :func:`retrieve`.

    Returns
    -------
    Tensor of shape (B, T)
        Mean over the subsequences that cover a point; negative where they are nearer
        to their neighbours than these are to theirs.
    """
    offsets, indices = neighbors
    n_subsequences = x.shape[1] - index.length + 1
    stride = int(offsets[1] - offsets[0]) if len(offsets) > 1 else 1
    # Between two queries, subsequences are compared along the diagonals of the distance
    # matrix through both neighbours, and the nearer one counts.
    queries = torch.arange(len(offsets), device=x.device)
    after = (queries + 1).clamp_max(len(offsets) - 1)
    backwards = indices[:, after] - (offsets[after] - offsets)
    diagonals = torch.stack([indices, backwards], -1)[..., None]  # B, k, 2, 1
    shifts = torch.arange(stride, device=x.device)
    points = torch.arange(stride + index.length - 1, device=x.device)
    runs = F.pad(x, (0, stride), mode="replicate").unfold(1, len(points), 1)
    any_incomplete = bool(index.incomplete.any())
    excess = []
    for chunk in _chunks(queries[: math.ceil(n_subsequences / stride)], x):
        along = (diagonals[:, chunk] + points).clamp(0, len(index.series) - 1)
        difference = runs[:, offsets[chunk], None] - index.series[along]
        distance = _rolling_distance(difference, index)  # B, k, 2, stride
        reached = diagonals[:, chunk] + shifts
        rank = distance
        if any_incomplete:  # an imputed subsequence is the second choice
            imputed = index.incomplete[reached.clamp(0, len(index.incomplete) - 1)]
            rank = distance.masked_fill(imputed, torch.inf)
        nearer = (rank[:, :, 1:] < rank[:, :, :1]).long()
        baseline = index.baseline(reached.gather(2, nearer))
        excess.append((distance.gather(2, nearer) - baseline).flatten(1))
    profile = torch.cat(excess, 1)[:, :n_subsequences]
    starts = torch.arange(n_subsequences, device=x.device)
    weight = _weight(index, starts, missing)
    total = _sum_over_covering(weight * profile, index.length)
    total_weight = _sum_over_covering(weight.expand_as(profile), index.length)
    return (total / total_weight).to(x.dtype)


def _chunks(queries: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    """Queries of all windows of a batch, as many as are computed at once."""
    size = max(1, chunk_sizes(x.device).queries // len(x))
    return torch.split(queries, size)


def _weight(index: SubsequenceIndex, starts: Tensor, missing: Tensor | None) -> Tensor:
    """Coverage weight of subsequences, ``(B, k)``; ``(1, k)`` if nothing is missing."""
    if missing is None or not missing.any():
        return torch.ones(1, len(starts), device=starts.device)
    n_missing = rolling_sum(missing, index.length)[:, starts]
    return coverage_weight(1 - n_missing / index.length, MISSING_POWER)


def _rolling_distance(difference: Tensor, index: SubsequenceIndex) -> Tensor:
    """Distance of all subsequences of two runs, from the difference of the runs."""
    both = torch.stack([difference, difference.square()])
    mean, mean_square = rolling_sum(both, index.length) / index.length
    squared: Tensor = mean_square - (1 - index.mean_weight**2) * mean.square()
    return squared.clamp_min(0).sqrt()


def _sum_over_covering(values: Tensor, length: int) -> Tensor:
    """Sum of the values of the subsequences that cover each point, ``(B, .)``."""
    return rolling_sum(F.pad(values, (length - 1, length - 1)), length)
