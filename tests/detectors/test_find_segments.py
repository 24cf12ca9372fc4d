import numpy as np
import pandas as pd
import pytest

from skcoad import NeighborsDetector
from skcoad.scoring import find_segments
from skcoad.thresholds import PeaksOverThreshold

COLUMNS = ["start", "peak", "end", "score", "channel", "component", "reason"]
HOURS = pd.date_range("2024-01-01", periods=600, freq="h")


@pytest.fixture(scope="module")
def normal(wave):
    return pd.DataFrame(wave(600, 2), columns=["flow", "heat"], index=HOURS)


@pytest.fixture(scope="module")
def anomalous(wave):
    X = wave(600, 2, seed=1)
    X[200:212, 0] = 2.0
    X[400:425, 1] = X[400, 1]
    return pd.DataFrame(X, columns=["flow", "heat"], index=HOURS)


@pytest.fixture(scope="module")
def fitted(normal):
    return NeighborsDetector().fit(normal)


def test_the_segments_are_those_of_the_scores_with_the_labels_of_the_index(
    fitted, anomalous
):
    found = fitted.find_segments(anomalous, threshold=3.0)
    scores = fitted.decision_function(anomalous)
    segments = find_segments(scores, 3.0, separation=fitted.period_)
    assert list(found) == COLUMNS
    assert found["start"].tolist() == [HOURS[s.start] for s in segments]
    assert found["peak"].tolist() == [HOURS[s.peak] for s in segments]
    assert found["end"].tolist() == [HOURS[s.stop - 1] for s in segments]
    assert found["score"].tolist() == [s.score for s in segments]
    assert sorted(found["channel"][:2]) == ["flow", "heat"]
    for row in found[:2].itertuples():
        assert (anomalous.loc[row.start : row.end, row.channel].size) >= 12
        assert "unlike any in training" in row.reason
        assert row.reason.endswith(f", channel {row.channel}")


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 605),
        pd.Index([f"row {i}" for i in range(600)]),
        pd.date_range("2024-03-30", periods=600, freq="h", tz="Europe/Berlin"),
        pd.period_range("2024-01", periods=600, freq="h"),
        pd.MultiIndex.from_product([["a", "b"], range(300)]),
        pd.Index([7] * 600),
    ],
    ids=lambda index: type(index).__name__ + str(index.dtype)[:8],
)
def test_labels_of_any_index_are_kept(fitted, anomalous, index):
    plain = anomalous.reset_index(drop=True)
    at = fitted.find_segments(plain, threshold=3.0)["peak"]
    found = fitted.find_segments(anomalous.set_axis(index), threshold=3.0)
    assert found["peak"].tolist() == index[at].tolist()


def test_without_an_index_there_are_positions_and_without_names_numbers(wave):
    x = wave(600)[:, 0]
    detector = NeighborsDetector().fit(x)
    x[300:312] = 2.0
    found = detector.find_segments(x, threshold=3.0, limit=1)
    assert found["start"].dtype == np.int64
    assert 285 <= found["start"][0] <= 312 <= 300 + found["end"][0]
    assert found["channel"].tolist() == [0]
    assert "channel" not in found["reason"][0]
    labelled = detector.find_segments(pd.Series(x, index=HOURS), threshold=3.0, limit=1)
    assert labelled["peak"][0] == HOURS[found["peak"][0]]


def test_nothing_unusual_is_an_empty_table_of_the_same_columns(fitted, anomalous):
    some = fitted.find_segments(anomalous, threshold=3.0)
    none = fitted.find_segments(anomalous, threshold=1e6)
    assert none.empty
    pd.testing.assert_series_equal(none.dtypes, some.dtypes)


def test_the_default_threshold_is_the_detectors(fitted, anomalous):
    pd.testing.assert_frame_equal(
        fitted.find_segments(anomalous),
        fitted.find_segments(anomalous, threshold=fitted.segment_threshold_),
    )


def test_segments_are_counted_by_alarms_where_contamination_is_of_rows(anomalous):
    x = anomalous[:300]
    by_share = NeighborsDetector().fit(x)
    by_alarms = NeighborsDetector(contamination=PeaksOverThreshold(held_back=0)).fit(x)
    assert by_share.segment_threshold_ == by_alarms.threshold_ > by_share.threshold_
    assert by_alarms.segment_threshold_ == by_alarms.threshold_


