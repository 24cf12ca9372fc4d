"""From components to one score for each timestamp, and from scores to segments."""

from __future__ import annotations

from skcoad.model import ScoreComponents
from skcoad.scoring._components import combine, moving_average
from skcoad.scoring._segments import AnomalySegment, find_segments
from skcoad.scoring._series import (
    ScoringOptions,
    aggregate_channels,
    calibrate_scores,
    component_rarity,
    explain_series,
    score_channels,
    score_series,
)
from skcoad.scoring._table import segment_table

__all__ = [
    "AnomalySegment",
    "ScoreComponents",
    "ScoringOptions",
    "aggregate_channels",
    "calibrate_scores",
    "combine",
    "component_rarity",
    "explain_series",
    "find_segments",
    "moving_average",
    "score_channels",
    "score_series",
    "segment_table",
]
