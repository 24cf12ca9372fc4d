"""A labelled series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skcoad._arguments import check_sequence
from skcoad._series import check_length, check_series, check_train_length
from skcoad._text import list_text
from skcoad._time import in_utc, time_index, zone_name

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Series:
    """A labelled time series with its metadata.

    Parameters
    ----------
    values : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
        The observations in time order; stored as float64 with one column for
        each channel. Missing observations are NaN.
    labels : array-like of shape (n_timestamps,)
        1 where a point belongs to an anomaly, 0 elsewhere; stored as int64.
    train_length : int
        Number of leading points for training; 0 if the source defines no training
        part.
    name : str
        Name of the series in tables and plots.
    channel_names : sequence of str, default=()
        One name for each channel; ``channel_0``, ``channel_1``, ... when empty.
    timestamps : array-like of shape (n_timestamps,), default=None
        Time of each observation, if known; of an index with a time zone, stored in UTC.
    notes : sequence of str, default=()
        What a reader recognised and did, in words: spacing, columns of labels, missing
        rows.
    timezone : str, default=None
        Zone of the timestamps, which are then of UTC, such as ``"Europe/Berlin"`` or
        ``"UTC+02:00"``; that of `timestamps`, if they have one. `index` is in it.

    Raises
    ------
    ValueError
        If the lengths do not agree, a label is neither 0 nor 1, the train length is
        not between 0 and the number of timestamps, `channel_names` or `notes` are text,
        a timestamp is missing, or a zone is unknown or of timestamps that are no dates.

    Examples
    --------
    >>> from skcoad.datasets import Series
    >>> series = Series([1.0, 2.0, 9.0, 2.0], [0, 0, 1, 0], 2, "four points")
    >>> series.values.shape, series.channel_names
    ((4, 1), ('channel_0',))
    >>> series.test_labels
    array([1, 0])
    """

    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    train_length: int
    name: str
    channel_names: tuple[str, ...] = ()
    timestamps: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    timezone: str | None = None

    def __post_init__(self) -> None:
        values = check_series(self.values, f"{self.name}: values")
        n_timestamps, n_channels = values.shape

        labels = np.asarray(self.labels)
        check_length(labels, f"{self.name}: labels", n_timestamps)
        invalid = labels[~np.isin(labels, (0, 1))]
        if invalid.size:
            found = invalid.tolist()[0]
            raise ValueError(f"{self.name}: labels must be 0 or 1, got {found!r}")

        check_train_length(
            self.train_length, f"{self.name}: train_length", n_timestamps
        )

        check_sequence(f"{self.name}: channel_names", self.channel_names)
        check_sequence(f"{self.name}: notes", self.notes, "lines")
        names = tuple(self.channel_names) or tuple(
            f"channel_{channel}" for channel in range(n_channels)
        )
        if len(names) != n_channels:
            raise ValueError(
                f"{self.name}: {n_channels} channels but {len(names)} channel names"
            )

        timestamps, zone = _without_zone(self.timestamps, self.timezone)
        if timestamps is not None:
            check_length(timestamps, f"{self.name}: timestamps", n_timestamps)
            if timestamps.dtype.kind in "fmM" and np.isnan(timestamps).any():
                row = int(np.isnan(timestamps).argmax())
                raise ValueError(f"{self.name}: the timestamp of row {row} is missing")
        if zone is not None:
            _check_zone(timestamps, zone, self.name)

        # The documented way to set a field of a frozen dataclass.
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "train_length", int(self.train_length))
        object.__setattr__(self, "channel_names", names)
        object.__setattr__(self, "timestamps", timestamps)
        object.__setattr__(self, "timezone", zone)
        object.__setattr__(self, "notes", tuple(self.notes))

    def __repr__(self) -> str:
        n_timestamps, n_channels = self.values.shape
        return (
            f"Series({self.name!r}, {n_timestamps} timestamps, "
            f"{n_channels} channel(s), train_length={self.train_length}, "
            f"{int(self.labels.sum())} anomalous)"
        )

    @property
    def train(self) -> NDArray[np.float64]:
        """The training part, of shape (train_length, n_channels)."""
        return self.values[: self.train_length]

    @property
    def test(self) -> NDArray[np.float64]:
        """The part after the training part."""
        return self.values[self.train_length :]

    @property
    def test_labels(self) -> NDArray[np.int64]:
        """The labels of `test`."""
        return self.labels[self.train_length :]

    @property
    def index(self) -> pd.Index[Any] | None:
        """The timestamps in their time zone; None if they are not known."""
        if self.timestamps is None:
            return None
        index: pd.Index[Any] = zoned_index(self.timestamps, self.timezone)
        return index


def zoned_index(times: NDArray[Any], zone: str | None) -> Any:
    """Make an index of times; if there is a zone, they are of UTC, and shown in it."""
    import pandas as pd

    index: Any = pd.Index(times)
    return index if zone is None else index.tz_localize("UTC").tz_convert(zone)


def _without_zone(
    timestamps: Any, zone: str | None
) -> tuple[NDArray[Any] | None, str | None]:
    """Timestamps as an array, and the zone that they have or are said to be of."""
    if timestamps is None:
        return None, zone
    index = time_index(timestamps)
    if getattr(index, "tz", None) is None:
        return np.asarray(timestamps), zone
    return in_utc(index).to_numpy(), zone_name(index.tz)


def _check_zone(timestamps: NDArray[Any] | None, zone: str, name: str) -> None:
    import pandas as pd

    if timestamps is None or timestamps.dtype.kind != "M":
        raise ValueError(f"{name}: the zone {zone} needs timestamps that are dates")
    try:
        pd.Timestamp(0, tz=zone)
    except Exception:  # whatever a library of zones raises
        raise ValueError(f"{name}: there is no time zone {zone!r}") from None


def with_columns(series: Series, names: Sequence[str]) -> Series:
    """Select channels of a series by their names.

    Raises
    ------
    ValueError
        If there is no such channel.
    """
    for name in names:
        if name not in series.channel_names:
            raise ValueError(
                f"{series.name} has no column {name!r} of values, only "
                f"{', '.join(series.channel_names)}"
            )
    columns = [series.channel_names.index(name) for name in names]
    return replace(series, values=series.values[:, columns], channel_names=tuple(names))


def unobserved_channels(series: Series, start: int = 0) -> list[str]:
    """Names of the channels that have no value, from a row on.

    Examples
    --------
    >>> from skcoad.datasets import Series
    >>> from skcoad.datasets._series import unobserved_channels
    >>> nan = float("nan")
    >>> series = Series([[1, nan], [2, nan]], [0, 0], 0, "pump", ["flow", "heat"])
    >>> unobserved_channels(series)
    ['heat']
    """
    return _names(series, _is_empty(series, start))


def without_empty_channels(series: Series) -> Series:
    """Leave out the channels that have no value, unless none has one.

    Returns
    -------
    series : Series
        A note names what was left out.
    """
    empty = _is_empty(series)
    if empty.all() or not empty.any():
        return series
    return replace(
        series,
        values=series.values[:, ~empty],
        channel_names=tuple(_names(series, ~empty)),
        notes=(*series.notes, f"empty, left out: {list_text(_names(series, empty))}"),
    )


def _is_empty(series: Series, start: int = 0) -> NDArray[np.bool_]:
    return np.asarray(np.isnan(series.values[start:]).all(axis=0))


def _names(series: Series, chosen: NDArray[np.bool_]) -> list[str]:
    return list(compress(series.channel_names, chosen))


def known_names(series: Series) -> tuple[str, ...] | None:
    """Return the names of the channels, if they tell one channel from another.

    Parameters
    ----------
    series : Series
        The series.

    Returns
    -------
    tuple of str or None
        None if the names are those of the positions, if two are equal, or if the name
        of the only channel is that of the series, as in a frame of one series in each
        column.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.datasets import Series
    >>> from skcoad.datasets._series import known_names
    >>> known_names(Series(np.ones((9, 2)), np.zeros(9), 0, "pump", ["flow", "heat"]))
    ('flow', 'heat')
    >>> known_names(Series(np.ones(9), np.zeros(9), 0, "pump", ["pump"]))
    """
    names = series.channel_names
    by_position = tuple(f"channel_{i}" for i in range(len(names)))
    if names in (by_position, (series.name,)) or len(set(names)) < len(names):
        return None
    return names


def to_frame(series: Series) -> pd.DataFrame:
    """Make a DataFrame of the values, with the timestamps, if known, as its index.

    Rows whose times repeat or decrease are taken by position.

    Examples
    --------
    >>> from skcoad.datasets import Series
    >>> from skcoad.datasets._series import to_frame
    >>> to_frame(Series([1.0, 2.0], [0, 0], 0, "pump", ["flow"], timestamps=[10, 20]))
        flow
    10   1.0
    20   2.0
    """
    import pandas as pd

    index = series.index
    times = time_index(index)
    if times is not None and not (times.is_monotonic_increasing and times.is_unique):
        index = None
    return pd.DataFrame(
        series.values, columns=list(series.channel_names), index=index, copy=False
    )
