"""How far the scores of an exported graph are from the detector's, and its time.

    python benchmarks/export.py

Made no table yet: see docs/export.md. It prints, for training series of several
lengths, the quantiles of the difference of the scores on other data (detector minus
graph, in decades), and microseconds a timestamp.
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

LENGTHS = (1000, 4000, 16000)


def main() -> None:
    """Print the table."""
    print("n_train  median  99 %  largest  detector µs  graph µs")
    for n_train in LENGTHS:
        series = make_series(
            2 * n_train, anomalies=["flip", "noise", "drift"], random_state=0
        )
        detector = NeighborsDetector().fit(series.train)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "detector.onnx")
            size = to_onnx(detector, path).chunk_size
            session = onnxruntime.InferenceSession(path)
        X = np.ascontiguousarray(series.test.reshape(-1, 1)[:size], dtype=np.float64)
        start = time.perf_counter()
        expected = detector.decision_function(X)
        middle = time.perf_counter()
        (scores,) = session.run(["scores"], {"X": X[None]})
        end = time.perf_counter()
        difference = np.abs(expected - scores[0])
        median, high, largest = np.quantile(difference, [0.5, 0.99, 1])
        print(
            f"{n_train:7}  {median:.4f}  {high:.3f}  {largest:.3f}  "
            f"{(middle - start) / size * 1e6:.1f}  {(end - middle) / size * 1e6:.1f}"
        )


if __name__ == "__main__":
    main()
