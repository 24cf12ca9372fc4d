"""What of a channel is compared with the training series.

When the level varies widely, a high-frequency anomaly is small in the values but large
in the first differences. (The paper has a frequency branch for the same reason.) So
both are compared, each by both metrics.
"""

from __future__ import annotations

import torch
from torch import Tensor

from skcoad.neighbors._distance import Metric
from skcoad.neighbors._index import Neighbors

__all__ = [
    "VIEWS",
    "diff_missing",
    "difference_scale",
    "first_differences",
    "known_neighbors",
    "missing_of_kind",
]

MIN_DIFFERENCE_SCALE = 1e-6
VIEWS: tuple[tuple[str, Metric], ...] = (
    ("values", "euclidean"),
    ("values", "znormalized"),
    ("differences", "euclidean"),
    ("differences", "znormalized"),
)


def first_differences(x: Tensor) -> Tensor:
    """Difference of each value to the one before, ``(..., T)``.

    The first, which is not known, is as the second; 0 for a single value.
    """
    if x.shape[-1] == 1:
        return torch.zeros_like(x)
    differences = torch.diff(x)
    return torch.cat([differences[..., :1], differences], -1)


def difference_scale(x: Tensor) -> Tensor:
    """Standard deviation of the first differences of a series; 1 if it is constant.

    Parameters
    ----------
    x : Tensor of shape (n_timestamps,)
        Of standard deviation 1, so that differences below 1e-6 are rounding.

    Returns
    -------
    Tensor of shape ()
    """
    scale = first_differences(x).std(correction=0)
    return torch.where(scale > MIN_DIFFERENCE_SCALE, scale, 1.0)


def diff_missing(missing: Tensor) -> Tensor:
    """Which differences are missing: those of a missing value on either side."""
    before = torch.cat([missing[..., :1], missing[..., :-1]], -1)
    return missing | before


def known_neighbors(kind: str, found: Neighbors) -> Neighbors:
    """Neighbours by what is known of each subsequence.

    What comes before a series is not, so neither is its first difference: the first
    subsequence of differences is judged as the next one.

    Parameters
    ----------
    kind : {"values", "differences"}
        Of the series.
    found : Neighbors
        Of all of its subsequences, ``(..., n_subsequences)``.

    Returns
    -------
    Neighbors
    """
    if kind == "values" or found.distances.shape[-1] == 1:
        return found
    before = (found.indices[..., 1:2] - 1).clamp_min(0)
    return Neighbors(
        torch.cat([before, found.indices[..., 1:]], -1),
        torch.cat([found.distances[..., 1:2], found.distances[..., 1:]], -1),
    )


def missing_of_kind(missing: Tensor) -> dict[str, Tensor]:
    """Which values, and which first differences, are missing."""
    return {"values": missing, "differences": diff_missing(missing)}
