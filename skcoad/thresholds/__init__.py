"""Thresholds of scores that keep a rate of false alarms."""

from __future__ import annotations

from skcoad.thresholds._base import ScoreThreshold
from skcoad.thresholds._counting import ConformalThreshold, QuantileThreshold
from skcoad.thresholds._events import count_events
from skcoad.thresholds._peaks import PeaksOverThreshold
from skcoad.thresholds._rate import events_per_row, sampling_interval

__all__ = [
    "ConformalThreshold",
    "PeaksOverThreshold",
    "QuantileThreshold",
    "ScoreThreshold",
    "count_events",
    "events_per_row",
    "sampling_interval",
]
