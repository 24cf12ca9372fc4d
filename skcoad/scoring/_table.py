"""The segments of a series as a table: where, how anomalous, in which channel, why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skcoad._text import value_text
from skcoad._typing import FloatArray
from skcoad.model import CoADModel
from skcoad.scoring._contributions import COMPONENTS, channel_contributions
from skcoad.scoring._segments import AnomalySegment
from skcoad.scoring._series import ScoringOptions
from skcoad.scoring._words import WORDS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["segment_table"]

# Of the standard deviation of a channel: expected values are in single precision.
ROUNDING = 1e-6


def segment_table(
    model: CoADModel,
    X: FloatArray,
    options: ScoringOptions,
    segments: Sequence[AnomalySegment],
    channel_scores: FloatArray,
    *,
    index: pd.Index[Any],
    names: Sequence[Any],
) -> pd.DataFrame:
    """Describe segments; see :meth:`skcoad.detectors.CoADDetector.find_segments`.

    Parameters
    ----------
    model : CoADModel
        Fitted and calibrated.
    X : ndarray of shape (n_timestamps, n_channels)
        The series that was scored.
    options : ScoringOptions
        How it was scored.
    segments : sequence of AnomalySegment
        What was found.
    channel_scores : ndarray of shape (n_timestamps, n_channels)
        Scores of each channel.
    index : pandas.Index of length n_timestamps
        Labels of the rows of `X`.
    names : sequence of length n_channels
        Names of the channels.

    Returns
    -------
    pandas.DataFrame
        One row for each segment.
    """
    import pandas as pd

    channels, components, reasons = [], [], []
    for segment in segments:
        channel = int(channel_scores[segment.peak].argmax())
        part = slice(segment.start, segment.stop)
        explained = channel_contributions(
            model, X, options, channel, part, channel_scores[part, channel]
        )
        at = segment.peak - segment.start
        main = int(explained.contributions[:, at].argmax())
        component = COMPONENTS[main]
        reason = _reason(
            component, explained.rarity[main, at], model.config.n_timestamps
        )
        observed, expected = _largest_deviation(
            X[part, channel],
            explained.components.reconstruction,
            model.scaler.center[channel].item(),
        )
        scale = model.scaler.scale[channel].item()
        reason += f": {_value_text(observed, expected, scale)}"
        if len(names) > 1:
            reason += f", channel {names[channel]}"
        channels.append(channel)
        components.append(component)
        reasons.append(reason)

    def labels(positions: list[int]) -> pd.Index[Any]:
        return index.take(np.array(positions, dtype=np.intp))

    return pd.DataFrame(
        {
            "start": labels([segment.start for segment in segments]),
            "peak": labels([segment.peak for segment in segments]),
            "end": labels([segment.stop - 1 for segment in segments]),
            "score": np.array([segment.score for segment in segments], dtype=float),
            "channel": pd.Index(names).take(np.array(channels, dtype=np.intp)),
            "component": pd.Series(components, dtype=str),
            "reason": pd.Series(reasons, dtype=str),
        }
    )


def _reason(component: str, decades: float, n_normal: int) -> str:
    """What it means that a component is so rare, learned of `n_normal` timestamps."""
    words = WORDS[component]
    if decades > math.log10(n_normal):
        return f"{words.beyond} ({decades:.1f} decades)"
    one_of = float(f"{10**decades:.2g}")
    return f"{words.rare} (about 1 of {one_of:,.0f} normal timestamps)"


def _value_text(observed: float, expected: float, scale: float) -> str:
    """Observed and expected value, unless rounding alone sets them apart."""
    difference = observed - expected
    if abs(difference) <= ROUNDING * scale:
        return "each value as expected"
    return " instead of ".join(value_text(x, difference) for x in (observed, expected))


def _largest_deviation(
    observed: FloatArray, expected: FloatArray, center: float
) -> tuple[float, float]:
    """Observed and expected value where they differ most within a segment.

    What is expected beside an outlier is drawn towards it. So a value that is farther
    from the centre of the training series than expected goes before one that is nearer,
    if it deviates at least half as much.
    """
    deviation = np.nan_to_num(np.abs(observed - expected))
    nearer = np.abs(observed - center) < np.abs(expected - center)
    at = np.where(nearer, deviation / 2, deviation).argmax()
    return float(observed[at]), float(expected[at])
