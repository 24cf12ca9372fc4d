"""Measure how the cost of fit and scoring depends on period, step and channels.

    python benchmarks/size_cost.py
    python benchmarks/size_cost.py --threads 2 --periods --steps --channels 100 500

Made the tables "Cost by period, step and channels" of docs/defaults.md.

`NeighborsDetector` on synthetic series, in so many threads. Each table varies one size;
a cost that jumps between two rows is a cliff.
"""

from __future__ import annotations

import argparse
import time
from typing import Any, NamedTuple

import torch

from skcoad import NeighborsDetector
from skcoad.datasets import make_series

PERIODS = (3, 5, 10, 20, 50, 100, 200, 500, 1000, 3000, 10_000)
STEPS = (1, 31, 62, 97, 500, 992, 997)  # with a period of 1,000
CHANNELS = (1, 10, 100, 500)


class Clock(NamedTuple):
    """Seconds of the clock and of processors."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Clock:
        """Read both."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, other: Clock) -> Clock:
        """Return what has passed."""
        return Clock(self.wall - other.wall, self.cpu - other.cpu)


def cost(
    n_timestamps: int, n_channels: int = 1, **parameters: Any
) -> tuple[Clock, Clock]:
    """Fit on one half of a series and score the other.

    Parameters
    ----------
    n_timestamps, n_channels : int
        Of each half.
    **parameters
        Of `NeighborsDetector`.

    Returns
    -------
    fit, score : Clock
    """
    series = make_series(
        2 * n_timestamps,
        n_channels=n_channels,
        anomalies=(),
        train_length=n_timestamps,
        random_state=0,
    )
    started = Clock.now()
    detector = NeighborsDetector(**parameters).fit(series.train)
    fitted = Clock.now()
    detector.decision_function(series.test)
    return fitted.since(started), Clock.now().since(fitted)


def print_row(size: int, n_timestamps: int, costs: tuple[Clock, Clock]) -> None:
    """Print a row of a Markdown table."""
    seconds = [f"{value:.2f}" for clock in costs for value in clock]
    print(
        "|", " | ".join([f"{size:,}", f"{n_timestamps:,}", *seconds]), "|", flush=True
    )


def main() -> None:
    """Print a Markdown table for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timestamps", type=int, default=50_000)
    parser.add_argument("--rows", type=int, default=2000, help="with several channels")
    parser.add_argument("--periods", type=int, nargs="*", default=PERIODS)
    parser.add_argument("--steps", type=int, nargs="*", default=STEPS)
    parser.add_argument("--channels", type=int, nargs="*", default=CHANNELS)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    cost(1000)  # warm-up, not timed
    header = "timestamps | fit, s | CPU s | scoring, s | CPU s |\n|" + "---:|" * 6
    n = arguments.timestamps
    if arguments.periods:
        print(f"| period | {header}")
    for period in arguments.periods:
        print_row(period, n, cost(n, period=period))
    if arguments.steps:
        print(f"\n| step, of a period of 1,000 | {header}")
    for step in arguments.steps:
        print_row(step, n, cost(n, period=1000, step=step))
    if arguments.channels:
        print(f"\n| channels | {header}")
    for n_channels in arguments.channels:
        print_row(n_channels, arguments.rows, cost(arguments.rows, n_channels))


if __name__ == "__main__":
    main()
