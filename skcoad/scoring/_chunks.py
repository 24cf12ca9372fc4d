"""Long series in chunks that overlap, so that memory is bounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from skcoad._device import chunk_sizes
from skcoad._progress import advance
from skcoad._typing import FloatArray
from skcoad.model import CoADModel

__all__ = ["by_chunks", "chunks"]


def by_chunks(
    compute: Callable[[slice], Sequence[FloatArray]],
    model: CoADModel,
    n_timestamps: int,
    halo: int,
    part: slice | None = None,
) -> list[FloatArray]:
    """Arrays of a part of one channel, computed in chunks with a halo.

    Their values are those that a part of all chunks gives.
    """
    part = slice(0, n_timestamps) if part is None else part
    computed: list[FloatArray] = []
    step = model.config.plan.step
    least = chunk_sizes(model.device).timestamps
    for chunk, core in chunks(n_timestamps, step, model.receptive_field + halo, least):
        start, stop = max(core.start, part.start), min(core.stop, part.stop)
        if start >= stop:
            continue
        for i, values in enumerate(compute(chunk)):
            if i == len(computed):
                length = part.stop - part.start
                computed.append(np.empty(length, dtype=values.dtype))
            inside = values[start - chunk.start : stop - chunk.start]
            computed[i][start - part.start : stop - part.start] = inside
        advance(stop - start)
    return computed


def chunks(
    n_timestamps: int, step: int, halo: int, least: int
) -> Iterator[tuple[slice, slice]]:
    """Cut a long series into chunks that overlap by a halo.

    Parameters
    ----------
    n_timestamps : int
        Length of the series.
    step : int
        Every chunk starts at a multiple of it.
    halo : int
        How far a result depends on its surroundings.
    least : int
        Least length of a core.

    Yields
    ------
    chunk, core : slice
        What to compute on, and the part of the series whose results are then right;
        the cores partition the series.

    Examples
    --------
    >>> from skcoad.scoring._chunks import chunks
    >>> for chunk, core in chunks(100, step=10, halo=5, least=60):
    ...     print(chunk, core)
    slice(0, 70, None) slice(0, 60, None)
    slice(50, 100, None) slice(60, 100, None)
    """
    # A core much longer than the halo, so that little is computed twice.
    length = step * math.ceil(max(least, 8 * halo) / step)
    halo = step * math.ceil(halo / step)
    for start in range(0, n_timestamps, length):
        stop = min(start + length, n_timestamps)
        yield (
            slice(max(0, start - halo), min(stop + halo, n_timestamps)),
            slice(start, stop),
        )
