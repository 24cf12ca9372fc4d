"""Scores of a series that comes row by row, and never ends.

Follow the files: ``_buffer.py`` keeps the newest rows, ``_causal.py`` and
``_evidence.py`` say what can be known of a row before anything follows it,
``_calibration.py`` how rare that is on normal data, ``_provisional.py`` makes scores of
it, and ``_detector.py`` replaces them by the final ones.
"""

from __future__ import annotations

from skcoad.streaming._detector import StreamingDetector, StreamScores

__all__ = ["StreamScores", "StreamingDetector"]
