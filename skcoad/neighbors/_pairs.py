"""The distance of a single pair of subsequences, compiled for the CPU.

As in ``_distance.py``, for one pair instead of many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skcoad.neighbors._compiled import compiled
from skcoad.neighbors._distance import EQUAL

__all__ = ["Side", "compared", "make_side", "pair_distance", "sum_squares"]


class Side(NamedTuple):
    """One of two series, as the compiled functions read it."""

    series: NDArray[np.float32]
    moments: NDArray[np.float64]  # rows of mean, variance and scale


def make_side(series: Tensor, terms: Tensor) -> Side:
    """Arrays of a series on the CPU, and of what ``distance_terms`` gives for it."""
    return Side(np.ascontiguousarray(series.numpy()), terms.T.contiguous().numpy())


@compiled(fastmath={"reassoc", "contract"})
def sum_squares(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Sum of squared differences of two subsequences."""
    total = 0.0
    for k in range(len(x)):
        # Far from the normal data, a shape is a small difference of large numbers.
        difference = np.float64(x[k]) - np.float64(y[k])
        total += difference * difference
    return total


@compiled(inline="always")
def pair_distance(
    of_x: NDArray[np.float64],
    of_y: NDArray[np.float64],
    mean_square: float,
    shrinkage: float,
) -> float:
    """Squared distance of two subsequences with these moments and mean square."""
    m_x, v_x, s_x = of_x
    m_y, v_y, s_y = of_y
    between = m_x - m_y
    apart = mean_square - v_x - v_y - shrinkage * between * between
    squared: float = s_x * s_y * apart + s_x * s_x * v_x + s_y * s_y * v_y
    return squared


@compiled(inline="always")
def compared(squared: float) -> float:
    """Round a squared distance before it is compared with others.

    Among equals the first is best, whatever the last digits say.
    """
    return np.float64(np.float32(squared)) if squared > EQUAL else 0.0
