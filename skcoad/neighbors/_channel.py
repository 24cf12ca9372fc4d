"""A channel compared with what it was in training: its values, and its changes.

Where the level of a series swings widely, a tremor that it never had before is small in
its values and large in its changes from one timestamp to the next. (The paper has a
frequency branch for the same reason.) So there are references of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from skcoad.neighbors._index import ReferencePool
from skcoad.preprocessing._plan import WindowPlan

__all__ = ["ChannelReference", "Comparison", "changes", "missing_changes"]

LEAST_CHANGE = 1e-6


class Comparison(NamedTuple):
    """What the references say about a series, each of shape (n_timestamps,).

    Attributes
    ----------
    counterpart : Tensor
        The series as it would be if it were normal.
    value_excess, change_excess : Tensor
        How much farther than usual each point's surroundings are from their nearest
        reference, in deviations of the training series and of its changes; negative
        where they are nearer.
    """

    counterpart: Tensor
    value_excess: Tensor
    change_excess: Tensor


@dataclass(frozen=True)
class ChannelReference:
    """Normal references of one channel.

    Attributes
    ----------
    plan : WindowPlan
        Sizes.
    values : tuple of ReferencePool
        Subsequences of the training series, of one period and of two.
    changes : ReferencePool
        Subsequences of its changes, of one period.
    change_scale : float
        Deviation of the changes.

    Examples
    --------
    >>> import torch
    >>> from skcoad.neighbors import ChannelReference
    >>> from skcoad.preprocessing import WindowPlan
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> references = ChannelReference.build(series, WindowPlan(25, 48, 4, 12), size=100)
    >>> strange = series[100:150].clone()
    >>> strange[20:30] += 0.1 * torch.tensor([1.0, -1.0]).repeat(5)
    >>> nothing = torch.zeros_like(strange, dtype=torch.bool)
    >>> comparison = references.compare(strange, nothing)
    >>> by_value, by_change = comparison[1:]
    >>> bool(by_change[25] > 5 * by_value[25])
    True
    """

    plan: WindowPlan
    values: tuple[ReferencePool, ...]
    changes: ReferencePool
    change_scale: float

    @classmethod
    def build(
        cls,
        series: Tensor,
        plan: WindowPlan,
        size: int,
        missing: Tensor | None = None,
    ) -> ChannelReference:
        """Make the references of a channel.

        Parameters
        ----------
        series : Tensor of shape (n_timestamps,)
            The scaled training series, its gaps bridged.
        plan : WindowPlan
            Sizes.
        size : int
            The most subsequences in each pool.
        missing : Tensor of shape (n_timestamps,), default=None
            Which values are stand-ins, bool. By default none is.

        Returns
        -------
        ChannelReference
        """
        deviation = changes(series).std(correction=0).item()
        # Of a series of deviation 1, smaller changes than these are rounding.
        scale = deviation if deviation > LEAST_CHANGE else 1.0
        return cls(
            plan,
            tuple(
                ReferencePool.build(series, length, size, missing)
                for length in plan.reference_lengths
            ),
            ReferencePool.build(
                changes(series) / scale,
                plan.period,
                size,
                None if missing is None else missing_changes(missing),
            ),
            scale,
        )

    @property
    def pools(self) -> list[ReferencePool]:
        """All pools, that of the changes last."""
        return [*self.values, self.changes]

    def counterpart(
        self, x: Tensor, missing: Tensor, position: Tensor | None = None
    ) -> Tensor:
        """Windows as they would be if they were normal.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Scaled windows, their gaps bridged.
        missing : Tensor of shape (B, T)
            Which of their values are stand-ins, bool.
        position : Tensor of shape (B,), default=None
            Where they stand in the training series, if they are from there, so that
            nothing is its own reference. See :meth:`ReferencePool.find`.

        Returns
        -------
        Tensor of shape (B, T)
        """
        pool, hop = self.values[0], max(1, self.plan.period // 2)
        x = pool.fill(x, missing, hop, position)
        return pool.counterpart(x, pool.find(x, hop, position), missing)

    def compare(self, x: Tensor, missing: Tensor) -> Comparison:
        """Compare a series with the references, stretch by stretch.

        Parameters
        ----------
        x : Tensor of shape (n_timestamps,)
            Scaled, its gaps bridged.
        missing : Tensor of shape (n_timestamps,)
            Which of its values are stand-ins, bool; stretches count the less the more
            of them is missing.

        Returns
        -------
        Comparison
        """
        x, missing = x[None], missing[None]
        x = self.values[0].fill(x, missing, self.plan.hop(self.plan.period))
        places = [pool.find(x, self.plan.hop(pool.length)) for pool in self.values]
        value_excess = torch.stack(
            [
                pool.excess(x, found, missing)
                for pool, found in zip(self.values, places, strict=True)
            ]
        ).mean(0)
        counterpart = self.values[0].counterpart(x, places[0], missing)
        x = changes(x) / self.change_scale
        found = self.changes.find(x, self.plan.hop(self.plan.period))
        change_excess = self.changes.excess(x, found, missing_changes(missing))
        return Comparison(counterpart[0], value_excess[0], change_excess[0])


def changes(x: Tensor) -> Tensor:
    """Difference of each value to the one before, ``(..., T)``; 0 for the first."""
    return torch.diff(x, prepend=x[..., :1])


def missing_changes(missing: Tensor) -> Tensor:
    """A change is missing with either of its values."""
    before = torch.cat([missing[..., :1], missing[..., :-1]], -1)
    return missing | before
