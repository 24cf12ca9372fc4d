"""From components to one score for each timestamp, and from scores to segments."""

from __future__ import annotations

from skcoad.model import ScoreComponents
from skcoad.scoring._aggregation import channel_shares
from skcoad.scoring._components import combine, moving_average
from skcoad.scoring._contributions import (
    COMPONENTS,
    ChannelContributions,
    channel_contributions,
)
from skcoad.scoring._nearest import nearest_positions
from skcoad.scoring._segments import AnomalySegment, find_segments
from skcoad.scoring._series import (
    ScoringOptions,
    aggregate_channels,
    calibrate_scores,
    explain_series,
    score_and_expect,
    score_channels,
    score_series,
    smoothing_reach,
)
from skcoad.scoring._table import segment_table
from skcoad.scoring._words import WORDS, Words

__all__ = [
    "COMPONENTS",
    "WORDS",
    "AnomalySegment",
    "ChannelContributions",
    "ScoreComponents",
    "ScoringOptions",
    "Words",
    "aggregate_channels",
    "calibrate_scores",
    "channel_contributions",
    "channel_shares",
    "combine",
    "explain_series",
    "find_segments",
    "moving_average",
    "nearest_positions",
    "score_and_expect",
    "score_channels",
    "score_series",
    "segment_table",
    "smoothing_reach",
]
