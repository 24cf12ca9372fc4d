"""Measure peak memory by the length of the series, for fitting and for scoring.

    python benchmarks/memory.py --out memory.jsonl
    python benchmarks/memory.py --out memory.jsonl --sizes 10_000_000x1 1_000_000x20

Made the table "Memory" of docs/guarantees.md. Linux only.

Each measurement is made in a new process, on a memory-mapped file; those in the results
file are not repeated. For scoring, the detector was fitted on a short series. Training
is short, since its memory does not depend on the number of steps. The peak is counted
from what the process held after it had fitted a short series. Pages of the mapped file
that were read count as memory of the process, unless the system has reclaimed them, so
a peak is at least about the size of the input.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from skcoad import CoADDetector
from skcoad.benchmark._memory import peak_memory, reset_peak_memory
from skcoad.io._results import (
    Result,
    append_result,
    drop_cut_off_line,
    only_writer,
    read_results,
)

SIZES = ["10_000x1", "100_000x1", "1_000_000x1", "10_000_000x1"]
SIZES += ["10_000x20", "100_000x20", "1_000_000x20"]
WORK = ["score", "fit"]
PERIOD = 50
SHORT = 10_000  # timestamps, for warming up and for the detector that scores
MIB = 2**20

HEADER = (
    "| work | timestamps | channels | input, MiB | scores, MiB | peak, MiB "
    "| bytes per value | seconds |"
)


def parse_size(text: str) -> tuple[int, int]:
    """Read ``TIMESTAMPSxCHANNELS``."""
    n_timestamps, n_channels = text.split("x")
    return int(n_timestamps), int(n_channels)


def write_series(path: Path, n_timestamps: int, n_channels: int) -> None:
    """Write noisy sines of one period and different phases, chunk by chunk.

    Parameters
    ----------
    path : Path
        File to write, in numpy's format.
    n_timestamps, n_channels : int
        Shape of the series.
    """
    rng = np.random.default_rng(0)
    series = np.lib.format.open_memmap(
        path, mode="w+", dtype=np.float64, shape=(n_timestamps, n_channels)
    )
    for start in range(0, n_timestamps, SHORT):
        chunk = series[start : start + SHORT]
        phase = np.arange(start, start + len(chunk))[:, None] / PERIOD
        chunk[:] = np.sin(2 * np.pi * (phase + rng.random(n_channels)))
        chunk += 0.1 * rng.normal(size=chunk.shape)


def measure(work: str, path: Path, short: Path, max_steps: int) -> Result:
    """Fit on a mapped file, or score it, and measure.

    Parameters
    ----------
    work : {"score", "fit"}
        What to measure.
    path, short : Path
        Files of the series, and of a short one to fit on first.
    max_steps : int
        Training steps.

    Returns
    -------
    Result
    """
    detector = CoADDetector(max_steps=max_steps, random_state=0)
    detector.fit(np.load(short))  # also loads libraries that are imported on first use
    series = np.load(path, mmap_mode="r")
    if not reset_peak_memory():
        raise SystemExit("the peak memory can be reset on Linux only")
    before = peak_memory() or 0
    started = time.perf_counter()
    if work == "fit":
        detector.fit(series)
    else:
        detector.decision_function(series)
    seconds = time.perf_counter() - started
    return {
        "work": work,
        "n_timestamps": len(series),
        "n_channels": series.shape[1],
        "input_mib": series.nbytes / MIB,
        "peak_mib": (peak_memory() or 0) - before,
        "seconds": seconds,
    }


def measure_in_new_process(
    work: str, n_timestamps: int, n_channels: int, max_steps: int
) -> Result:
    """Write the files and run `measure` in a new process.

    Parameters
    ----------
    work, max_steps : str, int
        As for `measure`.
    n_timestamps, n_channels : int
        Shape of the series.

    Returns
    -------
    Result
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        path, short = Path(folder, "series.npy"), Path(folder, "short.npy")
        write_series(path, n_timestamps, n_channels)
        write_series(short, SHORT, n_channels)
        return pool.submit(measure, work, path, short, max_steps).result()


def row(result: Result) -> str:
    """One row of the table."""
    n_timestamps, n_channels = result["n_timestamps"], result["n_channels"]
    per_value = result["peak_mib"] * MIB / (n_timestamps * n_channels)
    return (
        f"| {result['work']} | {n_timestamps:,} | {n_channels} "
        f"| {result['input_mib']:.1f} | {8 * n_timestamps / MIB:.1f} "
        f"| {result['peak_mib']:.0f} | {per_value:.0f} | {result['seconds']:.1f} |"
    )


def main() -> None:
    """Print one row of a Markdown table per size and kind of work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", nargs="+", type=parse_size, default=[*map(parse_size, SIZES)]
    )
    parser.add_argument("--work", nargs="+", choices=WORK, default=WORK)
    parser.add_argument("--max-steps", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("memory.jsonl"))
    arguments = parser.parse_args()

    with only_writer(arguments.out):
        drop_cut_off_line(arguments.out)
        done = {
            (result["work"], result["n_timestamps"], result["n_channels"]): result
            for result in read_results(arguments.out)
        }
        print(HEADER)
        print("|---" + "|---:" * (HEADER.count("|") - 2) + "|")
        for work in arguments.work:
            for n_timestamps, n_channels in arguments.sizes:
                result = done.get((work, n_timestamps, n_channels))
                if result is None:
                    result = measure_in_new_process(
                        work, n_timestamps, n_channels, arguments.max_steps
                    )
                    append_result(arguments.out, result)
                print(row(result), flush=True)


if __name__ == "__main__":
    main()
