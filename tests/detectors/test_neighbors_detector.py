import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoad import NeighborsDetector


@pytest.fixture(scope="module")
def fitted(wave):
    return NeighborsDetector().fit(wave(600, 2))


def test_nothing_is_random(fitted, wave):
    again = NeighborsDetector().fit(wave(600, 2))
    np.testing.assert_array_equal(again.decision_scores_, fitted.decision_scores_)


def test_every_timestamp_has_a_finite_score_from_a_window_on(fitted, wave):
    for n in (fitted.window_size_, 211, 600):
        scores = fitted.decision_function(wave(n, 2, seed=1))
        assert scores.shape == (n,)
        assert np.isfinite(scores).all()
        assert (scores >= 0).all()
    with pytest.raises(ValueError, match="shorter than a window"):
        fitted.decision_function(wave(fitted.window_size_ - 1, 2))


def test_an_anomaly_has_the_highest_score_and_the_channel_is_told(fitted, wave):
    X = wave(600, 2, seed=1)
    X[400:425, 1] = X[400, 1]
    assert 390 <= fitted.decision_function(X).argmax() <= 440
    scores = fitted.channel_scores(X)
    assert scores[390:440].max(axis=0).argmax() == 1


@pytest.mark.parametrize("aggregation", ["rms", "mean", "max"])
def test_one_dead_channel_of_many_is_found(aggregation, wave):
    X = np.hstack([wave(1200, 10, seed=seed) for seed in range(2)])
    X += 0.1 * np.random.default_rng(0).normal(size=X.shape)
    X[900:950, 7] = X[900, 7]
    detector = NeighborsDetector(channel_aggregation=aggregation).fit(X[:600])
    scores = detector.decision_function(X[600:])
    assert 290 <= scores.argmax() <= 360
    assert detector.channel_scores(X[600:])[scores.argmax()].argmax() == 7


@pytest.mark.parametrize("references", ["past", "all"])
def test_references_from_the_scored_series_follow_a_drift(references, wave):
    t = np.arange(3000)
    X = (1 + t / 1500) * wave(3000)[:, 0]
    X[2000:2025] *= -1
    plain, following = (
        NeighborsDetector(references=name).fit(X[:1000]).decision_function(X[1000:])
        for name in ("train", references)
    )
    assert 975 <= following.argmax() <= 1050
    assert following[-300:].max() < 0.75 * plain[-300:].max()


def test_the_reconstruction_is_in_the_units_of_the_input(wave):
    X = 100 + 5 * wave(600)
    components = NeighborsDetector().fit(X).explain(X).components[0]
    assert np.abs(components.reconstruction - X[:, 0]).mean() < 1.5
    assert not components.probability.any()


def test_missing_values_are_masked_or_refused(wave):
    X = wave(400)
    X[100:110] = np.nan
    assert np.isfinite(NeighborsDetector().fit(X).decision_scores_).all()
    with pytest.raises(ValueError, match="NaN"):
        NeighborsDetector(missing="raise").fit(X)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("period", 1),
        ("step", 0),
        ("max_references", 0),
        ("channel_aggregation", "median"),
        ("missing", "drop"),
        ("contamination", 0.6),
        ("device", "no such"),
    ],
)
def test_an_invalid_value_is_an_error_that_names_the_parameter(name, value, wave):
    detector = NeighborsDetector().set_params(**{name: value})
    with pytest.raises(ValueError, match=name):
        detector.fit(wave())
    assert not hasattr(detector, "model_")


def test_copies_score_the_same_and_a_clone_is_not_fitted(fitted, wave):
    X = wave(300, 2, seed=2)
    for copied in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(
            copied.decision_function(X), fitted.decision_function(X)
        )
    with pytest.raises(NotFittedError):
        clone(fitted).decision_function(X)


def test_pyods_methods_are_there(fitted, wave):
    X = wave(600, 2)
    np.testing.assert_array_equal(fitted.labels_, fitted.predict(X))
    assert fitted.labels_.mean() == pytest.approx(0.1, abs=0.01)
    assert fitted.predict_proba(X).shape == (600, 2)
    assert fitted.predict_confidence(X).shape == (600,)


def test_a_grid_search_in_a_pipeline_chooses_its_parameters(wave):
    X, y = wave(900), np.zeros(900, dtype=int)
    for first in (300, 520, 760):
        X[first : first + 20] += np.random.default_rng(first).normal(size=(20, 1))
        y[first : first + 20] = 1
    search = GridSearchCV(
        make_pipeline(StandardScaler(), NeighborsDetector()),
        {"neighborsdetector__max_references": [10, 4096]},
        cv=TimeSeriesSplit(3),
        scoring="average_precision",
        error_score="raise",
    ).fit(X, y)
    assert (search.cv_results_["mean_test_score"] > 0).all()
    assert search.decision_function(X).shape == (900,)


@pytest.mark.parametrize("seed", range(4))
def test_a_slice_that_begins_in_a_long_gap_has_the_scores_of_the_whole(seed, wave):
    rng = np.random.default_rng(seed)
    detector = NeighborsDetector().fit(wave(900))
    X = wave(1500, seed=seed + 1)
    start = detector.step_ * (600 // detector.step_)
    X[start - int(rng.integers(1, 150)) : start + int(rng.integers(30, 200))] = np.nan
    whole, part = detector.decision_function(X), detector.decision_function(X[start:])
    far = detector.model_.receptive_field
    np.testing.assert_allclose(part[far:], whole[start + far :], atol=5e-3)


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.3])
def test_holes_in_normal_data_are_no_alarm(fraction):
    rng = np.random.default_rng(0)
    X = np.sin(2 * np.pi * np.arange(1200) / 40) + 0.1 * rng.normal(size=1200)
    detector = NeighborsDetector(period=40).fit(X[:600])
    for _ in range(3):
        holes = np.where(rng.random(600) < fraction, np.nan, X[600:])
        assert detector.decision_function(holes).max() < 5


def test_channels_that_are_never_observed_at_once_are_scored_in_their_unit(tmp_path):
    rng = np.random.default_rng(0)
    X = np.sin(2 * np.pi * np.arange(2400) / 40)[:, None] + 0.1 * rng.normal(
        size=(2400, 2)
    )
    X[::2, 0], X[1::2, 1] = np.nan, np.nan  # as of two sensors in one table
    detector = NeighborsDetector(period=40).fit(X[:1200])
    scores = detector.decision_function(X[1200:])
    assert scores.max() < 20
    X[1800:1840] += 5 * ~np.isnan(X[1800:1840])
    found = detector.decision_function(X[1200:])
    assert found[600:640].max() > 2 * scores.max()
    detector.save(tmp_path / "detector")
    loaded = NeighborsDetector.load(tmp_path / "detector")
    np.testing.assert_allclose(loaded.decision_function(X[1200:]), found, atol=1e-4)
