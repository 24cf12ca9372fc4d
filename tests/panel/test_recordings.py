import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad import CoADDetector, NeighborsDetector
from skcoad.panel import (
    detect_panel,
    fit_recordings,
    join_recordings,
    open_panel,
)
from skcoad.panel._recordings import common_period
from skcoad.thresholds import PeaksOverThreshold, QuantileThreshold, count_events


def spans(recordings, gap):
    """First and last row of each recording in the joined series."""
    starts = np.cumsum([0, *(len(r) + gap for r in recordings)])[:-1]
    return [(s, s + len(r)) for s, r in zip(starts, recordings, strict=True)]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.integers(1, 6),
    st.integers(1, 2),
)
def test_joined_recordings_are_apart_by_the_gap(lengths, gap, n_channels):
    recordings = [np.full((n, n_channels), i) for i, n in enumerate(lengths)]
    joined = join_recordings(recordings, gap)
    assert joined.shape == (sum(lengths) + gap * (len(lengths) - 1), n_channels)
    kept = np.isnan(joined)
    for (start, stop), recording in zip(
        spans(recordings, gap), recordings, strict=True
    ):
        assert np.array_equal(joined[start:stop], recording)
        kept[start:stop] = True
    assert kept.all()
    # No window of `gap` rows has values of two recordings.
    for start in range(len(joined)):
        window = joined[start : start + gap, 0]
        assert len(set(window[~np.isnan(window)])) <= 1


@pytest.mark.parametrize(
    ("recordings", "gap", "message"),
    [
        ([], 1, "there is no recording"),
        ([[1.0], [[1.0, 2.0]]], 1, "recording 1 has 2 channels, and recording 0 has 1"),
        ([[1.0], []], 1, "recording 1 must have shape"),
        ([[1.0]], 0, "gap must be at least 1, got 0"),
        ([[1.0]], 1.5, "gap must be an integer, got 1.5"),
    ],
)
def test_what_cannot_be_joined_is_an_error(recordings, gap, message):
    with pytest.raises(ValueError, match=message):
        join_recordings(recordings, gap)


def test_the_common_period_is_that_of_most_rows(wave):
    recordings = [wave(300, period=20), wave(700, period=30), wave(300, period=40)]
    assert common_period(recordings) == 30
    assert common_period(recordings[::-1]) == 30
    assert common_period([*recordings, np.zeros((5000, 1))]) == 30
    recordings[1][100] = -9999  # an error code
    assert common_period(recordings) == 30
    # A fallback of the length of one recording.
    assert common_period([np.zeros((160, 1)), np.zeros((80, 1))]) == 15


@pytest.fixture(scope="module")
def recordings(wave):
    """Two recordings whose phases and levels do not continue each other."""
    first, second = wave(300, seed=1), 3 + wave(310, seed=2)[10:] * [[2.0]]
    return {"first": first, "second": second}


@pytest.fixture(scope="module")
def shared(recordings):
    return fit_recordings(NeighborsDetector(contamination=0.05), recordings)


def test_a_window_that_is_given_bounds_the_common_period(wave):
    detector = CoADDetector(window_size=16, max_steps=2, random_state=0)
    fitted = fit_recordings(detector, {"a": wave(300), "b": wave(300, seed=1)})
    assert fitted.period_ == 16


def test_scale_and_period_are_those_of_the_recordings_alone(shared, recordings):
    rows = np.concatenate(list(recordings.values()))
    assert np.allclose(shared.center_, rows.mean(0), rtol=1e-12)
    assert np.allclose(shared.scale_, rows.std(0), rtol=1e-12)
    assert shared.period_ == 25


def test_no_normal_subsequence_crosses_a_break(shared, recordings):
    first, second = spans(recordings.values(), shared.window_size_)
    usable = np.array([], dtype=int)
    for join in shared.model_.neighbors[0].joins:
        usable = np.flatnonzero(~join.incomplete.numpy())
        inside = ((usable >= first[0]) & (usable + 25 <= first[1])) | (
            (usable >= second[0]) & (usable + 25 <= second[1])
        )
        assert inside.all()
    index = shared.model_.neighbors[0].index
    usable = np.flatnonzero(~index.incomplete.numpy())
    within = [list(range(start, stop - 24)) for start, stop in (first, second)]
    assert usable.tolist() == within[0] + within[1]


def test_a_jump_between_recordings_is_not_learned(shared, recordings):
    spliced = np.concatenate(list(recordings.values()))
    scores = shared.decision_function(spliced)
    assert 275 < scores.argmax() < 325
    assert scores.max() > 2 * np.delete(scores, slice(260, 340)).max()
    # As one series it would be normal: it is there.
    learned = NeighborsDetector(period=25).fit(spliced)
    assert learned.decision_function(spliced)[275:325].max() < scores.max() / 2


