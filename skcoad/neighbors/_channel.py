"""One channel beside its normal neighbours, in values and in first differences.

When the level varies widely, a high-frequency anomaly is small in the values but large
in the first differences. (The paper has a frequency branch for the same reason.) So
both are indexed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from skcoad.neighbors._index import SubsequenceIndex
from skcoad.neighbors._profile import (
    excess_distance,
    impute,
    query_windows,
    retrieve,
)
from skcoad.preprocessing._plan import WindowPlan

__all__ = ["ChannelNeighbors", "Profile", "diff_missing", "first_differences"]

MIN_DIFFERENCE_SCALE = 1e-6


class Profile(NamedTuple):
    """A series beside its nearest neighbours, each of shape (n_timestamps,).

    Attributes
    ----------
    retrieved : Tensor
        The series as its nearest neighbours reconstruct it.
    value_distance, difference_distance : Tensor
        Excess distance (see :func:`excess_distance`) of values and of first
        differences, in standard deviations of the training series and of its
        differences.
    """

    retrieved: Tensor
    value_distance: Tensor
    difference_distance: Tensor


class ChannelNeighbors(nn.Module):
    """Indexes of one channel of the training series.

    :meth:`build` makes one of a series; the constructor makes an empty one, to be
    filled by ``load_state_dict`` and :meth:`attach`.

    Parameters
    ----------
    plan : WindowPlan
        Sizes.
    n_timestamps : int
        Length of the training series.
    max_references : int
        Largest number of subsequences in the first stage of each index.

    Attributes
    ----------
    series, missing : Tensor of shape (n_timestamps,)
        The scaled training series, its missing values interpolated, and where they
        were.
    difference_scale : Tensor of shape ()
        Standard deviation of the first differences.
    values : ModuleList of SubsequenceIndex
        Subsequences of one period and of two.
    differences : SubsequenceIndex
        Subsequences of the first differences, of one period.

    Examples
    --------
    >>> import torch
    >>> from skcoad.neighbors import ChannelNeighbors
    >>> from skcoad.preprocessing import WindowPlan
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> neighbors = ChannelNeighbors.build(series, WindowPlan(25, 48, 4, 12), 100)
    >>> x = series[100:150].clone()
    >>> x[20:30] += 0.1 * torch.tensor([1.0, -1.0]).repeat(5)
    >>> missing = torch.zeros_like(x, dtype=torch.bool)
    >>> profile = neighbors.profile(x, missing)
    >>> bool(profile.difference_distance[25] > 5 * profile.value_distance[25])
    True
    """

    series: Tensor
    missing: Tensor
    difference_scale: Tensor
    values: Sequence[SubsequenceIndex]
    differences: SubsequenceIndex

    def __init__(
        self, plan: WindowPlan, n_timestamps: int, max_references: int
    ) -> None:
        super().__init__()
        self.plan = plan
        for name, shape, dtype in (
            ("series", (n_timestamps,), torch.float32),
            ("missing", (n_timestamps,), torch.bool),
            ("difference_scale", (), torch.float32),
        ):
            self.register_buffer(name, torch.zeros(shape, dtype=dtype))
        self.values = _indexes(
            SubsequenceIndex(n_timestamps, length, max_references)
            for length in plan.subsequence_lengths
        )
        self.differences = SubsequenceIndex(n_timestamps, plan.period, max_references)

    @classmethod
    def build(
        cls,
        series: Tensor,
        plan: WindowPlan,
        max_references: int,
        missing: Tensor | None = None,
    ) -> ChannelNeighbors:
        """Index a channel.

        Parameters
        ----------
        series : Tensor of shape (n_timestamps,)
            The scaled training series, its missing values interpolated.
        plan : WindowPlan
            Sizes.
        max_references : int
            As for the class.
        missing : Tensor of shape (n_timestamps,), default=None
            Which values are missing, bool. By default none is.

        Returns
        -------
        ChannelNeighbors
        """
        if missing is None:
            missing = torch.zeros_like(series, dtype=torch.bool)
        with torch.device("meta"):
            neighbors = cls(plan, len(series), max_references)
        scale = first_differences(series).std(correction=0)
        # Of a series of standard deviation 1, smaller differences are rounding.
        scale = torch.where(scale > MIN_DIFFERENCE_SCALE, scale, 1.0)
        neighbors.series, neighbors.missing = series, missing
        neighbors.difference_scale = scale
        neighbors.values = _indexes(
            SubsequenceIndex.build(series, length, max_references, missing)
            for length in plan.subsequence_lengths
        )
        neighbors.differences = SubsequenceIndex.build(
            first_differences(series) / scale,
            plan.period,
            max_references,
            diff_missing(missing),
        )
        return neighbors

    def attach(self) -> None:
        """Give the indexes their series again, after loading."""
        for index in self.values:
            index.attach(self.series, self.missing)
        self.differences.attach(
            first_differences(self.series) / self.difference_scale,
            diff_missing(self.missing),
        )

    def retrieve(
        self, x: Tensor, missing: Tensor, exclude_at: Tensor | None = None
    ) -> Tensor:
        """Reconstruct windows from their nearest neighbours of one period.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Scaled windows, their missing values interpolated.
        missing : Tensor of shape (B, T)
            Which of their values are missing, bool.
        exclude_at : Tensor of shape (B,), default=None
            Where they stand in the training series, if they are from there; see
            :meth:`SubsequenceIndex.query`.

        Returns
        -------
        Tensor of shape (B, T)
        """
        index, stride = self.values[0], max(1, self.plan.period // 2)
        x = impute(index, x, missing, stride, exclude_at)
        neighbors = query_windows(index, x, stride, exclude_at)
        return retrieve(index, x, neighbors, missing)

    def profile(self, x: Tensor, missing: Tensor) -> Profile:
        """Compare a series with its nearest neighbours.

        Parameters
        ----------
        x : Tensor of shape (n_timestamps,)
            Scaled, its missing values interpolated.
        missing : Tensor of shape (n_timestamps,)
            Which of its values are missing, bool; the weight of a subsequence falls
            with the fraction that is missing.

        Returns
        -------
        Profile
        """
        x, missing = x[None], missing[None]
        stride = self.plan.query_stride(self.plan.period)
        x = impute(self.values[0], x, missing, stride)
        neighbors = [
            query_windows(index, x, self.plan.query_stride(index.length))
            for index in self.values
        ]
        value_distance = torch.stack(
            [
                excess_distance(index, x, found, missing)
                for index, found in zip(self.values, neighbors, strict=True)
            ]
        ).mean(0)
        retrieved = retrieve(self.values[0], x, neighbors[0], missing)
        x = first_differences(x) / self.difference_scale
        difference_distance = excess_distance(
            self.differences,
            x,
            query_windows(self.differences, x, stride),
            diff_missing(missing),
        )
        return Profile(retrieved[0], value_distance[0], difference_distance[0])


def _indexes(indexes: Iterable[SubsequenceIndex]) -> Sequence[SubsequenceIndex]:
    return cast("Sequence[SubsequenceIndex]", nn.ModuleList(indexes))


def first_differences(x: Tensor) -> Tensor:
    """Difference of each value to the one before, ``(..., T)``; 0 for the first."""
    return torch.diff(x, prepend=x[..., :1])


def diff_missing(missing: Tensor) -> Tensor:
    """Which differences are missing: those of a missing value on either side."""
    before = torch.cat([missing[..., :1], missing[..., :-1]], -1)
    return missing | before
