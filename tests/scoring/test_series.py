import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skcoad import _device
from skcoad.calibration import TailCalibration
from skcoad.model import (
    AGGREGATIONS,
    EVIDENCE,
    SCORES,
    CoADModel,
    NetworkConfig,
    TrainingOptions,
)
from skcoad.preprocessing import plan_windows
from skcoad.scoring import (
    ScoringOptions,
    calibrate_scores,
    combine,
    explain_series,
    score_channels,
    score_series,
)
from skcoad.scoring._chunks import chunks
from skcoad.scoring._components import smoothed


@given(
    st.integers(1, 2000), st.integers(1, 50), st.integers(0, 200), st.integers(1, 99)
)
def test_cores_partition_the_series_and_chunks_hold_their_halo(n, step, halo, least):
    cuts = list(chunks(n, step, halo, least))
    assert [i for _, core in cuts for i in range(n)[core]] == list(range(n))
    for chunk, core in cuts:
        assert chunk.start % step == 0
        assert chunk.start <= max(0, core.start - halo)
        assert chunk.stop >= min(n, core.stop + halo)


@pytest.fixture(scope="module")
def model(wave):
    X = wave(400, 2)
    options = TrainingOptions(max_steps=5)
    model, _ = CoADModel.fit(
        X, plan_windows(X), network=NetworkConfig(hidden_size=8), options=options
    )
    calibrate_scores(model, X, ScoringOptions())
    return model


AGGREGATE = {
    "rms": lambda channels: np.sqrt(np.square(channels).mean(0)),
    "mean": lambda channels: channels.mean(0),
    "max": lambda channels: channels.max(0),
}


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_the_score_of_a_series_is_the_rarity_of_the_aggregate_of_its_channels(
    aggregation, training_free, wave
):
    model, train = training_free
    options = ScoringOptions(
        score_by="neighbors", channel_aggregation=aggregation, smoothing=0
    )
    aggregate = AGGREGATE[aggregation]
    normal, new = (
        aggregate(np.stack(list(score_channels(model, X, options))))
        for X in (train, wave(300, 2, seed=1))
    )
    scores = score_series(model, wave(300, 2, seed=1), options)
    order = np.argsort(new, kind="stable")
    assert (np.diff(scores[order]) >= 0).all()
    # The training series was calibrated as if each part of it were new.
    for value, score in zip(new, scores, strict=True):
        if 0.3 < score < 1.2:
            assert -np.log10((normal > value).mean()) == pytest.approx(score, abs=0.2)


def test_explanations_of_chunks_are_those_of_the_whole(model, wave, monkeypatch):
    X = wave(3000, 2)
    X[1500:1512, 0] = np.nan
    whole = explain_series(model, X, ScoringOptions())
    small = _device.CPU_CHUNKS._replace(timestamps=1)
    monkeypatch.setattr(_device, "CPU_CHUNKS", small)
    step, halo = model.config.plan.step, model.receptive_field
    assert len(list(chunks(len(X), step, halo, 1))) > 1
    in_chunks = explain_series(model, X, ScoringOptions())
    for mine, theirs in zip(in_chunks, whole, strict=True):
        for part, expected in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(part, expected, atol=5e-3)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_values_beyond_the_receptive_field_have_no_influence(seed, smooth):
    rng = np.random.default_rng(seed)
    train, X = rng.normal(size=(2, 300, 1))
    if smooth:  # of which differences are small, and those to an error code huge
        wave = np.sin(np.arange(300) * np.pi / 25)[:, None]
        train, X = wave + 1e-4 * train, wave + 1e-4 * X
    plan = plan_windows(train, period=8)
    model, _ = CoADModel.fit(train, plan, network=None)
    changed = X.copy()
    at = int(rng.integers(300))
    changed[at] += 65535 if smooth else 5
    before, after = (model.components(x, 0, model.profile(x, 0)) for x in (X, changed))
    far = np.abs(np.arange(300) - at) > model.receptive_field
    assert far.any()
    for mine, theirs in zip(before, after, strict=True):
        np.testing.assert_allclose(mine[far], theirs[far], atol=1e-5)


