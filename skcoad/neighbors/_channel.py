"""One channel beside its normal neighbours.

Its views, in ``_views.py``, are joined with those of the training series; what is found
is averaged over the subsequences that cover a timestamp, and calibrated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from skcoad._threads import in_threads
from skcoad._typing import References
from skcoad.neighbors._distance import Metric
from skcoad.neighbors._excess import (
    ExcessCalibration,
    baseline_distances,
    excess_distance,
    subsequence_excess,
    subsequence_weight,
)
from skcoad.neighbors._index import Neighbors, SubsequenceIndex
from skcoad.neighbors._join import JoinIndex, join_all, self_join_all
from skcoad.neighbors._profile import impute, query_windows, retrieve
from skcoad.neighbors._views import (
    VIEWS,
    diff_missing,
    difference_scale,
    first_differences,
    known_neighbors,
    missing_of_kind,
)
from skcoad.preprocessing import WindowPlan
from skcoad.preprocessing._plan import QUERIES_PER_PERIOD

__all__ = [
    "ChannelNeighbors",
    "Profile",
    "build_all",
    "profile_all",
]

# How far away neighbours in the scored series itself start at least: an anomaly of one
# and a half periods is not its own neighbour.
EXCLUSION_PERIODS = 2.5


class Profile(NamedTuple):
    """A series beside its nearest neighbours.

    Attributes
    ----------
    retrieved : Tensor of shape (n_timestamps,)
        The series as its nearest neighbours reconstruct it.
    evidence : Tensor of shape (n_views, n_timestamps)
        How rare the excess distance (see :func:`excess_distance`) of each of `VIEWS` is
        on normal data, in decades; see :mod:`skcoad.calibration`.
    """

    retrieved: Tensor
    evidence: Tensor


class ChannelNeighbors(nn.Module):
    """Nearest neighbours of one channel in the training series.

    :meth:`build` makes one of a series; the constructor makes an empty one, to be
    filled by ``load_state_dict`` and :meth:`attach`.

    Parameters
    ----------
    plan : WindowPlan
        Sizes; subsequences are one period long.
    n_timestamps : int
        Length of the training series.
    max_references : int
        Largest number of subsequences that windows are retrieved from.

    Attributes
    ----------
    series, missing : Tensor of shape (n_timestamps,)
        The scaled training series, its missing values those of nearest neighbours, and
        where they were.
    difference_scale : Tensor of shape ()
        Standard deviation of the first differences.
    index : SubsequenceIndex
        What windows are retrieved from.
    joins : ModuleList of JoinIndex
        One for each of `VIEWS`.
    baselines : Tensor of shape (n_views, n_subsequences)
        How far each normal subsequence is from its own nearest neighbour.
    explained : Tensor of shape (2,)
        Mean correlation of a normal subsequence with its nearest neighbour, of values
        and of first differences; at least 0. Near 1 for a rhythm, lower for noise, the
        more so the longer the period is, and 0 for a constant series.
    calibration : ExcessCalibration
        Of the excess distances of the training series, each subsequence compared with
        the others.

    Examples
    --------
    >>> import torch
    >>> from skcoad.neighbors import VIEWS, ChannelNeighbors
    >>> from skcoad.preprocessing import WindowPlan
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> neighbors = ChannelNeighbors.build(series, WindowPlan(25, 48, 4, 12), 100)
    >>> x = series[100:150].clone()
    >>> x[20:30] += 0.1 * torch.tensor([1.0, -1.0]).repeat(5)
    >>> missing = torch.zeros_like(x, dtype=torch.bool)
    >>> evidence = dict(zip(VIEWS, neighbors.profile(x, missing).evidence))
    >>> by_value, by_difference = (
    ...     evidence[kind, "euclidean"][25] for kind in ("values", "differences")
    ... )
    >>> bool(by_difference > 2 * by_value)
    True
    """

    series: Tensor
    missing: Tensor
    difference_scale: Tensor
    baselines: Tensor
    explained: Tensor

    def __init__(
        self, plan: WindowPlan, n_timestamps: int, max_references: int
    ) -> None:
        super().__init__()
        self.plan = plan
        n_subsequences = n_timestamps - plan.period + 1
        for name, shape, dtype in (
            ("series", (n_timestamps,), torch.float32),
            ("missing", (n_timestamps,), torch.bool),
            ("difference_scale", (), torch.float32),
            ("baselines", (len(VIEWS), max(0, n_subsequences)), torch.float32),
            ("explained", (len(VIEWS) // 2,), torch.float32),
        ):
            self.register_buffer(name, torch.zeros(shape, dtype=dtype))
        self.index = SubsequenceIndex(n_timestamps, plan.period, max_references)
        self.calibration = ExcessCalibration(len(VIEWS), plan.period)
        self.joins: Sequence[JoinIndex] = ()

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
        return build_all([(series, missing)], plan, max_references)[0]

    @classmethod
    def _indexed(
        cls, series: Tensor, missing: Tensor, plan: WindowPlan, max_references: int
    ) -> ChannelNeighbors:
        """Index a channel; what its self-joins tell remains to be learnt."""
        with torch.device("meta"):
            neighbors = cls(plan, len(series), max_references)
        neighbors.difference_scale = difference_scale(series)
        index = SubsequenceIndex.build(series, plan.period, max_references, missing)
        if missing.any():  # filled as in a series that will be scored
            start = torch.zeros(1, dtype=torch.long, device=series.device)
            stride = plan.query_stride(2)
            series = impute(index, series[None], missing[None], stride, start)[0]
            index = SubsequenceIndex.build(series, plan.period, max_references, missing)
        neighbors.series, neighbors.missing, neighbors.index = series, missing, index
        neighbors._make_joins()
        return neighbors

    def _learn(self, found: Sequence[Neighbors]) -> None:
        """Learn what the nearest neighbours of its own subsequences tell."""
        period, absent = self.plan.period, missing_of_kind(self.missing)
        joined = list(zip(found, self.joins, strict=True))
        self.baselines = torch.stack(
            [baseline_distances(each, of.incomplete, period) for each, of in joined]
        )
        self.explained = torch.stack(
            [
                _mean_correlation(each, of.incomplete)
                for each, of in joined
                if of.metric == "znormalized"
            ]
        ) * (self.series.std(correction=0) > 0)
        excess = torch.stack(
            [
                subsequence_excess(each, baseline)
                for each, baseline in zip(found, self.baselines, strict=True)
            ]
        )
        weight = torch.stack(
            [
                subsequence_weight(row, period, absent[kind])
                for row, (kind, _) in zip(excess, VIEWS, strict=True)
            ]
        )
        self.calibration.fit(excess, weight, ~absent["differences"])

    def attach(self) -> None:
        """Make again what is not saved, after loading."""
        self.index.attach(self.series, self.missing)
        self._make_joins()

    def _make_joins(self) -> None:
        views = self._views(self.series, self.missing)

        def make(view: tuple[str, Metric]) -> JoinIndex:
            kind, metric = view
            return JoinIndex(*views[kind], self.plan.period, metric)

        joins = nn.ModuleList(in_threads(make, VIEWS))
        self.joins = cast("Sequence[JoinIndex]", joins)

    def _views(self, x: Tensor, missing: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """Values and first differences of a series, and where they are missing."""
        differences = first_differences(x) / self.difference_scale
        return {
            "values": (x, missing),
            "differences": (differences, diff_missing(missing)),
        }

    def _excess(self, found: Sequence[Neighbors], missing: Tensor) -> Tensor:
        """Excess distances of all views, ``(n_views, n_timestamps)``."""
        absent = missing_of_kind(missing)
        return torch.stack(
            [
                excess_distance(nearest, baseline, self.plan.period, absent[kind])
                for nearest, baseline, (kind, _) in zip(
                    found, self.baselines, VIEWS, strict=True
                )
            ]
        )

    def retrieve(
        self, x: Tensor, missing: Tensor | None, exclude_at: Tensor | None = None
    ) -> Tensor:
        """Reconstruct windows from their nearest neighbours of one period.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Scaled windows, their missing values interpolated.
        missing : Tensor of shape (B, T) or None
            Which of their values are missing, bool; None if none is.
        exclude_at : Tensor of shape (B,), default=None
            Where they stand in the training series, if they are from there; see
            :meth:`SubsequenceIndex.query`.

        Returns
        -------
        Tensor of shape (B, T)
        """
        stride = max(1, self.plan.period // 2)
        x = impute(self.index, x, missing, stride, exclude_at)
        neighbors = query_windows(self.index, x, stride, exclude_at)
        return retrieve(self.index, x, neighbors, missing)

    def profile(
        self, x: Tensor, missing: Tensor, references: References = "train"
    ) -> Profile:
        """Compare a series with its nearest neighbours.

        Parameters
        ----------
        x : Tensor of shape (n_timestamps,)
            Scaled, its missing values interpolated.
        missing : Tensor of shape (n_timestamps,)
            Which of its values are missing, bool; the weight of a subsequence falls
            with the fraction that is missing.
        references : {"train", "past", "all"}, default="train"
            Where neighbours may be: in the training series only; also among the
            subsequences of `x` that started at least 2.5 periods earlier; or also among
            those that start at least 2.5 periods earlier or later. In the latter two,
            the evidence is the mean of that by the training series alone and that by
            the nearer of both, so that an anomaly that repeats loses half of it at
            most.

        Returns
        -------
        Profile
        """
        return profile_all([self], [(x, missing)], references)[0]

    def _evidence(
        self,
        views: dict[str, tuple[Tensor, Tensor]],
        found: Sequence[Neighbors],
        references: References,
    ) -> Tensor:
        """Evidence of every view, by nearest neighbours in the training series."""
        missing = views["values"][1]
        evidence: Tensor = self.calibration(self._excess(found, missing))
        if references == "train":
            return evidence

        def excess(row: int) -> Tensor:
            kind, _ = VIEWS[row]
            past_only = references == "past"
            return self._excess_with_own(found[row], row, views[kind], past_only)

        nearer = torch.stack(list(in_threads(excess, range(len(VIEWS)))))
        return evidence.add(self.calibration(nearer)) / 2

    def nearest(self, x: Tensor, missing: Tensor) -> list[Neighbors]:
        """Find the nearest neighbour of each subsequence in the training series.

        Parameters
        ----------
        x, missing : Tensor of shape (n_timestamps,)
            As for :meth:`profile`.

        Returns
        -------
        list of Neighbors
            One for each of :data:`VIEWS`, of ``n_timestamps - period + 1``
            subsequences.
        """
        return _join_all([self], [self._views(self._imputed(x, missing), missing)])[0]

    def _imputed(self, x: Tensor, missing: Tensor) -> Tensor:
        """A series with the values of nearest neighbours where it is missing."""
        stride = self.plan.query_stride(2)
        return impute(self.index, x[None], missing[None], stride)[0]

    def _excess_with_own(
        self,
        nearest: Neighbors,
        row: int,
        series: tuple[Tensor, Tensor],
        past_only: bool,
    ) -> Tensor:
        """Excess distance to the nearer of the training series' and its own neighbour.

        Parameters
        ----------
        nearest : Neighbors
            In the training series.
        row : int
            Which of `VIEWS`.
        series : (Tensor, Tensor)
            A view of the scored series, and where it is missing.
        past_only : bool
            Whether own neighbours are earlier ones only.

        Returns
        -------
        Tensor of shape (n_timestamps,)
        """
        period, baselines = self.plan.period, self.baselines[row]
        kind, metric = VIEWS[row]
        own_index = JoinIndex(*series, period, metric)
        own = own_index.self_join(
            self.plan.query_stride(QUERIES_PER_PERIOD),
            math.ceil(EXCLUSION_PERIODS * period),
            past_only,
        )
        own = known_neighbors(kind, own)
        nearer = own.distances < nearest.distances
        distances = torch.where(nearer, own.distances, nearest.distances)
        own_baselines = baseline_distances(
            Neighbors(nearest.indices, distances), own_index.incomplete, period
        )
        n_normal = len(baselines)
        indices = torch.where(
            nearer,
            n_normal + own.indices.clamp(0, len(own_baselines) - 1),
            nearest.indices.clamp(0, n_normal - 1),
        )
        return excess_distance(
            Neighbors(indices, distances),
            torch.cat([baselines, own_baselines]),
            period,
            series[1],
        )


def build_all(
    series: Sequence[tuple[Tensor, Tensor]], plan: WindowPlan, max_references: int
) -> list[ChannelNeighbors]:
    """Index several channels at once.

    Parameters
    ----------
    series : sequence of (Tensor, Tensor)
        Each channel, of shape (n_timestamps,), and where it is missing.
    plan, max_references : WindowPlan, int
        As for :meth:`ChannelNeighbors.build`.

    Returns
    -------
    list of ChannelNeighbors
        What :meth:`ChannelNeighbors.build` gives for each.
    """
    built = [
        ChannelNeighbors._indexed(*channel, plan, max_references) for channel in series
    ]
    joins = [join for neighbors in built for join in neighbors.joins]
    found = self_join_all(joins, plan.query_stride(QUERIES_PER_PERIOD))
    for neighbors, of_channel in zip(built, _by_channel(found), strict=True):
        neighbors._learn(of_channel)
    return built


def profile_all(
    neighbors: Sequence[ChannelNeighbors],
    series: Sequence[tuple[Tensor, Tensor]],
    references: References = "train",
) -> list[Profile]:
    """Compare several channels with the nearest neighbours of each, at once.

    Parameters
    ----------
    neighbors : sequence of ChannelNeighbors
        Of each channel, by the same plan.
    series : sequence of (Tensor, Tensor)
        Each channel, of shape (n_timestamps,), and where it is missing.
    references : {"train", "past", "all"}, default="train"
        As for :meth:`ChannelNeighbors.profile`.

    Returns
    -------
    list of Profile
        What :meth:`ChannelNeighbors.profile` gives for each.
    """
    retrieved, views = [], []
    for of, (x, missing) in zip(neighbors, series, strict=True):
        filled = of._imputed(x, missing)
        windows = query_windows(of.index, filled[None], of.plan.query_stride(2))
        retrieved.append(retrieve(of.index, filled[None], windows, missing[None])[0])
        views.append(of._views(filled, missing))
    found = _join_all(neighbors, views)
    return [
        Profile(one, of._evidence(kinds, nearest, references))
        for of, one, kinds, nearest in zip(
            neighbors, retrieved, views, found, strict=True
        )
    ]


def _join_all(
    neighbors: Sequence[ChannelNeighbors],
    views: Sequence[dict[str, tuple[Tensor, Tensor]]],
) -> list[list[Neighbors]]:
    """Nearest neighbours of each channel in every view."""
    joins = [join for of in neighbors for join in of.joins]
    x = [kinds[kind][0] for kinds in views for kind, _ in VIEWS]
    stride = neighbors[0].plan.query_stride(QUERIES_PER_PERIOD)
    return _by_channel(join_all(joins, x, stride))


def _by_channel(found: Sequence[Neighbors]) -> list[list[Neighbors]]:
    """Neighbours in all views of one channel after the other."""
    n = len(VIEWS)
    return [
        [
            known_neighbors(kind, each)
            for each, (kind, _) in zip(found[first : first + n], VIEWS, strict=True)
        ]
        for first in range(0, len(found), n)
    ]


def _mean_correlation(nearest: Neighbors, incomplete: Tensor) -> Tensor:
    """Of complete subsequences with their neighbours, from z-normalised distances."""
    known = ~incomplete & nearest.distances.isfinite()
    if not known.any():
        return nearest.distances.new_zeros(())
    return (1 - nearest.distances[known].square() / 2).mean().clamp(0, 1)
