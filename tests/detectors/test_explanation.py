"""Explanations add up to the score, and say what a person would see."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad import CoADDetector, NeighborsDetector
from skcoad.model import SCORES
from skcoad.scoring import COMPONENTS, ScoreComponents, channel_shares
from skcoad.scoring._contributions import shares

N, TRAIN, PERIOD = 900, 500, 25
HOURS = pd.date_range("2024-03-01", periods=N, freq="h")


def wave_with(wave, change):
    X = wave(N, 2, period=PERIOD)
    change(X)
    return pd.DataFrame(X, index=HOURS, columns=["flow", "heat"])


def flat(X):
    X[700:740, 1] = 0.31


@pytest.fixture(scope="module")
def anomalous(wave):
    return wave_with(wave, flat)


@pytest.fixture(scope="module")
def detectors(tiny, anomalous):
    made = {
        how: NeighborsDetector(channel_aggregation=how, contamination=0.002)
        for how in ("rms", "mean", "max")
    }
    made["joint"] = tiny()
    made["paper"] = tiny(max_references=0)
    return {name: each.fit(anomalous[:TRAIN]) for name, each in made.items()}


@pytest.fixture(scope="module")
def scores(detectors, anomalous):
    return {name: each.decision_function(anomalous) for name, each in detectors.items()}


# Adding up

N_CASES = 10_000


@pytest.mark.parametrize("score_by", SCORES)
@pytest.mark.parametrize("how", ["rms", "mean", "max"])
@pytest.mark.parametrize("with_neighbors", [False, True])
def test_any_score_is_shared_out_without_a_rest(score_by, how, with_neighbors):
    rng = np.random.default_rng(0)

    def levels(*shape):
        """Draw numbers of any size, zeros among them."""
        return rng.choice([0, 1], shape, p=[0.2, 0.8]) * 10 ** rng.uniform(
            -12, 9, shape
        )

    of_component = shares(
        levels(10, N_CASES),
        rng.uniform(size=10),
        levels(2, N_CASES),
        levels(2, N_CASES),
        rng.uniform(),
        score_by,
        with_neighbors=with_neighbors,
        with_network=True,
    )
    of_channel = channel_shares(levels(N_CASES, 3), how)
    assert (of_component >= 0).all()
    assert (of_channel >= 0).all()
    score = rng.choice([0, 1], N_CASES) * 10 ** rng.uniform(-9, 5, N_CASES)
    parts = [of_component * (of_channel[:, channel] * score) for channel in range(3)]
    np.testing.assert_allclose(np.sum(parts, (0, 1)), score, rtol=1e-9, atol=1e-9)


@settings(max_examples=25)
@given(
    st.sampled_from(["rms", "mean", "max", "joint", "paper"]),
    st.integers(0, N - 1),
    st.integers(1, N),
)
def test_contributions_add_up_to_the_score_of_any_part(
    detectors, scores, anomalous, name, start, length
):
    stop = min(N, start + length)
    explained = detectors[name].explain(anomalous, start=start, stop=stop)
    expected = scores[name][start:stop]
    np.testing.assert_array_equal(explained.score, expected)
    total = explained.contributions.sum(axis=(1, 2))
    np.testing.assert_allclose(total, expected, rtol=1e-9, atol=1e-9)
    assert (explained.contributions >= 0).all()


@settings(max_examples=15)
@given(
    st.sampled_from(["rms", "mean", "max"]),
    arrays(float, (N, 2), elements=st.floats(0, 1e4), fill=st.just(0.5)),
)
def test_scores_at_hand_are_what_is_shared_out(
    detectors, anomalous, name, given_scores
):
    detector = detectors[name]
    explained = detector.explain(
        anomalous, start=690, stop=700, channel_scores=given_scores
    )
    expected = detector.aggregate(given_scores)[690:700]
    np.testing.assert_allclose(
        explained.contributions.sum(axis=(1, 2)), expected, rtol=1e-9, atol=1e-9
    )


def test_a_channel_has_the_share_of_its_square(detectors, anomalous):
    explained = detectors["rms"].explain(anomalous, start=690, stop=750)
    square = np.square(explained.channel_scores)
    np.testing.assert_allclose(
        explained.contributions.sum(2),
        square / square.sum(1, keepdims=True) * explained.score[:, None],
        atol=1e-9,
    )


def test_a_row_that_is_missing_in_time_is_not_explained(detectors, anomalous):
    holed = anomalous.drop(anomalous.index[710:715])
    explained = detectors["rms"].explain(holed, start=700, stop=720)
    assert explained.index.equals(holed.index[700:720])
    np.testing.assert_allclose(
        explained.contributions.sum(axis=(1, 2)),
        detectors["rms"].decision_function(holed)[700:720],
        atol=1e-9,
    )


# What it holds


def test_a_part_holds_its_values_and_names(detectors, anomalous):
    explained = detectors["joint"].explain(anomalous, start=690, stop=750)
    assert explained.channels == ("flow", "heat")
    assert explained.index.equals(HOURS[690:750])
    np.testing.assert_array_equal(explained.values, anomalous[690:750])
    assert explained.rarity.shape == (60, 2, len(COMPONENTS))
    assert all(isinstance(each, ScoreComponents) for each in explained.components)
    assert explained.mask.shape == explained.reconstruction.shape == (60, 2)
    assert ((explained.mask >= 0) & (explained.mask <= 1)).all()
    largest = explained.contributions[20, 1].argmax()
    assert explained.main_component[20, 1] == COMPONENTS[largest]
    assert repr(explained).startswith("Explanation(60 timestamps, 2 channel(s), ")


def test_one_channel_of_several_has_its_part_of_the_sum(detectors, anomalous):
    both = detectors["rms"].explain(anomalous, start=690, stop=750)
    one = detectors["rms"].explain(anomalous, channels=[1], start=690, stop=750)
    assert one.channels == ("heat",)
    np.testing.assert_allclose(one.contributions[:, 0], both.contributions[:, 1])
    np.testing.assert_array_equal(one.neighbors[:, 0], both.neighbors[:, 1])


def test_the_table_holds_everything_by_channel(detectors, anomalous):
    explained = detectors["rms"].explain(anomalous, start=690, stop=750)
    table = explained.to_frame()
    assert table.index.equals(HOURS[690:750])
    assert table.columns.names == ["channel", "quantity"]
    assert list(table["flow"]) == list(table["heat"])
    contributions = [f"contribution_{name}" for name in COMPONENTS]
    total = sum(table[name][contributions].sum(axis=1) for name in ("flow", "heat"))
    np.testing.assert_allclose(total, explained.score, atol=1e-9)
    np.testing.assert_array_equal(table["heat", "value"], anomalous["heat"][690:750])
    np.testing.assert_array_equal(
        table["heat", "rarity_level"], explained.rarity[:, 1, COMPONENTS.index("level")]
    )
    assert table["heat", "nearest"].isin(HOURS[:TRAIN]).all()


def test_expected_values_come_with_the_scores(detectors, anomalous):
    holed = anomalous.drop(anomalous.index[710:715])
    for detector in detectors.values():
        scores, expected = detector.channel_scores(holed, return_expected=True)
        np.testing.assert_array_equal(scores, detector.channel_scores(holed))
        explained = detector.explain(holed)
        np.testing.assert_allclose(expected, explained.reconstruction, atol=1e-6)


# The nearest normal example


@pytest.mark.parametrize("start", [60, 233, 430])
def test_a_copy_of_the_training_series_is_its_own_nearest_example(start):
    rng = np.random.default_rng(0)
    train = np.cumsum(rng.normal(size=TRAIN))
    train -= np.linspace(train[0], train[-1], TRAIN)
    scored = rng.permutation(train)
    copied = np.r_[scored, train[start : start + 60] + rng.normal(0, 0.2, 60), scored]
    detector = NeighborsDetector(period=20).fit(train)
    inside = TRAIN + np.arange(15, 45)
    explained = detector.explain(copied, start=inside[0], stop=inside[-1] + 1)
    np.testing.assert_array_equal(explained.neighbors[:, 0], start + np.arange(15, 45))
    assert explained.nearest().tolist() == list(range(start + 15, start + 45))


def test_examples_of_the_training_series_are_elsewhere_in_it(detectors, anomalous):
    explained = detectors["rms"].explain(anomalous, stop=TRAIN)
    away = np.abs(explained.neighbors - np.arange(TRAIN)[:, None])
    assert away.min() >= PERIOD - 2
    assert (explained.neighbors >= 0).all()
    assert (explained.neighbors < TRAIN).all()


def test_without_neighbours_there_is_no_example(detectors, anomalous):
    explained = detectors["paper"].explain(anomalous, start=690, stop=750)
    assert explained.neighbors is None
    assert explained.nearest() is None
    assert "nearest" not in explained.to_frame()["flow"]
    assert "nearest" not in explained.summary()


IN_BERLIN = pd.date_range("2024-03-01", periods=TRAIN, freq="h", tz="Europe/Berlin")


@pytest.mark.parametrize(
    "index",
    [HOURS[:TRAIN], IN_BERLIN, HOURS[:TRAIN].as_unit("s"), (HOURS - HOURS[0])[:TRAIN]],
    ids=["naive", "zone", "seconds", "durations"],
)
def test_times_of_the_training_series_are_kept_also_in_a_file(
    anomalous, index, tmp_path
):
    train = anomalous[:TRAIN].set_axis(index, axis=0)
    detector = NeighborsDetector().fit(train.drop(index[100:103]))
    assert detector.training_times_.equals(index)
    detector = NeighborsDetector().fit(train)
    detector.save(tmp_path / "detector.safetensors")
    loaded = NeighborsDetector.load(tmp_path / "detector.safetensors")
    assert loaded.training_times_.equals(index)
    assert loaded.training_times_.dtype == detector.training_times_.dtype


def test_rows_without_times_have_positions(anomalous):
    detector = NeighborsDetector().fit(anomalous[:TRAIN].to_numpy())
    assert detector.training_times_ is None
    explained = detector.explain(anomalous.to_numpy(), start=690, stop=750)
    assert explained.index.tolist() == list(range(690, 750))
    assert explained.channels == (0, 1)
    assert "of the training series" in explained.summary()


LABELS = {
    "text": pd.Index([f"row{row}" for row in range(1000)]),
    "categories": pd.CategoricalIndex(["on", "off"] * 500),
    "levels": pd.MultiIndex.from_product([["a", "b"], range(500)]),
    "missing": pd.Index([np.nan, *range(999)]),
    "times of day": pd.Index(HOURS[:1000].time),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_that_cannot_be_drawn_are_counted(anomalous, kind):
    detector = NeighborsDetector().fit(anomalous[:TRAIN].to_numpy())
    X = anomalous.set_axis(LABELS[kind][: len(anomalous)]).set_axis([0, 1], axis=1)
    explained = detector.explain(X)
    axes = explained.plot().axes
    assert axes[-1].get_xlim() == (0, len(X) - 1)
    assert explained.index.equals(X.index)
    assert detector.report(X).html


# In a sentence


def high(X):
    X[700:740, 0] += 4


def spike(X):
    X[700, 0] -= 6


def wild(X):
    X[700:740, 0] += np.where(np.arange(40) % 2, 1.0, -1.0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (flat, ["From 2024-03-30 03:00 to 2024-03-31 23:00, `heat` was flat at 0.31."]),
        (high, [", `flow` had values unlike those of training"]),
        (spike, [", `flow` changed from one timestamp to the next"]),
        (wild, ["`flow` "]),
    ],
    ids=["flat", "high", "spike", "wild"],
)
def test_a_summary_says_when_where_and_how_far_from_normal(wave, change, expected):
    X = wave_with(wave, change)
    detector = NeighborsDetector(contamination=0.002).fit(X[:TRAIN])
    explained = detector.explain(X, start=650, stop=800)
    text = explained.summary()
    for part in expected:
        assert part in text
    times = explained.score.max() / detector.decision_scores_.max()
    assert text.endswith(
        f"the score of {explained.score.max():.1f} is {times:.1f} times the highest in "
        "training."
    )
    assert "The nearest normal example is around 2024-03-" in text
    assert len(text.split(". ")) == 2


def test_a_summary_names_the_channel_of_the_table(detectors, anomalous):
    for detector in (detectors["rms"], detectors["mean"], detectors["joint"]):
        found = detector.find_segments(anomalous, threshold=2.0, limit=8)
        assert len(found) > 1
        # What is not above its threshold has no reason in a summary.
        found = found[found["score"] > detector.segment_threshold_]
        assert len(found)
        for row in found.itertuples():
            start, stop = anomalous.index.get_indexer([row.start, row.end])
            text = detector.explain(anomalous, start=start, stop=stop + 1).summary()
            assert re.search("`(.*?)`", text)[1] == row.channel


def test_nothing_unusual_is_said_to_be_so(detectors, anomalous):
    text = detectors["rms"].explain(anomalous, start=20, stop=40).summary()
    assert text.startswith("On 2024-03-01 from 20:00 to") or text.startswith("From ")
    assert "nothing was unusual: the highest score" in text


def test_a_score_as_in_training_is_said_to_be_so(detectors, anomalous):
    detector = detectors["rms"]
    peak = int(detector.decision_scores_.argmax())
    text = detector.explain(anomalous, start=peak - 5, stop=peak + 5).summary()
    assert "normal timestamps." in text


@pytest.mark.parametrize(
    ("component", "x", "expected", "more"),
    [
        ("level", [5, 5, 5], [1, 1, 1], True),
        ("level", [-5, 1, 1], [1, 1, 1], False),
        ("difference", [0, 5, 5, 5], [0, 0, 4, 5], True),
        ("volatility", [0, 9, 0], [0, 1, 2], True),
        ("volatility", [0, 0.1, 0], [0, 1, 2], False),
        ("difference", [1], [1], True),
        ("volatility", [1], [1], False),
        ("volatility", [np.nan, 1, np.nan, 5, 0], [1, 2, 3, 4, 5], True),
    ],
)
def test_up_and_down_are_told_apart(component, x, expected, more):
    from skcoad.detectors._summary import _is_more

    assert _is_more(component, np.array(x, float), np.array(expected, float)) is more


# In a picture


def test_the_picture_is_of_the_channel_that_contributes_most(detectors, anomalous):
    explained = detectors["joint"].explain(anomalous, start=650, stop=800)
    figure = explained.plot()
    assert len(figure.axes) == 5
    assert figure.axes[0].get_ylabel() == "heat"
    assert explained.plot(0).axes[0].get_ylabel() == "flow"
    assert figure.axes[4].get_ylabel() == "parts of\nthe score"
    top = max(
        path.vertices[:, 1].max()
        for each in figure.axes[4].collections
        for path in each.get_paths()
    )
    share = explained.contributions[:, 1].sum(1).max()
    assert top == pytest.approx(share)


def test_a_channel_is_drawn_by_its_name_or_place(detectors, anomalous):
    explained = detectors["rms"].explain(anomalous, channels=["heat"], stop=90)
    for channel in ("heat", 0):
        assert explained.plot(channel=channel).axes[0].get_ylabel() == "heat"
        assert explained.nearest(channel).equals(explained.nearest())
    for method in (explained.plot, explained.nearest):
        for channel in ("flow", 1, -1, 0.0):
            message = f"there are 1 channels, none is {channel!r}: heat"
            with pytest.raises(ValueError, match=message):
                method(channel)


def test_a_detector_without_several_channels_is_explained_likewise(wave):
    X = wave(N, 1, period=PERIOD)
    X[700:730] = 0
    detector = CoADDetector(max_steps=3, random_state=0).fit(X[:TRAIN])
    explained = detector.explain(X)
    np.testing.assert_allclose(
        explained.contributions.sum(axis=(1, 2)),
        detector.decision_function(X),
        rtol=1e-9,
        atol=1e-9,
    )
