"""Rows that come with times: what is missing between them is a gap."""

import re
import warnings
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from skcoad import NeighborsDetector
from skcoad.streaming import StreamingDetector
from skcoad.streaming._rows import Clock


@pytest.fixture(scope="module")
def frame(wave):
    times = pd.date_range("2026-01-01", periods=900, freq="min", tz="UTC")
    return pd.DataFrame(wave(900, 2, period=12), columns=["a", "b"], index=times)


@pytest.fixture(scope="module")
def detector(frame):
    return NeighborsDetector(period=12).fit(frame[:300])


@pytest.mark.parametrize(
    ("hole", "size"), [(1, 70), (1, 600), (25, 7), (25, 600), (400, 1), (400, 600)]
)
def test_missing_rows_are_missing_values_however_rows_come(frame, detector, hole, size):
    X = frame[300:].drop(frame.index[450 : 450 + hole])
    stream = StreamingDetector(detector, interval="1min")
    found = [stream.update(X[i : i + size]) for i in range(0, len(X), size)]
    found.append(stream.finish())
    positions = np.concatenate([part.positions[part.final] for part in found])
    scores = np.concatenate([part.scores[part.final] for part in found])
    np.testing.assert_array_equal(positions, np.arange(len(X)))
    expected = detector.decision_function(X)
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)


def test_a_gap_of_a_year_costs_no_more_than_one_of_a_day(frame, detector):
    scores = []
    for days in (1, 365):
        X = frame[300:600].copy()
        moved = X.index[150:] + pd.Timedelta(days=days)
        X.index = X.index[:150].append(moved)
        stream = StreamingDetector(detector, interval="1min")
        found = stream.update(X)
        assert len(stream._buffer.X) < 2000
        assert stream.n_rows == 300
        scores.append(
            np.concatenate([found.scores[found.final], stream.finish().scores])
        )
    # A year is a multiple of a day, but a day is none of the step: neighbours differ.
    np.testing.assert_allclose(*scores, rtol=0.2, atol=0.5)


def test_times_are_kept_by_a_saved_stream(frame, detector, tmp_path):
    stream = StreamingDetector(detector, interval="1min")
    stream.update(frame[300:350])
    stream.save(tmp_path / "stream")
    loaded = StreamingDetector.load(tmp_path / "stream")
    later = frame[360:361]
    assert loaded.score_next(later) == stream.score_next(later)
    assert loaded.update(later).scores == pytest.approx(stream.update(later).scores)
    for again, order in (
        (frame[355:356], "5 min earlier"),
        (later, "at the same time"),
    ):
        with pytest.raises(
            ValueError, match=f"not later than the row before, .*{order}"
        ):
            loaded.update(again)


@pytest.mark.parametrize("jitter", [0.25, 0.4])
def test_rows_that_are_early_and_late_in_turn_leave_no_gaps(frame, detector, jitter):
    late = np.random.default_rng(0).uniform(-jitter, jitter, 600)
    late[:20] /= 2  # while the grid is unknown
    X = frame[300:].set_axis(frame.index[300:] + pd.to_timedelta(late, unit="min"))
    X = X.drop(X.index[200:205])
    stream = StreamingDetector(detector, interval="1min")
    found = [stream.update(X[:7]), stream.update(X[7:400]), stream.update(X[400:])]
    found.append(stream.finish())
    scores = np.concatenate([part.scores[part.final] for part in found])
    expected = detector.decision_function(frame[300:].drop(frame.index[500:505]))
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)