def test_a_search_has_scores_and_expected_values_beside_the_table(fitted, anomalous):
    gappy = anomalous.drop(HOURS[[50, 51]])
    found = fitted.search(gappy, threshold=3.0, limit=4, start=100)
    pd.testing.assert_frame_equal(
        found.table, fitted.find_segments(gappy, threshold=3.0, limit=4, start=100)
    )
    assert [HOURS[segment.peak] for segment in found.segments] == list(
        found.table["peak"]
    )
    observed = ~np.isin(np.arange(600), [50, 51])
    assert found.start == 102
    np.testing.assert_array_equal(
        found.scores[observed], fitted.decision_function(gappy)
    )
    assert (found.scores[~observed] == 0).all()
    scores, expected = fitted.channel_scores(gappy, return_expected=True)
    np.testing.assert_array_equal(found.channel_scores[observed], scores)
    np.testing.assert_array_equal(found.expected[observed], expected)
    np.testing.assert_array_equal(found.values[observed], gappy)


@pytest.mark.parametrize("aggregation", ["mean", "max"])
def test_scores_at_hand_give_the_same_table(normal, anomalous, aggregation):
    detector = NeighborsDetector(channel_aggregation=aggregation).fit(normal)
    pd.testing.assert_frame_equal(
        detector.find_segments(
            anomalous, channel_scores=detector.channel_scores(anomalous)
        ),
        detector.find_segments(anomalous),
    )


def test_the_search_begins_at_the_start_and_ends_at_the_limit(fitted, anomalous):
    found = fitted.find_segments(anomalous, start=300, limit=2)
    assert len(found) == 2
    assert (found["start"] >= HOURS[300]).all()
    assert found["channel"][0] == "heat"


@pytest.mark.parametrize("start", [410, 500])
def test_after_the_last_row_there_is_nothing_also_where_rows_were_missing(
    fitted, anomalous, start
):
    gappy = anomalous.drop(HOURS[10:200])
    assert len(fitted.find_segments(gappy, threshold=3.0))
    assert fitted.find_segments(gappy, threshold=3.0, start=start).empty


@pytest.mark.parametrize("hole", [slice(250, 330), slice(300, 304), slice(0, 40)])
@pytest.mark.parametrize("channels", [[0], [0, 1]])
def test_no_peak_is_where_nothing_was_observed(fitted, normal, hole, channels):
    X = normal.copy()
    X.iloc[hole, channels] = np.nan
    found = fitted.find_segments(X, threshold=0.1)
    assert len(found) > 3
    for row in found.itertuples():
        assert np.isfinite(X.loc[row.peak, row.channel])
        assert "nan" not in row.reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": np.nan}, "threshold must be finite, got nan"),
        ({"threshold": "0.5"}, r"threshold must be a number, got '0\.5'"),
        ({"limit": 0}, "limit must be at least 1, got 0"),
        ({"start": -1}, "start must be at least 0, got -1"),
        ({"start": 2.5}, r"start must be an integer, got 2\.5"),
        (
            {"channel_scores": np.zeros(600)},
            r"shape of X, \(600, 2\), got \(600,\)",
        ),
    ],
)
def test_what_cannot_be_searched_is_an_error(fitted, anomalous, arguments, message):
    with pytest.raises(ValueError, match=message):
        fitted.find_segments(anomalous, **arguments)


def test_channels_are_explained_by_position_or_name(anomalous):
    frame = pd.DataFrame(anomalous, columns=["flow", "heat"])
    detector = NeighborsDetector().fit(frame[:300])
    by_name = detector.explain(frame, channels=["heat"])
    assert by_name.channels == ("heat",)
    by_position = detector.explain(frame, channels=[1])
    np.testing.assert_array_equal(by_name.contributions, by_position.contributions)


@pytest.mark.parametrize("scores", [np.ones((5, 3)), np.ones(5), [1.0, 2.0]])
def test_scores_of_other_channels_are_not_aggregated(scores, fitted):
    with pytest.raises(ValueError, match=r"shape \(n_timestamps, 2\), got"):
        fitted.aggregate(scores)


GAPPY = HOURS.delete(slice(205, 208))
INDEXES = {
    "naive": GAPPY,
    "zone": GAPPY.tz_localize("Europe/Berlin"),
    "periods": GAPPY.to_period("h"),
    "durations": GAPPY - GAPPY[0],
    "objects": pd.Index(GAPPY.to_pydatetime().astype(object), dtype=object),
}