def test_contamination_is_a_share_of_the_recorded_rows(shared, recordings):
    n_rows = sum(map(len, recordings.values()))
    above = shared.decision_scores_ > shared.threshold_
    assert abs(above.sum() - 0.05 * n_rows) <= 1


@pytest.mark.parametrize("held_back", [0, 0.5])
def test_breaks_are_no_rows_of_a_rate_of_false_alarms(held_back, wave, tmp_path):
    recordings = {f"pump {i}": wave(150, seed=i) for i in range(20)}
    threshold = QuantileThreshold("1 per 300 rows", held_back=held_back)
    shared = fit_recordings(NeighborsDetector(contamination=threshold), recordings)
    calibrated = shared.thresholder_
    assert calibrated.missing_.sum() == 19 * shared.window_size_
    scores, limit = shared.decision_scores_, shared.threshold_
    assert count_events(scores, limit, separation=shared.period_) == 10
    # A row of a recording is at least as high as the lowest of them.
    assert calibrated.p_values([0.0]) == 1
    shared.save(tmp_path / "file")
    loaded = NeighborsDetector.load(tmp_path / "file").thresholder_
    assert loaded.threshold_ == limit
    assert (loaded.missing_ == calibrated.missing_).all()


def test_each_recording_is_normal_to_the_shared_detector(shared, recordings):
    found = detect_panel(recordings, shared, threshold=4.0)
    assert found["start"].isna().all()
    broken = {name: x.copy() for name, x in recordings.items()}
    broken["second"][100:115] = broken["second"][100]
    found = detect_panel(broken, shared, threshold=4.0)
    assert found["series"][0] == "second"
    assert 90 < found["peak"][0] < 125
    assert found["start"][1:].isna().all()


def test_a_given_period_window_and_thresholder_stay(tiny, recordings):
    detector = tiny(period=20, window_size=60)
    shared = fit_recordings(detector, recordings)
    assert (shared.period_, shared.window_size_) == (20, 60)
    assert len(shared.decision_scores_) == 600 + 60
    assert not hasattr(detector, "decision_scores_")


def test_training_rows_of_frames_are_chosen_by_time(wave):
    frame = pd.DataFrame(
        wave(400, n_channels=2),
        columns=["a", "b"],
        index=pd.date_range("2024-01-01", periods=400, freq="h"),
    )
    shared = fit_recordings(NeighborsDetector(), frame, train="2024-01-11")
    assert len(shared.decision_scores_) == 240 + shared.window_size_ + 240


@pytest.mark.parametrize(
    ("detector", "recordings", "error", "message"),
    [
        (
            NeighborsDetector(missing="raise"),
            {"a": np.ones(99)},
            TypeError,
            "masks mis",
        ),
        (
            NeighborsDetector(period=40),
            {"a": np.ones(300), "b": np.ones(79)},
            ValueError,
            "recording b has 79 rows to fit on, fewer than a window of 80",
        ),
        (
            NeighborsDetector(period=10),
            {"a": np.ones(300), "b": np.ones((300, 2))},
            ValueError,
            "recording b has the channels channel_0, channel_1, and recording a has ch",
        ),
    ],
    ids=["does not mask", "short", "channels"],
)
def test_what_cannot_be_fitted_together_is_an_error(
    detector, recordings, error, message
):
    with pytest.raises(error, match=message):
        fit_recordings(detector, recordings)


@pytest.fixture(scope="module")
def pump(wave):
    """Hourly rows of two channels that no order of columns could confuse."""
    x = wave(300, n_channels=2) * [1.0, 10.0] + [0.0, 100.0]
    hours = pd.date_range("2024-03-01", periods=300, freq="h")
    return pd.DataFrame(x, columns=["flow", "heat"], index=hours)


@pytest.fixture(scope="module")
def of_pumps(pump):
    later = pump.set_axis(pump.index + pd.Timedelta("50D"))[["heat", "flow"]]
    return fit_recordings(NeighborsDetector(), {"a": pump, "b": later})


def test_channels_of_recordings_are_joined_by_their_names(of_pumps, pump):
    assert of_pumps.feature_names_in_.tolist() == ["flow", "heat"]
    assert of_pumps.center_ == pytest.approx(pump.mean().to_numpy())
    assert of_pumps.scale_ == pytest.approx(pump.std(ddof=0).to_numpy())


def test_a_shared_detector_refuses_channels_of_other_names_and_orders(of_pumps, pump):
    panel = {
        "same": pump,
        "swapped": pump[["heat", "flow"]],
        "other": pump.set_axis(["x", "y"], axis=1),
        "array": pump.to_numpy(),
    }
    found = detect_panel(panel, of_pumps).set_index("series")["error"]
    assert found.index[found.isna()].unique().tolist() == ["same"]
    assert found.dropna().str.contains("feature names should match").all()


