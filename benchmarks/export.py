"""How far the scores of an exported graph are from the detector's, and its time.

    python benchmarks/export.py

Made the table of docs/export.md. For training series of several lengths and periods it
scores other data by the loop of examples/score_onnx.py, and prints the quantiles of the
absolute difference from the detector's scores, in decades, and microseconds of
processor time a timestamp.
"""

from __future__ import annotations

import runpy
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from skcoad import NeighborsDetector
from skcoad.datasets import make_series
from skcoad.export import to_onnx

EXAMPLE = Path(__file__).parents[1] / "examples" / "score_onnx.py"
# Rows and period of training parts.
TRAINING = ((1000, 50), (4000, 50), (16_000, 50), (1500, 96), (4000, 96))
N_TEST = 4000  # more than a chunk


def main() -> None:
    """Print the table."""
    score = runpy.run_path(str(EXAMPLE))["score"]
    print("| training | period | median | 99 % | largest | detector, µs | graph, µs |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for n_train, period in TRAINING:
        series = make_series(
            n_train + N_TEST,
            period=period,
            anomalies=["flip", "noise", "drift"],
            train_length=n_train,
            random_state=0,
        )
        detector = NeighborsDetector().fit(series.train)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "detector.onnx")
            to_onnx(detector, path)
            session = onnxruntime.InferenceSession(path)
        X = np.ascontiguousarray(series.test.reshape(-1, 1), dtype=np.float64)
        times = [time.process_time()]
        expected = detector.decision_function(X)
        times.append(time.process_time())
        scores = score(session, X)
        times.append(time.process_time())
        difference = np.abs(expected - scores)
        median, high, largest = np.quantile(difference, [0.5, 0.99, 1])
        own, graph = np.diff(times) / N_TEST * 1e6
        print(
            f"| {n_train:,} | {period} | {median:.4f} | {high:.3f} | {largest:.3f} "
            f"| {own:.0f} | {graph:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
