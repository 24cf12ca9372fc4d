"""How far a statistic of a series is from its normal range, in decades of rarity."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from skcoad.calibration._tail import TailCalibration

__all__ = ["Deviation"]

N_FOLDS = 4
TRIMMED = (
    0.01  # at either end of the normal data, so that a few gross values don't count
)
# Least scale, in the unit of the statistics: below, differences are rounding.
MIN_SCALE = 1e-3
MIN_OBSERVED = 10  # values; what has hardly been observed has no range to be out of


class Deviation(nn.Module):
    """Two-sided rarity of some statistics of a series.

    A statistic that is unusually small is as much evidence as one that is unusually
    large. The rarity is cross-fitted: centre and scale of each quarter of the normal
    series are those of the other three, so that a level that wanders, and leaves its
    earlier range in the normal series too, is little evidence.

    Parameters
    ----------
    n_statistics : int
        How many statistics.

    Attributes
    ----------
    center, scale : Tensor of shape (n_statistics,)
        Mean and standard deviation on normal data, trimmed; 0 and the largest
        number, so that nothing is evidence, where fewer than ten values were observed.
    calibration : TailCalibration
        Of the absolute standardised statistics.

    Examples
    --------
    >>> import torch
    >>> from skcoad.calibration._deviation import Deviation
    >>> normal = torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))
    >>> deviation = Deviation(1).fit(normal, torch.ones(1, 2000, dtype=torch.bool))
    >>> observed = torch.ones(1, 3, dtype=torch.bool)
    >>> deviation(torch.tensor([[-9.0, 0.0, 9.0]]), observed) > 4
    tensor([[ True, False,  True]])
    """

    center: Tensor
    scale: Tensor

    def __init__(self, n_statistics: int) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(n_statistics, dtype=torch.float32))
        self.register_buffer("scale", torch.ones(n_statistics, dtype=torch.float32))
        self.calibration = TailCalibration(n_statistics)

    def fit(self, normal: Tensor, observed: Tensor) -> Deviation:
        """Estimate the normal range.

        Parameters
        ----------
        normal : Tensor of shape (n_statistics, n_timestamps)
            Statistics of a normal series.
        observed : Tensor of shape (n_statistics, n_timestamps)
            Which of them are defined, bool.

        Returns
        -------
        Deviation
            Itself.
        """
        fitted = [_range(row[kept]) for row, kept in zip(normal, observed, strict=True)]
        self.center, self.scale = (
            torch.stack(part) for part in zip(*fitted, strict=True)
        )
        deviation = cross_fitted(normal, observed)
        for row, kept in zip(deviation, observed, strict=True):
            if kept.sum() < MIN_OBSERVED:
                row[:] = 1.0  # more than any deviation in the largest scale
            else:
                row[~kept] = row[kept].median()
        self.calibration = TailCalibration(len(normal)).fit(deviation)
        return self

    def normal(self, normal: Tensor, observed: Tensor) -> Tensor:
        """Express the statistics that were fitted, as if each fold were new.

        Parameters
        ----------
        normal, observed : Tensor of shape (n_statistics, n_timestamps)
            As in :meth:`fit`.

        Returns
        -------
        Tensor of shape (n_statistics, n_timestamps)
            As by :meth:`forward`.
        """
        return self._rarity(cross_fitted(normal, observed), observed)

    def forward(self, statistics: Tensor, observed: Tensor) -> Tensor:
        """Express statistics in decades of rarity.

        Parameters
        ----------
        statistics, observed : Tensor of shape (n_statistics, n_timestamps)
            As in :meth:`fit`.

        Returns
        -------
        Tensor of shape (n_statistics, n_timestamps)
            At least 0; 0 where nothing is observed.
        """
        deviation = (statistics - self.center[:, None]).abs() / self.scale[:, None]
        return self._rarity(deviation, observed)

    def _rarity(self, deviation: Tensor, observed: Tensor) -> Tensor:
        rarity: Tensor = self.calibration(deviation.masked_fill(~observed, 0.0))
        return rarity.masked_fill(~observed, 0.0)


def cross_fitted(normal: Tensor, observed: Tensor) -> Tensor:
    """Standardise each fold of normal data by centre and scale of the others.

    Parameters
    ----------
    normal, observed : Tensor of shape (n_statistics, n_timestamps)
        As in :meth:`Deviation.fit`.

    Returns
    -------
    Tensor of shape (n_statistics, n_timestamps)
        Absolute deviations.
    """
    deviation = torch.empty_like(normal)
    n = normal.shape[1]
    edges = [n * fold // N_FOLDS for fold in range(N_FOLDS + 1)]
    for start, stop in itertools.pairwise(edges):
        for row, kept, result in zip(normal, observed, deviation, strict=True):
            others = torch.cat([row[:start][kept[:start]], row[stop:][kept[stop:]]])
            center, scale = _range(others)
            result[start:stop] = (row[start:stop] - center).abs() / scale
    return deviation


def _range(x: Tensor) -> tuple[Tensor, Tensor]:
    """Trimmed mean and standard deviation of what was observed."""
    if len(x) < MIN_OBSERVED:
        return x.new_zeros(()), x.new_full((), torch.finfo(x.dtype).max)
    ordered = x.double().sort().values
    cut = int(TRIMMED * len(x))
    kept = ordered[cut : len(x) - cut]
    scale = kept.std(correction=0).clamp_min(MIN_SCALE)
    return kept.mean().to(x.dtype), scale.to(x.dtype)
