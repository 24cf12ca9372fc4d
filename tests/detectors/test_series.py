"""A detector on a series of `skcoad.datasets`, with its names and times."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skcoad import NeighborsDetector
from skcoad.datasets import Series
from skcoad.detectors import fit_series, frame_of, search_series

KEPT = np.delete(np.arange(450), np.arange(310, 360))


@pytest.fixture(scope="module")
def series(wave):
    """Hourly rows of which 50 are missing, with an anomaly before and after."""
    x = wave(450, n_channels=2)
    x[290:305, 0] = x[380:395, 1] = 2.0
    labels = np.zeros(450, dtype=int)
    labels[290:305] = 1
    hours = np.datetime64("2024-01-01", "h") + np.arange(450)
    return Series(x[KEPT], labels[KEPT], 200, "pump", ("flow", "heat"), hours[KEPT], ())


@pytest.fixture(scope="module")
def detector(series):
    detector = NeighborsDetector(contamination=0.01)
    fit_series(detector, series, train_length=200)
    return detector


def test_what_is_found_is_by_the_rows_of_the_series(series, detector):
    found = search_series(detector, series, threshold=4.0, start=200)
    frame = frame_of(series, detector)
    np.testing.assert_array_equal(found.scores, detector.decision_function(frame))
    scores, expected = detector.channel_scores(frame, return_expected=True)
    np.testing.assert_array_equal(found.channel_scores, scores)
    np.testing.assert_array_equal(found.expected, expected)
    np.testing.assert_array_equal(found.values, series.values)
    table = detector.find_segments(frame, threshold=4.0, start=200)
    pd.testing.assert_frame_equal(found.table, table)
    assert len(found.segments) == 2
    for segment, row in zip(found.segments, table.itertuples(), strict=True):
        times = series.timestamps[[segment.start, segment.peak, segment.stop - 1]]
        assert [row.start, row.peak, row.end] == pd.DatetimeIndex(times).tolist()
        assert found.scores[segment.peak] == segment.score == row.score
    # Among all timestamps, those that are missing as well.
    assert len(detector.search(frame).scores) == 450
    np.testing.assert_array_equal(detector.search(frame).rows, KEPT)


def test_rows_whose_times_do_not_increase_are_found_by_position(series):
    times = series.timestamps.copy()
    times[250:] -= np.timedelta64(1, "h")
    back = replace(series, timestamps=times)
    untimed = replace(series, timestamps=None)
    detector = NeighborsDetector()
    fit_series(detector, back, train_length=200)
    found = search_series(detector, back, threshold=4.0, limit=3)
    other = search_series(detector, untimed, threshold=4.0, limit=3)
    np.testing.assert_array_equal(found.scores, other.scores)
    assert found.segments == other.segments
    positions = other.table["peak"].to_numpy()
    assert found.table["peak"].tolist() == pd.DatetimeIndex(times)[positions].tolist()


def test_rows_that_are_numbered_are_searched_from_a_position_on(series, detector):
    numbered = replace(series, timestamps=1000 + 5 * np.arange(400))
    found = search_series(detector, numbered, threshold=4.0, start=300)
    untimed = replace(series, timestamps=None)
    other = search_series(detector, untimed, threshold=4.0, start=300)
    assert found.segments == other.segments
    assert (found.table["start"] == 1000 + 5 * other.table["start"]).all()
    assert len(found.segments)


@pytest.mark.parametrize("names", [[17, 18], [1, 0]])
def test_channels_without_text_for_names_are_searched_by_position(series, names):
    frame = pd.DataFrame(series.values, columns=names)
    detector = NeighborsDetector().fit(frame[:200])
    found = search_series(detector, replace(series, timestamps=None), threshold=4.0)
    np.testing.assert_array_equal(found.scores, detector.decision_function(frame))
    assert set(found.table["channel"]) <= set(names)


def test_a_series_without_anything_unusual_has_an_empty_table(series, detector):
    found = search_series(detector, series, threshold=1e9)
    assert found.segments == []
    assert found.table.empty


@pytest.mark.parametrize(
    ("name", "is_refused"),
    [("flow", False), ("channel_0", False), ("pump", False), ("heat", True)],
)
def test_the_name_of_the_only_channel_is_compared_if_it_says_what_it_is(
    wave, name, is_refused
):
    series = Series(wave(400), np.zeros(400, int), 200, "pump", [name])
    detector = NeighborsDetector()
    fit_series(detector, replace(series, channel_names=("flow",)), train_length=200)
    assert list(frame_of(series, detector)) == ["heat" if is_refused else "flow"]
    if is_refused:
        with pytest.raises(ValueError, match="feature names should match"):
            search_series(detector, series)
    else:
        assert len(search_series(detector, series).scores) == 400
