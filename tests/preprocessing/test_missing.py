import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad.preprocessing._missing import bridge_gaps

values = st.none() | st.integers(-9, 9).map(float)


def naive_bridge(x):
    """Walk from each gap to the nearest value on either side."""
    bridged = []
    for i, value in enumerate(x):
        before = [j for j in range(i + 1) if x[j] is not None]
        after = [j for j in range(i, len(x)) if x[j] is not None]
        if value is not None:
            bridged.append(value)
        elif before and after:
            left, right = before[-1], after[0]
            slope = (x[right] - x[left]) / (right - left)
            bridged.append(x[left] + slope * (i - left))
        elif before or after:
            bridged.append(x[before[-1] if before else after[0]])
        else:
            bridged.append(0.0)
    return bridged


@given(st.lists(values, min_size=1, max_size=30))
def test_the_bridge_equals_the_twin(x):
    with_gaps = np.array(x, dtype=np.float64)
    np.testing.assert_allclose(bridge_gaps(with_gaps), naive_bridge(x), atol=1e-12)


def test_a_series_without_gaps_is_returned_as_a_copy():
    x = np.array([1.0, 2.0, 3.0])
    bridged = bridge_gaps(x)
    np.testing.assert_array_equal(bridged, x)
    assert not np.shares_memory(bridged, x)


def test_the_series_given_is_not_changed():
    x = np.array([1.0, np.nan, 3.0])
    bridge_gaps(x)
    np.testing.assert_array_equal(x, [1, np.nan, 3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_bridge_between_the_largest_values_does_not_overflow(dtype):
    largest = np.finfo(dtype).max
    bridged = bridge_gaps(np.array([-largest, np.nan, largest], dtype=dtype))
    assert bridged.dtype == np.float64
    np.testing.assert_array_equal(bridged, [-float(largest), 0, float(largest)])
