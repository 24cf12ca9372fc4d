import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skcoad.calibration import TailCalibration
from skcoad.calibration._deviation import Deviation, cross_fitted

EVERYWHERE = torch.ones(1, 1000, dtype=torch.bool)


def noise(n=1000, seed=0):
    return torch.randn(1, n, generator=torch.Generator().manual_seed(seed))


def trimmed(x):
    """Mean and deviation without the hundredth at either end, by definition."""
    ordered = sorted(x.tolist())
    cut = len(ordered) // 100
    kept = ordered[cut : len(ordered) - cut]
    return np.mean(kept), np.std(kept)


def test_every_quarter_is_standardised_by_the_other_three():
    x = noise()
    deviation = cross_fitted(x, EVERYWHERE)[0]
    for fold in range(4):
        inside = np.arange(1000) // 250 == fold
        mean, std = trimmed(x[0, ~inside])
        expected = np.abs(x[0, inside].numpy() - mean) / std
        np.testing.assert_allclose(deviation[inside], expected, rtol=1e-4)


def test_rarity_is_that_of_the_cross_fitted_deviations():
    x = noise()
    deviation = Deviation(1).fit(x, EVERYWHERE)
    calibration = TailCalibration(1).fit(cross_fitted(x, EVERYWHERE))
    mean, std = trimmed(x[0])
    new = noise(seed=1)
    expected = calibration((new - mean).abs() / std)
    np.testing.assert_allclose(deviation(new, EVERYWHERE), expected, atol=1e-4)


def test_a_level_that_wanders_on_normal_data_is_less_evidence_than_in_sample():
    beyond, there = torch.tensor([[4.0]]), torch.ones(1, 1, dtype=torch.bool)
    rarities = []
    for seed in range(10):
        x = noise(seed=seed).cumsum(1)
        x = (x - x.mean()) / x.std()
        in_sample = TailCalibration(1).fit(x.abs())(beyond)
        rarities.append((Deviation(1).fit(x, EVERYWHERE)(beyond, there), in_sample))
    cross, sample = np.median(rarities, axis=0).ravel()
    assert cross < 0.8 * sample


def test_a_few_gross_values_do_not_hide_a_deviation():
    x = noise()
    spoiled = x.clone()
    spoiled[0, ::250] = 1e6
    rarity = [Deviation(1).fit(one, EVERYWHERE) for one in (x, spoiled)]
    assert rarity[1].scale == pytest.approx(rarity[0].scale.item(), rel=0.1)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.floats(0.1, 0.9))
def test_what_was_not_observed_is_neither_learned_nor_evidence(seed, fraction):
    x = noise(200, seed)
    observed = torch.rand(1, 200, generator=torch.Generator().manual_seed(seed))
    observed = observed < fraction
    spoiled = torch.where(observed, x, 1e9)
    one, other = (Deviation(1).fit(values, observed) for values in (x, spoiled))
    np.testing.assert_array_equal(one.center, other.center)
    np.testing.assert_array_equal(one.scale, other.scale)
    rarity = other(spoiled, observed)
    np.testing.assert_array_equal(one(x, observed), rarity)
    np.testing.assert_array_equal(
        one.normal(x, observed), other.normal(spoiled, observed)
    )
    assert not rarity[~observed].any()


@pytest.mark.parametrize("n_observed", [0, 1])
def test_hardly_anything_observed_gives_finite_rarity(n_observed):
    observed = torch.arange(1000)[None] < n_observed
    rarity = Deviation(1).fit(noise(), observed)(noise(), EVERYWHERE)
    assert rarity.isfinite().all()
