"""The score of a whole series: chunks, channels, aggregation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from skcoad._typing import (
    Aggregation,
    ChannelAggregation,
    FloatArray,
    References,
    ScoreBy,
)
from skcoad.calibration import TailCalibration
from skcoad.model import AGGREGATIONS, EVIDENCE, SCORES, CoADModel, ScoreComponents
from skcoad.neighbors import Profile
from skcoad.scoring._aggregation import ChannelAggregate
from skcoad.scoring._chunks import by_chunks
from skcoad.scoring._components import combine, moving_average, smoothed
from skcoad.scoring._profiles import each_channel

__all__ = [
    "ScoringOptions",
    "aggregate_channels",
    "calibrate_scores",
    "channel_score",
    "explain_series",
    "network_rarity",
    "score_and_expect",
    "score_channels",
    "score_series",
    "smoothing_reach",
    "smoothing_width",
]


@dataclass(frozen=True)
class ScoringOptions:
    """How to score; see the parameters of :class:`skcoad.CoADDetector`."""

    score_by: ScoreBy = "joint"
    smoothing: float = 1.0
    score_aggregation: Aggregation = "mean"
    channel_aggregation: ChannelAggregation = "rms"
    references: References = "train"

    def width(self, period: int) -> int:
        """Timestamps in the moving average over probability and error."""
        return max(1, round(self.smoothing * period))


def score_series(
    model: CoADModel, X: FloatArray, options: ScoringOptions
) -> FloatArray:
    """Score each timestamp of a series.

    Parameters
    ----------
    model : CoADModel
        Fitted.
    X : ndarray of shape (n_timestamps, n_channels)
        At least a window long; NaN is missing.
    options : ScoringOptions
        How to score.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        All finite and at least 0; higher is more anomalous.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.model import CoADModel
    >>> from skcoad.preprocessing import plan_windows
    >>> from skcoad.scoring import ScoringOptions, score_series
    >>> X = np.sin(np.arange(400.0) / 4)[:, None]
    >>> model, _ = CoADModel.fit(X, plan_windows(X), network=None)
    >>> score_series(model, X, ScoringOptions()).shape
    (400,)
    """
    return aggregate_channels(model, score_channels(model, X, options), options)


def score_channels(
    model: CoADModel,
    X: FloatArray,
    options: ScoringOptions,
    part: slice | None = None,
) -> Iterator[FloatArray]:
    """Score each timestamp of each channel.

    Parameters
    ----------
    model, X, options : CoADModel, ndarray, ScoringOptions
        As for :func:`score_series`.
    part : slice, default=None
        Which timestamps, from a start to a stop within the series; all by default. The
        scores are those of the whole to the last bit.

    Yields
    ------
    ndarray of shape (n_timestamps,), or of the length of the part
    """
    for scores, _ in score_and_expect(model, X, options, part):
        yield scores


def calibrate_scores(
    model: CoADModel, X: FloatArray, options: ScoringOptions
) -> FloatArray:
    """Learn what scores look like on the training series, in place.

    Every part of the series is taken as if it were new: neighbours are those of other
    timestamps, statistics and residuals are cross-fitted. The network has been trained
    on the series, so its part is optimistic. References are those of the
    training series, whatever the options say, as they hold all of its past.

    Parameters
    ----------
    model : CoADModel
        Fitted on `X`; its calibrations are set.
    X : ndarray of shape (n_timestamps, n_channels)
        The training series.
    options : ScoringOptions
        How it will score.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        What :func:`score_series` gives for `X` by references of the training series.
    """
    options = replace(options, references="train")
    normal = {how: ChannelAggregate(how) for how in AGGREGATIONS}
    aggregate = ChannelAggregate(options.channel_aggregation)

    def calibrate(channel: int, profile: Profile | None) -> _Calibrated:
        return _calibrate_channel(model, X, channel, options, profile)

    calibrated = each_channel(calibrate, model, X, "train")
    for calibration, (as_new, scores) in zip(
        model.calibrations, calibrated, strict=True
    ):
        if X.shape[1] > 1:
            decades = _decades(calibration.scores, as_new)
            for total in normal.values():
                total.add(decades)
        aggregate.add(scores)
    if X.shape[1] > 1:
        rows = np.concatenate([total.result() for total in normal.values()])
        model.aggregate.fit(_tensor(rows, model.device))
    return _aggregate_score(model, aggregate.result(), options)


class _Calibrated(NamedTuple):
    """What a channel of the training series scores."""

    as_new: FloatArray  # n_kinds, n_timestamps: each part as if it were new
    scores: FloatArray  # n_timestamps


def _calibrate_channel(
    model: CoADModel,
    X: FloatArray,
    channel: int,
    options: ScoringOptions,
    profile: Profile | None,
) -> _Calibrated:
    """Calibrate the scores of one channel, in place."""
    width = smoothing_width(model, X, options)
    components = _components(model, X, channel, options, profile)
    halo = smoothing_reach(model, width)
    computed = ScoreComponents(*by_chunks(components, model, len(X), halo))
    network = smoothed(computed, np.isnan(X[:, channel]), width)
    observed = ~np.isnan(network[0])
    calibration, device = model.calibrations[channel], model.device
    calibration.network.fit(_tensor(network[:, observed], device))
    as_new = model.normal_components(X, channel, computed)
    scores = _scores(model, channel, as_new, network)
    calibration.scores.fit(_tensor(scores[:, observed], device))
    return _Calibrated(
        scores, channel_score(model, channel, computed, network, options.score_by)
    )


def aggregate_channels(
    model: CoADModel, channels: Iterable[FloatArray], options: ScoringOptions
) -> FloatArray:
    """Combine the scores of the channels into one.

    Parameters
    ----------
    model : CoADModel
        Fitted and calibrated.
    channels : iterable of ndarray of shape (n_timestamps,)
        Scores of each channel; they are read one by one.
    options : ScoringOptions
        How to score.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        In decades; those of a single channel are so already.
    """
    aggregate = ChannelAggregate(options.channel_aggregation)
    for scores in channels:
        aggregate.add(scores)
    return _aggregate_score(model, aggregate.result(), options)


def explain_series(
    model: CoADModel,
    X: FloatArray,
    options: ScoringOptions,
    channels: Iterable[int] | None = None,
    part: slice | None = None,
) -> list[ScoreComponents]:
    """Compute the components of the scores of channels.

    Parameters
    ----------
    model, X, options : CoADModel, ndarray, ScoringOptions
        As for :func:`score_series`.
    channels : iterable of int, default=None
        Which channels; all by default.
    part : slice, default=None
        Which timestamps, from a start to a stop within the series; all by default. Only
        the part and what influences it are computed on.

    Returns
    -------
    list of ScoreComponents
        One for each channel, not smoothed; the reconstruction in the units of `X`.
    """
    part = slice(0, len(X)) if part is None else part
    return [
        ScoreComponents(*_part_components(model, X, channel, options, part))
        for channel in (range(X.shape[1]) if channels is None else channels)
    ]


def score_and_expect(
    model: CoADModel,
    X: FloatArray,
    options: ScoringOptions,
    part: slice | None = None,
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Score each channel, and say what was expected of it.

    Parameters
    ----------
    model, X, options, part : CoADModel, ndarray, ScoringOptions, slice
        As for :func:`score_channels`.

    Yields
    ------
    score, reconstruction : ndarray of shape (n_timestamps,), or of the part's length
        The reconstruction in the units of `X`.
    """
    width = smoothing_width(model, X, options)
    halo = smoothing_reach(model, width)

    def score(channel: int, profile: Profile | None) -> tuple[FloatArray, FloatArray]:
        components = _components(model, X, channel, options, profile)

        def score_chunk(chunk: slice) -> tuple[FloatArray, FloatArray]:
            computed = components(chunk)
            network = smoothed(computed, np.isnan(X[chunk, channel]), width)
            scores = channel_score(model, channel, computed, network, options.score_by)
            return scores, computed.reconstruction

        scores, reconstruction = by_chunks(score_chunk, model, len(X), halo, part)
        return scores, reconstruction

    yield from each_channel(score, model, X, options.references)


