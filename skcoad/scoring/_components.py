"""From the components of one channel to its score."""

from __future__ import annotations

import numpy as np
import torch

from skcoad import _rolling as rolling
from skcoad._typing import BoolArray, FloatArray, ScoreBy
from skcoad.model import ScoreComponents

__all__ = ["combine", "moving_average", "network_factor", "smoothed"]


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
    absent = None if missing is None else torch.tensor(np.array(missing, order="C"))
    mean: FloatArray = rolling.moving_average(
        torch.tensor(np.array(x, order="C")), width, absent
    ).numpy()
    return mean


def smoothed(components: ScoreComponents, missing: BoolArray, width: int) -> FloatArray:
    """Moving averages of probability and error.

    Parameters
    ----------
    components : ScoreComponents
        Of one channel.
    missing : ndarray of shape (n_timestamps,)
        Which timestamps have no value, bool: they do not count.
    width : int
        Of the moving average, in timestamps.

    Returns
    -------
    ndarray of shape (2, n_timestamps)
        NaN where there is no value.
    """
    averages = np.stack(
        [
            moving_average(components.probability, width, missing),
            moving_average(components.error, width, missing),
        ]
    )
    averages[:, missing] = np.nan  # a hole is no alarm
    return averages


def network_factor(rarity: FloatArray, weight: float) -> FloatArray:
    """What the network adds to the score by neighbours, in multiples of that score.

    Parameters
    ----------
    rarity, weight : ndarray of shape (2, n_timestamps), float
        As `rarity` and `network_weight` of :func:`combine`.

    Returns
    -------
    ndarray of shape (n_timestamps,)
    """
    factor: FloatArray = weight * np.sqrt(np.square(rarity).mean(0))
    return factor


def combine(
    evidence: FloatArray,
    weights: FloatArray,
    network: FloatArray,
    rarity: FloatArray,
    network_weight: float,
    *,
    with_neighbors: bool,
    with_network: bool,
) -> dict[ScoreBy, FloatArray]:
    """Combine the components of one channel into its scores.

    Parameters
    ----------
    evidence : ndarray of shape (n_evidence, n_timestamps)
        Rarity of distances, local statistics and residuals, in decades.
    weights : ndarray of shape (n_evidence,)
        Of their squares; see :meth:`skcoad.model.CoADModel.evidence_weights`.
    network : ndarray of shape (2, n_timestamps)
        Smoothed probability and error.
    rarity : ndarray of shape (2, n_timestamps)
        How rare these two are on normal data, in decades, averaged over a period.
    network_weight : float
        Of this; see :meth:`skcoad.model.CoADModel.network_weight`.
    with_neighbors, with_network : bool
        Which parts the model has.

    Returns
    -------
    dict
        For each kind of score an ndarray of shape (n_timestamps,): the smoothed
        probability and error; the weighted quadratic mean of the evidence; and, as
        joint score, this mean times one plus `network_weight` times the quadratic mean
        of the rarity of probability and error. The neighbours find more, the network
        says more exactly where: distances spread over a whole subsequence, and where
        the series is no noise, it knows what comes. The joint score without
        neighbours is the paper's sum of probability and error (Eq. 11), and without
        network that by neighbours.
    """
    neighbors = np.sqrt(weights @ np.square(evidence))
    if not with_neighbors:
        joint = network.sum(0)
    elif with_network:
        joint = neighbors * (1 + network_factor(rarity, network_weight))
    else:
        joint = neighbors
    return {
        "joint": joint,
        "classification": network[0],
        "reconstruction": network[1],
        "neighbors": neighbors,
    }
