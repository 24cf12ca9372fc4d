"""Bounded pools of normal subsequences, and the nearest one to each stretch of data.

The paper's residual classifier compares a window with its reconstruction, for want of
a pool of normal references that would fit into memory. A pool of a few thousand
subsequences does fit. What this module adds to the paper is a second normal reference,
the counterpart of a window that is put together from the most similar periods of the
training series, and more to score by: how far a stretch of data is from its nearest
reference.
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
SAME = 1e-5  # share of the mean square below which a squared distance is none
LEVEL = 0.2  # what a difference of level counts, beside one of shape
QUERIES_AT_ONCE = 256  # so that their distances to the whole pool stay in the cache
# How fast the say of a stretch falls with the share of it that is missing.
GAP_AVERSION = 16
MIN_SAY = 1e-6
N_FILLS = 2  # look-ups that only improve what stands in the gaps


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
        Root mean squared difference of the subsequences, of which the level counts a
        fifth.
    """

    place: Tensor
    distance: Tensor


class ReferencePool:
    """Subsequences of a normal series, of one length, that can be searched.

    Subsequences are compared by shape, and their levels count a fifth: a drift of the
    level makes little strange, a change of the swing does. The pool holds the principal
    components of at most `size` of them, evenly spread; the best few are then compared
    in full, and the best of these with its neighbours that the spacing left out.

    :meth:`build` makes one; the constructor puts one together from what it consists of.

    Parameters
    ----------
    series : Tensor of shape (n_timestamps,)
        Normal data of deviation 1.
    missing : Tensor of shape (n_timestamps,)
        Which values are stand-ins, bool.
    length : int
        Length of a subsequence.
    spacing : int
        Distance between the subsequences of the coarse search.
    components : Tensor of shape (n_points, n_components)
        Principal components of these subsequences.
    held : Tensor of shape (n_components, n_held)
        The subsequences in terms of the components.
    own : Tensor of shape (n_held,)
        How far each, or one around it, is from its own nearest.

    Examples
    --------
    >>> import torch
    >>> from skcoad.neighbors import ReferencePool
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> pool = ReferencePool.build(series, length=25, size=100)
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
        self,
        series: Tensor,
        missing: Tensor,
        length: int,
        spacing: int,
        components: Tensor,
        held: Tensor,
        own: Tensor,
    ) -> None:
        self.series = series
        self.missing = missing
        self.length = length
        self.spacing = spacing
        self.components = components
        self.held = held
        self.own = own
        self._unusable = _incomplete(missing, length)
        self._held_norm = held.square().sum(0)
        self._held_norm[self._unusable[::spacing]] = torch.inf

    @classmethod
    def build(
        cls, series: Tensor, length: int, size: int, missing: Tensor | None = None
    ) -> ReferencePool:
        """Make a pool of a series.

        Parameters
        ----------
        series : Tensor of shape (n_timestamps,)
            Normal data of deviation 1.
        length : int
            Length of a subsequence, at most ``n_timestamps``.
        size : int
            The most subsequences to hold.
        missing : Tensor of shape (n_timestamps,), default=None
            Which values are stand-ins, bool; no subsequence with one of them is ever
            a reference, unless all have one. By default none is.

        Returns
        -------
        ReferencePool

        Raises
        ------
        ValueError
            If the series is shorter than a subsequence.
        """
        n_positions = len(series) - length + 1
        if n_positions < 1:
            raise ValueError(
                f"a pool of subsequences of length {length} needs a series at least "
                f"as long, got {len(series)} timestamps"
            )
        if missing is None:
            missing = torch.zeros_like(series, dtype=torch.bool)
        spacing = math.ceil(n_positions / size)
        every = series.unfold(0, length, 1)
        batches = torch.split(
            torch.arange(0, n_positions, spacing, device=series.device),
            QUERIES_AT_ONCE,
        )
        shapes = torch.cat([_coarse(_shape(every[some])) for some in batches])
        components = _principal_components(shapes)
        held = (shapes @ components).T.contiguous()
        pool = cls(
            series,
            missing,
            length,
            spacing,
            components,
            held,
            held.new_zeros(len(shapes)),
        )
        own = torch.cat([pool.nearest(every[some], some).distance for some in batches])
        # A bridge is far from everything, which says nothing about its neighbours.
        own[pool._unusable[::spacing]] = 0
        reach = min(length // (8 * spacing), (len(own) - 1) // 2)
        pool.own = F.max_pool1d(own[None], 2 * reach + 1, stride=1, padding=reach)[0]
        return pool

    def __len__(self) -> int:
        """Count the subsequences of the coarse search."""
        return self.held.shape[1]

    def find(self, x: Tensor, hop: int, position: Tensor | None = None) -> Places:
        """Find the nearest references of overlapping stretches of windows.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Windows, or one whole series; T is at least the pool's `length`.
        hop : int
            Distance between the stretches that are looked up, at most the pool's
            `length`: :meth:`counterpart` knows nothing between stretches.
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
            The references at the level of the stretches, faded into each other.
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
            level = queries[:, starts[some]].mean(-1, keepdim=True)  # B, k, 1
            values = references[found[:, some]]
            values = values - values.mean(-1, keepdim=True) + level
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
        of the references around that one from their own nearest: where the training
        series hardly ever repeats itself, a large distance means little.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Windows.
        places : Places
            What :meth:`find` found for them.
        missing : Tensor of shape (B, T), default=None
            As in :meth:`counterpart`.

        Returns
        -------
        Tensor of shape (B, T)
            Root mean squared difference of stretches, of which the level counts a
            fifth, less what is usual; averaged over those that cover a point.
        """
        starts, found = places
        n_stretches = x.shape[1] - self.length + 1
        hop = int(starts[1] - starts[0]) if len(starts) > 1 else 1
        # From each look-up to the next, its reference is moved along with the
        # stretches, and so is that of the next look-up: the better of the two counts.
        indices = torch.arange(len(starts), device=x.device)
        after = (indices + 1).clamp_max(len(starts) - 1)
        moved_back = found[:, after] - (starts[after] - starts)
        both = torch.stack([found, moved_back], -1)[..., None]  # B, k, 2, 1
        shifts = torch.arange(hop, device=x.device)
        points = torch.arange(hop + self.length - 1, device=x.device)
        runs = F.pad(x, (0, hop), mode="replicate").unfold(1, len(points), 1)
        with_gaps = bool(self._unusable.any())
        excess = []
        with_run = indices[: math.ceil(n_stretches / hop)]
        for some in torch.split(with_run, max(1, QUERIES_AT_ONCE // len(x))):
            along = (both[:, some] + points).clamp(0, len(self.series) - 1)
            difference = runs[:, starts[some], None] - self.series[along]
            distance = _moving_distance(difference, self.length)  # B, k, 2, hop
            place = both[:, some] + shifts
            rank = distance
            if with_gaps:  # a reference that was moved into one is the second choice
                in_gap = self._unusable[place.clamp(0, len(self._unusable) - 1)]
                rank = distance.masked_fill(in_gap, torch.inf)
            nearer = (rank[:, :, 1:] < rank[:, :, :1]).long()
            place = place.gather(2, nearer)
            usual = self.own[self._held_near(place)]
            excess.append((distance.gather(2, nearer) - usual).flatten(1))
        every = torch.cat(excess, 1)[:, :n_stretches]
        say = self._say(torch.arange(n_stretches, device=x.device), missing)
        total = _sum_over_covering(say * every, self.length)
        weight = _sum_over_covering(say.expand_as(every), self.length)
        return (total / weight).to(x.dtype)

    def _say(self, starts: Tensor, missing: Tensor | None) -> Tensor:
        """How much stretches count, ``(B, k)``, or ``(1, k)`` if nothing is missing."""
        if missing is None or not missing.any():
            return torch.ones(1, len(starts), device=starts.device)
        n_missing: Tensor = F.pad(missing.cumsum(1), (1, 0))
        n_missing = n_missing[:, starts + self.length] - n_missing[:, starts]
        known: Tensor = 1 - n_missing / self.length
        return known.pow(GAP_AVERSION).clamp_min(MIN_SAY)

    def _held_near(self, place: Tensor) -> Tensor:
        """Which held subsequence stands for one that is not held itself."""
        return ((place + self.spacing // 2) // self.spacing).clamp(0, len(self) - 1)

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
        shapes = _shape(queries)
        squared, place = self._search(shapes, position)
        if position is None:
            itself = squared < SAME * shapes.square().mean(1)
            if itself.any():
                squared[itself], place[itself] = self._search(
                    shapes[itself], place[itself]
                )
        return Nearest(place, squared.sqrt())

    def _search(self, shapes: Tensor, position: Tensor | None) -> tuple[Tensor, Tensor]:
        """Squared distance ``(Q,)`` and place ``(Q,)`` of the nearest subsequence."""
        nearness = torch.addmm(
            self._held_norm,
            _coarse(shapes) @ self.components,
            self.held,
            beta=-1,
            alpha=2,
        )  # Q, pool: minus the squared distance, but for a constant in each row
        if position is not None:
            # Those less than `length` away are held ones that follow each other.
            first = (position - self.length) // self.spacing + 1
            most = math.ceil((2 * self.length - 1) / self.spacing)
            near = first[:, None] + torch.arange(most, device=shapes.device)
            near = near.clamp(0, len(self) - 1)
            overlaps = (near * self.spacing - position[:, None]).abs() < self.length
            limit = torch.where(overlaps, -torch.inf, torch.inf)
            nearness.scatter_reduce_(1, near, limit, "amin")
        candidates = _best_of_groups(nearness) * self.spacing
        squared, place = self._compare(shapes, candidates, position)
        # The spacing left out the neighbours: look at them, ever closer.
        reach = self.spacing // 2
        while reach:
            stride = max(1, reach // 4)
            ahead = torch.arange(0, reach + 1, stride, device=shapes.device)
            around = torch.cat([-ahead, ahead[1:]])
            squared, place = self._compare(shapes, place[:, None] + around, position)
            reach = stride // 2
        return squared, place

    def _compare(
        self, shapes: Tensor, places: Tensor, position: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Best of some places ``(Q, C)`` for each query, compared in full."""
        places = places.clamp(0, len(self._unusable) - 1)
        candidates = self.series.unfold(0, self.length, 1)[places]  # Q, C, length
        squared = (_shape(candidates) - shapes[:, None]).square().mean(-1)
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