def test_a_shared_detector_of_one_channel_compares_its_name_if_that_says_what_it_is(
    pump,
):
    shared = fit_recordings(NeighborsDetector(), {"a": pump[["flow"]]})
    panel = {"flow": pump["flow"], "pump 1": pump["flow"].rename("pump 1")}
    panel |= {"array": pump["flow"].to_numpy(), "b": pump[["heat"]]}
    found = detect_panel(panel, shared).set_index("series")["error"].dropna()
    assert found.index.tolist() == ["b"]
    assert "feature names should match" in found["b"]


@pytest.mark.parametrize("names", [["flow", "load"], ["load"], ["channel_0"]])
def test_recordings_of_other_channels_are_refused_by_their_names(pump, names):
    other = pump.iloc[:, : len(names)].set_axis(names, axis=1)
    message = f"recording b has the channels {', '.join(names)}, and recording a has "
    with pytest.raises(ValueError, match=message + "flow, heat;"):
        fit_recordings(NeighborsDetector(), {"a": pump, "b": other})


def test_recordings_without_names_are_joined_by_position(pump):
    x = pump.to_numpy()
    shared = fit_recordings(NeighborsDetector(), {"a": x, "b": x})
    assert not hasattr(shared, "feature_names_in_")
    assert shared.center_ == pytest.approx(x.mean(0))


def test_a_rate_in_time_has_the_spacing_of_the_recordings(pump):
    recordings = {"a": pump, "b": pump.set_axis(pump.index + pd.Timedelta("50D"))}
    by_time, by_rows = (
        fit_recordings(
            NeighborsDetector(contamination=PeaksOverThreshold(rate)), recordings
        )
        for rate in ("1 per week", "1 per 168 rows")
    )
    assert by_time.threshold_ == pytest.approx(by_rows.threshold_, rel=1e-12)
    assert by_time.training_times_[300 + by_time.window_size_] == pd.Timedelta("1h") * (
        300 + by_time.window_size_
    )
    assert by_time.explain(pump).summary()


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            lambda frame: frame.set_axis(
                frame.index[0] + 2 * (frame.index - frame.index[0])
            ),
            "are 3600 seconds apart, and those of recording b 7200",
        ),
        (lambda frame: frame.reset_index(drop=True), "recording b has none"),
    ],
    ids=["slower", "without times"],
)
def test_a_rate_in_time_needs_one_spacing(pump, second, message):
    recordings = {"a": pump, "b": second(pump)}
    detector = NeighborsDetector(contamination=PeaksOverThreshold("1 per week"))
    with pytest.raises(ValueError, match=f"false_alarms='1 per week'.*{message}"):
        fit_recordings(detector, recordings)
    # Other thresholds need none.
    by_rows = PeaksOverThreshold("1 per 168 rows")
    for contamination in (0.05, by_rows):
        detector = NeighborsDetector(contamination=contamination)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            shared = fit_recordings(detector, recordings)
        assert shared.training_times_ is None
        different = (
            "the recordings have different spacings" if "7200" in message else ""
        )
        assert "".join(str(each.message)[:38] for each in warned) == different


def test_the_spacing_of_business_days_is_their_mean(pump):
    days = pd.bdate_range("2024-03-01", periods=300)
    recordings = {"a": pump.set_axis(days), "b": pump[:80].set_axis(days[100:180])}
    detector = NeighborsDetector(contamination=PeaksOverThreshold("1 per year"))
    shared = fit_recordings(detector, recordings)
    rows = 1 / shared.thresholder_.rate_
    assert rows == pytest.approx(365.25 * 5 / 7, rel=0.01)
    assert len(shared.training_times_) == 380 + shared.window_size_


def test_rows_of_a_recording_that_are_missing_by_time_are_missing_values(pump):
    series = open_panel({"a": pump}).read(0)
    kept = np.delete(np.arange(300), np.arange(110, 117))
    holed = replace(
        series,
        values=series.values[kept],
        labels=series.labels[kept],
        timestamps=series.timestamps[kept],
    )
    detector = NeighborsDetector(contamination=PeaksOverThreshold("1 per week"))
    shared = fit_recordings(detector, {"a": holed, "b": pump})
    assert len(shared.training_times_) == 600 + shared.window_size_
    assert shared.thresholder_.interval_ == 3600.0
    irregular = replace(holed, timestamps=series.timestamps[0] + np.arange(293) ** 2)
    with pytest.raises(ValueError, match=r"recording a: .*resample the series"):
        fit_recordings(detector, {"a": irregular, "b": pump})


def test_a_period_that_not_all_recordings_hold_is_not_common(wave):
    long = np.sin(2 * np.pi * np.arange(400)[:, None] / 40)
    noise = np.random.default_rng(0).standard_normal((60, 1))
    assert common_period([long, noise]) == (400 + 60) // 2 // 8
