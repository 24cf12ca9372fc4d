import numpy as np
import pytest
import torch

from skcoad.model import (
    SCORES,
    CoADModel,
    ModelConfig,
    NetworkConfig,
    ScoreCalibration,
    TrainingOptions,
)
from skcoad.preprocessing import WindowPlan, plan_windows
from skcoad.scoring import ScoringOptions, calibrate_scores, score_series

NETWORK = NetworkConfig(hidden_size=8)


def fit(X, network=NETWORK, **how):
    options = TrainingOptions(max_steps=2)
    model, _ = CoADModel.fit(
        X, plan_windows(X), network=network, options=options, **how
    )
    calibrate_scores(model, X, ScoringOptions())
    return model


@pytest.fixture(scope="module")
def model(wave):
    return fit(wave(300, 2))


@pytest.mark.parametrize(
    "parts", [{}, {"network": None}, {"max_references": 0}, {"max_references": 50}]
)
def test_a_model_made_of_its_state_scores_the_same(parts, wave):
    X = wave(300, 2)
    X[100:105, 1] = np.nan
    model = fit(X, **parts)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    config = ModelConfig.from_dict(model.config.to_dict())
    assert config == model.config
    loaded = CoADModel.from_state(config, state)
    new = wave(200, 2, seed=1)
    for Y in (X, new):
        np.testing.assert_array_equal(
            score_series(loaded, Y, ScoringOptions()),
            score_series(model, Y, ScoringOptions()),
        )
    # The series is in the state once for each channel, and no join is.
    assert not any("joins" in name for name in state)
    n_series = sum(tensor.shape == (300,) for tensor in state.values())
    assert n_series == (0 if parts.get("max_references") == 0 else 4)


def test_a_plan_that_no_fit_makes_is_an_error_that_says_so():
    content = ModelConfig(WindowPlan(50, 100, 4, 47), 2000, 1, 0, None).to_dict()
    with pytest.raises(ValueError, match=r"step=47.* is no plan that a fit makes, as"):
        ModelConfig.from_dict(content)


def test_every_channel_has_a_calibration_of_every_kind_of_score(model):
    assert len(model.calibrations) == 2
    for calibration in model.calibrations:
        assert isinstance(calibration, ScoreCalibration)
        assert calibration.network.quantiles.shape == (2, 512)
        assert calibration.scores.quantiles.shape == (len(SCORES), 512)
        for part in (calibration.network, calibration.scores):
            assert (part.quantiles.diff() >= 0).all()
            assert (part.tail_scale > 0).all()
    one, other = (c.scores.quantiles for c in model.calibrations)
    assert not torch.equal(one, other)


def test_calibration_changes_nothing_but_the_calibrations(wave):
    X = wave(300)
    model, _ = CoADModel.fit(X, plan_windows(X), network=None)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    components = model.components(X, 0, model.profile(X, 0))
    calibrate_scores(model, X, ScoringOptions())
    for name, tensor in model.state_dict().items():
        changed = not torch.equal(tensor, before[name])
        assert not changed or name.startswith(("calibrations", "aggregate"))
    after = model.components(X, 0, model.profile(X, 0))
    for one, other in zip(after, components, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_fit_is_determined_by_its_series_and_generator(wave):
    one, other = (fit(wave(300)).state_dict() for _ in range(2))
    assert set(one) == set(other)
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("neighbors.0.baselines", -1.0, "negative distance"),
        ("neighbors.1.calibration.tails.0.tail_scale", 0.0, "below 0.02"),
        ("calibrations.0.scores.tail_scale", -1.0, "below 0.02"),
        ("calibrations.1.network.quantiles", torch.nan, "NaN or infinity"),
        ("neighbors.0.difference_scale", 0.0, "not above 0"),
        ("neighbors.0.series", torch.inf, "NaN or infinity"),
        ("neighbors.0.explained", 1.5, "outside"),
        ("statistics.1.deviation.scale", 0.0, "not above 0"),
        ("regression.predictors", 2, "does not exist"),
    ],
)
def test_a_state_that_no_fit_gives_is_an_error(name, value, message, model):
    state = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    state[name].view(-1)[0] = value
    with pytest.raises(ValueError, match=f"{name} has .*{message}"):
        CoADModel.from_state(model.config, state)


@pytest.mark.parametrize(
    "name",
    ["neighbors.0.baselines", "calibrations.1.scores.quantiles", "scaler.scale"],
)
def test_a_tensor_that_is_missing_unknown_or_of_another_shape_is_an_error(name, model):
    state = dict(model.state_dict())
    tensor = state.pop(name)
    with pytest.raises(ValueError, match="missing or unknown"):
        CoADModel.from_state(model.config, state)
    with pytest.raises(ValueError, match="missing or unknown"):
        CoADModel.from_state(model.config, state | {name: tensor, "other": tensor})
    with pytest.raises(ValueError, match=f"{name} is .* of shape"):
        CoADModel.from_state(model.config, state | {name: tensor[..., 1:]})
    with pytest.raises(ValueError, match=f"{name} is torch.float16"):
        CoADModel.from_state(model.config, state | {name: tensor.half()})


def test_without_neighbours_or_network_their_components_are_zero(wave):
    X = wave(300)
    model = fit(X, network=None)
    components = model.components(X, 0, model.profile(X, 0))
    assert not components.probability.any()
    assert not components.mask.any()
    model = fit(X, max_references=0)
    assert model.profile(X, 0) is None
    components = model.components(X, 0, None)
    for name in components._fields[4:]:
        assert not getattr(components, name).any()


def test_the_receptive_field_is_that_of_the_plan(model):
    assert model.receptive_field == model.config.plan.receptive_field


def test_a_series_of_hardly_any_period_has_finite_scores():
    X = np.random.default_rng(0).normal(size=(20, 1))
    for period in (1, 2, 5, 12, 20):
        plan = WindowPlan(period, 20, 5, 5)
        model, _ = CoADModel.fit(X, plan, network=None)
        calibrate_scores(model, X, ScoringOptions())
        for Y in (X, X[::-1] + 1):
            assert np.isfinite(score_series(model, Y, ScoringOptions())).all()


def test_the_network_counts_as_far_as_neighbours_explain_first_differences(wave):
    """They correlate by half with them: a quarter of their variance is explained."""
    model, _ = CoADModel.fit(wave(), plan_windows(wave()), network=None)
    model.neighbors[0].explained = torch.tensor([1.0, 0.5])
    assert model.network_weight(0) == 0.25


def test_the_network_counts_more_in_a_rhythm_than_in_noise():
    weights = []
    rhythm, noise = (
        np.sin(np.arange(400.0) / 4),
        np.random.default_rng(0).normal(size=400),
    )
    for X in (rhythm[:, None], rhythm[:, None] + 0.1 * noise[:, None], noise[:, None]):
        model, _ = CoADModel.fit(X, plan_windows(X, period=25), network=None)
        weights.append(model.network_weight(0))
    assert weights[0] > 0.99
    assert 0.9 > weights[1] > weights[2] + 0.1


def test_without_neighbours_the_network_counts_in_full(wave):
    plan = plan_windows(wave())
    model, _ = CoADModel.fit(wave(), plan, max_references=0, network=None)
    assert model.network_weight(0) == 1
