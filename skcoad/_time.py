"""Times: an index of them, their zones, and how they are written."""

from __future__ import annotations

from datetime import timezone, tzinfo
from typing import Any

import numpy as np

__all__ = [
    "duration_text",
    "in_utc",
    "time_index",
    "time_text",
    "zone_name",
]

_UNITS = {
    np.timedelta64(1, "D"): "d",
    np.timedelta64(1, "h"): "h",
    np.timedelta64(1, "m"): "min",
    np.timedelta64(1, "s"): "s",
}


def time_index(labels: Any) -> Any:
    """Return labels of rows as an index of pandas' own times, if they are times.

    Parameters
    ----------
    labels : pandas.Index, pandas.Series or ndarray
        Of numpy's, of pandas' or of Arrow's types, of categories of these, or of dates
        and datetimes of Python.

    Returns
    -------
    pandas.DatetimeIndex, TimedeltaIndex, PeriodIndex or None
        None if they are no times.

    Raises
    ------
    ValueError
        If some have a zone, and others none.

    Examples
    --------
    >>> import pandas as pd
    >>> from skcoad._time import time_index
    >>> index = pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin", unit="s")
    >>> time_index(index.astype("timestamp[s, Europe/Berlin][pyarrow]")).dtype
    datetime64[s, Europe/Berlin]
    >>> time_index(pd.Index(index.date)).dtype.kind
    'M'
    >>> time_index(pd.RangeIndex(3))
    """
    dtype = getattr(labels, "dtype", None)
    kind = getattr(dtype, "kind", "")
    if kind not in ("M", "m", "O"):
        return None
    import pandas as pd

    if isinstance(labels, (pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex)):
        return labels
    if kind != "O":
        return pd.DatetimeIndex(labels) if kind == "M" else pd.TimedeltaIndex(labels)
    if isinstance(dtype, pd.PeriodDtype):
        return pd.PeriodIndex(labels)
    if isinstance(dtype, pd.CategoricalDtype):
        if time_index(dtype.categories) is None:
            return None
        return time_index(labels.astype(dtype.categories.dtype))
    if pd.api.types.infer_dtype(labels) not in ("date", "datetime"):
        return None
    zones = {getattr(label, "tzinfo", None) for label in labels if not pd.isna(label)}
    if None in zones and len(zones) > 1:
        raise ValueError("some of the times have a zone, and others have none")
    return pd.DatetimeIndex(pd.to_datetime(labels, utc=len(zones) > 1))


def in_utc(index: Any) -> Any:
    """Return an index of times without zone; periods are where they begin.

    Parameters
    ----------
    index : pandas.DatetimeIndex, TimedeltaIndex or PeriodIndex
        Of :func:`time_index`.

    Returns
    -------
    pandas.DatetimeIndex or TimedeltaIndex

    Examples
    --------
    >>> import pandas as pd
    >>> from skcoad._time import in_utc
    >>> in_utc(pd.DatetimeIndex(["2024-07-01T12:00+02:00"])).hour.tolist()
    [10]
    """
    if hasattr(index, "to_timestamp"):
        index = index.to_timestamp()
    return index.tz_convert(None) if getattr(index, "tz", None) is not None else index


def zone_name(zone: tzinfo | None) -> str | None:
    """Name a zone so that pandas knows it by the name.

    Parameters
    ----------
    zone : tzinfo or None
        Of any library.

    Returns
    -------
    str or None
        Such as ``"Europe/Berlin"`` or ``"UTC+02:00"``; ``"UTC"`` of a zone without a
        name; None without a zone.

    Examples
    --------
    >>> from datetime import timedelta, timezone
    >>> from skcoad._time import zone_name
    >>> zone_name(timezone(timedelta(hours=2), "CEST"))
    'UTC+02:00'
    """
    if zone is None:
        return None
    import pandas as pd

    offset = zone.utcoffset(None)
    name = str(zone) if offset is None else str(timezone(offset))
    try:
        pd.Timestamp(0, tz=name)
    except Exception:  # whatever a library of zones raises; zones of files have no name
        return "UTC"
    return name


def duration_text(duration: Any) -> str:
    """Write a duration in its largest whole unit; a number as it is.

    Parameters
    ----------
    duration : timedelta64 or number
        The duration.

    Returns
    -------
    text : str
        Such as ``"15 min"``.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad._time import duration_text
    >>> duration_text(np.timedelta64(900, "s"))
    '15 min'
    """
    if not isinstance(duration, np.timedelta64):
        return f"{duration:.6g}"
    for unit, name in _UNITS.items():
        count = duration / unit
        if count >= 1 and (count == round(count) or name == "s"):
            return f"{count:.6g} {name}"
    return f"{duration / np.timedelta64(1, 'ms'):.6g} ms"


def time_text(time: Any, zone: Any = None) -> str:
    """Write a time without the zeros at its end.

    Parameters
    ----------
    time : datetime64, timedelta64 or number
        The time.
    zone : str, tzinfo or None, default=None
        In which to write a datetime64 of UTC, with its offset.

    Returns
    -------
    text : str
        Such as ``"2024-01-31 12:30"``.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad._time import time_text
    >>> time_text(np.datetime64("2024-01-31T12:30:00.000"))
    '2024-01-31 12:30'
    >>> time_text(np.datetime64("2024-01-31T12:30"), "Europe/Berlin")
    '2024-01-31 13:30+01:00'
    """
    if isinstance(time, np.timedelta64):
        return duration_text(time)
    if not isinstance(time, np.datetime64):
        return str(time)
    if zone is not None:
        import pandas as pd

        local = pd.Timestamp(time).tz_localize("UTC").tz_convert(zone)
        clock = local.tz_localize(None)
        offset = local.isoformat().removeprefix(clock.isoformat())
        return time_text(clock.to_datetime64()) + offset
    shortest = next(
        (
            short
            for unit in ("m", "s", "ms")
            if (short := time.astype(f"M8[{unit}]")) == time
        ),
        time,
    )
    return str(shortest).replace("T", " ")
