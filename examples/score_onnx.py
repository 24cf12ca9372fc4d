"""Score a table with numpy and onnxruntime alone.

The graph comes from ``skcoad.export.to_onnx``; skcoad, torch and pandas are not needed
here. The table has one line of names and one line of fields for each timestamp. Its
channels are the columns with the names that the graph knows, or else the columns of
numbers. The graph takes rows for consecutive: where another column has times, as ISO
8601 writes them, they have to be evenly spaced.

    python examples/score_onnx.py pump.onnx pump.csv > scores.csv
"""

import csv
import json
import os
import sys
from contextlib import suppress

import numpy as np
import onnxruntime


def read(table, channels):
    """Read the channels of a CSV file as an array (n_timestamps, n_channels)."""
    with open(table, newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file)
        header, first = next(lines, []), next(lines, [])
    columns = [header.index(name) for name in channels if name in header]
    if len(columns) < len(channels):
        columns = [column for column, cell in enumerate(first) if is_number(cell)]
    if len(columns) != len(channels):
        raise ValueError(
            f"{table} has {len(columns)} columns of numbers, and the graph takes "
            f"{len(channels)} channels: {', '.join(channels)}"
        )
    for column, cell in enumerate(first):
        if column not in columns and is_time(cell):
            check_spacing(load(table, [column], "datetime64[ms]").ravel())
    return load(table, columns, np.float64)


def load(table, columns, dtype):
    """Read some columns of a CSV file below its header."""
    return np.loadtxt(
        table,
        dtype=dtype,
        delimiter=",",
        skiprows=1,
        usecols=columns,
        ndmin=2,
        quotechar='"',
        encoding="utf-8-sig",
    )


def is_time(cell):
    """Whether a field is a time."""
    with suppress(ValueError):
        return not is_number(cell) and not np.isnat(np.datetime64(cell))
    return False


def check_spacing(times):
    """Refuse rows that are missing in time, or come twice."""
    steps = np.diff(times)
    uneven = np.flatnonzero(steps != np.median(steps))
    if len(uneven):
        row = int(uneven[0]) + 1
        raise ValueError(
            f"row {row} is {steps[row - 1]} after the row before, and others "
            f"{np.median(steps)}: insert what is missing, interpolated"
        )


def is_number(cell):
    """Whether a field is a number."""
    with suppress(ValueError):
        float(cell)
        return True
    return False


def score(session, X):
    """Score each timestamp of a series of shape (n_timestamps, n_channels)."""
    meta = session.get_modelmeta().custom_metadata_map
    sizes = (int(meta[key]) for key in ("chunk_size", "stride", "halo", "step"))
    size, stride, halo, step = sizes
    if len(X) < size:
        raise ValueError(
            f"{len(X)} timestamps are fewer than a chunk of {size}: score more at "
            "once, or export the detector with a smaller chunk_size"
        )
    if not np.isfinite(X).all():
        row = int(np.argmin(np.isfinite(X).all(axis=1)))
        raise ValueError(f"the graph takes no missing values, and row {row} has one")
    scores = np.empty(len(X))
    last = len(X) - size
    done = 0  # up to here, the chunk before knows more
    # Windows of a chunk that begins between two steps are others than in the series.
    for start in sorted({*range(0, last, stride), last // step * step, last}):
        (chunk,) = session.run(["scores"], {"X": X[None, start : start + size]})
        scores[done : start + size] = chunk[0, done - start :]
        done = start + size - halo
    return scores


def main(model, table):
    """Print the score of each row, and 1 where it is above the threshold of alarms."""
    session = onnxruntime.InferenceSession(model)
    meta = session.get_modelmeta().custom_metadata_map
    scores = score(session, read(table, json.loads(meta["channels"])))
    threshold = float(meta["segment_threshold"])
    print("score,label")
    for value in scores:
        print(f"{value:.6g},{int(value > threshold)}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # nothing reads on, as head; there is nothing to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError) as error:
        sys.exit(f"score_onnx.py: {error}")
