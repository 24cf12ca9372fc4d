"""A detector on a series of :mod:`skcoad.datasets`, with its names and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from skcoad._time import time_index
from skcoad.datasets import Series
from skcoad.datasets._series import known_names, to_frame
from skcoad.detectors._contamination import interrupts_raised
from skcoad.detectors._searching import SearchResult
from skcoad.scoring import AnomalySegment
from skcoad.thresholds import ScoreThreshold

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fit_series", "frame_of", "search_series"]


def fit_series(
    detector: Any, series: Series, *, train_length: int | None = None
) -> None:
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
    train_length : int, default=None
        Number of rows before the part that is searched, 0 if all is; by default the
        series' own.

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
    >>> series = Series(flow, np.zeros(400), 300, "pump", ["flow"])
    >>> detector = NeighborsDetector()
    >>> fit_series(detector, series)
    >>> len(detector.decision_scores_), detector.feature_names_in_.tolist()
    (300, ['flow'])
    """
    if train_length is None:
        train_length = series.train_length
    X: Any = series.values
    contamination = getattr(detector, "contamination", None)
    if hasattr(detector, "find_segments"):
        X = to_frame(series)
        if train_length == 0 and isinstance(contamination, ScoreThreshold):
            detector.contamination = clone(contamination).set_params(held_back=0)
    try:
        with interrupts_raised():
            detector.fit(X[:train_length] if train_length else X)
    finally:
        if contamination is not None:
            detector.contamination = contamination


def frame_of(series: Series, detector: Any) -> pd.DataFrame:
    """Make a frame of a series, with names of channels if the detector has any.

    The only channel of a series has the name that the detector knows, unless it has one
    of its own: in a panel, it may be named like the series.

    Parameters
    ----------
    series : Series
        The series.
    detector : object
        Fitted.

    Returns
    -------
    pandas.DataFrame
        The values, with the timestamps, if known, as its index; if they are times that
        repeat or decrease, without.

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
        labels = getattr(detector, "channel_names_", [])  # or positions
        fits = len(labels) == frame.shape[1]
        frame.columns = labels if fits else list(range(frame.shape[1]))
    elif len(names) == frame.shape[1] == 1 and known_names(series) is None:
        frame.columns = names
    return frame


def search_series(
    detector: Any,
    series: Series,
    *,
    threshold: float | None = None,
    limit: int | None = None,
    start: Any = None,
) -> SearchResult:
    """Score a series, and find its anomalous segments.

    Rows that are missing by the timestamps count as missing values.

    Parameters
    ----------
    detector : TimeSeriesDetector
        Fitted, as by :func:`fit_series`.
    series : Series
        The series.
    threshold, limit : float and int
        As in ``detector.find_segments``.
    start : int or time, default=None
        Position from which on segments are searched, or, of a series with times, a
        time: the first row at or after it.

    Returns
    -------
    SearchResult
        Of the rows of the series, without those that are missing; its ``table`` has the
        timestamps of the series, if it has any.

    Raises
    ------
    ValueError
        As in ``detector.find_segments``.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.datasets import Series
    >>> from skcoad.detectors import fit_series, search_series
    >>> flow = np.sin(np.arange(900.0) / 4)
    >>> flow[700:740] *= 0.5
    >>> days = np.datetime64("2024-01-01") + np.arange(900)
    >>> series = Series(flow, np.zeros(900), 500, "pump", ["flow"], timestamps=days)
    >>> detector = NeighborsDetector()
    >>> fit_series(detector, series)
    >>> found = search_series(detector, series, threshold=4, start=500)
    >>> found.table["channel"].tolist(), len(found.scores)
    (['flow'], 900)
    """
    import pandas as pd

    frame = frame_of(series, detector)
    if time_index(frame.index) is None:
        frame = frame.reset_index(drop=True)  # the start is a position
    found = detector.search(frame, threshold=threshold, limit=limit, start=start)
    rows = found.rows
    segments = [
        AnomalySegment(
            int(np.searchsorted(rows, segment.start)),
            int(np.searchsorted(rows, segment.stop)),
            int(np.searchsorted(rows, segment.peak)),
            segment.score,
        )
        for segment in found.segments
    ]
    positions = np.array(
        [(segment.start, segment.peak, segment.stop - 1) for segment in segments],
        dtype=np.intp,
    ).reshape(-1, 3)
    n_rows, times = len(rows), series.index
    labels = pd.RangeIndex(n_rows) if times is None else times
    names = ("start", "peak", "end")
    return SearchResult(
        values=found.values[rows],
        channel_scores=found.channel_scores[rows],
        expected=found.expected[rows],
        scores=found.scores[rows],
        threshold=found.threshold,
        start=int(np.searchsorted(rows, found.start)),
        segments=segments,
        table=found.table.assign(
            **{
                name: labels.take(at)
                for name, at in zip(names, positions.T, strict=True)
            }
        ),
        rows=np.arange(n_rows),
    )
