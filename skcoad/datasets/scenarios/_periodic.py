"""Scenarios of one periodic channel: what happens to a cycle or two."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from skcoad.datasets.scenarios._base import (
    N_TRAIN,
    PERIOD,
    Generate,
    N,
    Scenario,
    flip,
    labelled,
    length,
    noise,
    periodic_signal,
    phase,
    place,
    waveform,
)


def stuck_in_periodic_signal(rng: np.random.Generator) -> Scenario:
    """The sensor stops at its present value for half a cycle."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD // 2)
    x[segment] = x[segment.start]
    return labelled(x, segment)


def spike_in_periodic_signal(rng: np.random.Generator) -> Scenario:
    """One sample is off by 1.2, less than the signal's range, 12 times its noise."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, 1)
    x[segment] -= 1.2 * np.sign(x[segment])
    return labelled(x, segment)


def flipped_cycle(rng: np.random.Generator) -> Scenario:
    """One cycle is upside down."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    flip(x, segment)
    return labelled(x, segment)


def flipped_cycle_on_trend(rng: np.random.Generator) -> Scenario:
    """One cycle is upside down; the level rises by 5 deviations in training."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    flip(x, segment)
    return labelled(x + 5 * np.arange(N) / N_TRAIN, segment)


def flipped_cycle_in_exponential_growth(rng: np.random.Generator) -> Scenario:
    """One cycle is upside down; level and amplitude double every 1,500 samples."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    flip(x, segment)
    return labelled((5 + x) * 2 ** (np.arange(N) / 1500), segment)


def flipped_cycle_on_large_offset(rng: np.random.Generator) -> Scenario:
    """One cycle is upside down; the signal has deviation 1 and mean a million."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    flip(x, segment)
    return labelled(1e6 + x, segment)


def flipped_cycle_in_quantized_values(rng: np.random.Generator) -> Scenario:
    """One cycle is upside down; values are multiples of 0.5."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    flip(x, segment)
    return labelled(np.round(2 * x) / 2, segment)


def flipped_cycle_beside_missing_values(rng: np.random.Generator) -> Scenario:
    """One cycle is upside down; 20 values before and after it are missing."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    flip(x, segment)
    x[segment.start - 25 : segment.start - 5] = np.nan
    x[segment.stop + 5 : segment.stop + 25] = np.nan
    # Missing values are nothing unusual in this series.
    for start in range(100, N, 400):
        if not segment.start - 100 < start < segment.stop + 100:
            x[start : start + 20] = np.nan
    return labelled(x, segment)


def flipped_cycle_after_gross_outlier(rng: np.random.Generator) -> Scenario:
    """One cycle is upside down; one value in training is the error code 65535."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    flip(x, segment)
    x[rng.integers(N_TRAIN)] = 65535
    return labelled(x, segment)


def flipped_cycle_after_sentinel_values(rng: np.random.Generator) -> Scenario:
    """One cycle is upside down; 15 values in training are the placeholder -999."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    flip(x, segment)
    x[rng.choice(N_TRAIN, 15, replace=False)] = -999
    return labelled(x, segment)


def stuck_after_zeros(rng: np.random.Generator) -> Scenario:
    """The sensor stops for a cycle; its mean is 1000 but 15 training values are 0."""
    x, segment = 1000 + periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    x[segment] = x[segment.start]
    x[rng.choice(N_TRAIN, 15, replace=False)] = 0
    return labelled(x, segment)


def level_shift_in_periodic_signal(rng: np.random.Generator) -> Scenario:
    """The level is higher by 0.8 for two cycles."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, 2 * PERIOD)
    x[segment] += 0.8
    return labelled(x, segment)


