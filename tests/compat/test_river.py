"""A detector in river's own machinery."""

import warnings

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("river", reason="the extra river is not installed")

from river import anomaly, compose, metrics
from river import evaluate as river_evaluate

from skcoad import NeighborsDetector
from skcoad.compat.river import RiverDetector
from skcoad.streaming import StreamingDetector


@pytest.fixture(scope="module")
def detector(wave):
    return NeighborsDetector(period=12).fit(wave(400, 2, period=12))


def rows(X):
    return [dict(zip("ab", row, strict=True)) for row in X.tolist()]


def test_scores_are_the_provisional_ones_of_the_stream(wave, detector):
    X = wave(80, 2, period=12, seed=1)
    stream, model = StreamingDetector(detector), RiverDetector(detector)
    for row, x in zip(X, rows(X), strict=True):
        score = model.score_one(x)
        assert score == pytest.approx(stream.update(row).scores[-1], abs=1e-12)
        model.learn_one(x)


def test_a_value_that_is_not_there_is_missing(wave, detector):
    X = wave(60, 2, period=12, seed=1)
    model, other = RiverDetector(detector), RiverDetector(detector)
    for x in rows(X):
        model.learn_one(x)
        other.learn_one(x)
    model.learn_one({"a": 1.0})
    other.learn_one({"a": 1.0, "b": np.nan})
    x = {"a": 0.0, "b": 2.0}
    assert model.score_one(x) == other.score_one(x)


def test_keys_that_are_integers_are_names(wave):
    X = pd.DataFrame(wave(400, 2, period=12), columns=[17, 18])
    model = RiverDetector(NeighborsDetector(period=12).fit(X))
    model.learn_one({18: 1.0, 17: 0.0})
    assert model.score_one({18: 1.0, 17: 9.0}) == model.score_one({17: 9.0, 18: 1.0})
    assert model._names == [17, 18]
    with pytest.raises(ValueError, match="unknown channels: \\['0', '1'\\]"):
        model.score_one({0: 1.0, 1: 1.0})


def test_other_channels_are_errors(detector):
    model = RiverDetector(detector)
    with pytest.raises(ValueError, match="3 values"):
        model.learn_one({"a": 1.0, "b": 1.0, "c": 1.0})
    model.learn_one({"a": 1.0, "b": 1.0})
    with pytest.raises(ValueError, match="unknown channels: \\['c'\\]"):
        model.score_one({"a": 1.0, "b": 1.0, "c": 1.0})


def test_a_row_that_is_not_learned_names_no_channels(detector):
    model = RiverDetector(detector)
    model.score_one({"c": 1.0, "d": 1.0})
    for take in (model.score_one, model.learn_one):
        with pytest.raises(ValueError, match="abc"):
            take({"typo": "abc", "b": 1.0})
    model.learn_one({"a": 1.0, "b": 1.0})
    with pytest.raises(ValueError, match="unknown channels: \\['typo'\\]"):
        model.score_one({"typo": 1.0, "b": 1.0})


def test_names_that_are_there_are_not_said_to_be_missing(wave):
    X = pd.DataFrame(wave(400, 2, period=12), columns=["a", "b"])
    model = RiverDetector(NeighborsDetector(period=12).fit(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.learn_one({"b": 1.0, "a": None})
        model.score_one({"a": np.nan, "b": 5.0})
    with pytest.raises(ValueError, match="unknown channels"):
        model.score_one({"a": 1.0, "c": 1.0})


def test_river_evaluates_it_in_a_pipeline(wave, detector):
    X = wave(300, 2, period=12, seed=1)
    X[200:212] += 4
    labels = np.zeros(300, dtype=bool)
    labels[200:212] = True
    model = compose.Select("a", "b") | RiverDetector(detector)
    result = river_evaluate.progressive_val_score(
        zip(rows(X), labels.tolist(), strict=True), model, metrics.ROCAUC()
    )
    # Its curve has thresholds between 0 and 1 only, low for decades of rarity.
    assert result.get() > 0.75


def test_rivers_filter_takes_it(wave, detector):
    model = anomaly.ThresholdFilter(RiverDetector(detector), threshold=3.0)
    for x in rows(wave(60, 2, period=12, seed=1)):
        model.learn_one(x)
    assert model.classify(model.score_one({"a": 9.0, "b": 9.0}))
