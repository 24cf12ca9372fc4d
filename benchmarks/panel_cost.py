"""Measure what a panel of many series costs, and how the cost grows.

    python benchmarks/panel_cost.py --series 50 100 200

Made the table "What it costs" of docs/panels.md.

Each series has 2,000 timestamps, a period of 50 and one anomaly in its second half; the
detectors are fitted on the first half. `detect_panel` with a detector for each series
and with one for all, beside PyOD's isolation forest, on rows and on windows, in a loop.
The rank of a series is its highest score after the first half. Series are generated
when they are read. One thread; CPU seconds hardly depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from pyod.models.iforest import IForest
from pyod.models.ts_od import TimeSeriesOD

from skcoad import NeighborsDetector
from skcoad.benchmark._memory import peak_memory, reset_peak_memory
from skcoad.datasets import ANOMALY_KINDS, Series, make_series
from skcoad.panel import Panel, detect_panel, fit_recordings

N_TIMESTAMPS = 2000
N_TRAIN = 1000
PERIOD = 50
WHOLE = 5000  # series
N_RECORDINGS = 5  # that one detector for all is fitted on
HEADER = (
    "| method | series | seconds | CPU s | CPU ms a series | found | peak, MiB |\n"
    "|---|---:|---:|---:|---:|---:|---:|"
)


def read(index: int) -> Series:
    """Generate a series, the same for the same index."""
    return make_series(
        N_TIMESTAMPS,
        period=PERIOD,
        anomalies=(ANOMALY_KINDS[index % len(ANOMALY_KINDS)],),
        train_length=N_TRAIN,
        name=f"sensor {index}",
        random_state=index,
    )


def own(n_series: int) -> list[int]:
    """Peak of each series by a detector of its own."""
    return peaks(n_series, NeighborsDetector())


def shared(n_series: int) -> list[int]:
    """Peak of each series by one detector, fitted on the first few."""
    recordings = {f"sensor {i}": read(i) for i in range(min(N_RECORDINGS, n_series))}
    return peaks(n_series, fit_recordings(NeighborsDetector(), recordings))


def peaks(n_series: int, detector: Any) -> list[int]:
    """Peak of each series by `detect_panel`, whose results are written to a file."""
    panel = Panel([f"sensor {index}" for index in range(n_series)], read)
    with TemporaryDirectory() as folder:
        out = Path(folder, "panel.jsonl")
        found = detect_panel(panel, detector, threshold=0.0, limit=1, out=out)
    found = found.set_index("series").loc[list(panel.names)]
    if found["error"].notna().any():
        raise RuntimeError(found["error"].dropna().iloc[0])
    return [int(peak) for peak in found["peak"]]


def loop(make_detector: Callable[[], Any]) -> Callable[[int], list[int]]:
    """Peak of each series by a detector of PyOD in a loop."""

    def run(n_series: int) -> list[int]:
        found = []
        for index in range(n_series):
            series = read(index)
            detector = make_detector().fit(series.train)
            scores = detector.decision_function(series.values)
            found.append(N_TRAIN + int(np.argmax(scores[N_TRAIN:])))
        return found

    return run


METHODS: dict[str, Callable[[int], list[int]]] = {
    "NeighborsDetector, one for each": own,
    "NeighborsDetector, one for all": shared,
    "PyOD IForest in a loop": loop(lambda: IForest(random_state=0)),
    "PyOD TimeSeriesOD in a loop": loop(lambda: TimeSeriesOD(window_size=PERIOD)),
}


def measure(method: str, n_series: int) -> tuple[str, float]:
    """Run a method on so many series; return a row of the table, and CPU seconds."""
    reset = reset_peak_memory()
    before = peak_memory()
    started, used = time.perf_counter(), time.process_time()
    found = METHODS[method](n_series)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    peak = peak_memory()
    memory = f"{peak - before:.0f}" if reset and before and peak else "-"
    hits = sum(
        bool(read(index).labels[max(0, at - PERIOD) : at + PERIOD].any())
        for index, at in enumerate(found)
    )
    row = (
        f"| {method} | {n_series:,} | {seconds:.1f} | {used:.1f} "
        f"| {1000 * used / n_series:.0f} | {100 * hits / n_series:.0f} % | {memory} |"
    )
    return row, used


def main() -> None:
    """Print a Markdown table; where 5,000 series were not run, an extrapolation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", nargs="+", type=int, default=[50, 100, 200])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[*METHODS])
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    for method in arguments.methods:
        METHODS[method](2)  # imports and the like
    print(HEADER)
    for n_series in arguments.series:
        for method in arguments.methods:
            row, used = measure(method, n_series)
            print(row, flush=True)
            if n_series == max(arguments.series) < WHOLE:
                extrapolated = f"{used * WHOLE / n_series:.0f} (extrapolated)"
                print(f"| {method} | {WHOLE:,} | | {extrapolated} | | | |", flush=True)


if __name__ == "__main__":
    main()
