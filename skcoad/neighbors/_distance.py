"""The distance of two subsequences."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor

from skcoad.neighbors._inverted_file import ExclusionZone

__all__ = [
    "EQUAL",
    "NOWHERE",
    "VARIANCE_FLOOR",
    "Comparison",
    "Metric",
    "Moments",
    "squared_distance",
]

Metric = Literal["euclidean", "znormalized"]

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


class Comparison(NamedTuple):
    """Two series whose subsequences are compared.

    Attributes
    ----------
    x, y : Moments
        The series to find neighbours for, and the one they are found in.
    incomplete : Tensor of shape (n_y,)
        Which subsequences of `y` are no neighbours, bool.
    zone : ExclusionZone
        Which others are excluded by one that is.
    metric, mean_weight : Metric, float
        As for :class:`JoinIndex`.
    """

    x: Moments
    y: Moments
    incomplete: Tensor
    zone: ExclusionZone
    metric: Metric
    mean_weight: float

    @property
    def length(self) -> int:
        """Length of a subsequence."""
        return len(self.x.series) - len(self.x.mean) + 1


def squared_distance(
    of: Comparison, i: Tensor, j: Tensor, mean_square: Tensor
) -> Tensor:
    """Squared distance of subsequences, from their mean squared difference.

    Parameters
    ----------
    of : Comparison
        Two series.
    i, j : Tensor
        Which subsequences of `x` and of `y`.
    mean_square : Tensor
        Their mean squared differences.

    Returns
    -------
    Tensor
    """
    x, y = of.x, of.y
    between = (x.mean[i] - y.mean[j]).square_()
    if of.metric == "euclidean":
        return mean_square - (1 - of.mean_weight**2) * between
    # With v the variances, c the covariance and a = v + floor:
    # v_x / a_x + v_y / a_y - 2 c / sqrt(a_x a_y).
    v_x, v_y = x.variance[i], y.variance[j]
    a_x, a_y = v_x + VARIANCE_FLOOR, v_y + VARIANCE_FLOOR
    twice_covariance = v_x + v_y + between - mean_square
    return v_x / a_x + v_y / a_y - twice_covariance / (a_x * a_y).sqrt()
