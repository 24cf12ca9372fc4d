"""A detector on a series of :mod:`skcoad.datasets`, with its names and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from skcoad.datasets import Series
from skcoad.datasets._series import to_frame
from skcoad.detectors._contamination import interrupts_raised
from skcoad.thresholds import ScoreThreshold

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fit_series", "frame_of"]


def fit_series(detector: Any, series: Series, n_train: int) -> None:
    """Fit a detector on the rows before those that are searched, or on all rows.

    Late in a training, `CoADDetector.fit` would warn of an interrupt and keep what it
    learned; here the interrupt goes on.

    Parameters
    ----------
    detector : object
        Fitted in place, its parameters left as they are. A detector of this package
        sees names and times; if all is searched, a threshold is calibrated on all and
        holds nothing back.
    series : Series
        The series.
    n_train : int
        Number of rows before the part that is searched; 0 if all is.

    Raises
    ------
    KeyboardInterrupt
        If interrupted at any time.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.datasets import Series
    >>> from skcoad.detectors import fit_series
    >>> flow = np.sin(np.arange(400.0) / 4)
    >>> series = Series(flow, np.zeros(400), 0, "pump", ["flow"])
    >>> detector = NeighborsDetector()
    >>> fit_series(detector, series, 300)
    >>> len(detector.decision_scores_), detector.feature_names_in_.tolist()
    (300, ['flow'])
    """
    X: Any = series.values
    contamination = getattr(detector, "contamination", None)
    if hasattr(detector, "find_segments"):
        X = to_frame(series)
        if n_train == 0 and isinstance(contamination, ScoreThreshold):
            detector.contamination = clone(contamination).set_params(held_back=0)
    try:
        with interrupts_raised():
            detector.fit(X[:n_train] if n_train else X)
    finally:
        if contamination is not None:
            detector.contamination = contamination


def frame_of(series: Series, detector: Any) -> pd.DataFrame:
    """Make a frame of a series, with names of channels if the detector has any.

    A series of one channel has the name that the detector knows: in a panel, that of
    the channel may be the name of the series.

    Parameters
    ----------
    series : Series
        The series.
    detector : object
        Fitted.

    Returns
    -------
    pandas.DataFrame
        The values, with the timestamps, if known, as its index.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.datasets import Series
    >>> from skcoad.detectors import frame_of
    >>> flow = np.sin(np.arange(400.0) / 4)
    >>> detector = NeighborsDetector().fit(flow[:300])
    >>> frame_of(Series(flow, np.zeros(400), 0, "pump", ["flow"]), detector).columns
    Index([0], dtype='int64')
    """
    frame = to_frame(series)
    names = getattr(detector, "feature_names_in_", None)
    if names is None:
        frame.columns = list(range(frame.shape[1]))
    elif len(names) == frame.shape[1] == 1:
        frame.columns = names
    return frame
