"""Score a table with numpy and onnxruntime alone.

The graph comes from ``skcoad.export.to_onnx``; skcoad, torch and pandas are not needed
here. The table has one line of names and one column of numbers for each channel:

    python examples/score_onnx.py pump.onnx pump.csv > scores.csv
"""

import sys

import numpy as np
import onnxruntime


def score(session, X):
    """Score each timestamp of a series of shape (n_timestamps, n_channels)."""
    meta = session.get_modelmeta().custom_metadata_map
    size, stride, halo = (int(meta[key]) for key in ("chunk_size", "stride", "halo"))
    if len(X) < size:
        raise ValueError(f"{len(X)} timestamps are fewer than a chunk of {size}")
    if not np.isfinite(X).all():
        raise ValueError("the graph takes no missing values")
    scores = np.empty(len(X))
    last = len(X) - size
    for start in [*range(0, last, stride), last]:
        (chunk,) = session.run(["scores"], {"X": X[None, start : start + size]})
        inside = halo if start else 0  # before, the chunk before knows more
        scores[start + inside : start + size] = chunk[0, inside:]
    return scores


def main(model, table):
    """Print the score of each row, and 1 where it is above the threshold."""
    session = onnxruntime.InferenceSession(model)
    X = np.loadtxt(table, delimiter=",", skiprows=1, ndmin=2)
    threshold = float(session.get_modelmeta().custom_metadata_map["threshold"])
    print("score,label")
    for value in score(session, X):
        print(f"{value:.6g},{int(value > threshold)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
