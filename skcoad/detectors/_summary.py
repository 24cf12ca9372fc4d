"""An explanation in one or two sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from skcoad._text import value_text
from skcoad._time import time_text
from skcoad._typing import FloatArray
from skcoad.scoring import (
    COMPONENTS,
    WORDS,
    AnomalySegment,
    find_segments,
)

if TYPE_CHECKING:
    from skcoad.detectors._explanation import Explanation

__all__ = ["channel_text", "describe", "main_channels", "row_text", "summarise"]

MIN_FLAT = 3  # timestamps
FLAT_SHARE = 0.5  # of a segment
ALSO = 0.2  # share of the score from which on another channel is named


def summarise(explanation: Explanation) -> str:
    """Say what stands out most; see ``Explanation.summary``."""
    score = explanation.score
    observed = ~np.isnan(explanation.values).all(1)
    segments = find_segments(
        np.where(observed, score, 0.0),
        explanation.threshold,
        separation=explanation.period,
        limit=1,
    )
    index = explanation.index
    if not segments:
        return (
            f"{_span(index[0], index[-1])}, nothing was unusual: the highest score, "
            f"{score.max():.1f}, is not above the threshold of "
            f"{explanation.threshold:.1f}."
        )
    return describe(explanation, segments[0])


def describe(explanation: Explanation, segment: AnomalySegment) -> str:
    """Say in one or two sentences what a segment of an explained part is."""
    index = explanation.index
    channel, *others = main_channels(explanation, segment)
    names = [f"`{channel_text(name)}`" for name in explanation.channels]
    text = f"{_span(index[segment.start], index[segment.stop - 1])}, "
    text += f"{names[channel]} {_behaviour(explanation, channel, segment)}"
    if others:
        named = [names[other] for other in others[:2]]
        if len(others) > 2:
            named[1:] = [f"{len(others) - 1} more"]
        text += f", and {' and '.join(named)} stood out too"
    return f"{text}. {_nearest(explanation, channel, segment.peak)}" + _comparison(
        segment.score, explanation.highest_normal
    )


def main_channels(explanation: Explanation, segment: AnomalySegment) -> list[int]:
    """Channels with a large part of the score at the peak.

    Parameters
    ----------
    explanation : Explanation
        Of a part of a series.
    segment : AnomalySegment
        Within it.

    Returns
    -------
    list of int
        Places among the explained channels, first the one with the highest score.
    """
    by_channel = explanation.contributions[segment.peak].sum(1)
    large = by_channel >= min(ALSO * segment.score, by_channel.max())
    order = np.argsort(-explanation.channel_scores[segment.peak], kind="stable")
    return [int(i) for i in order if large[i]]


def channel_text(name: Any) -> str:
    """Write the name of a channel, or its position if it has none."""
    return f"channel {name}" if isinstance(name, int) else str(name)


def row_text(label: Any) -> str:
    """Write the label of a row: a time without the zeros at its end, or a position."""
    if hasattr(label, "tz_localize") and label.tz is not None:
        label = label.tz_localize(None)
    if hasattr(label, "to_numpy"):
        label = label.to_numpy()
    return time_text(label)


def _span(first: Any, last: Any) -> str:
    start, stop = row_text(first), row_text(last)
    plain = isinstance(first, (int, np.integer))
    if start == stop:
        return f"At row {start}" if plain else f"At {start}"
    day, _, clock = stop.partition(" ")
    if clock and start.startswith(f"{day} "):
        return f"On {day} from {start.partition(' ')[2]} to {clock}"
    return f"From row {start} to {stop}" if plain else f"From {start} to {stop}"


def _behaviour(explanation: Explanation, channel: int, segment: AnomalySegment) -> str:
    """What a channel did in a segment, as the end of a sentence."""
    part = slice(segment.start, segment.stop)
    x = explanation.values[part, channel]
    expected = explanation.components[channel].reconstruction[part]
    start, stop = _longest_constant(x)
    length = stop - start
    usual = np.ptp(expected[start:stop]) if length else 0.0
    if length >= max(MIN_FLAT, FLAT_SHARE * len(x)) and usual:
        return f"was flat at {value_text(x[start], float(usual))}"
    contributions = explanation.contributions[segment.peak, channel]
    component = COMPONENTS[int(contributions.argmax())]
    behaviour = WORDS[component].behaviour
    if isinstance(behaviour, str):
        return behaviour
    # With a neighbour on each side, or a single timestamp would have no changes.
    wide = slice(max(0, segment.start - 1), segment.stop + 1)
    x = explanation.values[wide, channel]
    expected = explanation.components[channel].reconstruction[wide]
    return behaviour[not _is_more(component, x, expected)]


def _longest_constant(x: FloatArray) -> tuple[int, int]:
    """Start and stop of the longest run of equal values."""
    borders = np.flatnonzero(np.concatenate([[True], x[1:] != x[:-1], [True]]))
    longest = int(np.diff(borders).argmax())
    return int(borders[longest]), int(borders[longest + 1])


def _is_more(component: str, x: FloatArray, expected: FloatArray) -> bool:
    """Whether a channel was above the expected values, or changed more or upwards."""
    if component in ("difference", "volatility"):
        changes, usual = np.diff(x), np.diff(expected)
        if component == "volatility":
            return bool(np.nan_to_num(np.abs(changes) - np.abs(usual)).sum() > 0)
        deviation = changes - usual
    else:
        deviation = x - expected
    deviation = np.nan_to_num(deviation)
    return bool(deviation[np.abs(deviation).argmax()] > 0) if len(deviation) else True


def _nearest(explanation: Explanation, channel: int, peak: int) -> str:
    """Where the nearest normal example is, as the beginning of a sentence."""
    positions = explanation.neighbors
    if positions is None or positions[peak, channel] < 0:
        return "The"
    position = int(positions[peak, channel])
    where = f"around row {position} of the training series"
    if explanation.training_times is not None:
        where = f"around {row_text(explanation.training_times[position])}"
    return f"The nearest normal example is {where}; the"


def _comparison(score: float, highest_normal: float) -> str:
    """The score beside those of the training series, as the end of a sentence."""
    if score > highest_normal > 0:
        return (
            f" score of {score:.1f} is {score / highest_normal:.1f} times the highest "
            "in training."
        )
    often = float(f"{10 ** min(score, math.log10(1e9)):.2g}")
    return (
        f" score of {score:.1f} is that of about 1 of {often:,.0f} normal timestamps."
    )
