import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad.model import CoADModel
from skcoad.model._scaler import MAX_SCALED, Scaler
from skcoad.preprocessing import WindowPlan

LARGEST = np.finfo(np.float64).max

moderate = arrays(
    float, st.tuples(st.integers(2, 40), st.integers(1, 3)), elements=st.floats(-99, 99)
)


def make_series(n=200, seed=0):
    return np.random.default_rng(seed).normal(3, 2, size=(n, 1))


@given(moderate)
def test_channels_have_mean_zero_and_standard_deviation_one(X):
    scaler = Scaler(X.shape[1]).fit(X)
    for channel, x in enumerate(X.T):
        scaled, missing = scaler.transform(x, channel)
        assert scaled.dtype == torch.float32
        assert not missing.any()
        if np.std(x) < 1e-3:
            continue  # nothing but rounding is left to compare
        expected = (x - x.mean()) / x.std()
        np.testing.assert_allclose(scaled, expected, atol=1e-4)


@pytest.mark.parametrize("unit", [1e-300, 1e-30, 1e30, 1e300, 1e306])
def test_the_unit_does_not_matter(unit):
    X = make_series()
    expected, _ = Scaler(1).fit(X).transform(X[:, 0], 0)
    scaled, _ = Scaler(1).fit(X * unit).transform(X[:, 0] * unit, 0)
    torch.testing.assert_close(scaled, expected)


@given(
    arrays(
        float,
        st.integers(1, 20),
        elements=st.floats(-LARGEST / 2, LARGEST / 2),  # their differences are finite
    )
)
def test_any_training_values_have_finite_statistics_and_are_never_clipped(x):
    scaler = Scaler(1).fit(x[:, None])
    assert torch.isfinite(scaler.center).all()
    assert torch.isfinite(scaler.scale).all()
    assert (scaler.scale > 0).all()
    scaled, _ = scaler.transform(x, 0)
    # No value is farther than this from the mean of n values.
    assert (scaled.abs() <= np.sqrt(len(x)) + 1e-3).all()


def test_the_largest_numbers_of_both_signs_are_not_clipped():
    x = np.array([-LARGEST, LARGEST, LARGEST])
    scaled, _ = Scaler(1).fit(x[:, None]).transform(x, 0)
    np.testing.assert_allclose(scaled, np.array([-2, 1, 1]) / np.sqrt(2), rtol=1e-6)


@given(
    arrays(
        float,
        st.integers(1, 20),
        elements=st.floats(allow_infinity=False, allow_nan=True),
    ),
    st.sampled_from([1e-300, 1.0, 1e300, 1e306]),
)
def test_any_other_values_are_finite_within_the_limit(x, unit):
    scaler = Scaler(1).fit(make_series() * unit)
    scaled, missing = scaler.transform(x, 0)
    assert (scaled.abs() <= MAX_SCALED).all()
    np.testing.assert_array_equal(missing, np.isnan(x))


def test_values_far_from_the_training_series_are_clipped():
    scaler = Scaler(1).fit(make_series())
    scaled, _ = scaler.transform(np.array([-1e9, 3.0, LARGEST]), 0)
    assert scaled[[0, 2]].tolist() == [-MAX_SCALED, MAX_SCALED]
    assert scaled[1].abs() < 1


@pytest.mark.parametrize("value", [0.0, 0.1, -7.0, 1e30, 1e-310, 5e-324, LARGEST])
def test_a_constant_channel_is_zero_and_has_a_scale_to_divide_by(value):
    X = np.full((50, 1), value)
    scaler = Scaler(1).fit(X)
    assert scaler.scale.item() >= np.finfo(np.float64).tiny
    scaled, _ = scaler.transform(X[:, 0], 0)
    assert scaled.abs().max() < 1e-6
    expected = 1 if value == 0 else 1e-6 * abs(value)
    assert scaler.scale.item() == max(expected, np.finfo(np.float64).tiny)


def test_rounding_is_no_variation():
    X = np.full((50, 1), 0.1)
    X[::2] = np.nextafter(0.1, 1)
    scaler = Scaler(1).fit(X)
    assert scaler.scale.item() == 1e-6 * X.max()
    scaled, _ = scaler.transform(X[:, 0], 0)
    assert scaled.abs().max() < 1e-6


@pytest.mark.parametrize("value", [0.1, -7.3, 1e30, 1e-30])
def test_a_constant_channel_in_single_precision_is_the_same_in_double(value):
    X = np.full((50, 1), value)
    for fitted, other in [(X, X.astype(np.float32)), (X.astype(np.float32), X)]:
        scaler = Scaler(1).fit(fitted)
        scaled, _ = scaler.transform(other[:, 0], 0)
        assert not scaled.any()
        scaled, _ = scaler.transform(other[:, 0] * (1 + 1e-6), 0)
        assert (scaled.abs() > 0.5).all()


