"""Figures of scores and of what they are made of."""

from __future__ import annotations

from skcoad.plotting._scores import Zoom, plot_explanation, plot_scores

__all__ = ["Zoom", "plot_explanation", "plot_scores"]