def _shape(subsequences: Tensor) -> Tensor:
    """Subsequences with little left of their level."""
    return subsequences - (1 - LEVEL) * subsequences.mean(-1, keepdim=True)


def _moving_distance(difference: Tensor, length: int) -> Tensor:
    """Distance of all stretches of a length, from the difference of two series."""
    both = torch.stack([difference, difference.square()])
    sums = F.pad(both.cumsum(-1, dtype=torch.float64), (1, 0))
    mean, mean_square = (sums[..., length:] - sums[..., :-length]) / length
    squared: Tensor = mean_square - (1 - LEVEL**2) * mean.square()
    return squared.clamp_min(0).sqrt()


def _sum_over_covering(values: Tensor, length: int) -> Tensor:
    """Sum of the values of the stretches that cover each point, ``(B, .)``."""
    sums = F.pad(values.cumsum(1, dtype=torch.float64), (1, 0))
    sums = F.pad(sums, (length - 1, length - 1), mode="replicate")
    return sums[:, length:] - sums[:, :-length]


def _incomplete(missing: Tensor, length: int) -> Tensor:
    """Which subsequences have a stand-in, bool; none if all of them have."""
    if not missing.any():
        return torch.zeros_like(missing[length - 1 :])
    n_before = F.pad(missing.cumsum(0, dtype=torch.int32), (1, 0))
    gaps = n_before[length:] > n_before[:-length]
    return gaps & ~gaps.all()


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
