from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad._spacing import find_grid
from skcoad._time import duration_text, time_index, time_text

START = np.datetime64("2024-01-31T10:00:00")


@st.composite
def gapped(draw):
    """Positions on a grid, mostly without gaps, and its spacing in seconds."""
    steps = draw(st.lists(st.sampled_from([1] * 8 + [2, 3]), min_size=1, max_size=60))
    return np.cumsum([0, *steps, 1, 1]), draw(st.sampled_from([1, 60, 900, 3600]))


@given(gapped(), st.sampled_from(["M8[s]", "M8[ns]", "m8[us]", "i8", "f8"]))
def test_the_grid_is_the_one_that_rows_were_taken_from(drawn, dtype):
    positions, seconds = drawn
    every = np.arange(positions[-1] + 1) * seconds
    if dtype[0] == "M":
        every = START + every.astype("m8[s]")
    elif dtype[0] == "m":
        every = every.astype("m8[s]")
    every = every.astype(dtype)
    grid = find_grid(every[positions])
    np.testing.assert_array_equal(grid.rows, positions)
    np.testing.assert_array_equal(grid.times, every)
    assert grid.n_missing == len(every) - len(positions)


@pytest.mark.parametrize("freq", ["D", "7D", "MS", "ME", "QS", "QE", "YS", "YE", "B"])
def test_calendar_spacings_are_regular_and_their_gaps_are_found(freq):
    every = pd.date_range("2023-01-01", periods=24, freq=freq).to_numpy()
    grid = find_grid(every)
    np.testing.assert_array_equal(grid.rows, np.arange(24))
    kept = np.delete(np.arange(24), [3, 10, 11])
    grid = find_grid(every[kept])
    np.testing.assert_array_equal(grid.rows, kept)
    np.testing.assert_array_equal(grid.times, every)


def test_a_clock_may_jitter_and_drift():
    rng = np.random.default_rng(0)
    seconds = np.cumsum(np.full(5000, 60.4)) + rng.uniform(-6, 6, size=5000)
    times = START + (1000 * seconds).astype("m8[ms]")
    grid = find_grid(times)
    np.testing.assert_array_equal(grid.rows, np.arange(5000))
    np.testing.assert_array_equal(grid.times, times)


@pytest.mark.parametrize(("n_rows", "jitter"), [(20, 0.2), (200, 0.24), (5000, 0.24)])
@pytest.mark.parametrize("spacing", [60, 59.6])
def test_times_may_be_off_by_a_quarter_of_the_spacing(n_rows, jitter, spacing):
    rng = np.random.default_rng(0)
    rows = np.delete(np.arange(n_rows + 4), [3, 10, 11, 12])
    seconds = spacing * (rows + rng.uniform(-jitter, jitter, size=n_rows))
    grid = find_grid(START + (1000 * seconds).astype("m8[ms]"))
    np.testing.assert_array_equal(grid.rows, rows)


def test_random_times_are_on_no_grid():
    for seed in range(200):
        times = np.cumsum(np.random.default_rng(seed).uniform(1, 4, size=20))
        with pytest.raises(ValueError, match=r"no regular spacing|rows are missing"):
            find_grid(times)


def test_a_logger_may_go_on_out_of_phase():
    seconds = np.array([0, 60, 120, 180, 450, 510, 570])
    np.testing.assert_array_equal(find_grid(seconds).rows, [0, 1, 2, 3, 7, 8, 9])


def test_where_most_rows_are_missing_the_smallest_step_is_the_spacing():
    np.testing.assert_array_equal(
        find_grid(np.array([0, 20, 30, 50, 80, 100])).rows, [0, 2, 3, 5, 8, 10]
    )


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0, 17, 21, 64, 71], "no regular spacing: rows are mostly 7 apart, but"),
        ([0, 1, 2, 1000], "most rows are missing: 4 of 1001 are there, and between 2 "),
        (
            ["1924-01", *np.arange("2024-01", "2024-06", dtype="M8[M]").astype(str)],
            "of 1 month, most rows are missing: 6 of 1205 are there, and between 1924",
        ),
        (
            ["1924-01-01", *np.busday_offset("2024-01-01", np.arange(11)).astype(str)],
            "of 1 business day, most rows are missing: 12 of 26100 are there",
        ),
    ],
)
def test_times_without_a_grid_are_an_error_that_says_where(times, message):
    times = np.array(times)
    if times.dtype.kind == "U":
        times = times.astype("M8[D]").astype("M8[s]")
    with pytest.raises(ValueError, match=message):
        find_grid(times)


def test_times_of_which_some_have_no_zone_are_refused():
    east = timezone(timedelta(hours=5))
    times = [datetime(2024, 1, 1, tzinfo=east), datetime(2024, 1, 2)]
    with pytest.raises(ValueError, match="some of the times have a zone, and others"):
        time_index(pd.Index(times, dtype=object))
    known = time_index(pd.Index([times[0], pd.NaT], dtype=object))
    assert known[0] == pd.Timestamp("2023-12-31 19:00", tz="UTC")


def test_one_time_is_a_grid():
    assert find_grid(np.array([5])).n_missing == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(86400, "1 d"), (3600, "1 h"), (900, "15 min"), (90, "90 s"), (60.5, "60.5 s"),
     (0.25, "250 ms"), (0.0000015, "0.0015 ms")],
)  # fmt: skip
def test_durations_are_in_their_largest_whole_unit(seconds, text):
    assert duration_text(np.timedelta64(round(seconds * 1e9), "ns")) == text


def test_numbers_are_written_as_they_are():
    assert (duration_text(0.1), time_text(3)) == ("0.1", "3")


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2024-01-31T10:00:00.000", "2024-01-31 10:00"),
        ("2024-01-31T10:00:01", "2024-01-31 10:00:01"),
        ("2024-01-31T10:00:01.250000", "2024-01-31 10:00:01.250"),
        ("2024-01-31T10:00:01.000001", "2024-01-31 10:00:01.000001"),
    ],
)
def test_times_are_written_without_zeros_at_their_end(time, text):
    assert time_text(np.datetime64(time)) == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [("UTC", "2024-01-31 23:00:00.500+00:00"),
     ("UTC-03:00", "2024-01-31 20:00:00.500-03:00"),
     ("Europe/Berlin", "2024-02-01 00:00:00.500+01:00")],
)  # fmt: skip
def test_times_of_a_zone_are_written_with_their_offset(zone, text):
    assert time_text(np.datetime64("2024-01-31T23:00:00.500"), zone) == text


def test_times_of_day_are_written_as_durations():
    assert time_text(np.timedelta64(90, "s")) == "90 s"