def test_a_wrong_interval_is_an_error(frame, detector):
    with pytest.warns(UserWarning, match="1 h apart, and were 1 min apart in the"):
        stream = StreamingDetector(detector, interval="1h")
    with pytest.raises(ValueError, match="the rows are 1 min apart, and interval is 1"):
        stream.update(frame[:50])
    for number in (60, "60", np.float32(60)):
        message = re.escape(f"interval={number!r} has no unit, as '60s' has")
        with pytest.raises(ValueError, match=message):
            StreamingDetector(detector, interval=number)
    for interval in ("60s", np.timedelta64(1, "m"), timedelta(minutes=1)):
        StreamingDetector(detector, interval=interval).update(frame[:50])
    for interval in ("banana", []):
        with pytest.raises(ValueError, match="is no duration, as '60s' is"):
            StreamingDetector(detector, interval=interval)


@pytest.mark.parametrize(
    ("seconds", "n_taken"), [(1, 2), (10, 2), (25, 3), (30, 4), (45, 8)]
)
def test_rows_that_come_one_by_one_at_a_shorter_spacing_are_an_error(
    frame, detector, seconds, n_taken
):
    times = pd.date_range("2026-01-01", periods=12, freq=f"{seconds}s", tz="UTC")
    X = frame[300:312].set_axis(times)
    stream = StreamingDetector(detector, interval="1min")
    message = f"only {seconds} s after the row before, and interval is 1 min"
    with pytest.raises(ValueError, match=message):
        [stream.update(X[row : row + 1]) for row in range(12)]
    assert stream.n_rows == n_taken  # and not the one that was refused


@pytest.mark.parametrize(
    ("zone", "time"),
    [("Europe/Berlin", "2024-07-01 10:05+02:00"), (None, "2024-07-01 10:05")],
)
def test_errors_show_times_in_the_zone_of_the_rows(frame, detector, zone, time):
    times = pd.date_range("2024-07-01 10:00", periods=6, freq="min", tz=zone)
    X = frame[300:306].set_axis(times)
    stream = StreamingDetector(detector, interval="1min")
    stream.update(X)
    with pytest.raises(ValueError, match=re.escape(f"row 0 ({time}) is not later")):
        stream.update(X[5:])
    early = [X[5:].set_axis(times[5:] + pd.Timedelta(f"{s}s")) for s in (10, 20)]
    stream.update(early[0])
    message = re.escape(f"row 0 ({time.replace('10:05', '10:05:20')}) is only 10 s")
    with pytest.raises(ValueError, match=message):
        stream.update(early[1])


@pytest.mark.parametrize("seconds", [31, 40, 50, 57])
def test_a_late_row_does_not_make_an_error_of_the_next(frame, detector, seconds):
    late = np.zeros(100)
    late[50] = seconds
    X = frame[300:400].set_axis(frame.index[:100] + pd.to_timedelta(late, unit="s"))
    stream = StreamingDetector(detector, interval="1min")
    stream.update(X)
    assert stream.n_rows == 100


@pytest.mark.parametrize("minutes", [0.5, 0.75, 1.2, 1.5, 2, 60])
def test_rows_at_another_spacing_than_the_interval_are_an_error(
    frame, detector, minutes
):
    spacing = pd.Timedelta(minutes=minutes)
    times = pd.date_range("2026-01-01", periods=600, freq=spacing, tz="UTC")
    X = frame[300:].set_axis(times).drop(times[[4, 5, 70]])
    stream = StreamingDetector(detector, interval="1min")
    with pytest.raises(ValueError, match="apart, and interval is 1 min"):
        stream.update(X)
    assert stream.n_rows == 0


@pytest.mark.parametrize("minutes", [1.2, 2, 15])
def test_one_by_one_as_well_once_there_are_ten(frame, detector, minutes, tmp_path):
    spacing = pd.Timedelta(minutes=minutes)
    times = pd.date_range("2026-01-01", periods=20, freq=spacing, tz="UTC")
    X = frame[300:320].set_axis(times)
    stream = StreamingDetector(detector, interval="1min")
    for row in range(9):
        stream.update(X[row : row + 1])
    stream.save(tmp_path / "stream")
    for going_on in (stream, StreamingDetector.load(tmp_path / "stream")):
        for row in (9, 9, 10):
            with pytest.raises(ValueError, match="apart, and interval is 1 min"):
                going_on.update(X[row : row + 1])
        assert going_on.n_rows == 9
    stream.restart()
    stream.update(frame[300:310])
    [stream.update(frame[row : row + 1]) for row in range(310, 350, 2)]


