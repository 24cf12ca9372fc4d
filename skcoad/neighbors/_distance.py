"""The distance of two subsequences."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor

__all__ = ["EQUAL", "VARIANCE_FLOOR", "Metric", "Moments", "squared_distance"]

Metric = Literal["euclidean", "znormalized"]

# Added to variances before z-normalisation, in variances of the normal series: below
# this amplitude, shape is noise.
VARIANCE_FLOOR = 0.02**2
EQUAL = 1e-9  # squared distance of equals, with the rounding of their moments


class Moments(NamedTuple):
    """A series with mean and variance (float64) of each of its subsequences."""

    series: Tensor
    mean: Tensor
    variance: Tensor


def squared_distance(
    x: Moments,
    y: Moments,
    i: Tensor,
    j: Tensor,
    mean_square: Tensor,
    metric: Metric,
    mean_weight: float,
) -> Tensor:
    """Squared distance of subsequences, from their mean squared difference.

    Parameters
    ----------
    x, y : Moments
        Two series.
    i, j : Tensor
        Which subsequences of `x` and of `y`.
    mean_square : Tensor
        Their mean squared differences.
    metric, mean_weight : Metric, float
        As for :class:`JoinIndex`.

    Returns
    -------
    Tensor
    """
    between = (x.mean[i] - y.mean[j]).square_()
    if metric == "euclidean":
        return mean_square - (1 - mean_weight**2) * between
    # With v the variances, c the covariance and a = v + floor:
    # v_x / a_x + v_y / a_y - 2 c / sqrt(a_x a_y).
    v_x, v_y = x.variance[i], y.variance[j]
    a_x, a_y = v_x + VARIANCE_FLOOR, v_y + VARIANCE_FLOOR
    twice_covariance = v_x + v_y + between - mean_square
    return v_x / a_x + v_y / a_y - twice_covariance / (a_x * a_y).sqrt()
