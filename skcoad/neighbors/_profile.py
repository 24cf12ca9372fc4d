"""A series as its nearest neighbours reconstruct it.

Windows are queried every few timestamps, and what is retrieved becomes a series again
by overlap-add.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from skcoad._device import chunk_sizes
from skcoad._rolling import (
    SUBSEQUENCE_POWER,
    coverage_weight,
    overlap_add,
    rolling_sum,
)
from skcoad.neighbors._index import SubsequenceIndex
from skcoad.preprocessing import window_starts

__all__ = [
    "WindowNeighbors",
    "cross_fade",
    "impute",
    "query_windows",
    "retrieve",
]

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
    missing: Tensor | None,
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
    missing : Tensor of shape (B, T) or None
        Which of their values are missing, bool; None if none is.
    query_stride, exclude_at : int, Tensor or None
        As in :func:`query_windows`.

    Returns
    -------
    Tensor of shape (B, T)
    """
    if missing is None or not missing.any():
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
    fade = cross_fade(index.length).to(x)
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


def cross_fade(length: int) -> Tensor:
    """Triangular weights, so that overlapping neighbours blend without seams."""
    within = torch.arange(length, dtype=torch.float32)
    return 1 - ((within + 0.5) / length * 2 - 1).abs() + 1e-3


def _chunks(queries: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    """Queries of all windows of a batch, as many as are computed at once."""
    size = max(1, chunk_sizes(x.device).queries // len(x))
    return torch.split(queries, size)


def _weight(index: SubsequenceIndex, starts: Tensor, missing: Tensor | None) -> Tensor:
    """Coverage weight of subsequences, ``(B, k)``; ``(1, k)`` if nothing is missing."""
    if missing is None or not missing.any():
        return torch.ones(1, len(starts), dtype=torch.float32, device=starts.device)
    n_missing = rolling_sum(missing, index.length)[:, starts].to(torch.float32)
    return coverage_weight(1 - n_missing / index.length, SUBSEQUENCE_POWER)
