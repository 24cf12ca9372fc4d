import numpy as np
import pandas as pd
import pytest

from skcoad import NeighborsDetector
from skcoad.thresholds import PeaksOverThreshold, events_per_row, sampling_interval
from skcoad.thresholds._rate import in_seconds


@pytest.mark.parametrize(
    ("text", "interval", "rows"),
    [
        ("1 per 10000 rows", None, 10_000),
        ("1 per 1e4 rows", None, 10_000),
        ("  2  per 1000 row ", None, 500),
        ("0.5 per 100 rows", None, 200),
        ("1 per week", 60.0, 7 * 24 * 60),
        ("1 per 12 hours", 3600.0, 12),
        ("3 per Day", 3600.0, 8),
        ("1 per month", 86_400.0, 30.4375),
        ("1 per year", 86_400.0, 365.25),
        ("1 per 90 seconds", 0.5, 180),
        ("1 per minute", 1.0, 60),
    ],
)
def test_a_rate_is_read_in_rows_and_in_time(text, interval, rows):
    assert 1 / events_per_row(text, interval) == pytest.approx(rows)


@pytest.mark.parametrize("text", ["", "1", "often", "1 per moon", "-1 per day", "per"])
def test_what_is_no_rate_is_an_error_that_shows_how_to_write_one(text):
    with pytest.raises(ValueError, match="is no rate; write '1 per 10000 rows'"):
        events_per_row(text, 1.0)


@pytest.mark.parametrize(
    "text",
    ["0 per day", "2 per 2 rows", "1 per row", "1 per 1e999 rows", "1e999 per day"],
)
def test_none_or_one_in_every_row_is_an_error(text):
    with pytest.raises(ValueError, match="less than one a row, and at least one in"):
        events_per_row(text, 1.0)


@pytest.mark.parametrize("text", ["0 per day", "1 per 0 weeks", "1e999 per day"])
def test_no_rate_with_any_data_is_known_without_times(text):
    with pytest.raises(ValueError, match="must be less than one a row, and at least"):
        events_per_row(text)


def test_a_rate_in_time_needs_an_interval():
    with pytest.raises(ValueError, match="needs the times of the rows"):
        events_per_row("1 per week")


@pytest.mark.parametrize("kind", [pd.Timedelta, pd.Timedelta.to_pytimedelta])
def test_an_interval_may_be_a_duration(kind):
    assert events_per_row("1 per day", "1h") == events_per_row("1 per day", 3600)
    hour = kind(pd.Timedelta("1h"))
    assert events_per_row("1 per day", hour) == pytest.approx(1 / 24)
    assert events_per_row("1 per day", np.timedelta64(hour)) == pytest.approx(1 / 24)


@pytest.mark.parametrize("interval", [0, -3600.0, np.inf, np.nan, None, pd.NaT])
def test_an_interval_that_is_no_time_above_0_is_an_error(interval):
    with pytest.raises(ValueError, match="must be seconds above 0, or a duration such"):
        in_seconds(interval)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("60", "interval='60' has no unit, as '60s' has"),
        ("often", "interval='often' is no duration, as '60s' is"),
        ("-1h", "interval='-1h' is not above 0"),
        ("", "interval='' is no"),
    ],
)
def test_text_that_is_no_duration_is_an_error(text, message):
    with pytest.raises(ValueError, match=message):
        events_per_row("1 per day", text)


@pytest.mark.parametrize(
    "times",
    [
        pd.bdate_range("2026-01-01", periods=261),
        pd.date_range("2026-01-01", periods=48, freq="MS", tz="Europe/Berlin"),
        pd.date_range("2026-01-01", periods=99, freq="h").delete([5, 6]),
    ],
)
def test_the_interval_is_that_of_detectors(times, wave):
    X = pd.DataFrame(wave(len(times), period=4), index=times)
    detector = NeighborsDetector(
        period=4, contamination=PeaksOverThreshold("1 per 40 years", held_back=0)
    )
    assert sampling_interval(times) == detector.fit(X).thresholder_.interval_


def test_where_there_is_no_grid_the_interval_is_the_median_of_the_times():
    steps = pd.to_timedelta([0, 60, 97, 157, 217, 248, 308], unit="s")
    assert sampling_interval(steps) == 60.0
    assert sampling_interval(steps.append(steps[-1:])) == 60.0  # one is there twice


def test_the_interval_is_known_of_times_of_any_kind():
    times = pd.date_range("2026-01-01", periods=9, freq="min")
    assert sampling_interval(times) == 60.0
    assert sampling_interval(times.delete(4)) == 60.0
    assert sampling_interval(times.to_numpy()) == 60.0
    assert sampling_interval(times.tz_localize("Europe/Berlin")) == 60.0
    assert sampling_interval(times - times[0]) == 60.0
    of_arrow = times.tz_localize("UTC").astype("timestamp[ns, UTC][pyarrow]")
    assert sampling_interval(of_arrow) == 60.0
    assert sampling_interval(pd.period_range("2026-01-01", periods=3, freq="h")) == 3600


@pytest.mark.parametrize(
    "times", [None, pd.RangeIndex(9), np.arange(3.0), pd.date_range("2026", periods=1)]
)
def test_what_is_no_time_has_no_interval(times):
    assert sampling_interval(times) is None
