"""Arrays as text in a page, and what is kept of a series that is too long for one."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skcoad._time import time_index
from skcoad._typing import FloatArray
from skcoad.plotting._time import drawn_labels, time_axis
from skcoad.report._content import Channel, PageContent

__all__ = ["MAX_NUMBERS", "encode", "encode_series"]

# In a page, of all channels together; four bytes each, so 43 MB of text.
MAX_NUMBERS = 8_000_000
EXACT, REDUCED = 3, 5  # numbers for each timestamp, and for each bucket of several

Json = dict[str, Any]


def encode_series(content: PageContent) -> Json:
    """Encode a series and its scores.

    Up to :data:`MAX_NUMBERS` every timestamp is kept. Of more, buckets of as many
    timestamps as necessary: least and largest value and band, largest score.

    Parameters
    ----------
    content : PageContent
        What to show.

    Returns
    -------
    dict
        What JSON knows.
    """
    n_timestamps, n_channels = len(content.score), len(content.channels)
    width = 1
    if EXACT * n_timestamps * n_channels > MAX_NUMBERS:
        width = math.ceil(REDUCED * n_timestamps * n_channels / MAX_NUMBERS)
    starts = np.arange(0, n_timestamps, width)
    x, label, dates = _horizontal(content)
    return {
        "width": width,
        "n_timestamps": n_timestamps,
        "x": encode(x[starts], np.float64),
        "x_end": float(x[-1]),
        "x_label": label,
        "dates": dates,
        "score": encode(np.maximum.reduceat(content.score, starts)),
        "channels": [_channel(channel, starts) for channel in content.channels],
    }


def encode(x: NDArray[Any], dtype: type = np.float32) -> str:
    """Write numbers as base64, little-endian; what is not finite as NaN."""
    with np.errstate(over="ignore"):
        numbers = np.asarray(x).astype(np.dtype(dtype).newbyteorder("<"))
    numbers[~np.isfinite(numbers)] = np.nan
    return base64.b64encode(numbers.tobytes()).decode("ascii")


def _channel(channel: Channel, starts: NDArray[np.intp]) -> Json:
    values = np.asarray(channel.values, dtype=np.float64)
    # Single precision shows small changes of large values only relative to a centre.
    known = values[np.isfinite(values)]
    center = float(np.median(known)) if len(known) else 0.0
    values = values - center
    expected = np.asarray(channel.expected, dtype=np.float64) - center
    low, high = np.fmin.reduceat, np.fmax.reduceat
    encoded = {
        "name": channel.name,
        "center": center,
        "tolerance": channel.tolerance,
        "low": encode(low(values, starts)),
        "expected_low": encode(low(expected, starts)),
        "score": encode(np.maximum.reduceat(channel.score, starts)),
    }
    if len(starts) < len(values):
        encoded["high"] = encode(high(values, starts))
        encoded["expected_high"] = encode(high(expected, starts))
    return encoded


def _horizontal(content: PageContent) -> tuple[FloatArray, str, bool]:
    """Coordinates of the timestamps, what they are, and whether they are dates.

    Dates are milliseconds since 1970, by the clock of their zone unless it is set back,
    when an hour would be there twice.
    """
    axis = time_axis(drawn_labels(content.index), len(content.score))
    if not axis.dates:
        return axis.values, axis.label, False
    index = time_index(content.index)
    if hasattr(index, "to_timestamp"):
        index = index.to_timestamp()
    zone = "" if index.tz is None else str(index.tz)
    if index.tz is not None:
        clock = index.tz_localize(None)
        if not clock.is_monotonic_increasing or not clock.is_unique:
            clock = index.tz_convert(None)
            zone = f"UTC; segments: {zone}"
        index = clock
    # Nanoseconds would end in 1677 and 2262.
    return index.as_unit("us").asi8 / 1e3, zone, True


def encode_parts(parts: Sequence[FloatArray]) -> list[str]:
    """Encode several arrays in double precision."""
    return [encode(part, np.float64) for part in parts]