@pytest.mark.parametrize("kind", INDEXES)
def test_a_segment_is_explained_by_its_labels(fitted, anomalous, kind):
    X = anomalous.loc[GAPPY].set_axis(INDEXES[kind])
    found = fitted.find_segments(X, threshold=3.0, limit=2)
    for row in found.itertuples():
        explained = fitted.explain(X, start=row.start, stop=row.end)
        assert explained.index.equals(X.loc[row.start : row.end].index)
        assert explained.score.max() == row.score
    column = found["start"].to_numpy()[0], found["end"].to_numpy()[0]
    assert len(fitted.explain(X, start=column[0], stop=column[1]).index)
    after = fitted.find_segments(X, threshold=3.0, start=X.index[300])
    pd.testing.assert_frame_equal(
        after, fitted.find_segments(X, threshold=3.0, start=300)
    )


def test_a_part_between_times_is_that_of_loc(fitted, anomalous):
    X = anomalous.loc[GAPPY]
    for start, stop in [("2024-01-09 13:30", "2024-01-10"), (HOURS[206], HOURS[220])]:
        explained = fitted.explain(X, start=start, stop=stop)
        assert explained.index.equals(X.loc[start:stop].index)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"start": pd.Timestamp("2023-12-31")},
            "start is 2023-12-31 00:00:00, and the ",
        ),
        ({"start": "2025"}, "rows are from 2024-01-01 00:00:00 to 2024-01-25 23:00:00"),
        ({"stop": "2023"}, "stop is 2023, and the rows"),
        ({"start": "noon"}, "start must be an integer or a time like Timestamp"),
        ({"stop": HOURS[9].tz_localize("UTC")}, "stop must be an integer or a time"),
        ({"start": np.timedelta64(3, "h")}, "start must be an integer or a time like"),
        ({"start": HOURS[9], "stop": HOURS[8]}, "and not empty, got 9 to 9"),
    ],
)
def test_a_time_that_is_not_there_is_an_error(fitted, anomalous, arguments, message):
    with pytest.raises(ValueError, match=message):
        fitted.explain(anomalous, **arguments)


def test_text_for_a_duration_has_a_unit(fitted, anomalous):
    X = anomalous.set_axis(HOURS - HOURS[0])
    at = fitted.explain(X, start="300h", stop="310h").index
    assert (at[0], at[-1]) == (pd.Timedelta("300h"), pd.Timedelta("310h"))
    for given in ("2023", " 1e3"):
        message = f"start='{given}' has no unit, as '60s' has"
        with pytest.raises(ValueError, match=message):
            fitted.explain(X, start=given)
        with pytest.raises(ValueError, match=message):
            fitted.find_segments(X, start=given)


def test_a_duration_is_no_position(fitted, anomalous):
    X = anomalous.set_axis(range(600))
    message = r"start must be an integer, got np\.timedelta64\(5,'s'\)"
    with pytest.raises(ValueError, match=message):
        fitted.explain(X, start=np.timedelta64(5, "s"))


LABELS = {
    "counted from elsewhere": pd.RangeIndex(50, 650),
    "backwards": pd.Index(range(599, -1, -1)),
    "numbers": pd.Index(np.arange(600) / 4),
    "text": pd.Index([f"row {i}" for i in range(600)]),
    "categories": pd.CategoricalIndex([f"row {i}" for i in range(600)]),
    "levels": pd.MultiIndex.from_product([["a", "b"], range(300)]),
    "mixed": pd.Index(["first", *range(599)]),
    "nullable": pd.Index(range(7, 607), dtype="Int64"),
}


@pytest.mark.parametrize("kind", LABELS)
def test_a_segment_is_explained_by_labels_of_any_kind(fitted, anomalous, kind):
    X = anomalous.set_axis(LABELS[kind])
    found = fitted.find_segments(X, threshold=3.0, limit=2)
    for at in range(2):
        row = found.iloc[at]
        explained = fitted.explain(X, start=row["start"], stop=row["end"])
        assert (explained.index[0], explained.index[-1]) == (row["start"], row["end"])
        assert explained.score.max() == row["score"]
    after = fitted.find_segments(X, threshold=3.0, start=X.index[300])
    by_position = anomalous.reset_index(drop=True)
    expected = fitted.find_segments(by_position, threshold=3.0, start=300)
    assert after["score"].tolist() == expected["score"].tolist()
    assert fitted.search(X, start=X.index[300]).start == 300
    assert len(fitted.explain(X).index) == 600


