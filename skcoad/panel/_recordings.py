"""One detector for several recordings of the same process."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from skcoad._arguments import check_integer
from skcoad._duration import duration_of
from skcoad._grid import insert_missing_rows, regular_grid
from skcoad._series import check_series
from skcoad._spacing import Grid
from skcoad._typing import FloatArray
from skcoad._warnings import warn_user
from skcoad.datasets import Series, n_training_rows
from skcoad.datasets._panel import open_panel
from skcoad.datasets._series import to_frame
from skcoad.datasets._training import check_train
from skcoad.panel._channels import align_channels
from skcoad.preprocessing import (
    fallback_period,
    normal_dominant_period,
    plan_windows,
)
from skcoad.thresholds import ScoreThreshold
from skcoad.thresholds._rate import parse_rate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["common_period", "fit_recordings", "join_recordings"]

# What a detector may have of the parameters that determine the window.
WINDOW_PARAMETERS = ("window_periods", "window_size", "patch_size", "step")
LONG = 2**31  # timestamps of a series that limits no window
SAME_SPACING = 0.05  # months of 30 and 31 days are months


def join_recordings(
    recordings: Sequence[ArrayLike], gap: int
) -> NDArray[np.floating[Any]]:
    """Put recordings one after the other, with missing rows in between.

    A detector that masks missing values takes no subsequence that has one for normal.
    Between two recordings there is thus no subsequence, and with a `gap` of at least a
    window there is also no window that has values of both.

    Parameters
    ----------
    recordings : sequence of array-like of shape (n_timestamps, n_channels)
        With the same channels, or each of shape (n_timestamps,).
    gap : int
        Rows of NaN between two recordings, at least 1.

    Returns
    -------
    ndarray of shape (n_joined, n_channels)

    Raises
    ------
    ValueError
        If there is no recording, one is empty, their channels differ, or `gap` is
        no integer above 0.

    Examples
    --------
    >>> from skcoad.panel import join_recordings
    >>> join_recordings([[1, 2], [5, 6, 7]], gap=1).ravel()
    array([ 1.,  2., nan,  5.,  6.,  7.])
    """
    check_integer("gap", gap, 1)
    arrays = [
        check_series(recording, f"recording {number}")
        for number, recording in enumerate(recordings)
    ]
    if not arrays:
        raise ValueError("there is no recording")
    n_channels = arrays[0].shape[1]
    for number, array in enumerate(arrays):
        if array.shape[1] != n_channels:
            raise ValueError(
                f"recording {number} has {array.shape[1]} channels, and recording 0 "
                f"has {n_channels}"
            )
    missing = np.full((gap, n_channels), np.nan)
    parts = [part for array in arrays for part in (missing, array)]
    return np.concatenate(parts[1:])


def fit_recordings(detector: Any, recordings: Any, *, train: Any = None) -> Any:
    """Fit one detector on several recordings of the same process.

    What one recording contains is normal for all. They are joined by
    :func:`join_recordings` with a gap as long as the detector's window, so that nothing
    is learned from the breaks between them: no subsequence and no window has values of
    two recordings, scale and calibration are of observed values alone, and the period
    is that of the recordings (see Notes). Channels are those of one name, in the order
    of the first recording; where no channel has a name, those of one position.

    Parameters
    ----------
    detector : object
        `CoADDetector` or `NeighborsDetector` with ``missing="mask"``; it is cloned.
    recordings : path-like, DataFrame, mapping, Archive or Panel
        See :func:`open_panel`; all with the same channels, each at least as long as a
        window. They are in memory together, and a fitted detector needs about 0.9 KB
        for each value, so choose some representative ones of a large panel.
    train : int, float, str, datetime or None, default=None
        Which rows to fit on, as in :func:`detect_panel`; 0 for all.

    Returns
    -------
    object
        Fitted, with the names of the channels as its ``feature_names_in_``, if they
        have any. Of its parameters, `period` is the one of the recordings, and
        `contamination`, if it is a number, a share of all rows, the breaks included.
        To a threshold of :mod:`skcoad.thresholds` breaks do not count; a thresholder of
        PyOD or pythresh sees their low scores among the others.
        The times of its training rows, if the spacing of the recordings is known and
        the same, are counted from the first of them.

    Raises
    ------
    TypeError
        If the detector does not mask missing values.
    ValueError
        If the channels differ, a recording is shorter than a window or has irregular
        times, or `contamination` is a rate in time and the spacing of the recordings
        unknown or not the same.

    Notes
    -----
    Unless it is given, the period is the median of the dominant periods of the
    recordings, each weighted by its length; recordings in which nothing repeats have no
    part in it.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.panel import detect_panel, fit_recordings
    >>> rng = np.random.default_rng(0)
    >>> t = np.arange(600)
    >>> pumps = {
    ...     f"pump {i}": np.sin(2 * np.pi * t / 25 + i) + 0.1 * rng.normal(size=600)
    ...     for i in range(3)
    ... }
    >>> detector = fit_recordings(NeighborsDetector(), pumps, train=300)
    >>> detector.period_
    25
    >>> pumps["pump 1"][450:470] = 0
    >>> found = detect_panel(pumps, detector, train=300, threshold=4.0)
    >>> found.series[0], bool(440 < found.peak[0] < 480)
    ('pump 1', True)
    """
    if getattr(detector, "missing", None) != "mask":
        raise TypeError(
            "fit_recordings needs a detector that masks missing values, such as "
            f"NeighborsDetector(missing='mask'), got {detector!r}"
        )
    check_train(train)
    panel = open_panel(recordings)
    series, channels = align_channels(
        panel.names, [panel.read(index) for index in range(len(panel.names))]
    )
    n_rows = [n_training_rows(one, train) or len(one.values) for one in series]
    training = list(zip(panel.names, series, n_rows, strict=True))
    grids = [_grid(name, one, n) for name, one, n in training]
    parts = [
        insert_missing_rows(one.values[:n], grid)[0]
        for (_, one, n), grid in zip(training, grids, strict=True)
    ]
    detector = clone(detector)
    if detector.period == "auto":
        detector.period = common_period(parts)
        given = detector.get_params(deep=False).get("window_size", "auto")
        if given != "auto":  # it bounds the period, as in a fit to one series
            detector.period = min(detector.period, int(given))
    window_size = _window_size(detector)
    for name, part in zip(panel.names, parts, strict=True):
        if len(part) < window_size:
            raise ValueError(
                f"recording {name} has {len(part)} rows to fit on, fewer than a window "
                f"of {window_size}; leave it out or give a shorter period"
            )
    interval = _common_interval(panel.names, grids, detector.contamination)
    if interval is None and all(grid is not None and grid.interval for grid in grids):
        warn_user(
            "the recordings have different spacings, and a period of one is none of "
            "another: resample them, or fit a detector for each spacing",
            UserWarning,
        )
    joined = join_recordings(parts, gap=window_size)
    if isinstance(detector.contamination, Real):
        detector.contamination *= sum(map(len, parts)) / len(joined)
    return detector.fit(_frame(joined, channels, interval))


def common_period(recordings: Sequence[FloatArray]) -> int:
    """Period of most rows of some recordings.

    Parameters
    ----------
    recordings : sequence of ndarray of shape (n_timestamps, n_channels)
        Of any lengths.

    Returns
    -------
    int
        The median of their dominant periods, weighted by their lengths, of those that
        fit twice into every recording; where there is none,
        :func:`skcoad.preprocessing.fallback_period` of their mean length.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.panel._recordings import common_period
    >>> wave = np.sin(2 * np.pi * np.arange(1000)[:, None] / 25)
    >>> common_period([wave[:300], wave, wave[::2], np.zeros((9000, 1))])
    25
    """
    found = {
        number: period
        for number, recording in enumerate(recordings)
        if (period := normal_dominant_period(recording)) is not None
    }
    # All are fitted to by windows of this period.
    longest = min(map(len, recordings)) // 2
    found = {number: period for number, period in found.items() if period <= longest}
    if not found:
        return fallback_period(sum(map(len, recordings)) // len(recordings))
    numbers = sorted(found, key=lambda number: found[number])
    rows = np.cumsum([len(recordings[number]) for number in numbers])
    return found[numbers[int(np.searchsorted(rows, rows[-1] / 2))]]


def _grid(name: str, recording: Series, n_rows: int) -> Grid | None:
    """The grid of the first rows of a recording."""
    try:
        return regular_grid(to_frame(recording)[:n_rows])
    except ValueError as error:
        raise ValueError(f"recording {name}: {error}") from None


def _common_interval(
    names: Sequence[str], grids: Sequence[Grid | None], contamination: Any
) -> float | None:
    """Mean seconds between rows, if they are known and all recordings have one spacing.

    Raises
    ------
    ValueError
        If not, and the threshold is a rate in time.
    """
    known = [grid for grid in grids if grid is not None]
    intervals = [grid.interval for grid in known if grid.interval is not None]
    if len(intervals) == len(grids):
        # The mean of business days depends on how many weekends are among them.
        same = len({grid.spacing for grid in known}) == 1
        if same or np.ptp(intervals) <= SAME_SPACING * min(intervals):
            steps = [len(grid.times) - 1 for grid in known]
            return float(np.average(intervals, weights=steps))
    if not isinstance(contamination, ScoreThreshold):
        return None
    rate = contamination.false_alarms
    if parse_rate(rate)[-1] == "row":
        return None
    if len(intervals) < len(grids):
        problem = f"recording {names[grids.index(None)]} has none"
    else:
        shortest, longest = int(np.argmin(intervals)), int(np.argmax(intervals))
        problem = (
            f"those of recording {names[shortest]} are {intervals[shortest]:g} seconds "
            f"apart, and those of recording {names[longest]} {intervals[longest]:g}"
        )
    raise ValueError(
        f"false_alarms={rate!r} needs times of the rows with one spacing, and {problem}"
    )


def _frame(
    joined: NDArray[np.floating[Any]],
    channels: tuple[str, ...] | None,
    interval: float | None,
) -> pd.DataFrame | NDArray[np.floating[Any]]:
    """Joined recordings with the names of their channels and regular times."""
    import pandas as pd

    if channels is None and interval is None:
        return joined
    index = None
    if interval is not None:
        index = pd.TimedeltaIndex(duration_of(interval) * np.arange(len(joined)))
    columns = None if channels is None else list(channels)
    return pd.DataFrame(joined, index=index, columns=columns, copy=False)


def _window_size(detector: Any) -> int:
    """Longest window that a detector of a given period has."""
    parameters = detector.get_params(deep=False)
    sizes = {name: parameters[name] for name in WINDOW_PARAMETERS if name in parameters}
    series = np.broadcast_to(np.float64(0), (LONG, 1))
    return plan_windows(series, period=detector.period, **sizes).window_size
