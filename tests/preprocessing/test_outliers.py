import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad.preprocessing import mask_gross_outliers, normal_dominant_period


def rhythm(n=1000, n_channels=2):
    return np.sin(np.arange(n)[:, None] / 5 + np.arange(n_channels))


@pytest.mark.parametrize("value", [65535.0, -999.0, 1e300, -1.7e308, np.inf])
def test_error_codes_become_missing(value):
    X = rhythm()
    X[[100, 500, 501], 1] = value
    masked = mask_gross_outliers(X)
    assert np.argwhere(np.isnan(masked)).tolist() == [[100, 1], [500, 1], [501, 1]]
    kept = ~np.isnan(masked)
    np.testing.assert_array_equal(masked[kept], X[kept])
    assert X[100, 1] == value


@pytest.mark.parametrize("X", [rhythm(), np.ones((50, 1)), np.eye(100)[:, :1]])
def test_where_nothing_is_gross_the_series_itself_is_returned(X):
    assert mask_gross_outliers(X) is X


def test_a_channel_without_values_stays_as_it_is():
    X = rhythm()
    X[:, 0] = np.nan
    X[100, 1] = 65535
    masked = mask_gross_outliers(X)
    assert np.isnan(masked[:, 0]).all()
    assert np.flatnonzero(np.isnan(masked[:, 1])).tolist() == [100]


def test_a_channel_alone_is_no_series():
    with pytest.raises(ValueError, match=r"must be two-dimensional, got shape \(9,\)"):
        mask_gross_outliers(np.zeros(9))


def test_many_different_ones_are_data():
    X = rhythm()
    X[:11, 0] = 1e4 + np.arange(11)
    assert mask_gross_outliers(X) is X
    X[10, 0] = 0
    assert np.isnan(mask_gross_outliers(X)).sum() == 10


@given(st.floats(1e-3, 1e6), st.floats(-1e6, 1e6))
def test_the_unit_does_not_matter(scale, offset):
    X = rhythm(200, 1)
    X[7] = 1e5
    masked = mask_gross_outliers(scale * X + offset)
    assert np.flatnonzero(np.isnan(masked)).tolist() == [7]


def noisy_rhythm(rng, n=400):
    return 20 + 5 * np.sin(np.arange(n) / 5) + rng.normal(size=n)


@given(
    code=st.sampled_from([-999.0, -9999.0, 999.0, 65535.0, 2147483647.0, -1e30]),
    share=st.floats(0.01, 0.2),
    in_blocks=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_code_is_missing_however_often_it_occurs(code, share, in_blocks, seed):
    rng = np.random.default_rng(seed)
    x = noisy_rhythm(rng)
    rows = rng.choice(len(x), round(share * len(x)), replace=False)
    if in_blocks:
        rows = np.minimum(rows[:2, None] + np.arange(len(rows) // 2), len(x) - 1)
    missing = np.copy(x)
    x[rows], missing[rows] = code, np.nan
    masked = mask_gross_outliers(x[:, None])[:, 0]
    np.testing.assert_array_equal(masked, missing)


def test_several_codes_are_missing_also_beside_other_outliers():
    x = noisy_rhythm(np.random.default_rng(0))
    codes = {-999.0: slice(30), 999.0: slice(100, 140), -998.0: slice(200, 202)}
    for code, rows in codes.items():
        x[rows] = code
    x[300:303] = 1e5, -2e6, 3e7
    gross = np.abs(x) > 100
    assert np.array_equal(np.isnan(mask_gross_outliers(x[:, None])[:, 0]), gross)


def test_whole_numbers_may_have_codes():
    x = np.round(noisy_rhythm(np.random.default_rng(0)))
    x[50:90] = -999
    masked = mask_gross_outliers(x[:, None])[:, 0]
    assert np.array_equal(np.isnan(masked), x == -999)


def test_codes_are_less_than_a_quarter_of_the_values():
    x = noisy_rhythm(np.random.default_rng(0))
    x[4::4] = -999
    assert np.isnan(mask_gross_outliers(x[:, None])).sum() == 99
    x[0] = -999
    assert not np.isnan(mask_gross_outliers(x[:, None])).any()


def switch(rng):
    return np.where(np.arange(1000) % 100 < 20, 1.0, 0.0)


def machine(rng):
    """Exactly 0 at rest, otherwise nearly constant."""
    return np.where(switch(rng) > 0, rng.normal(1500, 1, 1000), 0.0)


def modes(rng):
    return rng.choice([0.0, 1.0, 2.0, 500.0], 1000, p=[0.5, 0.3, 0.15, 0.05])


def sparse_counts(rng):
    counts = np.where(rng.random(1000) < 0.05, rng.poisson(5, 1000), 0.0)
    counts[::50] = 2000
    return counts


def batches(rng):
    """Counts with as many at once, again and again."""
    counts = rng.poisson(5, 1000).astype(float)
    counts[::50] = 200
    return counts


def stuck(rng):
    x = noisy_rhythm(rng, 1000)
    x[200:500] = 24.5
    return x


def saturated(rng):
    """Shocks, of which most reach the end of the range."""
    return np.clip(rng.normal(size=1000) * rng.choice([1, 300], 1000), -900, 900)


def heavy_tails(rng):
    return rng.standard_cauchy(1000).clip(-50, 50)


def bursts(rng):
    x = noisy_rhythm(rng, 1000)
    x[300:340] += rng.uniform(1e3, 2e3, 40)
    return x


@pytest.mark.parametrize(
    "normal",
    [
        switch,
        machine,
        modes,
        sparse_counts,
        batches,
        stuck,
        saturated,
        heavy_tails,
        bursts,
    ],
)
def test_what_is_normal_is_kept(normal):
    X = normal(np.random.default_rng(0))[:, None]
    assert mask_gross_outliers(X) is X


def test_a_period_is_found_beside_error_codes_and_empty_channels():
    X = np.sin(2 * np.pi * np.arange(1000)[:, None] / [25, 25])
    X[400, 0], X[:, 1] = 65535, np.nan
    assert normal_dominant_period(X) == 25
    assert normal_dominant_period(X[:, 1:]) is None
