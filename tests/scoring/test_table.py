import math

import numpy as np
import pandas as pd
import pytest
import torch

from skcoad import _device
from skcoad.model import SCORES, CoADModel, NetworkConfig, TrainingOptions
from skcoad.preprocessing import plan_windows
from skcoad.scoring import (
    ScoringOptions,
    calibrate_scores,
    component_rarity,
    explain_series,
    find_segments,
    score_channels,
    segment_table,
)
from skcoad.scoring._table import _reason


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
def strange(wave):
    X = wave(700, 2, seed=1)
    X[300:325, 1] = X[300, 1]
    X[120:124] = np.nan
    return X


@pytest.mark.parametrize("score_by", ["joint", "neighbors"])
@pytest.mark.parametrize("position", [0, 200, 310, 699])
@pytest.mark.parametrize("channel", [0, 1])
def test_the_rarities_of_the_components_give_the_score(
    model, strange, score_by, position, channel
):
    options = ScoringOptions(score_by=score_by)
    rarity = component_rarity(model, strange, options, channel, position)
    views = [value for name, value in rarity.items() if "_" in name]
    joint = np.sqrt(np.mean(np.square(views)))
    if score_by == "joint":
        joint *= 1 + math.hypot(rarity["probability"], rarity["error"]) / math.sqrt(2)
    kinds = torch.zeros(len(SCORES), 1)
    kinds[SCORES.index(score_by)] = joint
    score = model.calibrations[channel].scores(kinds)[SCORES.index(score_by)]
    expected = list(score_channels(model, strange, options))[channel][position]
    assert score.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("score_by", "component"),
    [("classification", "probability"), ("reconstruction", "error")],
)
def test_only_what_the_score_is_made_of_is_named(model, strange, score_by, component):
    options = ScoringOptions(score_by=score_by)
    assert list(component_rarity(model, strange, options, 0, 50)) == [component]


@pytest.mark.parametrize("part", [slice(0, 700), slice(0, 1), slice(290, 330)])
def test_a_part_is_explained_as_it_is_in_the_whole(model, strange, part, monkeypatch):
    whole = explain_series(model, strange, ScoringOptions())[1]
    monkeypatch.setattr(
        _device, "CPU_CHUNKS", _device.CPU_CHUNKS._replace(timestamps=1)
    )
    (alone,) = explain_series(model, strange, ScoringOptions(), [1], part)
    for values, expected in zip(alone, whole, strict=True):
        np.testing.assert_allclose(values, expected[part], rtol=1e-4, atol=1e-5)


def test_each_row_tells_channel_component_and_largest_deviation(model, strange):
    options = ScoringOptions()
    channel_scores = np.stack(list(score_channels(model, strange, options)), axis=1)
    scores = channel_scores.mean(axis=1)
    segments = find_segments(scores, 2.0, separation=25)
    index = pd.date_range("2024-01-01", periods=700, freq="min")
    table = segment_table(
        model,
        strange,
        options,
        segments,
        channel_scores,
        index=index,
        names=["flow", "heat"],
    )
    assert 290 <= segments[0].peak <= 335
    explained = explain_series(model, strange, options)
    for row, segment in zip(table.itertuples(), segments, strict=True):
        assert row.start == index[segment.start]
        assert row.peak == index[segment.peak]
        assert row.end == index[segment.stop - 1]
        assert row.score == scores[segment.peak]
        channel = channel_scores[segment.peak].argmax()
        assert row.channel == ["flow", "heat"][channel]
        rarity = component_rarity(model, strange, options, channel, segment.peak)
        assert rarity[row.component] == max(rarity.values())
        part = slice(segment.start, segment.stop)
        x, expected = strange[part, channel], explained[channel].reconstruction[part]
        at = np.nanargmax(np.abs(x - expected))
        assert f": {x[at]:.4g} instead of {expected[at]:.4g}, channel" in row.reason
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
