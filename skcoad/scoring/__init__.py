"""From components to one score for each timestamp, and from scores to segments."""

from __future__ import annotations

from skcoad.scoring._components import ScoreComponents, moving_average
from skcoad.scoring._segments import AnomalySegment, find_segments

__all__ = ["AnomalySegment", "ScoreComponents", "find_segments", "moving_average"]
