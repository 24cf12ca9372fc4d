import os

# One thread: many small fits on a shared machine are slower with more. Set before
# torch is imported anywhere.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

from skcoad import CoADDetector

# No test of ours asserts a time, Hypothesis's limit per example included. CI judges a
# change by the same examples each time; elsewhere every run looks at new ones, so that
# half of Hypothesis's 100 are enough.
settings.register_profile(
    "skcoad", deadline=None, derandomize="CI" in os.environ, max_examples=50
)
settings.load_profile("skcoad")


def make_wave(n_timestamps=400, n_channels=1, period=25, seed=0):
    """Noisy sines of one period, each channel with its own phase."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_timestamps)[:, None] + 3 * np.arange(n_channels)
    noise = 0.1 * rng.normal(size=(n_timestamps, n_channels))
    return np.sin(2 * np.pi * time / period) + noise


@pytest.fixture(scope="session")
def wave():
    return make_wave


@pytest.fixture(scope="session")
def tiny():
    """Make a detector that fits in a tenth of a second."""

    def make(**parameters):
        settings = {"max_steps": 3, "random_state": 0}
        return CoADDetector(**(settings | parameters))

    return make


@pytest.fixture(scope="session")
def fitted(tiny, wave):
    """Give a detector, fitted on one channel; tests do not fit it again."""
    return tiny().fit(wave())
