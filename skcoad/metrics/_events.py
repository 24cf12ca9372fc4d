"""Events: the maximal runs of anomalous timestamps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad.metrics._validation import check_labels


def events(y_true: ArrayLike) -> NDArray[np.intp]:
    """Return the anomalous events of a labelled series.

    An event is a maximal run of consecutive anomalous timestamps.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        1 (or True) where the series is anomalous, 0 (or False) elsewhere.

    Returns
    -------
    ndarray of int, shape (n_events, 2)
        First timestamp of each event and the one after its last, in time order:
        event ``i`` is ``y_true[start:stop]``. Shape (0, 2) without events.

    Raises
    ------
    ValueError
        If `y_true` is empty, not one-dimensional or holds anything but 0 and 1.

    Examples
    --------
    >>> from skcoad.metrics import events
    >>> events([0, 1, 1, 0, 1])
    array([[1, 3],
           [4, 5]])
    """
    steps = np.diff(check_labels(y_true).astype(np.int8), prepend=0, append=0)
    return np.column_stack((np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)))
