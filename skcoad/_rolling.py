"""Sums over sliding windows, and windows added up where they overlap.

The one definition of each for the package: neighbours, inference and scoring use these.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["coverage_weight", "moving_average", "overlap_add", "rolling_sum"]

MIN_WEIGHT = 1e-6  # so that a mean over windows without observations stays defined
# Exponents of the coverage weight: a few missing values spoil the distance of a
# subsequence to its neighbour, and hardly what the network makes of a window.
SUBSEQUENCE_POWER = 16
WINDOW_POWER = 4


def rolling_sum(x: Tensor, width: int) -> Tensor:
    """Sum of every `width` consecutive values, in double precision.

    Of floating-point numbers, in blocks of `width`: a sum is that of the end of one and
    the beginning of the next, so that values elsewhere, however large, leave no
    rounding error behind, as they would in differences of sums of all.

    Parameters
    ----------
    x : Tensor of shape (..., n)
        Numbers or truth values.
    width : int
        Between 1 and `n`.

    Returns
    -------
    Tensor of shape (..., n - width + 1)
        Integers for truth values and integers, else float64.

    Examples
    --------
    >>> import torch
    >>> from skcoad._rolling import rolling_sum
    >>> rolling_sum(torch.tensor([1.0, 2.0, 4.0, 8.0]), 2)
    tensor([ 3.,  6., 12.], dtype=torch.float64)
    """
    if not x.is_floating_point():
        sums = F.pad(x.cumsum(-1), (1, 0))
        return sums[..., width:] - sums[..., :-width]
    n = x.shape[-1]
    padded = F.pad(x.double(), (0, width - n % width))
    blocks = padded.view(*x.shape[:-1], -1, width)
    # Of each block, the values from one on, and those before one.
    end = blocks.flip(-1).cumsum(-1).flip(-1).flatten(-2)
    beginning = F.pad(blocks.cumsum(-1)[..., :-1], (1, 0)).flatten(-2)
    return end[..., : n - width + 1] + beginning[..., width : n + 1]


def moving_average(x: Tensor, width: int, missing: Tensor | None = None) -> Tensor:
    """Mean of the `width` values around each; of fewer at the borders.

    Parameters
    ----------
    x : Tensor of shape (n,)
        Finite values.
    width : int
        At least 1; an even width includes one more value before than after.
    missing : Tensor of shape (n,), default=None
        Which values do not count, bool.

    Returns
    -------
    Tensor of shape (n,)
        float64; NaN where no value counts.

    Examples
    --------
    >>> import torch
    >>> from skcoad._rolling import moving_average
    >>> moving_average(torch.tensor([0.0, 3.0, 0.0, 0.0]), 3)
    tensor([1.5000, 1.0000, 1.0000, 0.0000], dtype=torch.float64)
    """
    observed = torch.ones_like(x, dtype=torch.bool) if missing is None else ~missing
    around = (width // 2, (width - 1) // 2)
    total = rolling_sum(F.pad(torch.where(observed, x, 0), around), width)
    return total / rolling_sum(F.pad(observed, around), width)


def overlap_add(
    total: Tensor,
    windows: Tensor,
    starts: Tensor,
    reduce: Literal["sum", "amax"] = "sum",
) -> None:
    """Add windows to a series at their starts, in place.

    Parameters
    ----------
    total : Tensor of shape (..., n_timestamps)
        What is added to; contiguous.
    windows : Tensor of shape (..., n_windows, window_size)
        Values, of the dtype of `total`.
    starts : Tensor of shape (n_windows,)
        First timestamp of each window.
    reduce : {"sum", "amax"}, default="sum"
        Whether overlapping values add up or the largest remains.

    Examples
    --------
    >>> import torch
    >>> from skcoad._rolling import overlap_add
    >>> total = torch.zeros(4)
    >>> overlap_add(total, torch.ones(2, 3), torch.tensor([0, 1]))
    >>> total
    tensor([1., 2., 2., 1.])
    """
    within = torch.arange(windows.shape[-1], device=windows.device)
    points = (starts[:, None] + within).flatten()
    # As one long series: on a CPU torch adds to a single dimension much faster.
    first = torch.arange(0, total.numel(), total.shape[-1], device=total.device)
    indices = (first[:, None] + points).flatten()
    if reduce == "sum":
        total.view(-1).index_add_(0, indices, windows.flatten())
    else:
        total.view(-1).scatter_reduce_(0, indices, windows.flatten(), "amax")


def coverage_weight(observed_fraction: Tensor, power: int) -> Tensor:
    """Weight of a window by the fraction of it that was observed.

    Parameters
    ----------
    observed_fraction : Tensor
        Between 0 and 1; the rest is missing.
    power : int
        How steeply the weight falls.

    Returns
    -------
    Tensor of the same shape
        ``observed_fraction ** power``, at least 1e-6.

    Examples
    --------
    >>> import torch
    >>> from skcoad._rolling import coverage_weight
    >>> coverage_weight(torch.tensor([0.0, 0.5, 1.0]), power=2)
    tensor([1.0000e-06, 2.5000e-01, 1.0000e+00])
    """
    return observed_fraction.pow(power).clamp_min(MIN_WEIGHT)