def test_a_model_can_be_moved_and_scores_the_same(model, wave):
    X = wave(300, 2)
    before = score_series(model, X, ScoringOptions())
    assert model.to(torch.device("cpu")).device == torch.device("cpu")
    np.testing.assert_array_equal(score_series(model, X, ScoringOptions()), before)


@pytest.fixture(scope="module")
def training_free(wave):
    X = wave(1200, 2)
    X[300:310, 1] = np.nan
    model, _ = CoADModel.fit(X, plan_windows(X), network=None)
    calibrate_scores(model, X, ScoringOptions())
    return model, X


@pytest.fixture(scope="module")
def trained(wave):
    X = wave(1200, 1)
    X[300:310] = np.nan
    options = TrainingOptions(max_steps=5)
    network = NetworkConfig(hidden_size=8)
    model, _ = CoADModel.fit(X, plan_windows(X), network=network, options=options)
    calibrate_scores(model, X, ScoringOptions())
    return model, X


@pytest.fixture(scope="module")
def without_neighbors(wave):
    X = wave(1200, 1)
    options = TrainingOptions(max_steps=5)
    network = NetworkConfig(hidden_size=8)
    model, _ = CoADModel.fit(
        X, plan_windows(X), network=network, options=options, max_references=0
    )
    calibrate_scores(model, X, ScoringOptions())
    return model, X


@pytest.mark.parametrize(
    ("fixture", "score_by"),
    [
        (fixture, score_by)
        for fixture, constant in [
            ("training_free", "classification"),
            ("trained", None),
            ("without_neighbors", "neighbors"),
        ]
        for score_by in SCORES
        if score_by != constant
    ],
)
def test_on_the_training_series_a_tenth_of_each_score_exceeds_one(
    fixture, score_by, request
):
    model, X = request.getfixturevalue(fixture)
    for score in score_channels(model, X, ScoringOptions(score_by=score_by)):
        assert np.isfinite(score).all()
        assert (score >= 0).all()
        for decades in (0.5, 1, 1.2):
            above = (score > decades).mean()
            assert above == pytest.approx(10**-decades, abs=0.012)
        assert (score > 2).mean() == pytest.approx(0.01, abs=0.01)


@pytest.mark.parametrize("score_by", ["classification", "neighbors"])
def test_what_a_model_does_not_have_is_no_evidence(
    score_by, training_free, without_neighbors
):
    model, X = training_free if score_by == "classification" else without_neighbors
    assert not score_series(model, X, ScoringOptions(score_by=score_by)).any()


