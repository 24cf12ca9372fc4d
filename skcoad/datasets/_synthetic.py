"""Synthetic series with anomalies of known kinds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skcoad._arguments import check_sequence
from skcoad._series import check_train_length
from skcoad.datasets._series import Series

ANOMALY_KINDS = (
    "point",
    "flip",
    "time_warp",
    "noise",
    "frequency",
    "amplitude",
    "drift",
)
"""The kinds of anomaly that `make_series` generates."""

_N_HARMONICS = 4
_PERIOD_JITTER = 0.03  # relative standard deviation of the length of a cycle
_DRIFT_PERIODS = 6


def make_series(
    n_timestamps: int = 10_000,
    *,
    n_channels: int = 1,
    period: int = 50,
    anomalies: Sequence[str] = ANOMALY_KINDS,
    train_length: int | None = None,
    noise: float = 0.05,
    name: str = "synthetic",
    random_state: int | np.random.Generator | None = None,
) -> Series:
    """Generate a quasi-periodic series with labelled anomalies of given kinds.

    A channel is a sum of four harmonics with random weights and phases, scaled to
    standard deviation 1, plus white noise. The cycles vary in length by about 3 %
    and are common to all channels. The part after the training part is divided into
    equal slots, one for each anomaly; the position of an anomaly in its slot is
    random, at least one period from either end. The i-th labelled event is thus of the
    kind ``anomalies[i]``. In a multivariate series ``time_warp`` and ``frequency``,
    which change the common cycle, affect every channel; each other anomaly affects one
    channel, drawn at random.

    ============= ==========================================================
    kind          effect
    ============= ==========================================================
    ``point``     one value is shifted by 4 to 6 standard deviations
    ``flip``      the segment is reflected about its mean
    ``time_warp`` the cycle runs at half its speed
    ``noise``     white noise of standard deviation 0.7 is added
    ``frequency`` the cycle runs at twice its speed
    ``amplitude`` the segment is scaled by 1.8 or by 0.3 about its mean
    ``drift``     the level rises by 1.5 to 2.5 over six periods and returns
    ============= ==========================================================

    All kinds except ``point`` and ``drift`` last half a period to two periods.

    Parameters
    ----------
    n_timestamps : int, default=10000
        Length of the series.
    n_channels : int, default=1
        Number of channels.
    period : int, default=50
        Mean length of a cycle, in points; at least 8.
    anomalies : sequence of str, default=ANOMALY_KINDS
        The kinds, in order of time. A kind may occur more than once; an empty
        sequence gives a series without anomalies.
    train_length : int, default=None
        Length of the anomaly-free beginning; None means 40 % of the series.
    noise : float, default=0.05
        Standard deviation of the white noise on every point.
    name : str, default="synthetic"
        The name of the series.
    random_state : int, numpy Generator or None, default=None
        Seed or generator. Global generators are never used.

    Returns
    -------
    series : Series
        The series.

    Raises
    ------
    ValueError
        If `anomalies` is text, a kind is unknown, a number is out of range, or the
        anomalies do not fit after the training part.

    Examples
    --------
    >>> from skcoad.datasets import make_series
    >>> series = make_series(3000, anomalies=("point", "flip"), random_state=0)
    >>> series
    Series('synthetic', 3000 timestamps, 1 channel(s), train_length=1200, 74 anomalous)
    """
    check_sequence("anomalies", anomalies)
    unknown = [kind for kind in anomalies if kind not in ANOMALY_KINDS]
    if unknown:
        raise ValueError(
            f"unknown kind of anomaly {unknown[0]!r}, choose from {ANOMALY_KINDS}"
        )
    for parameter, number, least in (
        ("n_timestamps", n_timestamps, 1),
        ("n_channels", n_channels, 1),
        ("period", period, 8),
        ("noise", noise, 0),
    ):
        if not number >= least:
            raise ValueError(f"{parameter} must be at least {least}, got {number}")
    if train_length is None:
        train_length = n_timestamps * 4 // 10
    check_train_length(train_length, "train_length", n_timestamps)

    rng = np.random.default_rng(random_state)
    segments = _place(anomalies, train_length, n_timestamps, period, rng)
    speed = np.ones(n_timestamps)
    labels = np.zeros(n_timestamps, dtype=np.int64)
    for kind, segment in segments:
        labels[segment] = 1
        speed[segment] = {"time_warp": 0.5, "frequency": 2.0}.get(kind, 1.0)
    values = _cycles(speed, n_channels, period, rng)
    for kind, segment in segments:
        _distort(values[segment, rng.integers(n_channels)], kind, rng)
    values += noise * rng.standard_normal(values.shape)
    return Series(values, labels, train_length, name)


def _place(
    anomalies: Sequence[str],
    start: int,
    end: int,
    period: int,
    rng: np.random.Generator,
) -> list[tuple[str, slice]]:
    """Draw the position of every anomaly."""
    if not anomalies:
        return []
    slot = (end - start) // len(anomalies)
    segments = []
    for i, kind in enumerate(anomalies):
        if kind == "point":
            length = 1
        elif kind == "drift":
            length = _DRIFT_PERIODS * period
        else:
            length = int(rng.integers(period // 2, 2 * period + 1))
        room = slot - length - 2 * period
        if room < 0:
            raise ValueError(
                f"{len(anomalies)} anomalies in {end - start} points leave {slot} "
                f"points for each, but {kind!r} needs up to "
                f"{length + 2 * period}: use a longer series or a shorter period"
            )
        first = start + i * slot + period + int(rng.integers(room + 1))
        segments.append((kind, slice(first, first + length)))
    return segments


def _cycles(
    speed: NDArray[np.float64], n_channels: int, period: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Generate noise-free channels, of shape (n_timestamps, n_channels)."""
    n_timestamps = len(speed)
    # Cycle k begins where the clock, which advances at the given speed, reaches
    # beginnings[k]; the phase increases by one from each beginning to the next.
    clock = np.cumsum(speed)
    n_cycles = int(2 * clock[-1] / period) + 2
    jitter = np.clip(rng.standard_normal(n_cycles), -3, 3)
    beginnings = np.concatenate(
        [[0.0], np.cumsum(period * (1 + _PERIOD_JITTER * jitter))]
    )
    phase = np.interp(clock, beginnings, np.arange(n_cycles + 1))

    order = np.arange(1, _N_HARMONICS + 1)[:, np.newaxis]  # (harmonic, 1)
    weight = rng.uniform(0.3, 1.0, (_N_HARMONICS, n_channels)) / order
    shift = rng.uniform(0, 2 * np.pi, (_N_HARMONICS, n_channels))
    values = np.zeros((n_timestamps, n_channels))
    for k in range(_N_HARMONICS):
        angle = 2 * np.pi * (k + 1) * phase[:, np.newaxis] + shift[k]
        values += weight[k] * np.sin(angle)
    # A sine has variance 1/2, and harmonics are orthogonal.
    values /= np.sqrt((weight**2).sum(axis=0) / 2)
    return values


def _distort(segment: NDArray[np.float64], kind: str, rng: np.random.Generator) -> None:
    """Change a segment of one channel in place."""
    if kind == "point":
        segment += rng.choice((-1, 1)) * rng.uniform(4, 6)
    elif kind == "flip":
        segment[:] = 2 * segment.mean() - segment
    elif kind == "noise":
        segment += 0.7 * rng.standard_normal(len(segment))
    elif kind == "amplitude":
        segment[:] = segment.mean() + rng.choice((0.3, 1.8)) * (
            segment - segment.mean()
        )
    elif kind == "drift":
        rise = np.sin(np.linspace(0, np.pi, len(segment))) ** 2
        segment += rng.uniform(1.5, 2.5) * rise
