"""From the components of one channel to its score."""

from __future__ import annotations

import numpy as np
import torch

from skcoad._typing import BoolArray, FloatArray, ScoreBy
from skcoad.model import ScoreComponents
from skcoad.preprocessing._rolling import rolling_sum

__all__ = ["combine", "moving_average"]

# Additive smoothing of the factors of the joint score, so that no single one can drive
# the product to zero.
PROBABILITY_OFFSET = 0.4
ERROR_OFFSET = 1.0
VALUE_OFFSET = 0.05
DIFFERENCE_OFFSET = 0.1


def moving_average(
    x: FloatArray, width: int, missing: BoolArray | None = None
) -> FloatArray:
    """Mean of the `width` values around each; of fewer at the borders.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        Finite values.
    width : int
        At least 1; an even width includes one more value before than after.
    missing : ndarray of shape (n_timestamps,), default=None
        Which values do not count, bool.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        NaN where no value counts.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.scoring import moving_average
    >>> moving_average(np.array([0.0, 3.0, 0.0, 0.0]), 3)
    array([1.5, 1. , 1. , 0. ])
    """
    observed = np.ones(len(x), dtype=bool) if missing is None else ~missing
    before, after = width // 2, (width - 1) // 2
    padded = np.pad(np.where(observed, x, 0).astype(np.float64), (before, after))
    total = rolling_sum(torch.from_numpy(padded), width)
    count = rolling_sum(torch.from_numpy(np.pad(observed, (before, after))), width)
    mean: FloatArray = (total / count).numpy()  # 0 / 0 is NaN
    return mean


def combine(
    components: ScoreComponents,
    missing: BoolArray,
    score_by: ScoreBy,
    width: int,
    *,
    with_neighbors: bool,
    with_network: bool,
) -> FloatArray:
    """Combine the components of one channel into its score.

    Parameters
    ----------
    components : ScoreComponents
        Of n_timestamps.
    missing : ndarray of shape (n_timestamps,)
        Which timestamps have no value, bool: their components do not count.
    score_by : {"joint", "classification", "reconstruction", "neighbors"}
        Which components the score is made of. The joint score is the geometric mean
        of all four: a timestamp scores high only if all of them do. Without
        neighbours it is the paper's sum of probability and error (Eq. 11), without
        network the score by neighbours.
    width : int
        Of the moving average over probability and error, in timestamps.
    with_neighbors, with_network : bool
        Which parts the model has.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        Zero where no observation falls within the moving average.
    """
    probability = moving_average(components.probability, width, missing)
    error = moving_average(components.error, width, missing)
    if score_by == "classification":
        return np.nan_to_num(probability)
    if score_by == "reconstruction":
        return np.nan_to_num(error)
    if not with_neighbors:
        return np.nan_to_num(probability + error)
    # The distances are means over the subsequences that cover a timestamp already.
    by_value, by_difference = (
        distance.astype(np.float64).clip(min=0)
        for distance in (components.value_distance, components.difference_distance)
    )
    by_neighbors = (by_value + VALUE_OFFSET) * (by_difference + DIFFERENCE_OFFSET)
    if score_by == "neighbors" or not with_network:
        return np.where(np.isnan(error), 0.0, np.sqrt(by_neighbors))
    by_network = (probability + PROBABILITY_OFFSET) * (error + ERROR_OFFSET)
    return np.nan_to_num(np.sqrt(np.sqrt(by_network * by_neighbors)))
