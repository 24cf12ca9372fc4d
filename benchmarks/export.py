"""How far the scores of an exported graph are from the detector's, and its time.

    python benchmarks/export.py

Made the table of docs/export.md. For training series of several lengths it prints the
quantiles of the absolute difference of the scores on other data, in decades, and
microseconds of processor time a timestamp.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from skcoad import NeighborsDetector
from skcoad.datasets import make_series
from skcoad.export import to_onnx

LENGTHS = (1000, 4000, 16_000)  # of training parts
N_TEST = 4000  # more than a chunk


def main() -> None:
    """Print the table."""
    print("| training rows | median | 99 % | largest | detector, µs | graph, µs |")
    print("|---:|---:|---:|---:|---:|---:|")
    for n_train in LENGTHS:
        series = make_series(
            n_train + N_TEST,
            anomalies=["flip", "noise", "drift"],
            train_length=n_train,
            random_state=0,
        )
        detector = NeighborsDetector().fit(series.train)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "detector.onnx")
            size = to_onnx(detector, path).chunk_size
            session = onnxruntime.InferenceSession(path)
        X = np.ascontiguousarray(series.test.reshape(-1, 1)[:size], dtype=np.float64)
        times = [time.process_time()]
        expected = detector.decision_function(X)
        times.append(time.process_time())
        (scores,) = session.run(["scores"], {"X": X[None]})
        times.append(time.process_time())
        difference = np.abs(expected - scores[0])
        median, high, largest = np.quantile(difference, [0.5, 0.99, 1])
        own, graph = np.diff(times) / size * 1e6
        print(
            f"| {n_train:,} | {median:.4f} | {high:.3f} | {largest:.3f} "
            f"| {own:.0f} | {graph:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
