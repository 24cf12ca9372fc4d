"""Times of frames: missing rows are missing values, and never an alarm."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr

from skcoad import NeighborsDetector

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
