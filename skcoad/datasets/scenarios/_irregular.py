"""Scenarios without a rhythm: noise, random walks, counts, steps, trends."""

from __future__ import annotations

import numpy as np

from skcoad.datasets.scenarios._base import (
    N,
    Scenario,
    ar_noise,
    labelled,
    length,
    noise,
    place,
)


def stuck_in_noise(rng: np.random.Generator) -> Scenario:
    """White noise stops at its present value for 60 samples."""
    x, segment = noise(rng, 1.0), place(rng, 60)
    x[segment] = x[segment.start]
    return labelled(x, segment)


def stuck_in_ar_noise(rng: np.random.Generator) -> Scenario:
    """Autoregressive noise stops at its present value for 60 samples."""
    x, segment = ar_noise(rng), place(rng, 60)
    x[segment] = x[segment.start]
    return labelled(x, segment)


def stuck_in_random_walk(rng: np.random.Generator) -> Scenario:
    """A random walk pauses for 60 samples and goes on from there."""
    steps, segment = noise(rng, 1.0), place(rng, 60)
    steps[segment] = 0
    return labelled(np.cumsum(steps), segment)


def spike_in_noise(rng: np.random.Generator) -> Scenario:
    """One sample of white noise is at 7 standard deviations."""
    x, segment = noise(rng, 1.0), place(rng, 1)
    x[segment] = 7 * rng.choice([-1, 1])
    return labelled(x, segment)


def spike_in_random_walk(rng: np.random.Generator) -> Scenario:
    """One sample is off by 12 steps; the level itself wanders over hundreds."""
    x, segment = np.cumsum(noise(rng, 1.0)), place(rng, 1)
    x[segment] += 12 * rng.choice([-1, 1])
    return labelled(x, segment)


def burst_of_variance(rng: np.random.Generator) -> Scenario:
    """White noise has 2.5 times its deviation for 60 samples."""
    x, segment = noise(rng, 1.0), place(rng, 60)
    x[segment] *= 2.5
    return labelled(x, segment)


def calm_noise(rng: np.random.Generator) -> Scenario:
    """White noise has a quarter of its deviation for 80 samples."""
    x, segment = noise(rng, 1.0), place(rng, 80)
    x[segment] /= 4
    return labelled(x, segment)


def noise_without_memory(rng: np.random.Generator) -> Scenario:
    """Autoregressive noise is white for 80 samples; its deviation stays the same."""
    x, segment = ar_noise(rng), place(rng, 80)
    x[segment] = rng.standard_normal(80)
    return labelled(x, segment)


def rhythm_in_noise(rng: np.random.Generator) -> Scenario:
    """White noise becomes a sine of the same deviation for 80 samples."""
    x, segment = noise(rng, 1.0), place(rng, 80)
    sine = np.sqrt(2) * np.sin(2 * np.pi * np.arange(80) / 16)
    x[segment] = 0.95 * sine + 0.3 * x[segment]
    return labelled(x, segment)


def level_shift_in_noise(rng: np.random.Generator) -> Scenario:
    """The mean of white noise is 1.5 standard deviations higher for 100 samples."""
    x, segment = noise(rng, 1.0), place(rng, 100)
    x[segment] += 1.5
    return labelled(x, segment)


def counts_drop(rng: np.random.Generator) -> Scenario:
    """Poisson counts fall from 20 to 6 a sample for 60 samples."""
    rate, segment = np.full(N, 20.0), place(rng, 60)
    rate[segment] = 6
    return labelled(rng.poisson(rate).astype(np.float64), segment)


def counts_burst(rng: np.random.Generator) -> Scenario:
    """Poisson counts rise from 3 to 9 a sample for 40 samples."""
    rate, segment = np.full(N, 3.0), place(rng, 40)
    rate[segment] = 9
    return labelled(rng.poisson(rate).astype(np.float64), segment)


def trend_break(rng: np.random.Generator) -> Scenario:
    """A steady trend with noise falls for 80 samples, then rises as before."""
    slope, segment = np.full(N, 0.02), place(rng, 80)
    slope[segment] = -0.06
    return labelled(np.cumsum(slope) + noise(rng, 0.3), segment)


def intermittent_signal(rng: np.random.Generator) -> Scenario:
    """Rare equal bursts of 40 samples on zeros; one burst swings twice as fast."""
    x, segment = np.zeros(N), place(rng, 40)
    t = np.arange(40)
    envelope = np.sin(np.pi * (t + 0.5) / 40)
    starts = np.cumsum(rng.integers(70, 200, 70))
    apart = (starts < segment.start - 50) | (starts > segment.stop + 10)
    for start in starts[apart & (starts < N - 40)]:
        x[start : start + 40] = envelope * np.sin(2 * np.pi * t / 20)
    x[segment] = envelope * np.sin(2 * np.pi * t / 10)
    return labelled(x + noise(rng, 0.02), segment)


def set_points_in_wrong_order(rng: np.random.Generator) -> Scenario:
    """Set points 0, 1, 2, 3, for 20 to 30 samples each, once run 0, 2, 1, 3."""
    lengths = rng.integers(20, 31, N // 20)
    starts = np.cumsum(lengths) - lengths
    levels = np.arange(len(lengths)) % 4
    around = place(rng, 120)
    first = int(np.searchsorted(starts, around.start)) // 4 * 4 + 1  # a set point 1
    levels[first : first + 2] = 2, 1
    x = np.repeat(levels, lengths)[:N].astype(np.float64)
    segment = slice(int(starts[first]), int(starts[first + 2]))
    return labelled(x + noise(rng, 0.05), segment)


def _constant_then_moves(
    level: float, step: float, rng: np.random.Generator
) -> Scenario:
    x, segment = np.full(N, level), place(rng, 20)
    x[segment] += step * rng.uniform(0.5, 1.0, length(segment))
    return labelled(x, segment)


def constant_0_moves(rng: np.random.Generator) -> Scenario:
    """A channel that was always 0 moves by up to 1 for 20 samples."""
    return _constant_then_moves(0.0, 1.0, rng)


def constant_100_moves(rng: np.random.Generator) -> Scenario:
    """A channel that was always 100 moves by up to 1 for 20 samples."""
    return _constant_then_moves(100.0, 1.0, rng)


def constant_billion_moves(rng: np.random.Generator) -> Scenario:
    """A channel that was always a billion moves by up to 1000 for 20 samples."""
    return _constant_then_moves(1e9, 1e3, rng)


IRREGULAR = (
    stuck_in_noise,
    stuck_in_ar_noise,
    stuck_in_random_walk,
    spike_in_noise,
    spike_in_random_walk,
    burst_of_variance,
    calm_noise,
    noise_without_memory,
    rhythm_in_noise,
    level_shift_in_noise,
    counts_drop,
    counts_burst,
    trend_break,
    intermittent_signal,
    set_points_in_wrong_order,
    constant_0_moves,
    constant_100_moves,
    constant_billion_moves,
)