def _components(
    model: CoADModel,
    X: FloatArray,
    channel: int,
    options: ScoringOptions,
    whole: Profile | None = None,
) -> Callable[[slice], ScoreComponents]:
    """Components of one channel, of the timestamps that are asked for.

    By the profile of the whole series if it is known, else of these timestamps.
    """
    if whole is None and options.references != "train":  # of neighbours anywhere in it
        whole = model.profile(X, channel, options.references)

    def components(chunk: slice) -> ScoreComponents:
        if whole is None:
            profile = model.profile(X[chunk], channel)
        else:
            profile = Profile(whole.retrieved[chunk], whole.evidence[:, chunk])
        return model.components(X[chunk], channel, profile, options.score_aggregation)

    return components


def smoothing_width(model: CoADModel, X: FloatArray, options: ScoringOptions) -> int:
    """Width of the moving average over probability and error, in timestamps."""
    # Wider than twice the series is the mean of everything.
    return min(options.width(model.config.plan.period), 2 * len(X) + 1)


def smoothing_reach(model: CoADModel, width: int) -> int:
    """How far probability and error influence a score around them, in timestamps.

    Parameters
    ----------
    model : CoADModel
        Fitted.
    width : int
        Of the moving average over probability and error.

    Returns
    -------
    int
        Half of this average and half of that over their rarity.
    """
    if model.network is None:
        return 0
    return width // 2 + model.config.plan.period // 2


