"""Repeatable results from detectors that use torch's global generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator


class SeededTorch(BaseEstimator):  # type: ignore[misc]
    """Seed torch's global generator for the fit of a detector, then restore it.

    Parameters
    ----------
    detector : object
        The detector; it is fitted in place.
    random_state : int, default=0
        The seed.

    Attributes
    ----------
    decision_scores_ : ndarray of shape (n_timestamps,)
        Scores of the training series.
    """

    def __init__(self, detector: Any, *, random_state: int = 0) -> None:
        self.detector = detector
        self.random_state = random_state

    def warm_up(self) -> None:
        """Import torch."""
        import torch  # noqa: F401

    def fit(self, X: ArrayLike, y: object = None) -> SeededTorch:
        """Fit the detector."""
        import torch

        with torch.random.fork_rng():
            torch.manual_seed(self.random_state)
            self.detector.fit(X)
        self.decision_scores_ = self.detector.decision_scores_
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score every timestamp; higher is more anomalous."""
        scores: NDArray[np.float64] = self.detector.decision_function(X)
        return scores
