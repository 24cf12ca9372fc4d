"""Scenarios without a period: noise, random walks, counts, steps, trends."""

from __future__ import annotations

import numpy as np

from skcoad.datasets.scenarios._base import (
    Generate,
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


def variance_increase_in_noise(rng: np.random.Generator) -> Scenario:
    """White noise has 2.5 times its deviation for 60 samples."""
    x, segment = noise(rng, 1.0), place(rng, 60)
    x[segment] *= 2.5
    return labelled(x, segment)


def variance_decrease_in_noise(rng: np.random.Generator) -> Scenario:
    """White noise has a quarter of its deviation for 80 samples."""
    x, segment = noise(rng, 1.0), place(rng, 80)
    x[segment] /= 4
    return labelled(x, segment)


def loss_of_autocorrelation(rng: np.random.Generator) -> Scenario:
    """Autoregressive noise is white for 80 samples; its deviation stays the same."""
    x, segment = ar_noise(rng), place(rng, 80)
    x[segment] = rng.standard_normal(80)
    return labelled(x, segment)


def sine_in_noise(rng: np.random.Generator) -> Scenario:
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


def rate_decrease_of_counts(rng: np.random.Generator) -> Scenario:
    """Poisson counts fall from 20 to 6 a sample for 60 samples."""
    rate, segment = np.full(N, 20.0), place(rng, 60)
    rate[segment] = 6
    return labelled(rng.poisson(rate).astype(np.float64), segment)


def rate_increase_of_counts(rng: np.random.Generator) -> Scenario:
    """Poisson counts rise from 3 to 9 a sample for 40 samples."""
    rate, segment = np.full(N, 3.0), place(rng, 40)
    rate[segment] = 9
    return labelled(rng.poisson(rate).astype(np.float64), segment)


def trend_change(rng: np.random.Generator) -> Scenario:
    """A steady trend with noise falls for 80 samples, then rises as before."""
    slope, segment = np.full(N, 0.02), place(rng, 80)
    slope[segment] = -0.06
    return labelled(np.cumsum(slope) + noise(rng, 0.3), segment)


def frequency_change_of_burst(rng: np.random.Generator) -> Scenario:
    """Rare equal bursts of 40 samples on zeros; one burst has twice the frequency."""
    x, segment = np.zeros(N), place(rng, 40)
    t = np.arange(40)
    envelope = np.sin(np.pi * (t + 0.5) / 40)
    starts = np.cumsum(rng.integers(70, 200, 70))
    apart = (starts < segment.start - 50) | (starts > segment.stop + 10)
    for start in starts[apart & (starts < N - 40)]:
        x[start : start + 40] = envelope * np.sin(2 * np.pi * t / 20)
    x[segment] = envelope * np.sin(2 * np.pi * t / 10)
    return labelled(x + noise(rng, 0.02), segment)


def swapped_set_points(rng: np.random.Generator) -> Scenario:
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


def _change_from_constant(
    level: float, step: float, rng: np.random.Generator
) -> Scenario:
    x, segment = np.full(N, level), place(rng, 20)
    x[segment] += step * rng.uniform(0.5, 1.0, length(segment))
    return labelled(x, segment)


def change_from_constant_0(rng: np.random.Generator) -> Scenario:
    """A channel that was always 0 moves by up to 1 for 20 samples."""
    return _change_from_constant(0.0, 1.0, rng)


def change_from_constant_100(rng: np.random.Generator) -> Scenario:
    """A channel that was always 100 moves by up to 1 for 20 samples."""
    return _change_from_constant(100.0, 1.0, rng)


def change_from_constant_billion(rng: np.random.Generator) -> Scenario:
    """A channel that was always a billion moves by up to 1000 for 20 samples."""
    return _change_from_constant(1e9, 1e3, rng)


# With the seeds of their generators, which do not change with names.
IRREGULAR: dict[Generate, int] = {
    stuck_in_noise: 515234184,
    stuck_in_ar_noise: 2141019497,
    stuck_in_random_walk: 1432786737,
    spike_in_noise: 1930740373,
    spike_in_random_walk: 1220937460,
    variance_increase_in_noise: 1387025302,
    variance_decrease_in_noise: 959709477,
    loss_of_autocorrelation: 1471828081,
    sine_in_noise: 1832588294,
    level_shift_in_noise: 3986670182,
    rate_decrease_of_counts: 2206933832,
    rate_increase_of_counts: 3500848848,
    trend_change: 1277871689,
    frequency_change_of_burst: 730846489,
    swapped_set_points: 1995192759,
    change_from_constant_0: 606825185,
    change_from_constant_100: 1557360329,
    change_from_constant_billion: 3575749661,
}
