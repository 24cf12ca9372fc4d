import math

import naive
import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad.calibration._tail import (
    MIN_TAIL_SCALE,
    N_QUANTILES,
    TAIL,
    TailCalibration,
)

LAST = -math.log10(TAIL)  # decades where the exponential tail begins


def slower(decades, n):
    """What is rarer than all of n grows with the logarithm of its decades."""
    limit = max(LAST, math.log10(n))
    return decades if decades <= limit else limit * (1 + math.log(decades / limit))


def fit(*normal):
    return TailCalibration(len(normal)).fit(
        torch.tensor(np.stack(normal), dtype=torch.float32)
    )


def decades(calibration, *evidence):
    x = torch.tensor(np.stack(evidence), dtype=torch.float32)
    return calibration(x).numpy()


values = st.floats(-1e4, 1e4, width=32)
# Small whole numbers have many ties.
normals = arrays(np.float32, st.integers(1, 300), elements=values) | arrays(
    np.float32, st.integers(1, 300), elements=st.integers(-3, 3).map(float)
)


@given(normals, arrays(np.float32, st.integers(1, 50), elements=values))
def test_more_evidence_is_no_less_rare(normal, evidence):
    ordered = np.sort(np.concatenate([evidence, normal]))
    result = decades(fit(normal), ordered)[0]
    assert np.isfinite(result).all()
    assert (result >= 0).all()
    # Rounding may be taken for a decrease.
    assert (np.diff(result) >= -1e-5).all()


@given(normals)
@example(np.float32([-0.0] * 9 + [0.0] * 9))
def test_less_than_all_normal_data_is_no_evidence(normal):
    calibration = fit(normal)
    below = [normal.min(), normal.min() - 1, -1e30, -np.inf]
    assert (decades(calibration, below) == 0).all()


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(2, 8))
def test_up_to_the_tail_rarity_is_counted(seed, factor):
    n = factor * (N_QUANTILES - 1) + 1
    normal = np.sort(np.random.default_rng(seed).gamma(1.5, size=n))
    sample = normal[: int((1 - TAIL) * n) : max(1, n // 20)]
    result = decades(fit(normal), sample)[0]
    fraction = [naive.decades(normal, value) for value in sample]
    np.testing.assert_allclose(10**-result, 10 ** -np.array(fraction), atol=0.003)


def test_at_its_quantiles_rarity_equals_the_counted_survival_function():
    n = 20 * (N_QUANTILES - 1) + 1
    normal = np.random.default_rng(0).normal(size=n).astype(np.float32)
    calibration = fit(normal)
    result = calibration(calibration.quantiles)[0].numpy()
    for k in range(0, N_QUANTILES, 37):
        expected = naive.decades(normal, calibration.quantiles[0, k].item())
        assert result[k] == pytest.approx(expected, abs=2e-3)


def test_of_equal_values_as_many_are_as_rare_as_are_no_smaller():
    normal = np.repeat([0.0, 1.0, 2.0, 3.0], [500, 300, 160, 40])
    result = decades(fit(normal), [0, 1, 2])[0]
    expected = [naive.decades(normal.tolist(), value) for value in (0, 1, 2)]
    np.testing.assert_allclose(result, expected, atol=0.01)


@given(
    arrays(np.float32, st.integers(40, 300), elements=st.floats(-100, 100, width=32)),
    st.floats(0, 50),
)
def test_the_tail_is_exponential_with_the_mean_excess(normal, above):
    calibration = fit(normal)
    threshold = calibration.quantiles[0, -1].item()
    excess = [v - threshold for v in normal.tolist() if v > threshold]
    scale = sum(excess) / max(len(excess), 1) + MIN_TAIL_SCALE
    assert calibration.tail_scale.item() == pytest.approx(scale, rel=1e-3)
    value = float(np.float32(threshold + above))
    assume(value > threshold)
    result = decades(calibration, [value])[0, 0]
    expected = slower(LAST + (value - threshold) / scale / math.log(10), len(normal))
    assert result == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("value", [0.0, -3.0, 5.0, 1e4])
@pytest.mark.parametrize("n", [1, 2, 1000])
def test_constant_normal_data_are_no_evidence_and_anything_above_is(value, n):
    calibration = fit(np.full(n, value))
    result = decades(calibration, [value - 1, value, value + 1])[0]
    assert result[:2].tolist() == [0, 0]
    above = slower(LAST + 1 / MIN_TAIL_SCALE / math.log(10), n)
    assert result[2] == pytest.approx(above, rel=1e-3)


@pytest.mark.parametrize("n_same", [950, 990, 999])
def test_where_nearly_all_normal_data_are_equal_they_are_no_evidence(n_same):
    normal = np.concatenate([np.zeros(n_same), np.arange(1.0, 1001 - n_same)])
    result = decades(fit(normal), [-1, 0, 1e-3])[0]
    assert result[:2].tolist() == [0, 0]
    assert result[2] > 1


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.exponential(size=n) - 2,
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.gamma(2, 3, size=n),
        lambda rng, n: rng.laplace(size=n),
    ],
)
def test_on_fresh_normal_data_a_tenth_exceeds_one_and_a_hundredth_two(draw):
    rng = np.random.default_rng(0)
    result = decades(fit(draw(rng, 20_000)), draw(rng, 200_000))[0]
    assert (result > 0.5).mean() == pytest.approx(10**-0.5, abs=0.015)
    assert (result > 1).mean() == pytest.approx(0.1, abs=0.01)
    assert (result > 2).mean() == pytest.approx(0.01, abs=0.004)
    # The exponential tail is heavier than that of a Gaussian: fewer exceed three.
    assert 0.00025 < (result > 3).mean() < 0.00125


@given(normals, st.sampled_from([0.25, 8.0]), st.integers(-9, 9))
def test_up_to_the_tail_scale_and_level_do_not_matter(normal, scale, level):
    normal = normal.round()  # no rounding when they are scaled
    moved = scale * normal + level
    body = normal[normal <= fit(normal).quantiles[0, -1].item()]
    expected = decades(fit(normal), body)
    np.testing.assert_allclose(
        decades(fit(moved), scale * body + level), expected, atol=1e-3
    )


def test_every_kind_has_a_calibration_of_its_own():
    rng = np.random.default_rng(0)
    normal = [rng.normal(size=500), rng.gamma(1, size=500) + 3]
    evidence = [rng.normal(size=40), rng.gamma(2, size=40) + 3]
    together = decades(fit(*normal), *evidence)
    for row in range(2):
        alone = decades(fit(normal[row]), evidence[row])[0]
        np.testing.assert_array_equal(together[row], alone)


def test_evidence_of_any_layout_is_calibrated():
    normal = torch.randn(2, 500, generator=torch.Generator().manual_seed(0))
    calibration = TailCalibration(2).fit(normal)
    transposed = normal.T.contiguous().T
    assert torch.equal(calibration(transposed), calibration(normal))


def test_a_calibration_made_of_its_state_is_the_same():
    normal = torch.randn(3, 500, generator=torch.Generator().manual_seed(0))
    calibration = TailCalibration(3).fit(normal)
    state = calibration.state_dict()
    with torch.device("meta"):
        loaded = TailCalibration(3)
    assert {name: (t.shape, t.dtype) for name, t in loaded.state_dict().items()} == {
        name: (t.shape, t.dtype) for name, t in state.items()
    }
    assert set(state) == {"quantiles", "tail_scale", "n_normal"}
    loaded.load_state_dict(state, assign=True)
    assert torch.equal(loaded(2 * normal), calibration(2 * normal))
