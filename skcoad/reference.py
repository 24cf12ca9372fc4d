"""A bounded pool of normal subsequences, and the nearest one to each stretch of data.

The paper's residual classifier compares a window with its reconstruction, for want of
a pool of normal references that would fit into memory. A pool of a few thousand
subsequences, one period long, does fit. What this module adds to the paper is a second
normal reference: for each period of a window, the most similar period of the training
series.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["NearestReference", "ReferencePool"]

MAX_COMPONENTS = 24  # of the coarse search
N_CANDIDATES = 4  # from the coarse search, compared in full
MIN_DEVIATION = 0.1  # of a subsequence, in deviations of the series
SAME = 1e-5  # mean squared distance below which two subsequences are one
QUERIES_AT_ONCE = 1024


class NearestReference(NamedTuple):
    """Normal counterpart of some data.

    Attributes
    ----------
    values : Tensor
        The counterpart, shaped as the data.
    distance : Tensor
        How far each point's surroundings are from it: root mean squared difference of
        the z-normalised subsequences, averaged over those that cover the point.
    """

    values: Tensor
    distance: Tensor


class ReferencePool:
    """Subsequences of a normal series, one period long, that can be searched.

    Subsequences are z-normalised for comparison: the search is for the same shape.
    The pool holds the principal components of at most `size` of them, evenly spread;
    the best few are then compared in full, together with their neighbours that the
    spacing left out.

    Parameters
    ----------
    series : Tensor of shape (n_timestamps,)
        Normal data of mean 0 and deviation 1.
    length : int
        Length of a subsequence, at most ``n_timestamps``.
    size : int
        The most subsequences to hold.
    missing : Tensor of shape (n_timestamps,), default=None
        Which values are stand-ins, bool; no subsequence with one of them is ever a
        reference, unless all have one.

    Raises
    ------
    ValueError
        If the series is shorter than a subsequence.

    Examples
    --------
    >>> import torch
    >>> from skcoad.reference import ReferencePool
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> pool = ReferencePool(series, length=25, size=100)
    >>> strange = series[100:150].clone()
    >>> strange[20:30] = 0
    >>> values, distance = pool.reference(strange[None], hop=5)
    >>> values.shape, distance.shape
    (torch.Size([1, 50]), torch.Size([1, 50]))
    """

    def __init__(
        self, series: Tensor, length: int, size: int, missing: Tensor | None = None
    ) -> None:
        n_positions = len(series) - length + 1
        if n_positions < 1:
            raise ValueError(
                f"a pool of subsequences of length {length} needs a series at least "
                f"as long, got {len(series)} timestamps"
            )
        self.series = series
        self.length = length
        self.spacing = math.ceil(n_positions / size)
        every = series.unfold(0, length, 1)
        self._variance = torch.var(every, dim=-1, correction=0)
        self._unusable = torch.zeros_like(self._variance, dtype=torch.bool)
        if missing is not None:
            gaps = missing.unfold(0, length, 1).any(-1)
            self._unusable = gaps & ~gaps.all()
        held = torch.arange(0, n_positions, self.spacing, device=series.device)
        shapes, _, _ = _z_normalise(every[held])
        self._components = _principal_components(shapes)  # length, n_components
        self._held = (shapes @ self._components).T.contiguous()
        self._held_norm = self._held.square().sum(0)
        self._held_norm[self._unusable[held]] = torch.inf

    def __len__(self) -> int:
        """Count the subsequences of the coarse search."""
        return self._held.shape[1]

    def reference(
        self,
        x: Tensor,
        hop: int,
        position: Tensor | None = None,
        missing: Tensor | None = None,
    ) -> NearestReference:
        """Put the normal counterpart of windows together from overlapping periods.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Windows, or one whole series; T is at least the pool's `length`.
        hop : int
            Distance between the subsequences that are looked up.
        position : Tensor of shape (B,), default=None
            Where the windows stand in the series of the pool: subsequences that
            overlap with the one looked up are then left out. Without it, a
            subsequence that is *in* the series is found there and treated alike, so
            that nothing becomes its own reference.
        missing : Tensor of shape (B, T), default=None
            Which points are missing, bool. The reference that is found with what
            stands there takes its place, and the search is repeated.

        Returns
        -------
        NearestReference
            Both of shape (B, T).
        """
        if missing is not None and missing.any():
            found = self.reference(x, hop, position).values
            x = torch.where(missing, found, x)
        b, t = x.shape
        starts = torch.arange(0, t - self.length + 1, hop, device=x.device)
        if starts[-1] != t - self.length:
            starts = torch.cat([starts, starts.new_tensor([t - self.length])])
        k, within = len(starts), torch.arange(self.length, device=x.device)
        # Subsequences fade in and out, so that the counterpart has no seams.
        fade = 1 - ((within + 0.5) / self.length * 2 - 1).abs() + 1e-3
        # Values times fade, fade, distance, number of subsequences, at each point.
        total = x.new_zeros(4, b * t)
        queries = x.unfold(1, self.length, 1)  # B, ., length
        rows = torch.arange(b, device=x.device).repeat_interleave(k)
        columns = starts.repeat(b)
        for first in range(0, len(rows), QUERIES_AT_ONCE):
            row = rows[first : first + QUERIES_AT_ONCE]
            start = columns[first : first + QUERIES_AT_ONCE]
            known = None if position is None else position[row] + start
            values, distance = self.nearest(queries[row, start], known)
            points = ((row * t + start)[:, None] + within).flatten()
            distance = distance.repeat_interleave(self.length)
            fades = fade.repeat(len(row))
            for kind, part in enumerate(
                ((values * fade).flatten(), fades, distance, torch.ones_like(fades))
            ):
                total[kind].index_add_(0, points, part)
        total = total.view(4, b, t)
        return NearestReference(total[0] / total[1], total[2] / total[3])

    def nearest(
        self, queries: Tensor, position: Tensor | None = None
    ) -> NearestReference:
        """Find the nearest subsequence of the series, in the scale of the query.

        Parameters
        ----------
        queries : Tensor of shape (Q, length)
            What to look up.
        position : Tensor of shape (Q,), default=None
            As in :meth:`reference`.

        Returns
        -------
        NearestReference
            `values` of shape (Q, length), `distance` of shape (Q,).
        """
        shapes, mean, deviation = _z_normalise(queries)
        squared, found = self._search(shapes, position)
        if position is None:
            itself = squared < SAME
            if itself.any():
                squared[itself], found[itself] = self._search(
                    shapes[itself], found[itself]
                )
        values, _, _ = _z_normalise(self.series.unfold(0, self.length, 1)[found])
        return NearestReference(values * deviation + mean, squared.sqrt())

    def _search(self, shapes: Tensor, position: Tensor | None) -> tuple[Tensor, Tensor]:
        """Squared distance ``(Q,)`` and place ``(Q,)`` of the nearest subsequence."""
        distance = torch.addmm(
            self._held_norm, shapes @ self._components, self._held, alpha=-2
        )  # Q, pool; but for a constant in each row
        if position is not None:
            # Those less than `length` away: from `first` to `last` of the held ones.
            first = (position - self.length) // self.spacing + 1
            last = (position + self.length - 1) // self.spacing
            most = math.ceil((2 * self.length - 1) / self.spacing)
            overlapping = first[:, None] + torch.arange(most, device=shapes.device)
            overlapping = torch.minimum(overlapping, last[:, None])
            distance.scatter_(1, overlapping.clamp(0, len(self) - 1), torch.inf)
        nearest = distance.topk(min(N_CANDIDATES, len(self)), dim=1, largest=False)
        places = nearest.indices * self.spacing  # Q, candidates
        half = self.spacing // 2
        # The spacing left out the neighbours: look at them in two refinements.
        stride = max(1, half // 4)
        around = torch.arange(-half, half + 1, stride, device=shapes.device)
        squared, place = self._compare(
            shapes, (places[:, :, None] + around).flatten(1), position
        )
        if stride > 1:
            around = torch.arange(1 - stride, stride, device=shapes.device)
            squared, place = self._compare(shapes, place[:, None] + around, position)
        return squared, place

    def _compare(
        self, shapes: Tensor, places: Tensor, position: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Best of some places ``(Q, C)`` for each query, compared in full."""
        places = places.clamp(0, len(self._variance) - 1)
        candidates = self.series.unfold(0, self.length, 1)[places]  # Q, C, length
        product = torch.bmm(candidates, shapes[:, :, None])[..., 0] / self.length
        variance = self._variance[places]
        deviation = variance.sqrt().clamp_min(MIN_DEVIATION)
        # Mean of (candidate - shape)^2, both z-normalised; the shape has mean 0.
        squared = (
            variance / deviation.square()
            + shapes.square().mean(1, keepdim=True)
            - 2 * product / deviation
        )
        excluded = self._unusable[places]
        if position is not None:
            excluded = excluded | ((places - position[:, None]).abs() < self.length)
        # Where nothing would be left, in a very short series, nothing is left out.
        excluded = excluded & ~excluded.all(1, keepdim=True)
        squared = squared.masked_fill(excluded, torch.inf)
        best = squared.argmin(1, keepdim=True)
        return (
            squared.gather(1, best)[:, 0].clamp_min(0),
            places.gather(1, best)[:, 0],
        )


def _z_normalise(subsequences: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Shapes, means and deviations; a flat stretch is not blown up to noise."""
    variance, mean = torch.var_mean(subsequences, dim=-1, correction=0, keepdim=True)
    deviation = variance.sqrt().clamp_min(MIN_DEVIATION)
    return (subsequences - mean) / deviation, mean, deviation


def _principal_components(shapes: Tensor) -> Tensor:
    covariance = shapes.T.double() @ shapes.double()
    components: Tensor = torch.linalg.eigh(covariance).eigenvectors
    return components[:, -MAX_COMPONENTS:].to(shapes).contiguous()
