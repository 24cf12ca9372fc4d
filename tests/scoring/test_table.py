import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad import NeighborsDetector, _device
from skcoad._text import value_text
from skcoad.model import SCORES, CoADModel, NetworkConfig, TrainingOptions
from skcoad.preprocessing import plan_windows
from skcoad.scoring import (
    COMPONENTS,
    ScoringOptions,
    calibrate_scores,
    channel_contributions,
    combine,
    explain_series,
    find_segments,
    score_channels,
    segment_table,
)
from skcoad.scoring._contributions import shares
from skcoad.scoring._table import _reason, _value_text


@pytest.fixture(scope="module")
def model(wave):
    X = wave(400, 2)
    model, _ = CoADModel.fit(
        X,
        plan_windows(X),
        network=NetworkConfig(hidden_size=8),
        options=TrainingOptions(max_steps=5),
    )
    calibrate_scores(model, X, ScoringOptions())
    return model


@pytest.fixture(scope="module")
def anomalous(wave):
    X = wave(700, 2, seed=1)
    X[300:325, 1] = X[300, 1]
    X[120:124] = np.nan
    return X


@pytest.mark.parametrize("score_by", SCORES)
@pytest.mark.parametrize("part", [slice(0, 700), slice(295, 340), slice(699, 700)])
@pytest.mark.parametrize("channel", [0, 1])
def test_contributions_add_up_to_the_score(model, anomalous, score_by, part, channel):
    options = ScoringOptions(score_by=score_by)
    score = list(score_channels(model, anomalous, options, part))[channel]
    whole = list(score_channels(model, anomalous, options))[channel]
    np.testing.assert_array_equal(score, whole[part])
    explained = channel_contributions(model, anomalous, options, channel, part, score)
    assert (explained.contributions >= 0).all()
    total = explained.contributions.sum(axis=0)
    np.testing.assert_allclose(total, score, rtol=1e-12, atol=1e-12)
    only = {"classification": "probability", "reconstruction": "error"}.get(score_by)
    for name, contribution in zip(COMPONENTS, explained.contributions, strict=True):
        assert not contribution.any() or only in (None, name)


rarities = st.floats(0, 1e3)


@settings(max_examples=300)
@given(
    arrays(float, (10, 3), elements=rarities),
    arrays(float, 10, elements=st.floats(0, 1)),
    arrays(float, (2, 3), elements=st.floats(0, 1)),
    arrays(float, (2, 3), elements=rarities),
    st.floats(0, 1),
    st.sampled_from(SCORES),
    st.booleans(),
    st.booleans(),
)
def test_shares_are_those_of_the_combination(
    evidence,
    weights,
    network,
    rarity,
    network_weight,
    score_by,
    with_neighbors,
    with_network,
):
    parts = {"with_neighbors": with_neighbors, "with_network": with_network}
    given = evidence, weights, network, rarity, network_weight
    share = shares(*given, score_by, **parts)
    assert share.shape == (len(COMPONENTS), 3)
    assert (share >= 0).all()
    combined = combine(*given, **parts)[score_by]
    made_of_something = combined > 1e-100
    np.testing.assert_allclose(share.sum(axis=0), 1)
    if score_by == "joint" and with_neighbors and with_network:
        neighbors = np.sqrt(weights @ np.square(evidence))
        there = made_of_something
        np.testing.assert_allclose(
            (combined * share[:10].sum(axis=0))[there], neighbors[there], rtol=1e-9
        )


@pytest.mark.parametrize("part", [slice(0, 700), slice(0, 1), slice(290, 330)])
def test_a_part_is_explained_as_it_is_in_the_whole(model, anomalous, part, monkeypatch):
    whole = explain_series(model, anomalous, ScoringOptions())[1]
    monkeypatch.setattr(
        _device, "CPU_CHUNKS", _device.CPU_CHUNKS._replace(timestamps=1)
    )
    (alone,) = explain_series(model, anomalous, ScoringOptions(), [1], part)
    for values, expected in zip(alone, whole, strict=True):
        np.testing.assert_allclose(values, expected[part], rtol=1e-4, atol=1e-5)


def test_each_row_tells_channel_component_and_largest_deviation(model, anomalous):
    options = ScoringOptions()
    channel_scores = np.stack(list(score_channels(model, anomalous, options)), axis=1)
    scores = channel_scores.mean(axis=1)
    segments = find_segments(scores, 2.0, separation=25)
    index = pd.date_range("2024-01-01", periods=700, freq="min")
    table = segment_table(
        model,
        anomalous,
        options,
        segments,
        channel_scores,
        index=index,
        names=["flow", "heat"],
    )
    assert 290 <= segments[0].peak <= 335
    explained = explain_series(model, anomalous, options)
    for row, segment in zip(table.itertuples(), segments, strict=True):
        assert row.start == index[segment.start]
        assert row.peak == index[segment.peak]
        assert row.end == index[segment.stop - 1]
        assert row.score == scores[segment.peak]
        channel = channel_scores[segment.peak].argmax()
        assert row.channel == ["flow", "heat"][channel]
        part = slice(segment.start, segment.stop)
        explained_part = channel_contributions(
            model, anomalous, options, channel, part, channel_scores[part, channel]
        )
        contributions = explained_part.contributions[:, segment.peak - segment.start]
        assert row.component == COMPONENTS[contributions.argmax()]
        x, expected = anomalous[part, channel], explained[channel].reconstruction[part]
        at = np.nanargmax(np.abs(x - expected))
        texts = [
            value_text(value, x[at] - expected[at]) for value in (x[at], expected[at])
        ]
        assert f": {' instead of '.join(texts)}, channel" in row.reason
    assert table["channel"][0] == "heat"
    assert table["reason"][0].endswith("channel heat")


@pytest.mark.parametrize(
    ("decades", "expected"),
    [
        (1.0, "values rare in training (about 1 of 10 normal timestamps)"),
        (2.5, "values rare in training (about 1 of 320 normal timestamps)"),
        (3.0, "values rare in training (about 1 of 1,000 normal timestamps)"),
        (3.1, "values unlike any in training (3.1 decades)"),
    ],
)
def test_only_what_is_beyond_training_is_said_to_be_unlike_it(decades, expected):
    assert _reason("value_distance", decades, n_normal=1000) == expected


@pytest.mark.parametrize("offset", [50, 1e6])
def test_an_outage_is_0_instead_of_a_value_that_is_normal(offset):
    X = offset + np.sin(np.arange(900) / 6)
    X += 0.1 * np.random.default_rng(0).normal(size=900)
    X[700:800] = 0
    detector = NeighborsDetector(period=38).fit(X[:500])
    (reason,) = detector.find_segments(X[500:], limit=1)["reason"]
    assert ": 0 instead of" in reason


def test_values_far_from_zero_are_told_apart():
    X = 1e6 + np.sin(np.arange(900) / 6)
    X[700:760] = X[700]
    detector = NeighborsDetector(period=38).fit(X[:500])
    (reason,) = detector.find_segments(X[500:], limit=1)["reason"]
    observed, expected = map(float, reason.split(": ")[1].split(" instead of "))
    assert 0.5 < abs(observed - expected) < 2


def test_values_that_rounding_sets_apart_are_as_expected():
    assert _value_text(1.0, 1.000000019, 0.5) == "each value as expected"
    assert _value_text(1.0, 1.00001, 0.5) == "1 instead of 1.00001"
    assert _value_text(1e6, 1e6 + 0.4, 1.0) == "1000000 instead of 1000000.4"