def level_drift(rng: np.random.Generator) -> Scenario:
    """The level drifts away by 2 over six cycles, then returns at once."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, 6 * PERIOD)
    x[segment] += np.linspace(0, 2, length(segment))
    return labelled(x, segment)


def amplitude_decrease(rng: np.random.Generator) -> Scenario:
    """Two cycles have 70 % of their amplitude; the noise stays the same."""
    x, segment = periodic_signal(rng), place(rng, 2 * PERIOD)
    x[segment] *= 0.7
    return labelled(x + noise(rng), segment)


def frequency_change(rng: np.random.Generator) -> Scenario:
    """The frequency is 1.4 times as high for the time of two cycles."""
    segment, speed = place(rng, 2 * PERIOD), np.ones(N)
    speed[segment] = 1.4
    return labelled(waveform(rng)(phase(rng, speed=speed)) + noise(rng), segment)


def phase_shift(rng: np.random.Generator) -> Scenario:
    """The signal skips 0.3 of a cycle from one sample to the next."""
    segment, skipped = place(rng, PERIOD), np.zeros(N)
    skipped[segment.start + PERIOD // 2 :] = 0.3
    return labelled(waveform(rng)(phase(rng) + skipped) + noise(rng), segment)


def reversed_cycle(rng: np.random.Generator) -> Scenario:
    """One cycle runs backwards."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    x[segment] = x[segment][::-1].copy()
    return labelled(x, segment)


def smoothed_cycles(rng: np.random.Generator) -> Scenario:
    """Two cycles are a moving average over 9 samples."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, 2 * PERIOD)
    x[segment] = uniform_filter1d(x, 9)[segment]
    return labelled(x, segment)


def noisy_cycle(rng: np.random.Generator) -> Scenario:
    """One cycle has four times the noise."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, PERIOD)
    x[segment] += 0.4 * rng.standard_normal(PERIOD)
    return labelled(x, segment)


def sample_and_hold(rng: np.random.Generator) -> Scenario:
    """Two cycles hold each value for 6 samples."""
    x, segment = periodic_signal(rng) + noise(rng), place(rng, 2 * PERIOD)
    x[segment] = np.repeat(x[segment][::6], 6)[: 2 * PERIOD]
    return labelled(x, segment)


def long_anomaly(rng: np.random.Generator) -> Scenario:
    """Ten cycles are a plain sine of the same deviation and period."""
    cycles, segment = phase(rng), place(rng, 10 * PERIOD)
    x = waveform(rng)(cycles)
    x[segment] = np.sqrt(2) * np.sin(2 * np.pi * cycles[segment])
    return labelled(x + noise(rng), segment)


def anomalies_of_unequal_magnitude(rng: np.random.Generator) -> Scenario:
    """A loud burst, a flipped cycle and a cycle of half its amplitude."""
    x, first = periodic_signal(rng), N_TRAIN + int(rng.integers(300, 600))
    loud, flipped, small = (
        slice(start, start + PERIOD) for start in (first, first + 700, first + 1400)
    )
    x[loud] += 3 * rng.standard_normal(PERIOD)
    flip(x, flipped)
    x[small] *= 0.5
    return labelled(x + noise(rng), loud, flipped, small)


def repeated_anomaly(rng: np.random.Generator) -> Scenario:
    """The same odd cycle occurs twice, 20 cycles apart."""
    x, first = periodic_signal(rng), N_TRAIN + int(rng.integers(300, 1000))
    once, again = (slice(s, s + PERIOD) for s in (first, first + 20 * PERIOD))
    odd = np.convolve(rng.standard_normal(PERIOD + 8), np.ones(9) / 3, "valid")
    x[once] = x[again] = odd
    return labelled(x + noise(rng), once, again)


# With the seeds of their generators, which do not change with names.
PERIODIC: dict[Generate, int] = {
    stuck_in_periodic_signal: 615542020,
    spike_in_periodic_signal: 1205575878,
    flipped_cycle: 3452425981,
    flipped_cycle_on_trend: 1436980742,
    flipped_cycle_in_exponential_growth: 3096274481,
    flipped_cycle_on_large_offset: 2467917069,
    flipped_cycle_in_quantized_values: 2611537228,
    flipped_cycle_beside_missing_values: 1991311938,
    flipped_cycle_after_gross_outlier: 2846555107,
    flipped_cycle_after_sentinel_values: 2549882268,
    stuck_after_zeros: 2859113447,
    level_shift_in_periodic_signal: 1676773472,
    level_drift: 389214972,
    amplitude_decrease: 2116717501,
    frequency_change: 3876620564,
    phase_shift: 1463073592,
    reversed_cycle: 1955498300,
    smoothed_cycles: 1357450452,
    noisy_cycle: 1767570423,
    sample_and_hold: 1034358001,
    long_anomaly: 2317227713,
    anomalies_of_unequal_magnitude: 878848752,
    repeated_anomaly: 531212722,
}
