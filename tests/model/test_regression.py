import numpy as np
import pytest
import torch

from skcoad.model import ChannelRegression
from skcoad.preprocessing import WindowPlan

PLAN = WindowPlan(period=20, window_size=40, patch_size=4, step=20)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def channels(x, missing=None):
    if missing is None:
        missing = torch.zeros_like(x, dtype=torch.bool)
    return lambda i: (x[i], missing[i])


def together(n_channels=3, n=1000, seed=0):
    return noise(n, seed=seed) + 0.1 * noise(n_channels, n, seed=seed + 1)


def test_predictors_are_the_most_correlated_others():
    common = noise(2, 600)
    x = 0.3 * noise(12, 600, seed=1)
    x[::2] += common[0]
    x[1::2] += common[1]
    regression = ChannelRegression(PLAN, 12).fit(channels(x))
    assert regression.predictors.shape == (12, 8)
    for i, chosen in enumerate(regression.predictors.tolist()):
        assert i not in chosen
        assert len(set(chosen)) == 8
        assert {j for j in range(12) if j % 2 == i % 2} - {i} <= set(chosen)


def test_weights_are_those_of_least_squares():
    x = together(3, 5000)
    regression = ChannelRegression(PLAN, 3).fit(channels(x))
    for i in range(3):
        others = x[regression.predictors[i]].numpy().T
        expected = np.linalg.lstsq(others, x[i].numpy(), rcond=None)[0]
        np.testing.assert_allclose(regression.weights[i], expected, atol=0.06)
        residual = x[i].numpy() - others @ expected
        assert regression.explained[i] == pytest.approx(
            1 - residual.var() / x[i].var(correction=0).item(), abs=0.01
        )


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_imputed_values_have_no_part_in_the_regression(share):
    x = together(3, 2000)
    missing = torch.rand(3, 2000, generator=torch.Generator().manual_seed(9)) < share
    filled = torch.where(missing, 0, x)
    with_holes = ChannelRegression(PLAN, 3).fit(channels(filled, missing))
    complete = ChannelRegression(PLAN, 3).fit(channels(x))
    np.testing.assert_allclose(with_holes.explained, complete.explained, atol=0.005)
    for i in range(3):
        mine, theirs = (
            torch.zeros(3).index_put((of.predictors[i],), of.weights[i])
            for of in (with_holes, complete)
        )
        np.testing.assert_allclose(mine, theirs, atol=0.05)


def test_a_channel_without_any_value_explains_nothing():
    x, missing = together(3, 500), torch.zeros(3, 500, dtype=torch.bool)
    x[1], missing[1] = 0, True
    regression = ChannelRegression(PLAN, 3).fit(channels(x, missing))
    assert regression.explained[1] == 0
    assert regression.weights.isfinite().all()


def test_channels_that_have_nothing_in_common_explain_nothing():
    regression = ChannelRegression(PLAN, 3).fit(channels(noise(3, 1000)))
    assert (regression.explained < 0.02).all()


def test_two_channels_that_part_company_are_found_in_both():
    x = together(2)
    regression = ChannelRegression(PLAN, 2).fit(channels(x))
    new = together(2, seed=5)
    new[1, 500:560] = new[1, 200:260]
    for i in range(2):
        evidence = regression(channels(new), i)
        assert evidence.shape == (2, 1000)
        for row in evidence:
            assert 495 <= int(row.argmax()) <= 565
            assert row.max() > 5


def test_where_a_predictor_is_missing_there_is_no_evidence():
    x = together(2)
    regression = ChannelRegression(PLAN, 2).fit(channels(x))
    missing = torch.zeros_like(x, dtype=torch.bool)
    missing[0, 300:400] = True
    new = x.clone()
    new[0, 300:400] = 9
    for i in range(2):
        assert not regression(channels(new, missing), i)[:, 303:397].any()


def test_a_constant_channel_is_neither_explained_nor_an_error():
    x = together(3)
    x[1] = 0
    regression = ChannelRegression(PLAN, 3).fit(channels(x))
    assert regression.explained[1] == 0
    assert regression(channels(x), 0).isfinite().all()
