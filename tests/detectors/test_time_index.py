"""Times of frames: missing rows are missing values, and never an alarm."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoad import NeighborsDetector
from skcoad._grid import regular_grid
from skcoad._time import time_index
from skcoad.plotting import plot_scores
from skcoad.thresholds import PeaksOverThreshold

HOLE = np.arange(310, 337)  # more than a period, and no multiple of one


@pytest.fixture(scope="module")
def frame(wave):
    hours = pd.date_range("2024-01-01", periods=500, freq="h")
    return pd.DataFrame(wave(500, 2), columns=["a", "b"], index=hours)


@pytest.fixture(scope="module")
def detector(frame):
    return NeighborsDetector(period=25).fit(frame[:250])


@pytest.fixture(scope="module")
def kept():
    return np.delete(np.arange(500), HOLE)


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame,
        lambda frame: frame.tz_localize("Europe/Berlin", nonexistent="shift_forward"),
        lambda frame: frame.to_period("h"),
        lambda frame: frame.set_index(frame.index - frame.index[0]),
        lambda frame: xr.DataArray(
            frame.to_numpy(), {"time": frame.index.to_numpy(), "c": list(frame)}
        ),
    ],
    ids=["naive", "zone", "periods", "durations", "xarray"],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_missing_rows_are_missing_values(detector, frame, kept, convert):
    filled = frame.copy()
    filled.iloc[HOLE] = np.nan
    holed = convert(frame.iloc[kept])
    np.testing.assert_array_equal(
        detector.decision_function(holed), detector.decision_function(filled)[kept]
    )
    np.testing.assert_array_equal(
        detector.channel_scores(holed), detector.channel_scores(filled)[kept]
    )
    for own, other in zip(
        detector.explain(holed).components,
        detector.explain(filled).components,
        strict=True,
    ):
        for component, whole in zip(own, other, strict=True):
            np.testing.assert_array_equal(component, whole[kept])


def in_zone(times, zone):
    """Times of a clock, of two the first; times in UTC in another zone."""
    if times.tz is not None:
        return times.tz_convert(zone)
    return times.tz_localize(zone, ambiguous=np.full(len(times), True))


ZONES = [None, "UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("time", ["00:00", "01:30"])
@pytest.mark.parametrize("freq", ["B", "MS", "ME", "QS", "D", "7D", "h"])
def test_days_and_months_are_those_of_the_clock(zone, freq, time):
    every = pd.date_range(f"2026-01-01 {time}", periods=400, freq=freq)
    if freq == "h":
        every = every.tz_localize("UTC")
    # New York's clock shows 01:30 of the first of November 2026 twice.
    every = in_zone(every, zone)
    kept = np.delete(np.arange(400), [3, 10, 11])
    for rows in (np.arange(400), kept):
        grid = regular_grid(pd.Series(0.0, index=every[rows]))
        np.testing.assert_array_equal(grid.rows, rows)
        np.testing.assert_array_equal(grid.times[rows], every[rows])
        assert grid.times.dtype == every.dtype
        if freq != "h":
            np.testing.assert_array_equal(grid.times.date, every.date)


def test_rows_at_a_time_that_the_clock_shows_twice_stay_where_they_are():
    every = pd.date_range("2026-01-01 01:30", periods=24, freq="MS")
    every = in_zone(every, "America/New_York")
    given = every.where(every.month != 11, every + pd.Timedelta("1h"))
    november = given[10]
    assert november.tz_localize(None) == every[10].tz_localize(None)
    assert (regular_grid(pd.Series(0.0, index=given)).times == given).all()


@pytest.mark.parametrize("zone", ZONES)
def test_business_days_of_any_zone_have_no_weekends(wave, zone):
    days = pd.bdate_range("2021-01-01", periods=600, tz=zone)
    frame = pd.DataFrame(wave(600), index=days)
    detector = NeighborsDetector().fit(frame)
    assert detector.period_ == 25
    assert detector.training_times_.equals(days)


def in_arrow(frame, kind):
    return frame.set_axis(frame.index.astype(f"{kind}[pyarrow]"))


@pytest.mark.parametrize(
    "kind",
    ["timestamp[ns]", "timestamp[us, UTC]", "timestamp[s, UTC]", "duration[ns]"],
)
def test_times_of_arrow_are_times(frame, kept, kind):
    index = frame.index
    if kind.startswith("duration"):
        index = index - index[0]
    elif "," in kind:
        index = index.tz_localize("UTC")
    holed = frame.set_axis(index)[["a"]].iloc[kept]
    of_arrow = in_arrow(holed, kind)
    threshold = PeaksOverThreshold("1 per 20 days", held_back=0)
    own, other = (
        NeighborsDetector(period=25, contamination=threshold).fit(X)
        for X in (holed, of_arrow)
    )
    assert len(other.training_times_) == 500
    assert own.thresholder_.interval_ == other.thresholder_.interval_
    np.testing.assert_array_equal(own.decision_scores_, other.decision_scores_)
    found, found_too = (own.find_segments(X, threshold=0.5) for X in (holed, of_arrow))
    pd.testing.assert_frame_equal(found, found_too, check_dtype=False)
    assert other.explain(of_arrow, stop=100).summary()
    assert other.explain(of_arrow, stop=100).plot()
    assert other.report(of_arrow).html
    whole = frame.set_axis(index)[["a"]]
    reports = [own.report(X, title="a") for X in (whole, in_arrow(whole, kind))]
    assert reports[0].html == reports[1].html
    figures = [plot_scores(X, np.zeros(len(X))) for X in (holed, of_arrow)]
    limits = [figure.axes[0].get_xlim() for figure in figures]
    assert limits[0] == limits[1]
    with pytest.raises(ValueError, match="not sorted: row 1"):
        other.decision_function(of_arrow[::-1])


@pytest.mark.parametrize(
    "convert",
    [
        lambda days: days.date,
        lambda days: days.to_pydatetime().astype(object),
        lambda days: days.tz_localize("Asia/Tokyo").astype(object),
        lambda days: days.astype("category"),
        lambda days: pd.Categorical(days.date),
        lambda days: days.to_period("D").astype("category"),
    ],
    ids=["dates", "datetimes", "zone", "categories", "of dates", "of periods"],
)
def test_objects_and_categories_of_times_are_times(frame, kept, convert):
    days = pd.date_range("2024-01-01", periods=500)
    holed = frame.set_axis(pd.Index(convert(days)))[["a"]].iloc[kept]
    threshold = PeaksOverThreshold("1 per year", held_back=0)
    fitted = NeighborsDetector(period=25, contamination=threshold).fit(holed)
    assert fitted.thresholder_.interval_ == 24 * 3600
    assert (fitted.training_times_.tz_localize(None) == days).all()
    found = fitted.find_segments(holed, threshold=0.1)
    assert found["peak"].isin(holed.index).all()
    with pytest.raises(ValueError, match="not sorted: row 1"):
        fitted.decision_function(holed[::-1])


@pytest.mark.parametrize("labels", [["a", "b"], [1, None], [1.5, "2024-01-01"]])
def test_numbers_and_text_are_no_times(labels):
    index = pd.Index(labels, dtype=object)
    assert time_index(index) is time_index(index.astype("category")) is None


def test_datetimes_of_several_offsets_are_in_utc():
    offsets = [dt.timezone(dt.timedelta(hours=hours)) for hours in (1, 2)]
    index = [dt.datetime(2024, 3, 31, 1 + i, tzinfo=offsets[i]) for i in (0, 1)]
    assert time_index(pd.Index(index, dtype=object)).hour.tolist() == [0, 0]


def test_dates_of_arrow_are_times(frame):
    days = pd.bdate_range("2024-01-01", periods=500)
    of_arrow = frame.set_axis(days.astype("date32[day][pyarrow]"))
    assert NeighborsDetector().fit(of_arrow).training_times_.equals(days)


def test_a_hole_in_time_is_no_alarm(detector, frame, kept):
    scores = detector.decision_function(frame.iloc[kept])
    without_times = detector.decision_function(frame.iloc[kept].reset_index(drop=True))
    beside = np.abs(kept - HOLE[0]) < 25
    assert without_times[beside].max() > 2 * detector.threshold_
    assert scores[beside].max() < 2 * detector.threshold_


def test_a_training_series_may_have_holes(frame, kept):
    detector = NeighborsDetector(period=25).fit(frame.iloc[kept])
    assert detector.decision_scores_.shape == detector.labels_.shape == kept.shape
    np.testing.assert_array_equal(
        detector.decision_scores_, detector.decision_function(frame.iloc[kept])
    )


def test_holes_are_refused_where_missing_values_are(frame, kept):
    detector = NeighborsDetector(period=25, missing="raise").fit(frame)
    with pytest.raises(ValueError, match=r"27 rows are missing by their times"):
        detector.decision_function(frame.iloc[kept])


def test_irregular_times_are_an_error_with_advice(detector, frame):
    rng = np.random.default_rng(0)
    hours = pd.to_timedelta(np.cumsum(rng.uniform(1, 9, size=500)), unit="h")
    with pytest.raises(ValueError, match=r"no regular spacing.*resample the series"):
        detector.decision_function(frame.set_index(frame.index[0] + hours))


@pytest.mark.parametrize("kind", ["Datetime", "Date", "Time", "Duration"])
def test_a_column_of_times_is_no_channel(kind, wave):
    start = dt.datetime(2020, 1, 1)
    times = [start + dt.timedelta(days=day) for day in range(100)]
    column = {
        "Datetime": times,
        "Date": [time.date() for time in times],
        "Time": [time.time() for time in times],
        "Duration": [time - start for time in times],
    }[kind]
    for library in (pl, pd):
        frame = library.DataFrame({"time": column, "v": wave(100)[:, 0]})
        with pytest.raises(ValueError, match=r"numbers are needed.*from_frame"):
            NeighborsDetector().fit(frame)


def test_a_dataset_of_xarray_is_an_error_with_advice(frame):
    with pytest.raises(ValueError, match=r"from_frame\(X\)"):
        NeighborsDetector().fit(xr.Dataset.from_dataframe(frame))


@pytest.mark.parametrize(("every", "warns"), [("1h", False), ("30min", True)])
def test_rows_at_another_spacing_than_in_training_are_warned_of(every, warns, wave):
    def frame(every):
        times = pd.date_range("2026-01-01", periods=400, freq=every)
        return pd.DataFrame(wave(400), index=times, columns=["flow"])

    detector = NeighborsDetector().fit(frame("1h"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        detector.decision_function(frame(every))
        detector.decision_function(wave(400).ravel())  # no times, nothing to say
    messages = [str(warning.message) for warning in caught]
    spacing = [message for message in messages if "apart in the training" in message]
    assert len(spacing) == warns
    if warns:
        assert spacing[0].startswith("the rows are 30 min apart, and were 1 h apart")


def messages_of_fit(index):
    X = pd.DataFrame({"flow": np.sin(np.arange(len(index)) / 4)}, index=index)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        NeighborsDetector(contamination=PeaksOverThreshold("1 per 99 rows")).fit(X)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    "style", ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M", "%m/%d/%Y"]
)
def test_times_that_are_text_are_warned_of_once(style):
    times = pd.date_range("2024-01-31", periods=400, freq="1h").strftime(style)
    (message,) = messages_of_fit(times)
    assert f"looks like times, but is text ({times[0]!r})" in message
    assert "pandas.to_datetime(X.index)" in message


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([f"row {i}" for i in range(400)]),
        pd.Index([f"{i}" for i in range(400)]),
        pd.Index([f"1.2.{i}" for i in range(400)]),
        pd.Index([f"10-10-{i}0000" for i in range(400)]),
        pd.RangeIndex(400),
        pd.date_range("2024-01-31", periods=400),
    ],
    ids=["words", "numbers", "versions", "parts", "positions", "times"],
)
def test_other_labels_are_not_warned_of(index):
    assert messages_of_fit(index) == []


def test_a_pipeline_passes_times_on_to_a_rate_in_time():
    times = pd.date_range("2024-01-01", periods=400, freq="1h")
    X = pd.DataFrame({"flow": np.sin(np.arange(400) / 4)}, index=times)
    detector = NeighborsDetector(contamination=PeaksOverThreshold("1 per day"))
    pipeline = make_pipeline(StandardScaler(), detector)
    with pytest.raises(ValueError, match=r"pipeline.set_output\(transform='pandas'\)"):
        pipeline.fit(X)
    pipeline.set_output(transform="pandas").fit(X)
    assert pipeline[-1].thresholder_.interval_ == 3600