def test_the_smoothed_probability_is_calibrated_and_averaged_in_the_score(trained):
    model, X = trained
    options = ScoringOptions()
    (components,) = explain_series(model, X, options)
    width = round(options.smoothing * model.config.plan.period)
    missing = np.isnan(X[:, 0])
    network = smoothed(components, missing, width)
    observed = ~np.isnan(network[0])
    normal = torch.tensor(network, dtype=torch.float32)
    calibration = TailCalibration(2).fit(normal[:, observed])
    decades = calibration(normal.nan_to_num(-np.inf)).double().numpy()
    period = model.config.plan.period
    rarity = np.zeros_like(decades)
    for t in np.flatnonzero(observed):  # the mean over a period, of what is observed
        around = np.arange(t - period // 2, t - period // 2 + period)
        around = around[(around >= 0) & (around < len(X))]
        rarity[:, t] = decades[:, around][:, observed[around]].mean(1)
    both = {"with_neighbors": True, "with_network": True}
    as_new = model.normal_components(X, 0, components)
    weights = model.evidence_weights(0)
    scores, normal = (
        combine(
            np.stack(one[-len(EVIDENCE) :]),
            weights,
            network,
            rarity,
            model.network_weight(0),
            **both,
        )
        for one in (components, as_new)
    )
    for kind in SCORES:
        score = torch.tensor(normal[kind], dtype=torch.float32)[None]
        calibration = TailCalibration(1).fit(score[:, observed])
        score = torch.tensor(scores[kind], dtype=torch.float32)[None]
        score[:, missing] = torch.nan  # a hole is no alarm
        expected = calibration(score.nan_to_num(-np.inf))[0]
        (result,) = score_channels(model, X, ScoringOptions(score_by=kind))
        np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("fixture", ["training_free", "trained"])
def test_the_training_series_in_chunks_has_the_scores_of_the_whole(
    fixture, request, monkeypatch
):
    model, X = request.getfixturevalue(fixture)
    whole = score_series(model, X, ScoringOptions())
    np.testing.assert_array_equal(score_series(model, X, ScoringOptions()), whole)
    # Trivial matches are excluded in a chunk as in the whole.
    slices = [(slice(0, 700), slice(0, 480)), (slice(240, 1200), slice(600, 1200))]
    step = model.config.plan.step
    for part, core in slices:
        assert part.start % step == 0
        score = score_series(model, X[part], ScoringOptions())
        inside = slice(core.start - part.start, core.stop - part.start)
        np.testing.assert_allclose(score[inside], whole[core], atol=5e-3)
    small = _device.CPU_CHUNKS._replace(timestamps=1)
    monkeypatch.setattr(_device, "CPU_CHUNKS", small)
    in_chunks = score_series(model, X, ScoringOptions())
    np.testing.assert_allclose(in_chunks, whole, atol=5e-3)


@pytest.mark.parametrize("fixture", ["training_free", "trained", "without_neighbors"])
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("score_by", SCORES)
def test_calibration_gives_the_scores_of_the_training_series(
    fixture, aggregation, score_by, request
):
    model, X = request.getfixturevalue(fixture)
    options = ScoringOptions(score_by=score_by, channel_aggregation=aggregation)
    scores = calibrate_scores(model, X, options)
    np.testing.assert_array_equal(scores, score_series(model, X, options))


def test_a_calibration_does_not_depend_on_the_chunks(training_free, monkeypatch):
    model, X = training_free
    whole = calibrate_scores(model, X, ScoringOptions())
    small = _device.CPU_CHUNKS._replace(timestamps=1)
    monkeypatch.setattr(_device, "CPU_CHUNKS", small)
    in_chunks = calibrate_scores(model, X, ScoringOptions())
    np.testing.assert_allclose(in_chunks, whole, atol=5e-3)


def test_an_anomaly_stands_out_by_decades(training_free, wave):
    model, _ = training_free
    X = wave(600, 2, seed=1)
    X[300:312] = X[300]
    score = score_series(model, X, ScoringOptions())
    assert 290 <= score.argmax() <= 325
    assert score.max() > 3
    assert (score[:250] > 2).mean() < 0.1


@pytest.mark.parametrize("constant", [0.0, 7.0])
@pytest.mark.parametrize("network", [None, NetworkConfig(hidden_size=8)])
def test_a_constant_training_series_gives_finite_scores(constant, network, wave):
    X = np.full((200, 1), constant)
    options = TrainingOptions(max_steps=2)
    model, _ = CoADModel.fit(X, plan_windows(X), network=network, options=options)
    calibrate_scores(model, X, ScoringOptions())
    scores = score_series(model, X, ScoringOptions())
    assert np.isfinite(scores).all()
    changed = score_series(model, X + wave(200), ScoringOptions())
    assert np.isfinite(changed).all()
    assert changed.mean() > scores.mean()


@pytest.mark.parametrize("score_by", SCORES)
@pytest.mark.parametrize("fixture", ["training_free", "trained", "without_neighbors"])
def test_inside_a_long_missing_run_the_score_is_zero(fixture, score_by, request, wave):
    model, _ = request.getfixturevalue(fixture)
    X = wave(500, model.config.n_channels, seed=1)
    X[200:350] = np.nan
    score = score_series(model, X, ScoringOptions(score_by=score_by))
    assert np.isfinite(score).all()
    assert not score[200:350].any()
