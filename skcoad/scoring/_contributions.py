"""What the score of a channel is made of: components that add up to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skcoad._typing import FloatArray, ScoreBy
from skcoad.model import EVIDENCE, CoADModel, ScoreComponents
from skcoad.scoring._aggregation import normalized
from skcoad.scoring._components import network_factor, smoothed
from skcoad.scoring._series import (
    ScoringOptions,
    explain_series,
    network_rarity,
    smoothing_reach,
    smoothing_width,
)

__all__ = ["COMPONENTS", "ChannelContributions", "channel_contributions", "shares"]

# Names of the fields of ScoreComponents that scores are made of.
COMPONENTS = (*EVIDENCE, "probability", "error")


class ChannelContributions(NamedTuple):
    """Why the score of a channel is what it is, over a part of a series.

    Attributes
    ----------
    components : ScoreComponents
        As they are, not smoothed.
    rarity : ndarray of shape (n_components, n_timestamps)
        How rare each of :data:`COMPONENTS` is on normal data, in decades; that of
        probability and error is averaged, as it is in the score.
    contributions : ndarray of shape (n_components, n_timestamps)
        Parts of the score, at least 0, that add up to it.
    """

    components: ScoreComponents
    rarity: FloatArray
    contributions: FloatArray


def channel_contributions(
    model: CoADModel,
    X: FloatArray,
    options: ScoringOptions,
    channel: int,
    part: slice,
    score: FloatArray,
) -> ChannelContributions:
    """Take the score of a channel apart.

    Parameters
    ----------
    model : CoADModel
        Fitted and calibrated.
    X : ndarray of shape (n_timestamps, n_channels)
        The series that was scored.
    options : ScoringOptions
        How it was scored.
    channel : int
        Which channel.
    part : slice
        Which timestamps, from a start to a stop within the series.
    score : ndarray of shape (n_timestamps_of_part,)
        What to share out: the channel's score there, from :func:`score_channels`, or
        its part of the score of all channels.

    Returns
    -------
    ChannelContributions
    """
    width = smoothing_width(model, X, options)
    reach = smoothing_reach(model, width)
    wide = slice(max(0, part.start - reach), min(len(X), part.stop + reach))
    (components,) = explain_series(model, X, options, [channel], wide)
    network = smoothed(components, np.isnan(X[wide, channel]), width)
    by_network = network_rarity(model, channel, network)
    inside = slice(part.start - wide.start, part.stop - wide.start)
    components = ScoreComponents(*(values[inside] for values in components))
    network, by_network = network[:, inside], by_network[:, inside]
    evidence = np.stack([getattr(components, name) for name in EVIDENCE])
    share = shares(
        evidence.astype(np.float64),
        model.evidence_weights(channel),
        np.nan_to_num(network),
        by_network,
        model.network_weight(channel),
        options.score_by,
        with_neighbors=model.neighbors is not None,
        with_network=model.network is not None,
    )
    return ChannelContributions(
        components, np.concatenate([evidence, by_network]), share * score
    )


def shares(
    evidence: FloatArray,
    weights: FloatArray,
    network: FloatArray,
    rarity: FloatArray,
    network_weight: float,
    score_by: ScoreBy,
    *,
    with_neighbors: bool,
    with_network: bool,
) -> FloatArray:
    """Share of each component in the score of a channel.

    The score by neighbours is a root of a sum of squares, so that each kind of
    evidence has the share of its weighted square. The joint score is that plus its
    product with a root of squares of the network's rarity, which share this part
    likewise. Without neighbours it is a sum already.

    Parameters
    ----------
    evidence, weights, network, rarity, network_weight, with_neighbors, with_network
        As for :func:`skcoad.scoring.combine`.
    score_by : str
        Which of its scores.

    Returns
    -------
    ndarray of shape (n_components, n_timestamps)
        At least 0, with the sum 1, also where every component is 0.
    """
    by_evidence, by_network = np.zeros_like(evidence), np.zeros_like(network)
    if score_by == "classification":
        by_network[0] = 1
    elif score_by == "reconstruction":
        by_network[1] = 1
    elif score_by == "joint" and not with_neighbors:
        by_network = normalized(network)
    else:
        by_evidence = normalized(weights[:, None] * np.square(evidence))
        if score_by == "joint" and with_network:
            factor = network_factor(rarity, network_weight)
            by_network = factor * normalized(np.square(rarity))
    return normalized(np.concatenate([by_evidence, by_network]))
