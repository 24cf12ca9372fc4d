import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad.preprocessing import mask_gross_outliers


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


def test_a_channel_alone_is_no_series():
    with pytest.raises(ValueError, match=r"must be two-dimensional, got shape \(9,\)"):
        mask_gross_outliers(np.zeros(9))


def test_many_are_data():
    X = rhythm()
    X[:11, 0] = 1e4
    assert mask_gross_outliers(X) is X
    X[10, 0] = 0
    assert np.isnan(mask_gross_outliers(X)).sum() == 10


@given(st.floats(1e-3, 1e6), st.floats(-1e6, 1e6))
def test_the_unit_does_not_matter(scale, offset):
    X = rhythm(200, 1)
    X[7] = 1e5
    masked = mask_gross_outliers(scale * X + offset)
    assert np.flatnonzero(np.isnan(masked)).tolist() == [7]
