import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad.preprocessing._missing import interpolate_missing
from skcoad.preprocessing._missing_fraction import check_missing_fraction

values = st.none() | st.integers(-9, 9).map(float)


@given(st.lists(values, min_size=1, max_size=30))
def test_the_interpolation_equals_the_reference_implementation(x):
    interpolated = interpolate_missing(np.array(x, dtype=np.float64))
    np.testing.assert_allclose(interpolated, naive.interpolate_missing(x), atol=1e-12)


def test_a_series_without_missing_values_is_returned_as_a_copy():
    x = np.array([1.0, 2.0, 3.0])
    interpolated = interpolate_missing(x)
    np.testing.assert_array_equal(interpolated, x)
    assert not np.shares_memory(interpolated, x)


def test_the_series_given_is_not_changed():
    x = np.array([1.0, np.nan, 3.0])
    interpolate_missing(x)
    np.testing.assert_array_equal(x, [1, np.nan, 3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_interpolation_between_the_largest_values_does_not_overflow(dtype):
    largest = np.finfo(dtype).max
    interpolated = interpolate_missing(
        np.array([-largest, np.nan, largest], dtype=dtype)
    )
    assert interpolated.dtype == np.float64
    np.testing.assert_array_equal(interpolated, [-float(largest), 0, float(largest)])


@given(st.integers(1, 40), st.integers(0, 40), st.integers(0, 2))
def test_more_than_half_missing_is_an_error_that_names_channel_and_fraction(
    n, n_missing, channel
):
    X = np.zeros((n, 3))
    X[:n_missing, channel] = np.nan
    if 2 * min(n_missing, n) <= n:
        check_missing_fraction(X)
        return
    percent = f"{min(n_missing, n) / n:.0%}"
    with pytest.raises(ValueError, match=f"{percent} .* channel {channel} .* 50%"):
        check_missing_fraction(X)


def test_of_several_channels_the_worst_is_named():
    X = np.zeros((10, 3))
    X[:6, 0] = X[:8, 1] = X[:7, 2] = np.nan
    with pytest.raises(ValueError, match="80% of the values of channel 1 are missing"):
        check_missing_fraction(X)


def test_what_is_missing_by_the_times_is_told_from_empty_cells():
    X = np.zeros((100, 2))
    X[:75] = X[90:, 1] = np.nan
    with pytest.raises(
        ValueError,
        match=r"85% of the values of channel 'heat' are missing: of 100 rows at a "
        r"spacing of 1 min, 75 are empty or not there; .* --resample",
    ):
        check_missing_fraction(X, ["flow", "heat"], 60.0)
    X[:75, 0] = 0
    with pytest.raises(ValueError, match=r"channel 'heat' are missing; at most 50%"):
        check_missing_fraction(X, ["flow", "heat"], 60.0)


@pytest.mark.parametrize("names", [None, ["flow"], ["flow", "heat"]])
def test_where_there_are_other_channels_the_error_says_how_to_choose(names):
    X = np.full((10, len(names or [0])), np.nan)
    with pytest.raises(ValueError, match="50% of a training series may be") as error:
        check_missing_fraction(X, names)
    advised = "; --column NAME (columns) says which others to use" in str(error.value)
    assert advised == (names == ["flow", "heat"])


def test_a_series_without_any_value_is_an_error():
    X = np.full((10, 1), np.nan)
    with pytest.raises(ValueError, match=r"100% of .* are missing; at most 50%"):
        check_missing_fraction(X, interval=60.0)
