"""How far the final scores of a stream are from those of the whole series.

    python benchmarks/stream_equality.py path/to/ucr path/to/nab --out equality.jsonl

Made the figures of "Two scores for each row" in docs/streaming.md.

A detector with its defaults is fitted on the training part of each series, the first
quarter where there is none. Its `decision_function` scores the first `--rows` rows of
what follows as a whole, at least a window of them, and a `StreamingDetector` scores
them in portions of random length: from 1 to 2,000 rows, evenly in the logarithm, by the
seed and the position of the series. Differences are in decades of rarity. Series in the
results file are not computed again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from skcoad import CoADDetector, NeighborsDetector
from skcoad.benchmark import Result
from skcoad.datasets import Series, open_archive
from skcoad.detectors import TimeSeriesDetector
from skcoad.io._results import append_result, only_writer, read_results
from skcoad.streaming import StreamingDetector

DETECTORS = {
    "neighbors": NeighborsDetector(),
    "coad": CoADDetector(random_state=0),
}
LARGEST_PORTION = 2000  # rows
N_LISTED = 5  # series with the largest differences

FloatArray = NDArray[np.float64]


def streamed(
    detector: TimeSeriesDetector, X: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, int]:
    """Final score of each row, NaN where there was none, and the number of portions."""
    stream = StreamingDetector(detector)
    scores = np.full(len(X), np.nan)
    start = n_portions = 0
    while start < len(X):
        size = int(np.exp(rng.uniform(0, np.log(LARGEST_PORTION + 1))))
        found = stream.update(X[start : start + size])
        scores[found.positions[found.final]] = found.scores[found.final]
        start, n_portions = start + size, n_portions + 1
    rest = stream.finish()
    scores[rest.positions] = rest.scores
    return scores, n_portions


def compare(
    detector: TimeSeriesDetector, series: Series, n_rows: int, seed: int
) -> Result:
    """Compare a stream with the whole, on one series."""
    started = time.process_time()
    n_train = series.train_length or len(series.values) // 4
    detector = clone(detector).fit(series.values[:n_train])
    X = series.values[n_train:][: max(n_rows, detector.window_size_)]
    scores, n_portions = streamed(detector, X, np.random.default_rng(seed))
    difference = np.abs(scores - detector.decision_function(X))
    return {
        "series": series.name,
        "rows": len(X),
        "portions": n_portions,
        "without": int(np.isnan(scores).sum()),
        "largest": float(np.nanmax(difference)),
        "above 1e-4": int((difference > 1e-4).sum()),
        "seconds": time.process_time() - started,
    }


def report(results: list[Result]) -> str:
    """Figures of all series together, and the series with the largest differences."""
    n_rows = sum(result["rows"] for result in results)
    largest = np.array([result["largest"] for result in results])
    lines = [
        f"{len(results)} series, {n_rows:,} rows in "
        f"{sum(result['portions'] for result in results):,} portions, "
        f"{sum(result['seconds'] for result in results):.0f} s of CPU time",
        f"rows without a final score: {sum(one['without'] for one in results)}",
        f"largest difference: {largest.max():.1e}; "
        f"median of the series' largest: {np.median(largest):.1e}",
        f"rows that differ by more than 1e-4: "
        f"{sum(result['above 1e-4'] for result in results)}",
        "",
        "| series | largest difference | rows above 1e-4 |",
        "|---|---:|---:|",
    ]
    for at in np.argsort(-largest)[:N_LISTED]:
        one = results[at]
        lines.append(
            f"| {one['series']} | {one['largest']:.1e} | {one['above 1e-4']} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Compare on each series that the results file does not have yet, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+", help="folders of series")
    parser.add_argument("--detector", choices=DETECTORS, default="neighbors")
    parser.add_argument("--rows", type=int, default=20_000, help="of each test part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("equality.jsonl"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    series = [one for path in arguments.data for one in open_archive(path)]
    detector = DETECTORS[arguments.detector]
    with only_writer(arguments.out):
        results = {one["series"]: one for one in read_results(arguments.out)}
        for at, one in enumerate(series):
            if one.name not in results:
                seed = arguments.seed + at
                results[one.name] = compare(detector, one, arguments.rows, seed)
                append_result(arguments.out, results[one.name])
    print(report([results[one.name] for one in series]))


if __name__ == "__main__":
    main()
