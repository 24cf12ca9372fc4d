import dataclasses
from datetime import timedelta, timezone

import dateutil.tz
import numpy as np
import pandas as pd
import pytest

from skcoad.datasets import Series
from skcoad.datasets._series import to_frame


def test_one_channel_becomes_a_column():
    series = Series([1, 2, 3], [0, 1, 0], 1, "s")
    assert series.values.shape == (3, 1)
    assert series.values.dtype == np.float64
    assert series.labels.dtype == np.int64
    assert series.channel_names == ("channel_0",)


def test_parts_join_to_the_whole():
    values = np.arange(12.0).reshape(6, 2)
    series = Series(values, [0, 0, 0, 1, 1, 0], 2, "s", ("a", "b"))
    np.testing.assert_array_equal(np.vstack([series.train, series.test]), values)
    np.testing.assert_array_equal(series.test_labels, [0, 1, 1, 0])


def test_fields_cannot_be_set():
    series = Series([1.0], [0], 0, "s")
    with pytest.raises(dataclasses.FrozenInstanceError):
        series.name = "other"


def test_repr_is_one_short_line():
    assert repr(Series(np.zeros(1000), np.zeros(1000), 10, "s")) == (
        "Series('s', 1000 timestamps, 1 channel(s), train_length=10, 0 anomalous)"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], 0), r"not be empty, got \(0, 1\)"),
        ((np.zeros((2, 2, 2)), [0, 0], 0), r"got \(2, 2, 2\)"),
        (([1, 2], [0], 0), r"labels must have shape \(2,\), got \(1,\)"),
        (([1, 2], [0, 2], 0), "labels must be 0 or 1, got 2"),
        (([1, 2], ["0", "1"], 0), "labels must be 0 or 1, got '0'"),
        (([1, 2], [0, np.nan], 0), "labels must be 0 or 1, got nan"),
        (([1, 2], [0, 1], 3), "between 0 and the 2 timestamps, got 3"),
        (([1, 2], [0, 1], -1), "got -1"),
        (([1, 2], [0, 1], 0, ("a", "b")), "1 channels but 2 channel names"),
        (([1, 2], [0, 1], 0, "a"), "names must be a sequence of names, got 'a'"),
        (([1, 2], [0, 1], 0, (), None, "a"), "notes must be a sequence of lines, got"),
        (([1, 2], [0, 1], 0, (), [1]), r"timestamps must have shape \(2,\)"),
        (([1, 2], [0, 1], 0, (), [1, 2], (), "UTC"), "UTC needs timestamps that are"),
        (([1, 2], [0, 1], 0, (), None, (), "UTC"), "UTC needs timestamps that are"),
        (
            ([1, 2], [0, 1], 0, (), np.array([1, 2], "M8[s]"), (), "Moon/Base"),
            "there is no time zone 'Moon/Base'",
        ),
    ],
)
def test_inconsistent_arguments_are_errors(arguments, message):
    values, labels, train_length, *rest = arguments
    with pytest.raises(ValueError, match=message):
        Series(values, labels, train_length, "s", *rest)


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
        (timezone(timedelta(hours=-3)), "UTC-03:00"),
        (dateutil.tz.tzoffset("local", 7200), "UTC+02:00"),
        (dateutil.tz.gettz("Europe/Berlin"), "UTC"),  # it has no name
    ],
)
def test_timestamps_with_a_zone_are_kept_in_utc_with_its_name(zone, name):
    hours = pd.date_range("2024-10-27", periods=4, freq="h", tz=zone)
    series = Series(np.zeros(4), np.zeros(4), 0, "s", timestamps=hours)
    assert series.timezone == name
    np.testing.assert_array_equal(series.timestamps, hours.tz_convert(None))
    assert series.index.tolist() == hours.tolist()
    again = dataclasses.replace(series, name="again")
    pd.testing.assert_index_equal(again.index, series.index)
    assert to_frame(series).index.equals(series.index)


def test_timestamps_without_a_zone_are_an_index_without_one():
    series = Series(np.zeros(4), np.zeros(4), 0, "s", timestamps=HOURS)
    assert series.timezone is None
    assert series.index.tolist() == HOURS.tolist()
    assert Series(np.zeros(4), np.zeros(4), 0, "s").index is None


HOURS = pd.date_range("2024-01-01", periods=4, freq="h")


@pytest.mark.parametrize(
    ("timestamps", "kept"),
    [
        (HOURS, True),
        (HOURS[[0, 1, 3, 2]], False),
        (HOURS[[0, 1, 1, 2]], False),
        (HOURS[::-1] - HOURS[0], False),
        ([3, 1, 2, 2], True),  # no times
        (["c", "b", "a", "a"], True),
    ],
)
def test_rows_whose_times_do_not_increase_are_taken_by_position(timestamps, kept):
    frame = to_frame(Series(np.arange(4.0), np.zeros(4), 0, "s", (), timestamps))
    expected = timestamps if kept else range(4)
    assert frame.index.tolist() == list(expected)
