"""Figures of scores, of their components, and of how a detector was made.

Figures are made without pyplot: no window opens, no backend is chosen, no global
setting changes. Save one with ``figure.savefig("scores.png")``; a notebook shows it.
"""

from __future__ import annotations

from skcoad.plotting._curves import plot_calibration, plot_loss
from skcoad.plotting._explanation import plot_explanation
from skcoad.plotting._scores import Zoom, plot_scores

__all__ = [
    "Zoom",
    "plot_calibration",
    "plot_explanation",
    "plot_loss",
    "plot_scores",
]
