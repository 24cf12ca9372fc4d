"""From a trained network to a score for each timestamp.

The parts of the score are kept apart until the end: what the classifier says, how far
the reconstruction is off, how far the nearest normal references are. Then they become
one score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from skcoad.model._network import CoADNetwork
from skcoad.neighbors._channel import ChannelReference
from skcoad.preprocessing._plan import WindowPlan
from skcoad.preprocessing._windows import window_starts

__all__ = [
    "ScoreComponents",
    "combine",
    "moving_average",
    "score_parts",
]

FloatArray = NDArray[np.floating[Any]]
Score = Literal["joint", "classification", "reconstruction"]
Aggregation = Literal["mean", "max"]


# Bounds the memory of scoring beyond that of the result.
POINTS_AT_ONCE = 2**15
PIECE = 2**16
# How fast the weight of a window falls with the share of it that is missing.
GAP_AVERSION = 4
# What is added to each factor of the score, so that none can silence the others.
LEAST_PROBABILITY = 0.4
LEAST_ERROR = 1.0
LEAST_VALUE_EXCESS = 0.05
LEAST_CHANGE_EXCESS = 0.1


class ScoreComponents(NamedTuple):
    """What the detector thinks of each timestamp of one channel.

    Attributes
    ----------
    probability : ndarray of shape (n_timestamps,)
        Of being anomalous, A_c (Eq. 9).
    mask : ndarray of shape (n_timestamps,)
        How much of it was hidden from the reconstruction (Eq. 5).
    reconstruction : ndarray of shape (n_timestamps,)
        The normal value that the network expects, in the units of the input.
    error : ndarray of shape (n_timestamps,)
        Absolute reconstruction error, in deviations of the training series.
    value_excess, change_excess : ndarray of shape (n_timestamps,)
        How much farther than usual the surroundings are from their nearest normal
        reference, in deviations of the training series and of its changes; negative,
        which counts as zero, where they are nearer, and zero without references.
    """

    probability: FloatArray
    mask: FloatArray
    reconstruction: FloatArray
    error: FloatArray
    value_excess: FloatArray
    change_excess: FloatArray


def score_parts(
    network: CoADNetwork,
    x: Tensor,
    missing: Tensor,
    references: ChannelReference | None,
    plan: WindowPlan,
    aggregation: Aggregation,
) -> ScoreComponents:
    """Score the windows of one channel and put them together by timestamp.

    Parameters
    ----------
    network : CoADNetwork
        Trained.
    x : Tensor of shape (n_timestamps,)
        The scaled channel, its gaps bridged, at least a window long, on the network's
        device.
    missing : Tensor of shape (n_timestamps,)
        Which of its values are missing, bool.
    references : ChannelReference or None
        Of the channel.
    plan : WindowPlan
        Sizes.
    aggregation : {"mean", "max"}
        What becomes of the scores of all the windows that cover a timestamp. The
        reconstruction is always averaged.

    Returns
    -------
    ScoreComponents
        The reconstruction still scaled.
    """
    n, size = len(x), plan.window_size
    counterpart, excess = None, torch.zeros(2, n, device=x.device)
    if references is not None:
        counterpart, *both = references.compare(x, missing)
        excess = torch.stack(both)
    starts = torch.from_numpy(window_starts(n, size, plan.step)).to(x.device)
    within = torch.arange(size, device=x.device)
    # Probability, mask, reconstruction, error; the last row adds up the weights.
    total = torch.zeros(5, n, device=x.device)
    if aggregation == "max":
        total[[0, 3]] = -torch.inf
    windows, gaps = x.unfold(0, size, 1), missing.unfold(0, size, 1)
    with torch.inference_mode():
        n_at_once = max(1, POINTS_AT_ONCE // size)
        for first in range(0, len(starts), n_at_once):
            chunk = starts[first : first + n_at_once]
            batch = windows[chunk]  # B, T
            reference = None
            if counterpart is not None:
                reference = counterpart.unfold(0, size, 1)[chunk]
            output = network(batch, reference, gaps[chunk])
            points = (chunk[:, None] + within).flatten()
            error = (output.reconstruction - batch).abs() * ~gaps[chunk]
            # A window that is mostly a gap has little to say about its other points.
            known = (~gaps[chunk]).float().mean(1, keepdim=True) ** GAP_AVERSION
            weight = known.clamp_min(1e-6).expand_as(error)
            parts = (
                output.probability.repeat_interleave(plan.patch_size, 1),
                output.mask.repeat_interleave(plan.patch_size, 1),
                output.reconstruction,
                error,
                torch.ones_like(error),
            )
            for row, part in enumerate(parts):
                if aggregation == "max" and row in (0, 3):
                    total[row].scatter_reduce_(0, points, part.flatten(), "amax")
                else:
                    total[row].index_add_(0, points, (weight * part).flatten())
    if not torch.isfinite(total[:4].sum()):
        raise FloatingPointError(
            "the network's output is not finite: training diverged; a smaller lr "
            "usually helps"
        )
    averaged = [1, 2] if aggregation == "max" else [0, 1, 2, 3]
    total[averaged] /= total[4]
    return ScoreComponents(*total[:4].cpu().numpy(), *excess.cpu().numpy())


def pieces(n_timestamps: int, step: int, margin: int) -> Iterator[tuple[slice, slice]]:
    """Cut a long series into pieces that can be scored one at a time.

    Parameters
    ----------
    n_timestamps : int
        Length of the series.
    step : int
        Every piece starts at a multiple of it.
    margin : int
        How far a score depends on its surroundings.

    Yields
    ------
    piece, kept : slice
        What to score, and the part of the series whose scores are then right; these
        parts follow one another.
    """
    # The share of the margins is small even where the margin is long.
    length = step * math.ceil(max(PIECE, 8 * margin) / step)
    margin = step * math.ceil(margin / step)
    for start in range(0, n_timestamps, length):
        stop = min(start + length, n_timestamps)
        yield (
            slice(max(0, start - margin), min(stop + margin, n_timestamps)),
            slice(start, stop),
        )


def moving_average(
    x: FloatArray, width: int, missing: NDArray[np.bool_] | None = None
) -> FloatArray:
    """Mean of the `width` values around each; of those there are at the borders.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        Finite values.
    width : int
        At least 1; an even width looks one further back than ahead.
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
    known = np.ones(len(x)) if missing is None else (~missing).astype(np.float64)
    # Padded with zeros, then divided by the share of the values that count.
    mean = ndimage.uniform_filter1d(x * known, width, mode="constant")
    share = ndimage.uniform_filter1d(known, width, mode="constant")
    counts = share > 0.5 / width
    return np.asarray(np.where(counts, mean / np.where(counts, share, 1), np.nan))