def _scores(
    model: CoADModel, channel: int, components: ScoreComponents, network: FloatArray
) -> FloatArray:
    """Each kind of score, not calibrated, ``(n_kinds, n_timestamps)``."""
    scores = combine(
        np.stack(components[-len(EVIDENCE) :]).astype(np.float64),
        model.evidence_weights(channel),
        network,
        network_rarity(model, channel, network),
        model.network_weight(channel),
        with_neighbors=model.neighbors is not None,
        with_network=model.network is not None,
    )
    every = np.stack([scores[kind] for kind in SCORES])
    every[:, np.isnan(network[0])] = np.nan  # there is no value
    return every


def network_rarity(model: CoADModel, channel: int, network: FloatArray) -> FloatArray:
    """Rarity of smoothed probability and error, averaged over a period.

    As the excess distance is averaged over the subsequences that cover a timestamp, so
    that both have their peaks in the same place.

    Parameters
    ----------
    model, channel : CoADModel, int
        Calibrated, and which channel.
    network : ndarray of shape (2, n_timestamps)
        From :func:`smoothed`.

    Returns
    -------
    ndarray of shape (2, n_timestamps)
        In decades; 0 where `network` is NaN, and without a network.
    """
    if model.network is None:
        return np.zeros_like(network)
    missing = np.isnan(network[0])
    decades = _decades(model.calibrations[channel].network, network)
    width = model.config.plan.period
    averages = np.stack([moving_average(row, width, missing) for row in decades])
    averages[:, missing] = 0
    return averages


def channel_score(
    model: CoADModel,
    channel: int,
    components: ScoreComponents,
    network: FloatArray,
    kind: ScoreBy,
) -> FloatArray:
    """Score of a channel in decades, of its components, ``(n_timestamps,)``."""
    row = SCORES.index(kind)
    chosen = slice(row, row + 1)
    scores = _scores(model, channel, components, network)[chosen]
    return _decades(model.calibrations[channel].scores, scores, chosen).reshape(-1)


def _aggregate_score(
    model: CoADModel, scores: FloatArray, options: ScoringOptions
) -> FloatArray:
    """Score of all channels in decades; that of a single channel is so already."""
    if model.config.n_channels == 1:
        return scores
    row = AGGREGATIONS.index(options.channel_aggregation) * len(SCORES)
    row += SCORES.index(options.score_by)
    return _decades(model.aggregate, scores[None], slice(row, row + 1)).reshape(-1)


def _decades(
    calibration: TailCalibration, evidence: FloatArray, kinds: slice = slice(None)
) -> FloatArray:
    """Rarity of evidence, 0 where there is none."""
    x = _tensor(evidence, calibration.quantiles.device).nan_to_num(nan=-torch.inf)
    return np.asarray(calibration(x, kinds).cpu().numpy(), dtype=np.float64)


def _tensor(x: FloatArray, device: torch.device) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float32, device=device)


def _part_components(
    model: CoADModel,
    X: FloatArray,
    channel: int,
    options: ScoringOptions,
    part: slice,
) -> list[FloatArray]:
    """Components of a part, computed on what influences it alone."""
    components = _components(model, X, channel, options)
    start = max(0, part.start - model.receptive_field)
    start -= start % model.config.plan.step
    stop = min(len(X), part.stop + model.receptive_field)

    def around(chunk: slice) -> ScoreComponents:
        return components(slice(chunk.start + start, min(chunk.stop + start, stop)))

    inside = slice(part.start - start, part.stop - start)
    computed = by_chunks(around, model, stop - start, halo=0)
    return [values[inside] for values in computed]
