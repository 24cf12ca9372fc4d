"""Whether the data of a series are those of an earlier run."""

from __future__ import annotations

import hashlib

import numpy as np

from skcoad.datasets import Series

__all__ = ["fingerprint"]


def fingerprint(series: Series | Exception) -> str:
    """Return a hash of all in a series that its result follows from.

    Parameters
    ----------
    series : Series or Exception
        The series, or what reading it raised.

    Returns
    -------
    str
        Of the values, the names of the channels, the times and the length of the
        training part; of an exception, of its type and message.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.datasets import Series
    >>> from skcoad.panel._fingerprint import fingerprint
    >>> flow = np.arange(5.0)
    >>> before = fingerprint(Series(flow, np.zeros(5), 0, "pump"))
    >>> flow[3] = 9
    >>> fingerprint(Series(flow, np.zeros(5), 0, "pump")) == before
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    if isinstance(series, Exception):
        content = f"{type(series).__name__}: {series}"
        digest.update(content.encode(errors="backslashreplace"))
        return digest.hexdigest()
    times = series.timestamps
    shape, dtype = series.values.shape, None if times is None else times.dtype.str
    about = (shape, series.channel_names, series.train_length, dtype)
    digest.update(repr(about).encode(errors="backslashreplace"))
    digest.update(np.ascontiguousarray(series.values).data)
    if times is not None and times.dtype.hasobject:  # of which numpy has the addresses
        digest.update(repr(times.tolist()).encode(errors="backslashreplace"))
    elif times is not None:
        digest.update(times.tobytes())
    return digest.hexdigest()