def test_every_other_row_may_be_missing_once_a_stream_has_begun(frame, detector):
    stream = StreamingDetector(detector, interval="1min")
    stream.update(frame[300:350])
    stream.update(frame[350:450:2])
    assert stream.n_rows == 100


def test_rows_of_which_most_are_missing_are_taken(frame, detector):
    rows = np.sort(np.random.default_rng(0).choice(600, 120, replace=False))
    stream = StreamingDetector(detector, interval="1min")
    for part in np.split(300 + rows, 12):
        stream.update(frame.iloc[part])
    assert stream.n_rows == 120


@pytest.mark.parametrize("drift", [-0.02, 0, 0.005])
def test_a_clock_may_be_a_quarter_off_and_slow_or_fast(drift):
    minute = pd.Timedelta("1min").value
    for seed in range(20):
        late = np.random.default_rng(seed).uniform(-0.25, 0.25, 500)
        at = minute * (np.arange(500) * (1 + drift) + late)
        rows = pd.Series(0.0, index=pd.DatetimeIndex(at.astype("M8[ns]")))
        clock = Clock("1min")
        for row in range(0, 500, 10):
            steps, clock.last = clock.steps(rows[row : row + 10], 10)
            assert (steps == 1).all()


def test_times_without_an_interval_and_the_reverse_are_errors(frame, detector):
    with pytest.raises(ValueError, match="interval='1min'"):
        StreamingDetector(detector).update(frame[:10])
    plain = frame.reset_index(drop=True)
    with pytest.raises(ValueError, match="no times"):
        StreamingDetector(detector, interval="1min").update(plain[:10])


def test_a_row_of_a_frame_is_a_row(frame, detector):
    plain = frame.reset_index(drop=True)
    stream = StreamingDetector(detector)
    assert len(stream.update(plain.iloc[0]).scores) == 1
    with pytest.raises(ValueError, match="feature names"):
        stream.update(plain.iloc[0].rename({"a": "c"}))


@pytest.mark.parametrize("named", [True, False])
def test_names_on_one_side_only_are_warned_of_once(frame, named):
    X = frame.reset_index(drop=True)
    detector = NeighborsDetector(period=12).fit(X if named else X.to_numpy())
    stream = StreamingDetector(detector)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for row in range(3):
            one = X[row : row + 1]
            stream.update([np.nan, 1.0] if named else one)
            stream.score_next([np.nan, 1.0] if named else one)
    (message,) = [str(warning.message) for warning in caught]
    assert "feature names" in message
    if named:
        with pytest.raises(ValueError, match="feature names"):
            stream.update(X[:1].rename(columns={"a": "c"}))
    else:
        assert stream.update(X[3:4].rename(columns={"a": "c"})).scores
        with pytest.raises(ValueError, match="3 features, but NeighborsDetector is"):
            stream.update(X[3:4].assign(c=1.0))


@pytest.mark.parametrize("channels", [["a"], ["a", "b"]])
def test_rows_of_a_frame_keep_their_times(frame, channels):
    X = frame[channels].drop(frame.index[305:320])
    fitted = NeighborsDetector(period=12).fit(X[:300])
    one, other = (StreamingDetector(fitted, interval="1min") for _ in range(2))
    expected = [other.update(X[i : i + 1]).scores for i in range(300, 340)]
    found = [one.update(X.iloc[i]).scores for i in range(300, 340)]
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(expected))
    assert one.score_next(X.iloc[340]) == other.score_next(X[340:341])
    with pytest.raises(ValueError, match="not later"):
        one.update(X.iloc[300])