@pytest.mark.parametrize("offset", [1e6, 1e12, 1e13])
def test_what_varies_far_from_zero_is_not_constant(offset):
    X = make_series()
    scaler = Scaler(1).fit(X + offset)
    assert scaler.scale.item() == pytest.approx(X.std(), rel=1e-2)


def test_channels_are_scaled_each_on_its_own():
    X = np.hstack([make_series(seed=0), 1e6 * make_series(seed=1), np.ones((200, 1))])
    scaler = Scaler(3).fit(X)
    for channel in range(3):
        alone = Scaler(1).fit(X[:, [channel]])
        for one, same in zip(
            scaler.transform(X[:, channel], channel),
            alone.transform(X[:, channel], 0),
            strict=True,
        ):
            assert torch.equal(one, same)


def test_missing_values_do_not_count_and_are_interpolated():
    X = make_series()
    with_missing = X.copy()
    with_missing[[0, 50, 51, 199]] = np.nan
    scaler = Scaler(1).fit(with_missing)
    observed = Scaler(1).fit(X[~np.isnan(with_missing[:, 0])])
    torch.testing.assert_close(scaler.state_dict(), observed.state_dict())
    scaled, missing = scaler.transform(with_missing[:, 0], 0)
    assert missing.nonzero()[:, 0].tolist() == [0, 50, 51, 199]
    expected, _ = scaler.transform(X[:, 0], 0)
    assert torch.equal(scaled[~missing], expected[~missing])
    assert scaled[0] == scaled[1]
    between = scaled[49] + (scaled[52] - scaled[49]) * torch.tensor([1 / 3, 2 / 3])
    torch.testing.assert_close(scaled[50:52], between)


def test_a_series_without_any_value_is_zero_and_missing():
    scaled, missing = Scaler(1).transform(np.full(5, np.nan), 0)
    assert scaled.tolist() == [0] * 5
    assert missing.all()


@given(moderate)
def test_the_inverse_of_scaled_values_are_the_values(X):
    scaler = Scaler(X.shape[1]).fit(X)
    for channel, x in enumerate(X.T):
        scaled, _ = scaler.transform(x, channel)
        values = scaler.inverse_transform(scaled.numpy(), channel)
        assert values.dtype == np.float64
        np.testing.assert_allclose(values, x, atol=1e-4)


def test_an_inverse_that_overflows_is_the_largest_number():
    scaler = Scaler(1).fit(make_series() * 1e300)
    scaled = np.array([-1e9, 0, 1e9], dtype=np.float32)
    values = scaler.inverse_transform(scaled, 0)
    assert values.tolist() == [-LARGEST, scaler.center.item(), LARGEST]


def test_the_statistics_do_not_depend_on_the_chunks(monkeypatch):
    X = make_series()
    X[::7] = np.nan
    whole = Scaler(1).fit(X)
    monkeypatch.setattr("skcoad.model._scaler.STATISTICS_CHUNK", 13)
    in_chunks = Scaler(1).fit(X)
    torch.testing.assert_close(in_chunks.state_dict(), whole.state_dict())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_input_is_not_changed(dtype):
    X = make_series().astype(dtype)
    X[5] = np.nan
    original = X.copy()
    scaler = Scaler(1).fit(X)
    scaled, _ = scaler.transform(X[:, 0], 0)
    values = scaled.numpy().copy()
    scaler.inverse_transform(values, 0)
    np.testing.assert_array_equal(X, original)
    np.testing.assert_array_equal(values, scaled)


def test_single_precision_input_is_scaled_in_double_precision():
    X = (make_series() + 1e3).astype(np.float32)
    X[0] = np.finfo(np.float32).max  # its square is none of single precision
    scaler = Scaler(1).fit(X)
    expected = Scaler(1).fit(X.astype(np.float64))
    torch.testing.assert_close(scaler.state_dict(), expected.state_dict())


@pytest.mark.parametrize(
    "move",
    [
        lambda module: module.to("meta"),
        lambda module: module.to(torch.float16),
        lambda module: module.half(),
        lambda module: module.float(),
    ],
    ids=["device", "dtype", "half", "float"],
)
def test_it_stays_on_the_cpu_in_double_precision_wherever_the_model_goes(move):
    X = make_series()
    plan = WindowPlan(period=12, window_size=24, patch_size=4, step=12)
    model, _ = CoADModel.fit(X, plan, max_references=50, network=None)
    scaler = model.scaler
    state = {name: tensor.clone() for name, tensor in scaler.state_dict().items()}
    for moved in (move(model).scaler, move(scaler)):
        assert moved is scaler
        for name, tensor in moved.state_dict().items():
            assert tensor.device.type == "cpu"
            assert tensor.dtype == torch.float64
            assert torch.equal(tensor, state[name])
