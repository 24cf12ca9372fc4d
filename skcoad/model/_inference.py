"""From a trained network to components of the score for each timestamp."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from skcoad._device import chunk_sizes
from skcoad._rolling import (
    WINDOW_POWER,
    coverage_weight,
    overlap_add,
)
from skcoad._typing import Aggregation, FloatArray
from skcoad.model._network import CoADNetwork
from skcoad.preprocessing import WindowPlan, window_starts

__all__ = ["EVIDENCE", "ScoreComponents", "score_components"]


class ScoreComponents(NamedTuple):
    """Components of the score of one channel, each of shape (n_timestamps,).

    Attributes
    ----------
    probability : ndarray
        Of being anomalous, A_c (Eq. 9); 0 without a network.
    mask : ndarray
        How much of the timestamp was hidden from the reconstruction (Eq. 5); 0
        without a network.
    reconstruction : ndarray
        The normal value that the network expects, or, without one, that of the
        nearest neighbours.
    error : ndarray
        Absolute error of the reconstruction, in standard deviations of the training
        series.
    value_distance, value_shape, difference_distance, difference_shape : ndarray
        How rare the excess distance to the nearest neighbour (see
        :func:`skcoad.neighbors.excess_distance`) is on normal data, in decades: of
        values and of first differences, as they are and z-normalised. 0 without
        neighbours.
    value, level, difference, volatility : ndarray
        How rare the local statistics are, in decades; see
        :class:`skcoad.model.ChannelStatistics`. 0 without neighbours.
    residual, residual_level : ndarray
        How rare the deviation from what other channels predict is, in decades; see
        :class:`skcoad.model.ChannelRegression`. 0 with a single channel or without
        neighbours.
    """

    probability: FloatArray
    mask: FloatArray
    reconstruction: FloatArray
    error: FloatArray
    value_distance: FloatArray
    value_shape: FloatArray
    difference_distance: FloatArray
    difference_shape: FloatArray
    value: FloatArray
    level: FloatArray
    difference: FloatArray
    volatility: FloatArray
    residual: FloatArray
    residual_level: FloatArray


# The fields that are in decades of rarity.
EVIDENCE = ScoreComponents._fields[4:]


def score_components(
    network: CoADNetwork | None,
    x: Tensor,
    missing: Tensor,
    reference: Tensor | None,
    plan: WindowPlan,
    aggregation: Aggregation,
) -> Tensor:
    """Score the windows of one channel and combine them by timestamp.

    Parameters
    ----------
    network : CoADNetwork or None
        Trained.
    x : Tensor of shape (n_timestamps,)
        The scaled channel, its missing values interpolated, at least a window long, on
        the network's device.
    missing : Tensor of shape (n_timestamps,)
        Which of its values are missing, bool.
    reference : Tensor of shape (n_timestamps,) or None
        The channel as its nearest neighbours reconstruct it.
    plan : WindowPlan
        Sizes.
    aggregation : {"mean", "max"}
        How the scores of the windows that cover a timestamp are combined. The
        reconstruction is always averaged.

    Returns
    -------
    Tensor of shape (4, n_timestamps)
        Probability, mask, reconstruction (scaled) and error.

    Raises
    ------
    FloatingPointError
        If the output of the network is not finite.
    """
    if network is not None:
        return _network_components(network, x, missing, reference, plan, aggregation)
    expected = x if reference is None else reference
    error = (expected - x).abs() * ~missing
    return torch.stack([*x.new_zeros(2, len(x)), expected, error])


def _network_components(
    network: CoADNetwork,
    x: Tensor,
    missing: Tensor,
    reference: Tensor | None,
    plan: WindowPlan,
    aggregation: Aggregation,
) -> Tensor:
    """Probability, mask, reconstruction and error, ``(4, n_timestamps)``."""
    size = plan.window_size
    starts = torch.from_numpy(window_starts(len(x), size, plan.step)).to(x.device)
    averaged = [0, 1, 2, 3] if aggregation == "mean" else [1, 2]
    total, total_weight = x.new_zeros(4, len(x)), torch.zeros_like(x)
    if aggregation == "max":
        total[[0, 3]] = -torch.inf
    views = [x, missing] if reference is None else [x, missing, reference]
    windows = [view.unfold(0, size, 1) for view in views]
    with torch.inference_mode():
        # Memory is for features: a network of more of them takes fewer windows.
        points = chunk_sizes(x.device).points * 32 // max(32, network.hidden_size)
        n_windows = max(1, points // size)
        for chunk in torch.split(starts, n_windows):
            batch, absent, *references = (view[chunk] for view in windows)  # B, T
            output = network(batch, references[0] if references else None, absent)
            # The weight of a window falls with the fraction of it that is missing.
            observed = (~absent).float().mean(1, keepdim=True)
            weight = coverage_weight(observed, WINDOW_POWER).expand_as(batch)
            parts = (
                output.probability.repeat_interleave(plan.patch_size, 1),
                output.mask.repeat_interleave(plan.patch_size, 1),
                output.reconstruction,
                (output.reconstruction - batch).abs() * ~absent,
            )
            for row, part in enumerate(parts):
                if row in averaged:
                    overlap_add(total[row], weight * part, chunk)
                else:
                    overlap_add(total[row], part, chunk, "amax")
            overlap_add(total_weight, weight, chunk)
    if not torch.isfinite(total.sum()):
        raise FloatingPointError(
            "the network's output is not finite: training diverged; a smaller lr "
            "usually helps"
        )
    for row in averaged:
        total[row] /= total_weight
    return total
