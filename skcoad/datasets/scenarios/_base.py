"""What the scenarios share: lengths, the place of an anomaly, and normal signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Values = NDArray[np.float64]

N_TRAIN = 2000
N_TEST = 2500
N = N_TRAIN + N_TEST
PERIOD = 50
EDGE = 300  # least distance of an anomaly from either end of the test part

NOISE = 0.1  # on periodic signals, whose standard deviation is 1


class Scenario(NamedTuple):
    """A generated series with its labels.

    Parameters
    ----------
    values : ndarray of shape (N,) or (N, n_channels)
        The first `N_TRAIN` timestamps are the training part.
    labels : ndarray of shape (N,)
        1 where the series is anomalous.
    """

    values: Values
    labels: NDArray[np.int64]


Generate = Callable[[np.random.Generator], Scenario]


def labelled(values: Values, *segments: slice) -> Scenario:
    """Label segments of a series as its anomalies."""
    labels = np.zeros(N, dtype=np.int64)
    for segment in segments:
        labels[segment] = 1
    return Scenario(values, labels)


def place(rng: np.random.Generator, length: int) -> slice:
    """Draw a segment of the test part, away from its ends."""
    start = int(rng.integers(N_TRAIN + EDGE, N - EDGE - length))
    return slice(start, start + length)


def length(segment: slice) -> int:
    """Count the timestamps of a segment."""
    return int(segment.stop - segment.start)


def noise(rng: np.random.Generator, scale: float = NOISE) -> Values:
    """White noise."""
    return scale * rng.standard_normal(N)


def ar_noise(rng: np.random.Generator, memory: float = 0.95) -> Values:
    """Autoregressive noise of order 1 and standard deviation 1."""
    innovations = np.sqrt(1 - memory**2) * rng.standard_normal(N + 500)
    filtered: Values = lfilter([1.0], [1.0, -memory], innovations)
    return filtered[500:]


def phase(
    rng: np.random.Generator, *, speed: Values | None = None, jitter: float = 0.0
) -> Values:
    """Cycles since the beginning, as a function of time.

    Parameters
    ----------
    rng : numpy Generator
        Draws the phase at the beginning and the lengths of the cycles.
    speed : ndarray of shape (N,), default=None
        1 where a cycle lasts `PERIOD` timestamps, 2 where it lasts half of that;
        None for 1.
    jitter : float, default=0.0
        Standard deviation of the length of a cycle, as a share of it.
    """
    clock = np.arange(N) / PERIOD if speed is None else np.cumsum(speed) / PERIOD
    clock = clock + rng.random()
    n_cycles = int(2 * clock[-1]) + 2
    lengths = 1 + jitter * rng.standard_normal(n_cycles).clip(-3, 3)
    beginnings = np.concatenate([[0.0], np.cumsum(lengths)])
    return np.interp(clock, beginnings, np.arange(n_cycles + 1))


def waveform(rng: np.random.Generator) -> Callable[[Values], Values]:
    """Draw the shape of a cycle: slow to rise, fast to fall, of deviation 1.

    It looks different upside down and backwards.
    """
    order = np.arange(1, 5)
    weight = rng.uniform(0.7, 1.0, 4) / order
    weight *= np.sqrt(2 / (weight**2).sum())
    shift = rng.uniform(-0.2, 0.2, 4)

    def wave(cycles: Values) -> Values:
        angles = 2 * np.pi * np.multiply.outer(cycles, order) + shift
        return np.sin(angles) @ weight

    return wave


def periodic_signal(rng: np.random.Generator) -> Values:
    """Draw a periodic signal without noise."""
    return waveform(rng)(phase(rng))


def flip(values: Values, segment: slice) -> None:
    """Turn a segment upside down, in place."""
    values[segment] = 2 * values[segment].mean() - values[segment]


def bumps(centres: Values, heights: Values, widths: Values) -> Values:
    """Sum Gaussian bumps; a width is the standard deviation in timestamps."""
    distance = (np.arange(N)[:, np.newaxis] - centres) / widths
    total: Values = np.exp(-(distance**2) / 2) @ heights
    return total
