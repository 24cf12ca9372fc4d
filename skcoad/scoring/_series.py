"""The score of a whole series: chunks, channels, aggregation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from skcoad._device import chunk_sizes
from skcoad._typing import Aggregation, FloatArray, ScoreBy
from skcoad.model import SCORES, CoADModel, ScoreComponents
from skcoad.neighbors import VIEWS
from skcoad.preprocessing._calibration import TailCalibration
from skcoad.scoring._components import combine, smoothed

__all__ = [
    "ScoringOptions",
    "aggregate_channels",
    "calibrate_scores",
    "chunks",
    "component_rarity",
    "explain_series",
    "score_channels",
    "score_series",
]


@dataclass(frozen=True)
class ScoringOptions:
    """How to score; see the parameters of :class:`skcoad.CoADDetector`."""

    score_by: ScoreBy = "joint"
    smoothing: float = 0.5
    score_aggregation: Aggregation = "mean"
    channel_aggregation: Aggregation = "mean"


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
    return aggregate_channels(
        score_channels(model, X, options), options.channel_aggregation
    )


def score_channels(
    model: CoADModel, X: FloatArray, options: ScoringOptions
) -> Iterator[FloatArray]:
    """Score each timestamp of one channel after the other.

    Parameters
    ----------
    model, X, options : CoADModel, ndarray, ScoringOptions
        As for :func:`score_series`.

    Yields
    ------
    ndarray of shape (n_timestamps,)
    """
    width = _smoothing_width(model, X, options)

    def score(x: FloatArray, channel: int) -> tuple[FloatArray]:
        evidence = _evidence(model, x, channel, options, width)
        scores = _scores(model, channel, evidence)
        return (_channel_score(model, channel, scores, options.score_by),)

    for channel in range(X.shape[1]):
        (scores,) = _by_chunks(score, model, X, channel, halo=width)
        yield scores


def calibrate_scores(
    model: CoADModel, X: FloatArray, options: ScoringOptions
) -> FloatArray:
    """Learn what scores look like on the training series, in place.

    Neighbours are those of other timestamps, as if the series were new. The network
    has been trained on the series, so its part is a little optimistic.

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
        What :func:`score_series` gives for `X` from now on.
    """
    width = _smoothing_width(model, X, options)

    def evidence(x: FloatArray, channel: int) -> tuple[FloatArray, ...]:
        return _evidence(model, x, channel, options, width)

    def calibrated(channel: int) -> FloatArray:
        normal = tuple(_by_chunks(evidence, model, X, channel, halo=width))
        calibration, device = model.calibrations[channel], model.device
        network = np.stack(normal[:2])
        observed = ~np.isnan(network[0])
        calibration.network.fit(_tensor(network[:, observed], device))
        scores = _scores(model, channel, normal)
        calibration.scores.fit(_tensor(scores[:, observed], device))
        return _channel_score(model, channel, scores, options.score_by)

    return aggregate_channels(
        map(calibrated, range(X.shape[1])), options.channel_aggregation
    )


def _smoothing_width(model: CoADModel, X: FloatArray, options: ScoringOptions) -> int:
    # Wider than twice the series is the mean of everything.
    width = round(options.smoothing * model.config.plan.period)
    return max(1, min(width, 2 * len(X) + 1))


def _evidence(
    model: CoADModel,
    x: FloatArray,
    channel: int,
    options: ScoringOptions,
    width: int,
) -> tuple[FloatArray, ...]:
    """Smoothed probability and error, then the distances, each (n_timestamps,)."""
    components = model.components(x, channel, options.score_aggregation)
    network = smoothed(components, np.isnan(x[:, channel]), width)
    return (*network, *components[-len(VIEWS) :])


def _scores(
    model: CoADModel, channel: int, evidence: tuple[FloatArray, ...]
) -> FloatArray:
    """Each kind of score, not calibrated, ``(n_kinds, n_timestamps)``."""
    network, distances = np.stack(evidence[:2]), np.stack(evidence[2:])
    scores = combine(
        distances.astype(np.float64),
        network,
        _decades(model.calibrations[channel].network, network),
        with_neighbors=model.neighbors is not None,
        with_network=model.network is not None,
    )
    every = np.stack([scores[kind] for kind in SCORES])
    every[:, np.isnan(evidence[0])] = np.nan  # nothing was observed around
    return every


def _channel_score(
    model: CoADModel, channel: int, scores: FloatArray, kind: ScoreBy
) -> FloatArray:
    """Score of a channel in decades; timestamp by timestamp."""
    decades = _decades(model.calibrations[channel].scores, scores)
    # A copy: a view would keep all kinds alive.
    return np.array(decades[SCORES.index(kind)])


def _decades(calibration: TailCalibration, evidence: FloatArray) -> FloatArray:
    """Rarity of evidence, 0 where there is none."""
    x = _tensor(evidence, calibration.quantiles.device).nan_to_num(nan=-torch.inf)
    return np.asarray(calibration(x).cpu().numpy(), dtype=np.float64)


def _tensor(x: FloatArray, device: torch.device) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float32, device=device)


def aggregate_channels(channels: Iterable[FloatArray], how: Aggregation) -> FloatArray:
    """Combine the scores of the channels into one.

    Parameters
    ----------
    channels : iterable of ndarray of shape (n_timestamps,)
        Scores of each channel; they are read one by one.
    how : {"mean", "max"}
        Their mean or their maximum at each timestamp.

    Returns
    -------
    ndarray of shape (n_timestamps,)

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.scoring import aggregate_channels
    >>> aggregate_channels(np.array([[0.0, 3.0], [1.0, 2.0]]), "mean")
    array([0.5, 2.5])
    """
    channels = iter(channels)
    total = next(channels).copy()
    n_channels = 1
    for scores in channels:
        n_channels += 1
        if how == "max":
            np.maximum(total, scores, out=total)
        else:
            total += scores
    if how == "mean":
        total /= n_channels
    return total


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
    start = max(0, part.start - model.receptive_field)
    start -= start % model.config.plan.step
    around = X[start : part.stop + model.receptive_field]
    inside = slice(part.start - start, part.stop - start)

    def components(x: FloatArray, channel: int) -> ScoreComponents:
        return model.components(x, channel, options.score_aggregation)

    return [
        ScoreComponents(
            *(
                values[inside]
                for values in _by_chunks(components, model, around, channel, halo=0)
            )
        )
        for channel in (range(X.shape[1]) if channels is None else channels)
    ]


def component_rarity(
    model: CoADModel,
    X: FloatArray,
    options: ScoringOptions,
    channel: int,
    position: int,
) -> dict[str, float]:
    """How rare the components of the score of one timestamp are on normal data.

    Parameters
    ----------
    model, X, options : CoADModel, ndarray, ScoringOptions
        As for :func:`score_series`; the model is calibrated.
    channel : int
        Which channel.
    position : int
        Which timestamp.

    Returns
    -------
    dict of str to float
        By name of a field of :class:`ScoreComponents`, in decades, those components
        alone that the score is made of. Probability and error are smoothed, as they
        are in the score.
    """
    width = _smoothing_width(model, X, options)
    part = slice(max(0, position - width), min(len(X), position + width + 1))
    (components,) = explain_series(model, X, options, [channel], part)
    network = smoothed(components, np.isnan(X[part, channel]), width)
    at = position - part.start
    probability, error = _decades(model.calibrations[channel].network, network)[:, at]
    from_network = {"probability": float(probability), "error": float(error)}
    from_neighbors = {
        name: float(getattr(components, name)[at])
        for name in components._fields[-len(VIEWS) :]
    }
    match options.score_by:
        case "classification":
            return {"probability": from_network["probability"]}
        case "reconstruction":
            return {"error": from_network["error"]}
        case "neighbors":
            return from_neighbors
    return (from_neighbors if model.neighbors is not None else {}) | (
        from_network if model.network is not None else {}
    )


def _by_chunks(
    compute: Callable[[FloatArray, int], tuple[FloatArray, ...]],
    model: CoADModel,
    X: FloatArray,
    channel: int,
    halo: int,
) -> list[FloatArray]:
    """Arrays of one channel, computed in chunks with a halo, as if all at once."""
    computed: list[FloatArray] = []
    step = model.config.plan.step
    least = chunk_sizes(model.device).timestamps
    for chunk, core in chunks(len(X), step, model.receptive_field + halo, least):
        for i, values in enumerate(compute(X[chunk], channel)):
            if i == len(computed):
                computed.append(np.empty(len(X), dtype=values.dtype))
            inside = slice(core.start - chunk.start, core.stop - chunk.start)
            computed[i][core] = values[inside]
    return computed


def chunks(
    n_timestamps: int, step: int, halo: int, least: int
) -> Iterator[tuple[slice, slice]]:
    """Cut a long series into chunks that overlap by a halo.

    Parameters
    ----------
    n_timestamps : int
        Length of the series.
    step : int
        Every chunk starts at a multiple of it.
    halo : int
        How far a result depends on its surroundings.
    least : int
        Least length of a core.

    Yields
    ------
    chunk, core : slice
        What to compute on, and the part of the series whose results are then right;
        the cores partition the series.

    Examples
    --------
    >>> from skcoad.scoring._series import chunks
    >>> for chunk, core in chunks(100, step=10, halo=5, least=60):
    ...     print(chunk, core)
    slice(0, 70, None) slice(0, 60, None)
    slice(50, 100, None) slice(60, 100, None)
    """
    # A core much longer than the halo, so that little is computed twice.
    length = step * math.ceil(max(least, 8 * halo) / step)
    halo = step * math.ceil(halo / step)
    for start in range(0, n_timestamps, length):
        stop = min(start + length, n_timestamps)
        yield (
            slice(max(0, start - halo), min(stop + halo, n_timestamps)),
            slice(start, stop),
        )
