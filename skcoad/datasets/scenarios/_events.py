"""Scenarios of pulses, beats, square waves, chirps and days."""

from __future__ import annotations

import numpy as np

from skcoad.datasets.scenarios._base import (
    N_TRAIN,
    PERIOD,
    Generate,
    N,
    Scenario,
    Values,
    bumps,
    labelled,
    noise,
    phase,
    place,
)

BEAT = 80  # timestamps from beat to beat
DAY = 48
WEEK = 7 * DAY


def _pulse_train(rng: np.random.Generator) -> tuple[Values, int]:
    """Return the centres of pulses, and which of them is to be odd."""
    centres = np.arange(rng.uniform(0, PERIOD), N, PERIOD)
    odd = int(np.searchsorted(centres, place(rng, PERIOD).start))
    return centres, odd


def _around(centre: float, before: int, after: int) -> slice:
    return slice(int(centre) - before, int(centre) + after)


def missing_pulse(rng: np.random.Generator) -> Scenario:
    """A pulse every 50 samples; one is missing."""
    centres, odd = _pulse_train(rng)
    x = bumps(np.delete(centres, odd), np.ones(len(centres) - 1), np.array(4.0))
    return labelled(x + noise(rng, 0.05), _around(centres[odd], 12, 12))


def extra_pulse(rng: np.random.Generator) -> Scenario:
    """A pulse every 50 samples; one more comes in between."""
    centres, odd = _pulse_train(rng)
    extra = centres[odd] + PERIOD / 2
    x = bumps(np.append(centres, extra), np.ones(len(centres) + 1), np.array(4.0))
    return labelled(x + noise(rng, 0.05), _around(extra, 12, 12))


def delayed_pulse(rng: np.random.Generator) -> Scenario:
    """A pulse every 50 samples; one comes 12 samples late."""
    centres, odd = _pulse_train(rng)
    centres[odd] += 12
    x = bumps(centres, np.ones(len(centres)), np.array(4.0))
    return labelled(x + noise(rng, 0.05), _around(centres[odd], 24, 12))


def saturated_pulse(rng: np.random.Generator) -> Scenario:
    """A pulse every 50 samples; one is cut off at 70 % of its height."""
    centres, odd = _pulse_train(rng)
    x = bumps(centres, np.ones(len(centres)), np.array(4.0)) + noise(rng, 0.03)
    segment = _around(centres[odd], 8, 8)
    x[segment] = np.minimum(x[segment], 0.7)
    return labelled(x, segment)


def _beats(centres: Values, widths: Values) -> Values:
    """Sum a small wave, a sharp spike with an undershoot, and a wide wave a beat."""
    x = np.zeros(N)
    for offset, height, width in (
        (-14, 0.15, 3.0),
        (0, 1.0, 1.5),
        (4, -0.25, 1.5),
        (22, 0.3, 5.0),
    ):
        x += bumps(
            centres + offset * widths, np.full(len(centres), height), width * widths
        )
    return x


