"""A stream as one file (:mod:`skcoad.io`), and back.

The JSON object of the file has these entries beside those of the container:

===========  =========================================================================
class        "StreamingDetector"
detector     what the file of the detector says
final_every  parameter of the stream
interval     of the rows, in nanoseconds, or null
last_time    of the newest row, in nanoseconds, or null
grid_time    of its place on the grid of times, or null
first_steps  nanoseconds from each of the first rows to the next, while they are few
n_rows       rows seen
first        position of the first row that is kept
n_final      position up to which scores have been final
===========  =========================================================================

Its tensors are those of the detector, with the prefix ``detector.``, the calibrations
of provisional scores, with the prefix ``calibration.``, and ``rows``, ``missing`` and
``numbers``, the rows that are kept.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skcoad._torch_state import own_torch_state
from skcoad.detectors import CoADDetector, NeighborsDetector
from skcoad.detectors._persistence import restore, state, write
from skcoad.io._container import read_container
from skcoad.io._schema import InvalidDetectorError, Json, get, require, take
from skcoad.model._tensors import check_tensor
from skcoad.streaming._calibration import ProvisionalCalibration
from skcoad.streaming._rows import Clock, Tick

__all__ = ["load_stream", "save_stream"]

DETECTOR, CALIBRATION = "detector.", "calibration."


def save_stream(stream: Any, path: str | os.PathLike[str]) -> None:
    """Save a stream; see :meth:`skcoad.streaming.StreamingDetector.save`."""
    detector, tensors = state(stream.detector)
    buffer, clock = stream._buffer, stream._clock
    time, grid, first_steps = clock.last or (None, None, None)
    content: Json = {
        "class": type(stream).__name__,
        "detector": detector,
        "final_every": stream.final_every,
        "interval": clock.interval,
        "last_time": time,
        "grid_time": grid,
        "first_steps": None if first_steps is None else list(first_steps),
        "n_rows": stream.n_rows,
        "first": buffer.first,
        "n_final": stream._n_final,
    }
    calibration = stream._scorer.calibration.state_dict()
    missing = np.isnan(buffer.X)
    every = {
        **{DETECTOR + name: tensor for name, tensor in tensors.items()},
        **{CALIBRATION + name: tensor for name, tensor in calibration.items()},
        "rows": torch.from_numpy(np.where(missing, 0, buffer.X)),
        "missing": torch.from_numpy(missing),
        "numbers": torch.from_numpy(buffer.numbers.copy()),
    }
    every = {name: tensor.contiguous() for name, tensor in every.items()}
    with own_torch_state():
        write(path, content, every, lambda *read: _stream(type(stream), *read))


def load_stream(cls: Any, path: str | os.PathLike[str]) -> Any:
    """Load a stream; see :meth:`skcoad.streaming.StreamingDetector.load`."""
    try:
        with own_torch_state():
            return _stream(cls, *read_container(path))
    except InvalidDetectorError as error:
        raise InvalidDetectorError(f"{os.fspath(path)}: {error}") from error


def _stream(cls: Any, content: Json, tensors: dict[str, Tensor]) -> Any:
    name = get(content, "class", str)
    require(name == cls.__name__, f"it holds a {name[:40]}, not a {cls.__name__}")
    inner = get(content, "detector", dict) | {"format": content["format"]}
    detector = restore(
        inner, _with_prefix(tensors, DETECTOR), CoADDetector, NeighborsDetector
    )
    n_channels = detector.n_features_in_
    calibration = _calibration(n_channels, _with_prefix(tensors, CALIBRATION))
    clock = Clock()
    if content.get("interval") is not None:
        clock.interval = get(content, "interval", int)
        require(clock.interval > 0, "the interval of the rows is not above 0")
    stream = cls.__new__(cls)
    try:
        final_every = get(content, "final_every", int)
        stream._set_up(detector, clock, final_every, calibration)
    except InvalidDetectorError:
        raise
    except ValueError as error:
        raise InvalidDetectorError(str(error)) from error
    rows = take(tensors, "rows", torch.float64, None, n_channels)
    missing = take(tensors, "missing", torch.bool, len(rows), n_channels)
    numbers = take(tensors, "numbers", torch.int64, len(rows))
    require(not tensors, f"there are unknown tensors: {sorted(tensors)[:3]}")
    first, n_final, n_rows = (
        get(content, name, int) for name in ("first", "n_final", "n_rows")
    )
    aligned = first >= 0 and first % detector.step_ == 0
    ordered = first <= n_final <= first + len(rows)
    numbered = bool(((numbers >= -1) & (numbers < n_rows)).all())
    require(aligned and ordered and numbered, "the rows of the stream do not fit")
    stream._buffer.append(
        np.where(missing.numpy(), np.nan, rows.numpy()), numbers.numpy()
    )
    stream._buffer.first, stream._n_final, stream.n_rows = first, n_final, n_rows
    if content.get("last_time") is not None:
        clock.last = Tick(
            get(content, "last_time", int),
            get(content, "grid_time", int),
            _first_steps(content),
        )
    return stream


def _first_steps(content: Json) -> tuple[int, ...] | None:
    if content.get("first_steps") is None:
        return None
    steps = get(content, "first_steps", list)
    valid = all(type(step) is int and step > 0 for step in steps)
    require(valid, "the steps of the first rows are no durations")
    return tuple(steps)


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Remove the tensors of a prefix from the others."""
    names = [name for name in tensors if name.startswith(prefix)]
    return {name.removeprefix(prefix): tensors.pop(name) for name in names}


def _calibration(n_channels: int, tensors: dict[str, Tensor]) -> ProvisionalCalibration:
    calibration = ProvisionalCalibration(n_channels)
    expected = calibration.state_dict()
    wrong = sorted(expected.keys() ^ tensors.keys())
    require(not wrong, f"there are missing or unknown tensors: {wrong[:3]}")
    try:
        for name, tensor in tensors.items():
            check_tensor(name, tensor, expected[name])
    except ValueError as error:
        raise InvalidDetectorError(str(error)) from error
    calibration.load_state_dict(tensors)
    return calibration
