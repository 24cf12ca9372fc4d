"""Times of a training series, as numbers and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from skcoad._time import zone_name
from skcoad.io._schema import InvalidDetectorError, Json, get, require, take

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["times_content", "times_index"]

KINDS = {"M": "datetime64", "m": "timedelta64"}
UNITS = ("s", "ms", "us", "ns")


def times_content(times: Any) -> Json | None:
    """Say what the numbers of an index of times mean; None if there is no index."""
    if times is None:
        return None
    zone = getattr(times, "tz", None)
    return {
        "kind": times.to_numpy()[:0].dtype.kind if zone is None else "M",
        "unit": times.unit,
        "zone": zone_name(zone),
    }


def times_index(content: Json, tensors: dict[str, Tensor]) -> pd.Index[Any] | None:
    """Make the index again; None if the file has none.

    Parameters
    ----------
    content : dict
        The JSON object of the file.
    tensors : dict of str to Tensor
        Those of the file; ``times`` is removed.

    Returns
    -------
    pandas.DatetimeIndex, pandas.TimedeltaIndex or None

    Raises
    ------
    InvalidDetectorError
        If they are no increasing times in a known unit and zone.
    """
    if content.get("times") is None:
        return None
    import pandas as pd

    meaning = get(content, "times", dict)
    kind, unit = get(meaning, "kind", str), get(meaning, "unit", str)
    require(kind in KINDS and unit in UNITS, "the times have no known unit")
    numbers = take(tensors, "times", torch.int64, None).numpy()
    require(bool((numbers[1:] > numbers[:-1]).all()), "the times do not increase")
    index: pd.Index[Any] = pd.Index(numbers.view(f"{KINDS[kind]}[{unit}]"))
    require(not index.hasnans, "a time is missing")
    if meaning.get("zone") is None:
        return index
    zone = get(meaning, "zone", str)
    if not isinstance(index, pd.DatetimeIndex):
        raise InvalidDetectorError("durations have no time zone")
    try:
        return index.tz_localize("UTC").tz_convert(zone)
    except Exception as error:  # whatever a database of zones stumbles over
        raise InvalidDetectorError(f"no time zone {zone[:40]!r}") from error