def test_an_index_of_0_1_2_has_positions(fitted, anomalous):
    X = anomalous.reset_index(drop=True)
    for labelled in (X, X.set_axis(pd.Index(np.arange(600)))):
        row = fitted.find_segments(labelled, threshold=3.0).iloc[0]
        explained = fitted.explain(labelled, start=row["start"], stop=row["end"] + 1)
        assert explained.index.tolist() == [*range(row["start"], row["end"] + 1)]
        assert explained.score.max() == row["score"]


@pytest.mark.parametrize(
    ("index", "given", "message"),
    [
        (pd.RangeIndex(50, 650), 3, "index of X, from 50 to 649, got 3; positions are"),
        (pd.RangeIndex(50, 650), 650, "a label of the index of X, from 50 to 649, got"),
        (LABELS["text"], 3, "from row 0 to row 599, got 3; positions are for arrays"),
        (LABELS["text"], "row", "label of the index of X, .*, got 'row'"),
        (LABELS["numbers"], [1.0], r"label of the index of X, .*, got \[1.0\]"),
        (LABELS["levels"], "a", "'a', which the index of X has more than once"),
        (pd.Index([7] * 600), 7, "7, which the index of X has more than once; pos"),
        (pd.Index([1, 2] * 300), 2, "2, which the index of X has more than once; pos"),
    ],
)
def test_what_is_the_label_of_no_row_or_of_several_is_an_error(
    fitted, anomalous, index, given, message
):
    X = anomalous.set_axis(index)
    for name in ("start", "stop"):
        with pytest.raises(ValueError, match=f"{name} .*{message}"):
            fitted.explain(X, **{name: given})
    for method in (fitted.find_segments, fitted.search):
        with pytest.raises(ValueError, match=f"start .*{message}"):
            method(X, start=given)


def test_a_part_of_a_channel_is_explained_alone(fitted, anomalous):
    whole = fitted.explain(anomalous).components[1]
    (part,) = fitted.explain(anomalous, channels=[1], start=390, stop=440).components
    for values, expected in zip(part, whole, strict=True):
        np.testing.assert_allclose(values, expected[390:440], rtol=1e-4, atol=1e-5)


def test_scores_at_hand_must_be_finite_and_are_where_values_are_missing(
    fitted, anomalous
):
    holed = anomalous.drop(HOURS[100:130])
    holed.iloc[200:300] = np.nan
    scores = fitted.channel_scores(holed)
    pd.testing.assert_frame_equal(
        fitted.find_segments(holed, channel_scores=scores), fitted.find_segments(holed)
    )
    np.testing.assert_allclose(
        fitted.explain(holed, channel_scores=scores).contributions,
        fitted.explain(holed).contributions,
    )
    for wrong in (np.nan, np.inf):
        scores[7, 1] = wrong
        for method in (fitted.explain, fitted.find_segments):
            with pytest.raises(ValueError, match=f"got {wrong} in row 7, channel 1"):
                method(holed, channel_scores=scores)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"channels": [2]}, "there are 2 channels, none is 2"),
        ({"channels": [-1]}, "there are 2 channels, none is -1"),
        ({"channels": ["level"]}, "there are 2 channels, none is 'level'"),
        ({"channels": []}, "channels is empty"),
        ({"channels": "heat"}, "channels must be a sequence of names, got 'heat'"),
        ({"start": 10, "stop": 10}, "600 timestamps and not empty, got 10 to 10"),
        ({"start": 300.0}, r"start must be an integer, got 300\.0"),
        ({"stop": 300.0}, r"stop must be an integer, got 300\.0"),
        ({"stop": 601}, "600 timestamps and not empty, got 0 to 601"),
        ({"channel_scores": np.zeros(600)}, r"shape of X, \(600, 2\), got \(600,\)"),
    ],
)
def test_a_part_that_is_not_there_is_an_error(fitted, anomalous, arguments, message):
    with pytest.raises(ValueError, match=message):
        fitted.explain(anomalous, **arguments)
