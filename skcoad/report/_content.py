"""What a page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from skcoad._typing import FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Channel", "Detail", "ExplainedSegment", "PageContent", "Part"]


class Channel(NamedTuple):
    """One channel of the series.

    Attributes
    ----------
    name : str
        Its name.
    values, expected, score : ndarray of shape (n_timestamps,)
        Observed and expected values, NaN where there are none; and the channel's score.
    tolerance : float
        Half the width of the expected band.
    """

    name: str
    values: FloatArray
    expected: FloatArray
    score: FloatArray
    tolerance: float


class Part(NamedTuple):
    """A part of a score: what contributes how much."""

    channel: str
    component: str
    value: float


class Detail(NamedTuple):
    """A channel around a segment.

    Attributes
    ----------
    channel : int
        Which one.
    start : int
        First timestamp.
    values, expected, nearest : ndarray of shape (n_shown,)
        Observed values, expected ones, and those of the nearest normal example.
    """

    channel: int
    start: int
    values: FloatArray
    expected: FloatArray
    nearest: FloatArray


class ExplainedSegment(NamedTuple):
    """A segment and its explanation.

    Attributes
    ----------
    start, stop, peak : int
        First timestamp, the one after the last, and that of the highest score.
    labels : tuple of str
        Those of the first and the last timestamp, in words.
    score : float
        The score at the peak.
    channel : str
        The most anomalous channel at the peak.
    reason : str
        Why it is anomalous, in one line.
    summary : str
        What happened, in one or two sentences.
    parts : sequence of Part
        They add up to the score.
    details : sequence of Detail
        Of the channels that contribute most.
    """

    start: int
    stop: int
    peak: int
    labels: tuple[str, str]
    score: float
    channel: str
    reason: str
    summary: str
    parts: Sequence[Part]
    details: Sequence[Detail]


@dataclass(frozen=True, eq=False)
class PageContent:
    """A series, its scores, and the explained segments.

    Attributes
    ----------
    title : str
        Of the page.
    index : pandas.Index of length n_timestamps
        Times or positions; any other labels are not drawn.
    channels : sequence of Channel
    score : ndarray of shape (n_timestamps,)
        Of all channels.
    threshold : float
        Scores above are anomalous.
    start : int
        Where the search began; what is before is shaded.
    segments : sequence of ExplainedSegment
        Highest score first.
    """

    title: str
    index: pd.Index[Any]
    channels: Sequence[Channel]
    score: FloatArray
    threshold: float
    start: int
    segments: Sequence[ExplainedSegment]
