"""The distance of two subsequences.

With d their mean squared difference, b that of their means, v their variances and s
their scales, the squared distance is
``s_x s_y (d - v_x - v_y - shrinkage b) + s_x^2 v_x + s_y^2 v_y``; without
z-normalisation v is not needed, and 0 here, and s is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from skcoad.neighbors._inverted_file import ExclusionZone

__all__ = [
    "EQUAL",
    "MEAN_WEIGHT",
    "NOWHERE",
    "VARIANCE_FLOOR",
    "Comparison",
    "Metric",
    "Moments",
    "distance_terms",
    "shrinkage_of",
    "squared_distance",
]

Metric = Literal["euclidean", "znormalized"]

MEAN_WEIGHT = 0.2  # of a difference of means, beside one of centred subsequences
# Added to variances before z-normalisation, in variances of the normal series: below
# this amplitude, shape is noise.
VARIANCE_FLOOR = 0.02**2
NOWHERE = -(2**40)  # index or diagonal of no subsequence, far from all
EQUAL = 1e-9  # squared distance of equals, with the rounding of their moments


class Moments(NamedTuple):
    """A series with mean and variance (float64) of each of its subsequences."""

    series: Tensor
    mean: Tensor
    variance: Tensor


@dataclass(frozen=True)
class Comparison:
    """Two series whose subsequences are compared.

    Attributes
    ----------
    x, y : Moments
        The series to find neighbours for, and the one they are found in.
    incomplete : Tensor of shape (n_y,)
        Which subsequences of `y` are no neighbours, bool.
    zone : ExclusionZone
        Which others are excluded by one that is.
    metric : Metric
        As for :class:`JoinIndex`.
    """

    x: Moments
    y: Moments
    incomplete: Tensor
    zone: ExclusionZone
    metric: Metric

    @property
    def length(self) -> int:
        """Length of a subsequence."""
        return len(self.x.series) - len(self.x.mean) + 1

    @cached_property
    def terms(self) -> tuple[Tensor, Tensor]:
        """What :func:`distance_terms` gives for `x` and for `y`."""
        return distance_terms(self.x, self.metric), distance_terms(self.y, self.metric)


def shrinkage_of(metric: Metric) -> float:
    """What is taken off of the squared difference of two means."""
    return 1.0 if metric == "znormalized" else 1 - MEAN_WEIGHT**2


def distance_terms(of: Moments, metric: Metric) -> Tensor:
    """Mean, variance and scale of each subsequence, as the distance has them.

    Parameters
    ----------
    of : Moments
        Of a series.
    metric : Metric
        As for :class:`JoinIndex`.

    Returns
    -------
    Tensor of shape (3, n_subsequences)
        float64.
    """
    if metric == "znormalized":
        scale = (of.variance + VARIANCE_FLOOR).rsqrt()
        return torch.stack([of.mean, of.variance, scale])
    mean = of.mean
    return torch.stack([mean, torch.zeros_like(mean), torch.ones_like(mean)])


def squared_distance(
    x: Sequence[Tensor],
    y: Sequence[Tensor],
    mean_square: Tensor,
    shrinkage: Tensor | float,
) -> Tensor:
    """Squared distance of subsequences.

    Parameters
    ----------
    x, y : sequence of Tensor
        Mean, variance and scale of some subsequences, from :func:`distance_terms`.
    mean_square : Tensor
        Their mean squared differences.
    shrinkage : Tensor or float
        From :func:`shrinkage_of`.

    Returns
    -------
    Tensor
        float64.
    """
    (m_x, v_x, s_x), (m_y, v_y, s_y) = x, y
    apart = mean_square - v_x - v_y - shrinkage * (m_x - m_y).square_()
    return s_x * s_y * apart + s_x.square() * v_x + s_y.square() * v_y
