"""What is known of a series up to now, against loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skcoad.streaming._causal import carry_forward, trailing_mean

series = hnp.arrays(
    np.float64, st.integers(1, 30), elements=st.integers(-8, 8).map(float)
)


@given(series, st.data())
def test_a_missing_value_is_the_last_observed_one_as_it_fades(x, data):
    missing = data.draw(hnp.arrays(bool, len(x)))
    reach = data.draw(st.integers(1, 12))
    expected = []
    last, age = 0.0, 0
    for value, absent in zip(x, missing, strict=True):
        last, age = (last, age + 1) if absent else (value, 0)
        expected.append(last * max(0.0, 1 - age / reach))
    found = carry_forward(np.where(missing, np.nan, x), missing, reach)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(series, st.data())
def test_a_trailing_mean_is_of_the_values_that_came_last(x, data):
    missing = data.draw(hnp.arrays(bool, len(x)))
    width = data.draw(st.integers(1, 40))
    n_last = data.draw(st.integers(1, len(x)))
    expected = []
    for now in range(len(x) - n_last, len(x)):
        values = [
            x[at] for at in range(max(0, now - width + 1), now + 1) if not missing[at]
        ]
        expected.append(np.mean(values) if values else np.nan)
    found = trailing_mean(x, missing, width, n_last)
    np.testing.assert_allclose(found, expected, atol=1e-12)
