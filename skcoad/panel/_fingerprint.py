"""Whether the data of a series are those of an earlier run."""

from __future__ import annotations

from skcoad.datasets import Series
from skcoad.io import _fingerprint
from skcoad.io._results import error_text

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
        Of the values, the names of the channels, the times, their zone and the length
        of the training part; of an exception, of its type and message.

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
    if isinstance(series, Exception):
        return _fingerprint.fingerprint(error_text(series))
    times = series.timestamps
    shape, dtype = series.values.shape, None if times is None else times.dtype.str
    about = (shape, series.channel_names, series.train_length, dtype, series.timezone)
    arrays = [series.values] if times is None else [series.values, times]
    return _fingerprint.fingerprint(repr(about), *arrays)
