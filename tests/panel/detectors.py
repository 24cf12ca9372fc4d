"""Detectors for tests of panels; in a module, so that other processes import them."""

import os
import signal
import sys
from pathlib import Path

import numpy as np


class Deviation:
    """Distance of each value to the mean of the training rows, in deviations."""

    period_ = 5

    def __init__(self, limit=3.0):
        self.limit = limit

    def get_params(self, deep=True):
        return {"limit": self.limit}

    def fit(self, X):
        self.mean_, self.scale_ = X.mean(0), X.std(0)
        self.threshold_ = self.limit
        self.decision_scores_ = self.decision_function(X)
        return self

    def decision_function(self, X):
        return np.abs((X - self.mean_) / self.scale_).max(1)


class Faulty(Deviation):
    """Fails in a way that the first value of the series names."""

    def fit(self, X):
        if X[0, 0] == 1:
            raise MemoryError("no room")
        if X[0, 0] == 2:
            sys.exit(0)
        return super().fit(X)

    def decision_function(self, X):
        if X[0, 0] == 3:
            return np.zeros(3)
        if X[0, 0] == 4:
            return np.full(len(X), np.nan)
        return super().decision_function(X)


class Deadly(Deviation):
    """Kill the process in the fit of a series that starts with 1.

    Parameters
    ----------
    marker : str or None
        A file that is created before; if it exists, nothing is killed. None: always.
    """

    def __init__(self, marker):
        super().__init__()
        self.marker = marker

    def get_params(self, deep=True):
        return {"marker": self.marker}

    def fit(self, X):
        if X[0, 0] == 1 and not (self.marker and Path(self.marker).exists()):
            if self.marker:
                Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X)
