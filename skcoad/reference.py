"""Bounded pools of normal subsequences, and the nearest one to each stretch of data.

The paper's residual classifier compares a window with its reconstruction, for want of
a pool of normal references that would fit into memory. A pool of a few thousand
subsequences does fit. What this module adds to the paper is a second normal reference,
the counterpart of a window that is put together from the most similar periods of the
training series, and a third part of the score, how far a stretch of data is from its
nearest reference.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Nearest", "Places", "ReferencePool"]

MAX_POINTS = 2048  # of a subsequence in the coarse search
MAX_COMPONENTS = 24  # of these points
N_CANDIDATES = 4  # from the coarse search, compared in full
MAX_GROUPS = 128  # of neighbours in the pool; of each, one becomes a candidate at most
MIN_DEVIATION = 0.1  # of a subsequence, in deviations of the series
SAME = 1e-5  # mean squared distance below which two subsequences are one
QUERIES_AT_ONCE = 256  # so that their distances to the whole pool stay in the cache
# How fast the say of a stretch falls with the share of it that is missing.
GAP_AVERSION = 16
MIN_SAY = 1e-6
N_FILLS = 2  # look-ups that only improve what stands in the gaps
FINENESS = 16  # places of a subsequence at which its distance is taken


class Places(NamedTuple):
    """Where the nearest references of some stretches of data are.

    Attributes
    ----------
    starts : Tensor of shape (k,)
        Where each stretch starts in its window.
    places : Tensor of shape (B, k)
        Where its nearest reference starts in the series of the pool.
    """

    starts: Tensor
    places: Tensor


class Nearest(NamedTuple):
    """Nearest references of some subsequences.

    Attributes
    ----------
    place : Tensor of shape (Q,)
        Where they start in the series of the pool.
    distance : Tensor of shape (Q,)
        Root mean squared difference of the z-normalised subsequences.
    """

    place: Tensor
    distance: Tensor


class ReferencePool:
    """Subsequences of a normal series, of one length, that can be searched.

    Subsequences are z-normalised for comparison: the search is for the same shape.
    The pool holds the principal components of at most `size` of them, evenly spread;
    the best few are then compared in full, and the best of these with its neighbours
    that the spacing left out.

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
    >>> places = pool.find(strange[None], hop=5)
    >>> pool.counterpart(strange[None], places).shape
    torch.Size([1, 50])
    >>> excess = pool.excess(strange[None], places)
    >>> bool(excess[0].argmax() in range(20, 30))
    True
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
        shapes = torch.cat(
            [
                _coarse(_z_normalise(every[some])[0])
                for some in torch.split(held, QUERIES_AT_ONCE)
            ]
        )
        self._components = _principal_components(shapes)  # points, n_components
        self._held = (shapes @ self._components).T.contiguous()
        self._held_norm = self._held.square().sum(0)
        self._held_norm[self._unusable[held]] = torch.inf
        own = [
            self.nearest(every[some], some).distance
            for some in torch.split(held, QUERIES_AT_ONCE)
        ]
        # How far each held subsequence, or one around it, is from its own nearest.
        reach = min(length // (4 * self.spacing), (len(held) - 1) // 2)
        self._own = F.max_pool1d(
            torch.cat(own)[None], 2 * reach + 1, stride=1, padding=reach
        )[0]

    def __len__(self) -> int:
        """Count the subsequences of the coarse search."""
        return self._held.shape[1]

    def find(self, x: Tensor, hop: int, position: Tensor | None = None) -> Places:
        """Find the nearest references of overlapping stretches of windows.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Windows, or one whole series; T is at least the pool's `length`.
        hop : int
            Distance between the stretches that are looked up.
        position : Tensor of shape (B,), default=None
            Where the windows stand in the series of the pool: subsequences that
            overlap with the one looked up are then left out. Without it, a
            subsequence that is *in* the series is found there and treated alike, so
            that nothing becomes its own reference.

        Returns
        -------
        Places
        """
        last = x.shape[1] - self.length
        starts = torch.arange(0, last + 1, hop, device=x.device)
        if starts[-1] != last:
            starts = torch.cat([starts, starts.new_tensor([last])])
        queries = x.unfold(1, self.length, 1)  # B, ., length
        places = []
        for some in torch.split(starts, max(1, QUERIES_AT_ONCE // len(x))):
            stretches = queries[:, some].flatten(0, 1)
            known = None if position is None else (position[:, None] + some).flatten()
            places.append(self.nearest(stretches, known).place.view(len(x), -1))
        return Places(starts, torch.cat(places, 1))

    def fill(
        self, x: Tensor, missing: Tensor, hop: int, position: Tensor | None = None
    ) -> Tensor:
        """Put references in the place of stand-ins for missing values.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Windows.
        missing : Tensor of shape (B, T)
            Which of their values are stand-ins, bool.
        hop, position : int, Tensor or None
            As in :meth:`find`, which is first asked with the stand-ins.

        Returns
        -------
        Tensor of shape (B, T)
        """
        if not missing.any():
            return x
        for _ in range(N_FILLS):
            places = self.find(x, hop, position)
            x = torch.where(missing, self.counterpart(x, places, missing), x)
        return x

    def counterpart(
        self, x: Tensor, places: Places, missing: Tensor | None = None
    ) -> Tensor:
        """Put the normal counterpart of windows together from their references.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Windows.
        places : Places
            What :meth:`find` found for them.
        missing : Tensor of shape (B, T), default=None
            Which of their values are stand-ins, bool; stretches count the less the
            more of them is missing.

        Returns
        -------
        Tensor of shape (B, T)
            The references in the scale of the stretches, faded into each other.
        """
        within = torch.arange(self.length, device=x.device)
        # Subsequences fade in and out, so that the counterpart has no seams.
        fade = 1 - ((within + 0.5) / self.length * 2 - 1).abs() + 1e-3
        total, weight = torch.zeros_like(x), torch.zeros_like(x)
        queries = x.unfold(1, self.length, 1)
        references = self.series.unfold(0, self.length, 1)
        starts, found = places
        say = self._say(starts, missing)
        indices = torch.arange(len(starts), device=x.device)
        for some in torch.split(indices, max(1, QUERIES_AT_ONCE // len(x))):
            values, _, _ = _z_normalise(references[found[:, some]])  # B, k, length
            _, mean, deviation = _z_normalise(queries[:, starts[some]])
            values = values * deviation + mean
            weights = (fade * say[:, some, None]).expand_as(values)
            points = (starts[some, None] + within).flatten()
            total.index_add_(1, points, (weights * values).flatten(1))
            weight.index_add_(1, points, weights.flatten(1))
        return total / weight

    def excess(
        self, x: Tensor, places: Places, missing: Tensor | None = None
    ) -> Tensor:
        """How much stranger each point's surroundings are than their references.

        The distance of a stretch from its nearest reference, less the largest distance
        of the references around that one from their own nearest, at least 0: where the
        training series hardly ever repeats itself, a large distance means little.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Windows.
        places : Places
            What :meth:`find` found for them. Between the stretches, the distance to
            the reference that is moved along is taken.
        missing : Tensor of shape (B, T), default=None
            As in :meth:`counterpart`.

        Returns
        -------
        Tensor of shape (B, T)
            Root mean squared difference of z-normalised stretches, averaged over
            those that cover a point.
        """
        t = x.shape[1]
        starts, found = places
        ends = torch.cat([starts[1:], starts[-1:] + 1])
        after = torch.cat([found[:, 1:], found[:, -1:]], 1)
        queries = x.unfold(1, self.length, 1)
        # Excess, and number of stretches: what begins at a point, less what has ended.
        change = torch.zeros(2, len(x), t + 1, dtype=torch.float64, device=x.device)
        indices = torch.arange(len(starts), device=x.device)
        fine = max(1, self.length // FINENESS)
        for shift in range(0, int((ends - starts).max()), fine):
            start = torch.minimum(starts + shift, ends - 1)
            # The references before and after, each moved along.
            both = torch.stack([found + (start - starts), after + (start - ends)], -1)
            say = self._say(start, missing)
            for some in torch.split(indices, max(1, QUERIES_AT_ONCE // len(x))):
                shapes, _, _ = _z_normalise(queries[:, start[some]].flatten(0, 1))
                squared, place = self._compare(shapes, both[:, some].flatten(0, 1))
                excess = squared.sqrt() - self._own[self._held_near(place)]
                for kind, part in enumerate((excess, torch.ones_like(excess))):
                    part = say[:, some] * part.double().view(len(x), -1)
                    change[kind].index_add_(1, start[some], part)
                    change[kind].index_add_(1, start[some] + self.length, -part)
        total, n_covering = change.cumsum(-1)[..., :t]
        mean: Tensor = total / n_covering.clamp_min(MIN_SAY)
        return mean.clamp_min(0).to(x.dtype)

    def _say(self, starts: Tensor, missing: Tensor | None) -> Tensor:
        """How much stretches count, ``(B, k)``, or ``(1, k)`` if nothing is missing."""
        if missing is None:
            return torch.ones(1, len(starts), device=starts.device)
        n_missing: Tensor = F.pad(missing.cumsum(1), (1, 0))
        n_missing = n_missing[:, starts + self.length] - n_missing[:, starts]
        known: Tensor = 1 - n_missing / self.length
        return known.pow(GAP_AVERSION).clamp_min(MIN_SAY)

    def _held_near(self, place: Tensor) -> Tensor:
        """Which held subsequence stands for one that is not held itself."""
        return ((place + self.spacing // 2) // self.spacing).clamp_max(len(self) - 1)

    def nearest(self, queries: Tensor, position: Tensor | None = None) -> Nearest:
        """Find the nearest subsequence of the series.

        Parameters
        ----------
        queries : Tensor of shape (Q, length)
            What to look up.
        position : Tensor of shape (Q,), default=None
            As in :meth:`find`.

        Returns
        -------
        Nearest
        """
        shapes, _, _ = _z_normalise(queries)
        squared, place = self._search(shapes, position)
        if position is None:
            itself = squared < SAME
            if itself.any():
                squared[itself], place[itself] = self._search(
                    shapes[itself], place[itself]
                )
        return Nearest(place, squared.sqrt())

    def _search(self, shapes: Tensor, position: Tensor | None) -> tuple[Tensor, Tensor]:
        """Squared distance ``(Q,)`` and place ``(Q,)`` of the nearest subsequence."""
        nearness = torch.addmm(
            self._held_norm,
            _coarse(shapes) @ self._components,
            self._held,
            beta=-1,
            alpha=2,
        )  # Q, pool: minus the squared distance, but for a constant in each row
        if position is not None:
            # Those less than `length` away: from `first` to `last` of the held ones.
            first = (position - self.length) // self.spacing + 1
            last = (position + self.length - 1) // self.spacing
            most = math.ceil((2 * self.length - 1) / self.spacing)
            overlapping = first[:, None] + torch.arange(most, device=shapes.device)
            overlapping = torch.minimum(overlapping, last[:, None])
            nearness.scatter_(1, overlapping.clamp(0, len(self) - 1), -torch.inf)
        candidates = _best_of_groups(nearness) * self.spacing
        squared, place = self._compare(shapes, candidates, position)
        # The spacing left out the neighbours: look at them, ever closer.
        reach = self.spacing // 2
        while reach:
            stride = max(1, reach // 4)
            around = torch.arange(-reach, reach + 1, stride, device=shapes.device)
            squared, place = self._compare(shapes, place[:, None] + around, position)
            reach = stride // 2
        return squared, place

    def _compare(
        self, shapes: Tensor, places: Tensor, position: Tensor | None = None
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


def coarse_length(length: int) -> int:
    """How many points the coarse search sees of a subsequence."""
    return length // math.ceil(length / MAX_POINTS)


def _coarse(shapes: Tensor) -> Tensor:
    """Means of neighbouring points where there are many."""
    n_together = math.ceil(shapes.shape[1] / MAX_POINTS)
    if n_together == 1:
        return shapes
    return F.avg_pool1d(shapes[:, None], n_together)[:, 0]


def _best_of_groups(nearness: Tensor) -> Tensor:
    """Where the largest values of each row are, each the largest of its neighbours.

    Much faster than sorting whole rows, and what is so found is less alike.
    """
    n = nearness.shape[1]
    size = math.ceil(n / MAX_GROUPS)
    groups = F.max_pool1d(nearness, size, ceil_mode=True)
    best = groups.topk(min(N_CANDIDATES, groups.shape[1])).indices
    members = best[..., None] * size + torch.arange(size, device=nearness.device)
    members = members.clamp_max(n - 1)  # Q, candidates, size
    values = nearness.gather(1, members.flatten(1)).view_as(members)
    return members.gather(2, values.argmax(2, keepdim=True))[..., 0]


def _principal_components(shapes: Tensor) -> Tensor:
    covariance = shapes.T.double() @ shapes.double()
    components: Tensor = torch.linalg.eigh(covariance).eigenvectors
    return components[:, -MAX_COMPONENTS:].to(shapes).contiguous()
