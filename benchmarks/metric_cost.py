"""Measure how the cost of the metrics grows with window, length and events.

    python benchmarks/metric_cost.py

Made the comparison in "Cost of the metrics" of docs/benchmark.md.

CPU seconds of one call each, which other work on the machine hardly affects.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skcoad.metrics import affiliation_scores, vus_pr

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


def make_case(n_timestamps: int, n_events: int) -> tuple[Labels, Scores]:
    """Make evenly spaced events, each a fifth of its share, and noisy scores.

    Parameters
    ----------
    n_timestamps, n_events : int
        Length, and number of events.

    Returns
    -------
    y_true, y_score : ndarray of shape (n_timestamps,)
    """
    share = n_timestamps // n_events
    y_true = (np.arange(n_timestamps) % share < max(1, share // 5)).astype(np.int64)
    rng = np.random.default_rng(0)
    return y_true, rng.normal(size=n_timestamps) + y_true


def cpu_seconds(function: Callable[[], object]) -> float:
    """Return the CPU time of a call."""
    started = time.process_time()
    function()
    return time.process_time() - started


def main() -> None:
    """Print a Markdown table for each metric."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--windows", type=int, nargs="+", default=[100, 1000, 4000, 8000, 16_000]
    )
    parser.add_argument(
        "--lengths", type=int, nargs="+", default=[100_000, 300_000, 1_000_000]
    )
    arguments = parser.parse_args()

    case = make_case(100_000, 20)
    vus_pr(*case, window=10)  # warm-up, not timed
    print("| window of vus_pr, 100,000 timestamps | CPU s |\n|---:|---:|")
    for window in arguments.windows:
        seconds = cpu_seconds(lambda window=window: vus_pr(*case, window=window))
        print(f"| {window:,} | {seconds:.2f} |", flush=True)

    print("\n| length | events | affiliation_scores, CPU s | vus_pr, CPU s |")
    print("|---:|---:|---:|---:|")
    for length in arguments.lengths:
        for n_events in (1, length // 10):
            y_true, y_score = make_case(length, n_events)
            seconds = [
                cpu_seconds(lambda m=metric, t=y_true, s=y_score: m(t, s))
                for metric in (affiliation_scores, vus_pr)
            ]
            cells = [f"{length:,}", f"{n_events:,}", *(f"{s:.2f}" for s in seconds)]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
