"""Windows at fixed places, and the way back to the timestamps."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from skcoad._typing import Aggregation
from skcoad.preprocessing import window_starts

__all__ = ["WindowCover"]


class WindowCover(nn.Module):
    """Windows of a series of fixed length, and which of their points cover a timestamp.

    The places are known when the graph is made, so that overlap-add is a gather.

    Parameters
    ----------
    n_timestamps, window_size, step : int
        As for :func:`skcoad.preprocessing.window_starts`.
    weight : Tensor of shape (window_size,), default=None
        Of the points of a window; equal by default.

    Attributes
    ----------
    starts : Tensor of shape (n_windows,)
        First timestamp of each window.
    points : Tensor of shape (n_timestamps, n_covering)
        Index, among the points of all windows, of those that cover a timestamp; the
        first again where fewer do.
    weights : Tensor of shape (n_timestamps, n_covering)
        Of these points; they sum to 1 for each timestamp.

    Examples
    --------
    >>> import torch
    >>> from skcoad.export._cover import WindowCover
    >>> cover = WindowCover(5, window_size=3, step=2)
    >>> windows = cover.cut(torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]))
    >>> windows
    tensor([[[1., 2., 3.],
             [3., 4., 5.]]])
    >>> cover(windows)
    tensor([[1., 2., 3., 4., 5.]])
    """

    starts: Tensor
    points: Tensor
    weights: Tensor

    def __init__(
        self,
        n_timestamps: int,
        window_size: int,
        step: int,
        weight: Tensor | None = None,
    ) -> None:
        super().__init__()
        starts = window_starts(n_timestamps, window_size, step)
        timestamps = (starts[:, None] + np.arange(window_size)).ravel()
        order = np.argsort(timestamps, kind="stable")
        n_covering = np.bincount(timestamps, minlength=n_timestamps)
        first = np.cumsum(n_covering) - n_covering
        rank = np.arange(n_covering.max())
        covered = rank < n_covering[:, None]
        points = order[first[:, None] + np.where(covered, rank, 0)]
        if weight is None:
            weight = torch.ones(window_size, dtype=torch.float32)
        weights = weight[torch.from_numpy(points % window_size)]
        weights = weights * torch.from_numpy(covered)
        self.window_size = window_size
        self.register_buffer("starts", torch.from_numpy(starts))
        self.register_buffer("points", torch.from_numpy(points))
        self.register_buffer("weights", weights / weights.sum(1, keepdim=True))

    def cut(self, x: Tensor) -> Tensor:
        """Cut series ``(B, n_timestamps)`` to windows ``(B, n_windows, size)``."""
        within = torch.arange(self.window_size, device=x.device)
        return x[:, self.starts[:, None] + within]

    def forward(self, windows: Tensor, aggregation: Aggregation = "mean") -> Tensor:
        """Combine the windows that cover each timestamp.

        Parameters
        ----------
        windows : Tensor of shape (B, n_windows, window_size)
            One value for each point.
        aggregation : {"mean", "max"}, default="mean"
            The weighted mean, or the largest.

        Returns
        -------
        Tensor of shape (B, n_timestamps)
        """
        covering = windows.flatten(1)[:, self.points]
        if aggregation == "max":
            return covering.amax(-1)
        return (covering * self.weights).sum(-1)
