"""Scenarios of several channels."""

from __future__ import annotations

import numpy as np

from skcoad.datasets.scenarios._base import (
    NOISE,
    PERIOD,
    Generate,
    N,
    Scenario,
    Values,
    ar_noise,
    flip,
    labelled,
    noise,
    phase,
    place,
    waveform,
)


def _with_noise(*channels: Values, rng: np.random.Generator) -> Values:
    x = np.column_stack(channels)
    return x + NOISE * rng.standard_normal(x.shape)


def loss_of_correlation(rng: np.random.Generator) -> Scenario:
    """Two channels are correlated, and for 120 samples are not."""
    common, other, segment = ar_noise(rng), ar_noise(rng), place(rng, 120)
    # Its deviation stays the same, and it leaves and returns smoothly.
    share = np.zeros(N)
    share[segment] = np.sin(np.linspace(0, np.pi, 120))
    second = np.sqrt(1 - share**2) * common + share * other
    return labelled(_with_noise(common, second, rng=rng), segment)


def lag_change(rng: np.random.Generator) -> Scenario:
    """A channel follows another after 5 samples, for 200 samples after up to 20."""
    leader, segment = ar_noise(rng), place(rng, 200)
    lag = np.full(N, 5.0)
    lag[segment] += 15 * np.sin(np.linspace(0, np.pi, 200))
    follower = leader[(np.arange(N) - np.round(lag).astype(int)).clip(0)]
    return labelled(_with_noise(leader, follower, rng=rng), segment)


def phase_shift_between_channels(rng: np.random.Generator) -> Scenario:
    """Two channels of one period; for three cycles one lags by a third of a cycle."""
    cycles, segment = phase(rng), place(rng, 3 * PERIOD)
    # Smooth at both ends, so that neither channel has a shape of its own that is new.
    late = np.zeros(N)
    late[segment] = np.sin(np.linspace(0, np.pi, 3 * PERIOD)) ** 2 / 3
    x = _with_noise(waveform(rng)(cycles), waveform(rng)(cycles - late), rng=rng)
    return labelled(x, segment)


def _periodic_channels(rng: np.random.Generator, n_channels: int) -> Values:
    cycles = phase(rng, jitter=0.02)
    return np.column_stack(
        [waveform(rng)(cycles + rng.random()) for _ in range(n_channels)]
    )


def stuck_channel_of_60(rng: np.random.Generator) -> Scenario:
    """One of 60 channels stops for 100 samples."""
    x, segment = _with_noise(_periodic_channels(rng, 60), rng=rng), place(rng, 100)
    channel = rng.integers(60)
    x[segment, channel] = x[segment.start, channel]
    return labelled(x, segment)


def flipped_cycle_of_one_channel_of_10(rng: np.random.Generator) -> Scenario:
    """One cycle of one of 10 channels is upside down."""
    x, segment = _with_noise(_periodic_channels(rng, 10), rng=rng), place(rng, PERIOD)
    flip(x[:, rng.integers(10)], segment)
    return labelled(x, segment)


def set_point_change(rng: np.random.Generator) -> Scenario:
    """A set point of 100 beside a periodic channel becomes 101 for 20 samples."""
    segment, set_point = place(rng, 20), np.full(N, 100.0)
    set_point[segment] += 1
    x = np.column_stack([waveform(rng)(phase(rng)) + noise(rng), set_point])
    return labelled(x, segment)


# With the seeds of their generators, which do not change with names.
CHANNELS: dict[Generate, int] = {
    loss_of_correlation: 3551827628,
    lag_change: 103067673,
    phase_shift_between_channels: 2232816130,
    stuck_channel_of_60: 2444890484,
    flipped_cycle_of_one_channel_of_10: 2641929476,
    set_point_change: 2342998391,
}
