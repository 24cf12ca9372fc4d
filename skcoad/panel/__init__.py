"""Panels: many series in one call.

`detect_panel` fits a detector on each series of a folder, a frame or a dict, or scores
all with one fitted detector, and ranks the segments that it finds. `fit_recordings`
fits one detector on several recordings. Importing this package loads neither torch nor
PyOD.
"""

from __future__ import annotations

from skcoad.datasets._panel import Panel, open_panel
from skcoad.panel._detect import detect_panel
from skcoad.panel._ranking import read_panel
from skcoad.panel._recordings import fit_recordings, join_recordings

__all__ = [
    "Panel",
    "detect_panel",
    "fit_recordings",
    "join_recordings",
    "open_panel",
    "read_panel",
]