def combine(
    parts: ScoreComponents,
    missing: NDArray[np.bool_],
    score_by: Score,
    with_reference: bool,
    width: int,
) -> FloatArray:
    """Make one score of the parts that count.

    Parameters
    ----------
    parts : ScoreComponents
        Of n_timestamps.
    missing : ndarray of shape (n_timestamps,)
        Which timestamps have no value, bool: they do not count.
    score_by : {"joint", "classification", "reconstruction"}
        The joint score is the paper's sum (Eq. 11) without references. With them, how
        far the nearest are in values and in changes are two opinions more, and the
        geometric mean takes the place of the sum: what is strange to all four counts.
    with_reference : bool
        Whether there are references.
    width : int
        Of the moving averages, in points.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        Inside a long gap there is nothing to judge, and the score is 0.
    """
    probability = moving_average(parts.probability, width, missing)
    error = moving_average(parts.error, width, missing)
    if score_by == "classification":
        score = probability
    elif score_by == "reconstruction":
        score = error
    elif with_reference:
        # The excess is already averaged over the stretches that cover a point.
        product = (
            (probability + LEAST_PROBABILITY)
            * (error + LEAST_ERROR)
            * (parts.value_excess.clip(min=0) + LEAST_VALUE_EXCESS)
            * (parts.change_excess.clip(min=0) + LEAST_CHANGE_EXCESS)
        )
        score = np.sqrt(np.sqrt(product))
    else:
        score = probability + error
    return np.nan_to_num(score)
