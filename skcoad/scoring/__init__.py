"""From components to one score for each timestamp, and from scores to segments."""

from __future__ import annotations

from skcoad.model import ScoreComponents
from skcoad.scoring._components import combine, moving_average
from skcoad.scoring._segments import AnomalySegment, find_segments
from skcoad.scoring._series import (
    ScoringOptions,
    calibrate_scores,
    explain_series,
    score_channels,
    score_series,
)

__all__ = [
    "AnomalySegment",
    "ScoreComponents",
    "ScoringOptions",
    "calibrate_scores",
    "combine",
    "explain_series",
    "find_segments",
    "moving_average",
    "score_channels",
    "score_series",
]