def _beat_times(rng: np.random.Generator, jitter: float) -> tuple[Values, int]:
    intervals = BEAT * (1 + jitter * rng.standard_normal(N // BEAT + 10).clip(-2, 2))
    centres = np.cumsum(intervals)
    return centres, int(np.searchsorted(centres, place(rng, BEAT).start))


def wide_beat(rng: np.random.Generator) -> Scenario:
    """A heartbeat with 4 % jitter; one beat is 1.8 times as wide."""
    centres, odd = _beat_times(rng, 0.04)
    widths = np.ones(len(centres))
    widths[odd] = 1.8
    x = _beats(centres, widths) + noise(rng, 0.02)
    return labelled(x, _around(centres[odd], 30, 50))


def missing_beat_with_jitter(rng: np.random.Generator) -> Scenario:
    """A heartbeat with 12 % jitter; one beat is missing."""
    centres, odd = _beat_times(rng, 0.12)
    remaining = np.delete(centres, odd)
    x = _beats(remaining, np.ones(len(remaining))) + noise(rng, 0.02)
    return labelled(x, _around(centres[odd], 20, 35))


def duty_cycle_change(rng: np.random.Generator) -> Scenario:
    """A square wave is on for 50 % of a cycle, once for 70 %."""
    cycles = phase(rng)
    begin = place(rng, PERIOD).start
    odd = np.floor(cycles) == np.ceil(cycles[begin])
    x = (cycles % 1 < np.where(odd, 0.7, 0.5)).astype(np.float64)
    (first, *_, last) = np.flatnonzero(odd)
    return labelled(x + noise(rng, 0.05), slice(int(first), int(last) + 1))


def reversed_chirp(rng: np.random.Generator) -> Scenario:
    """A chirp every 150 samples rises from 2 to 12 cycles; one falls."""
    t = np.arange(100) / 100
    rising = np.sin(2 * np.pi * (2 * t + 5 * t**2)) * np.sin(np.pi * t)
    x, starts = np.zeros(N), np.arange(int(rng.integers(50)), N - 100, 150)
    odd = starts[np.searchsorted(starts, place(rng, 150).start)]
    for start in starts:
        x[start : start + 100] = rising[::-1] if start == odd else rising
    return labelled(x + noise(rng, 0.05), slice(int(odd), int(odd) + 100))


def contextual_variance_increase(rng: np.random.Generator) -> Scenario:
    """Each night (half of a cycle) is noisy; one day is as noisy as a night."""
    cycles = phase(rng)
    night = cycles % 1 < 0.5
    begin = place(rng, PERIOD).start
    day = ~night & (np.floor(cycles) == np.ceil(cycles[begin]))
    x = np.sin(2 * np.pi * cycles)
    x += np.where(night | day, 0.5, 0.05) * rng.standard_normal(N)
    (first, *_, last) = np.flatnonzero(day)
    return labelled(x, slice(int(first), int(last) + 1))


def _weeks(rng: np.random.Generator) -> tuple[Values, int]:
    """Return the profiles of days, (day, DAY), and the first of a test week."""
    hour = np.arange(DAY) / DAY
    working = np.exp(-(((hour - 0.4) / 0.08) ** 2)) + np.exp(
        -(((hour - 0.75) / 0.1) ** 2)
    )
    weekend = 0.5 * np.exp(-(((hour - 0.6) / 0.2) ** 2))
    days = np.array([*[working] * 5, *[weekend] * 2])
    n_weeks = N // WEEK + 1
    days = np.tile(days, (n_weeks, 1))
    days *= 1 + 0.05 * rng.standard_normal((len(days), 1))
    week = int(rng.integers(N_TRAIN // WEEK + 2, N // WEEK - 1))
    return days, 7 * week


def _of_day(days: Values, day: int, rng: np.random.Generator) -> Scenario:
    x = days.ravel()[:N] + noise(rng, 0.03)
    return labelled(x, slice(day * DAY, (day + 1) * DAY))


def working_day_like_weekend(rng: np.random.Generator) -> Scenario:
    """Weeks of five working days and two others; a Wednesday looks like a Sunday."""
    days, week = _weeks(rng)
    days[week + 2] = days[week + 6]
    return _of_day(days, week + 2, rng)


def weekend_like_working_day(rng: np.random.Generator) -> Scenario:
    """Weeks of five working days and two others; a Sunday looks like a Wednesday."""
    days, week = _weeks(rng)
    days[week + 6] = days[week + 2]
    return _of_day(days, week + 6, rng)


def holiday(rng: np.random.Generator) -> Scenario:
    """Weeks of five working days and two others; on a Thursday nothing happens."""
    days, week = _weeks(rng)
    days[week + 3] = 0
    return _of_day(days, week + 3, rng)


# With the seeds of their generators, which do not change with names.
EVENTS: dict[Generate, int] = {
    missing_pulse: 3534934186,
    extra_pulse: 3784149626,
    delayed_pulse: 2989580962,
    saturated_pulse: 3854461682,
    wide_beat: 3562108583,
    missing_beat_with_jitter: 1748413229,
    duty_cycle_change: 1529142488,
    reversed_chirp: 803374798,
    contextual_variance_increase: 2511791902,
    working_day_like_weekend: 3839997311,
    weekend_like_working_day: 406419875,
    holiday: 3701125684,
}
