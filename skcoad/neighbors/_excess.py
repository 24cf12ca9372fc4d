"""How far beyond its own nearest neighbour a neighbour is, and how rare that is.

The distances of all subsequences, from a join, become a value for each timestamp
(:func:`excess_distance`): the mean over the subsequences that cover it. Near the ends
of a series these are fewer, and a mean of fewer varies more;
:class:`ExcessCalibration` knows by how much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad._rolling import (
    SUBSEQUENCE_POWER,
    coverage_weight,
    rolling_sum,
)
from skcoad.calibration import TailCalibration
from skcoad.neighbors._distance import EQUAL
from skcoad.neighbors._index import Neighbors

__all__ = [
    "ExcessCalibration",
    "baseline_distances",
    "excess_distance",
    "subsequence_excess",
    "subsequence_weight",
]


def baseline_distances(neighbors: Neighbors, incomplete: Tensor, length: int) -> Tensor:
    """How far each subsequence of the normal series is from its own nearest neighbour.

    Parameters
    ----------
    neighbors : Neighbors
        From the self-join of the normal series, its matrix profile.
    incomplete : Tensor of shape (n_subsequences,)
        Which subsequences hold an imputed value, bool; their baseline is 0, since an
        interpolated run is far from everything.
    length : int
        Of a subsequence.

    Returns
    -------
    Tensor of shape (n_subsequences,)
        The largest distance within an eighth of the length around each; 0 for those
        that are repeated exactly, so that it makes no difference which of several equal
        subsequences is the neighbour.
    """
    distances = neighbors.distances.masked_fill(neighbors.distances.isinf(), 0)
    distances = distances.masked_fill(incomplete, 0)
    radius = min(length // 8, (len(distances) - 1) // 2)
    width = 2 * radius + 1
    largest = F.max_pool1d(distances[None], width, stride=1, padding=radius)[0]
    return largest.masked_fill(neighbors.distances.square() <= EQUAL, 0)


def excess_distance(
    neighbors: Neighbors,
    baseline: Tensor,
    length: int,
    missing: Tensor | None = None,
) -> Tensor:
    """Distance to the nearest neighbour, minus that one's own baseline distance.

    Parameters
    ----------
    neighbors : Neighbors
        Of all subsequences of a series, ``(..., n_timestamps - length + 1)``.
    baseline : Tensor of shape (n_subsequences,)
        From :func:`baseline_distances`.
    length : int
        Of a subsequence.
    missing : Tensor of shape (n_timestamps,), default=None
        Which values of the series are missing, bool; the weight of a subsequence falls
        with the fraction that is missing.

    Returns
    -------
    Tensor of shape (..., n_timestamps)
        Mean over the subsequences that cover a timestamp; negative where they are
        nearer to their neighbours than these are to theirs.
    """
    excess = subsequence_excess(neighbors, baseline)
    weight = subsequence_weight(excess, length, missing)
    return _mean_over_covering(excess, weight, length).to(excess.dtype)


def subsequence_excess(neighbors: Neighbors, baseline: Tensor) -> Tensor:
    """Excess distance of each subsequence.

    Where the normal series itself hardly ever repeats, a large distance is no
    evidence. The nearest-neighbour data description of D. M. J. Tax ("One-class
    classification", thesis, TU Delft 2001) takes the quotient of the same two.

    Parameters
    ----------
    neighbors, baseline : Neighbors, Tensor
        As for :func:`excess_distance`.

    Returns
    -------
    Tensor of shape (..., n_subsequences)
        0 where there is no neighbour, in a very short series.
    """
    excess = (
        neighbors.distances - baseline[neighbors.indices.clamp(0, len(baseline) - 1)]
    )
    return excess.masked_fill(neighbors.distances.isinf(), 0)


def subsequence_weight(excess: Tensor, length: int, missing: Tensor | None) -> Tensor:
    """Weight of each subsequence in the mean over those that cover a timestamp.

    Parameters
    ----------
    excess : Tensor of shape (..., n_subsequences)
        From :func:`subsequence_excess`.
    length, missing : int, Tensor or None
        As for :func:`excess_distance`.

    Returns
    -------
    Tensor of shape (..., n_subsequences)
        1 where nothing is missing.
    """
    if missing is None or not missing.any():
        return torch.ones_like(excess)
    observed = 1 - rolling_sum(missing, length).to(excess.dtype) / length
    return coverage_weight(observed, SUBSEQUENCE_POWER)


def _mean_over_covering(values: Tensor, weight: Tensor, length: int) -> Tensor:
    """Weighted mean of the values of the subsequences that cover each timestamp."""
    around = (length - 1, length - 1)
    total = rolling_sum(F.pad(weight * values, around), length)
    return total / rolling_sum(F.pad(weight, around), length)


def _fit(tail: TailCalibration, normal: Tensor, observed: Tensor) -> None:
    """Fit to what is observed, or to all if nothing is."""
    if observed.any():
        normal = normal[:, observed]
    tail.fit(normal.float())


class ExcessCalibration(nn.Module):
    """Rarity of excess distances, by how many subsequences they are the mean of.

    Within a series that is the length of a subsequence; towards its ends fewer, down to
    a single one. What a mean of few looks like on normal data is learnt from means of
    so many consecutive subsequences of the training series: of one, of a quarter of the
    length, and of a half. A number in between counts as the next smaller one. What a
    mean of all looks like is learnt from all timestamps of the training series.

    Parameters
    ----------
    n_views : int
        How many kinds of distances.
    length : int
        Of a subsequence.

    Attributes
    ----------
    coverages : list of int
        The numbers of subsequences, ascending; the last is the length.
    tails : ModuleList of TailCalibration
        One for each.

    Examples
    --------
    >>> import torch
    >>> from skcoad.neighbors import ExcessCalibration
    >>> normal = torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))
    >>> observed = torch.ones(2019, dtype=torch.bool)
    >>> calibration = ExcessCalibration(1, length=20)
    >>> calibration = calibration.fit(normal, torch.ones_like(normal), observed)
    >>> calibration.coverages
    [1, 5, 10, 20]
    >>> rarity = calibration(torch.ones(1, 100))[0]
    >>> bool(rarity[0] < 1 < 4 < rarity[50])  # a single one, and a mean of 20
    True
    """

    def __init__(self, n_views: int, length: int) -> None:
        super().__init__()
        self.length = length
        self.coverages = sorted({1, length // 4, length // 2, length} - {0})
        self.tails = cast(
            "Sequence[TailCalibration]",
            nn.ModuleList(TailCalibration(n_views) for _ in self.coverages),
        )

    def fit(
        self, excess: Tensor, weight: Tensor, observed: Tensor
    ) -> ExcessCalibration:
        """Learn from the training series.

        Parameters
        ----------
        excess, weight : Tensor of shape (n_views, n_subsequences)
            Of each subsequence, compared with the others; see
            :func:`subsequence_excess` and :func:`subsequence_weight`.
        observed : Tensor of shape (n_timestamps,)
            Which timestamps have a value, bool: the mean over the subsequences that
            cover any other is no normal data, unless all are such.

        Returns
        -------
        ExcessCalibration
            Itself.
        """
        n_subsequences = excess.shape[1]
        for tail, coverage in zip(self.tails[:-1], self.coverages, strict=False):
            width = min(coverage, n_subsequences)
            mean = rolling_sum(weight * excess, width) / rolling_sum(weight, width)
            # If a series began with these, the start of the last would be the
            # timestamp that exactly they cover.
            _fit(tail, mean, observed[width - 1 : n_subsequences])
        # With the ends: of a series of few periods they are a good part, and say how
        # far normal data may deviate.
        _fit(self.tails[-1], _mean_over_covering(excess, weight, self.length), observed)
        return self

    def forward(self, excess: Tensor) -> Tensor:
        """Express excess distances in decades of rarity.

        Parameters
        ----------
        excess : Tensor of shape (n_views, ..., n_timestamps)
            From :func:`excess_distance`.

        Returns
        -------
        Tensor of the same shape
            At least 0.
        """
        parts = [
            tail(excess[..., rows].flatten(1)).view(*excess.shape[:-1], -1)
            for tail, rows in self._rows(excess.shape[-1])
        ]
        return torch.cat(parts, -1)

    def _rows(self, n_timestamps: int) -> Iterator[tuple[TailCalibration, slice]]:
        """Timestamps, one run after the other, and the calibration of each."""
        most = min(self.coverages[-1], n_timestamps - self.coverages[-1] + 1)
        # The k-th from either end is covered by k subsequences, if so many exist.
        starts = [coverage - 1 for coverage in self.coverages if coverage <= most]
        stops = [*starts[1:], n_timestamps - starts[-1]]
        runs = list(zip(self.tails, map(slice, starts, stops), strict=False))
        yield from runs
        for tail, rows in reversed(runs[:-1]):
            yield tail, slice(n_timestamps - rows.stop, n_timestamps - rows.start)
