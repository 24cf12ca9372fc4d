"""Measure the cost of a row in a stream, beside stumpy's stumpi and river's trees.

    OMP_NUM_THREADS=1 python benchmarks/streaming_cost.py

Made the table "What it costs" of docs/streaming.md.

Every detector gets the same `make_series` of period 100: `--train` rows to learn from,
then rows one by one, of which the time of each is taken, and, where it can, in chunks
of 10,000. stumpi (the incremental matrix profile, with egress) keeps as many rows as
the training part has; the trees are river's defaults, on the value scaled to [0, 1].
What they compute differs; this compares time alone. `decision_function` scores the same
chunks: final scores can come no faster without a faster join.

Times are those of the processor, which depend less on what else a machine does than
those of a clock. The mean includes the final scores, which come in blocks and are the
slowest calls ("largest").

The second table says which share of the time each step of NeighborsDetector takes, by
Python's profiler, which makes small calls look dearer than they are.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from skcoad import CoADDetector, NeighborsDetector
from skcoad.datasets import make_series
from skcoad.streaming import StreamingDetector

PERIOD = 100
CHUNK = 10_000
HEADER = (
    "| stream | median ms | 99 % ms | largest ms | mean ms | rows/s in chunks |\n"
    "|---|---:|---:|---:|---:|---:|"
)

# What is profiled: name of a step, and its function by file and name.
ROW_STEPS = {
    "reading the row": ("streaming/_rows.py", "read"),
    "search for neighbours": ("streaming/_evidence.py", "_candidates"),
    "distances to them": ("neighbors/_lookup.py", "excess"),
    "local statistics": ("streaming/_evidence.py", "statistics"),
    "rarity": ("streaming/_calibration.py", "__call__"),
}
CHUNK_STEPS = {
    "join: search for neighbours": ("neighbors/_join.py", "_query"),
    "join: distances along diagonals": ("neighbors/_diagonals.py", "follow_diagonals"),
    "local statistics": ("model/_statistics.py", "forward"),
    "rarity": ("calibration/_tail.py", "forward"),
    "provisional scores": ("streaming/_detector.py", "_provisional"),
}


def row_times(update: Callable[[float], Any], rows: np.ndarray) -> np.ndarray:
    """Milliseconds that each row takes."""
    times = np.empty(len(rows))
    for i, row in enumerate(rows.tolist()):
        start = time.process_time()
        update(row)
        times[i] = time.process_time() - start
    return 1e3 * times


def chunk_speed(update: Callable[[np.ndarray], Any], chunks: list[np.ndarray]) -> float:
    """Rows in a second, of the fastest chunk."""
    seconds = []
    for chunk in chunks:
        start = time.process_time()
        update(chunk)
        seconds.append(time.process_time() - start)
    return len(chunks[0]) / min(seconds)


def stumpi(train: np.ndarray) -> Callable[[float], Any] | None:
    """Update of an incremental matrix profile; None without stumpy."""
    try:
        import stumpy
    except ImportError:
        return None
    return stumpy.stumpi(train, m=PERIOD, egress=True).update


def half_space_trees(train: np.ndarray) -> Callable[[float], Any] | None:
    """Update of river's half-space trees; None without river."""
    try:
        from river import anomaly
    except ImportError:
        return None
    low, high = train.min(), train.max()
    trees = anomaly.HalfSpaceTrees(seed=0)

    def update(row: float) -> float:
        x = {"value": (row - low) / (high - low)}
        score = trees.score_one(x)
        trees.learn_one(x)
        return score

    for row in train[-1000:].tolist():
        update(row)
    return update


def shares(
    run: Callable[[], Any], steps: dict[str, tuple[str, str]]
) -> dict[str, float]:
    """Share of the time of a function that each step takes, and what is left."""
    profile = cProfile.Profile(time.process_time)
    profile.runcall(run)
    stats = pstats.Stats(profile)
    cumulative = {
        (path.replace("\\", "/"), name): timing[3]
        for (path, _, name), timing in stats.stats.items()  # type: ignore[attr-defined]
    }
    found = {
        step: sum(
            seconds
            for (path, name), seconds in cumulative.items()
            if path.endswith(f"skcoad/{file}") and name == function
        )
        / stats.total_tt  # type: ignore[attr-defined]
        for step, (file, function) in steps.items()
    }
    return found | {"the rest": 1 - sum(found.values())}


def line(name: str, times: np.ndarray | None, speed: float | None) -> str:
    """Row of the table."""
    cells = [""] * 4
    if times is not None:
        figures = np.median(times), np.quantile(times, 0.99), times.max(), times.mean()
        cells = [f"{figure:.2f}" for figure in figures]
    cells.append("" if speed is None else f"{speed:,.0f}")
    return f"| {name} | " + " | ".join(cells) + " |"


def print_costs(
    train: np.ndarray, single: np.ndarray, chunks: list[np.ndarray]
) -> None:
    """Print the table of times."""
    print(HEADER)
    for detector in (
        NeighborsDetector(period=PERIOD),
        CoADDetector(period=PERIOD, max_steps=20, random_state=0),
    ):
        name = type(detector).__name__
        stream = running(detector.fit(train), train)
        times = row_times(stream.update, single)
        print(line(name, times, chunk_speed(stream.update, chunks)), flush=True)
        batch = chunk_speed(detector.decision_function, chunks)
        print(line(f"{name}.decision_function", None, batch), flush=True)
    for name, make in (("stumpi", stumpi), ("HalfSpaceTrees", half_space_trees)):
        update = make(train)
        if update is None:
            print(f"| {name} | not installed | | | | |")
            continue
        row_times(update, single[:20])  # compiled
        print(line(name, row_times(update, single[20:]), None), flush=True)


def print_shares(
    train: np.ndarray, single: np.ndarray, chunks: list[np.ndarray]
) -> None:
    """Print the table of steps."""
    torch.set_num_threads(1)  # numba's threads, which stumpy starts, are torch's too
    detector = NeighborsDetector(period=PERIOD).fit(train)
    provisional = running(detector, train, final_every=10**9)
    both = running(detector, train)
    print("\n| rows | step | share |\n|---|---|---:|")
    for rows, run, steps in (
        ("one by one", lambda: row_times(provisional.update, single), ROW_STEPS),
        ("in chunks", lambda: chunk_speed(both.update, chunks), CHUNK_STEPS),
    ):
        for step, share in shares(run, steps).items():
            print(f"| {rows} | {step} | {100 * share:.0f} % |", flush=True)


def running(detector: Any, train: np.ndarray, **parameters: Any) -> StreamingDetector:
    """A stream that has been running for a while."""
    stream = StreamingDetector(detector, **parameters)
    stream.update(train[-2000:])
    return stream


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--chunks", type=int, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    n_train, n_rows = arguments.train, arguments.rows
    n = n_train + n_rows + CHUNK * arguments.chunks
    series = make_series(
        n, train_length=n_train, period=PERIOD, noise=0.1, random_state=0
    )
    train, test = series.train[:, 0], series.test[:, 0]
    single, chunks = test[:n_rows], np.split(test[n_rows:], arguments.chunks)
    print_costs(train, single, chunks)
    print_shares(train, single, chunks)


if __name__ == "__main__":
    main()
