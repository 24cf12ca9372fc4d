import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad.model import ScoreComponents
from skcoad.scoring import combine, moving_average

series = arrays(float, st.integers(1, 40), elements=st.floats(-1e3, 1e3))
widths = st.integers(1, 60)


@given(series, widths)
def test_moving_average_equals_the_reference_implementation(x, width):
    expected = naive.moving_average(x.tolist(), width)
    np.testing.assert_allclose(moving_average(x, width), expected, atol=1e-9)


@given(series, widths, st.data())
def test_moving_average_over_missing_values_equals_the_reference(x, width, data):
    missing = data.draw(arrays(bool, len(x)))
    expected = naive.moving_average(x.tolist(), width, missing)
    average = moving_average(x, width, missing)
    np.testing.assert_allclose(average, expected, atol=1e-8)


@given(series, widths)
def test_moving_average_keeps_the_length_and_stays_within_the_range(x, width):
    average = moving_average(x, width)
    assert average.shape == x.shape
    assert (x.min() - 1e-9 <= average).all()
    assert (average <= x.max() + 1e-9).all()


@given(st.integers(1, 40), widths, st.floats(-1e3, 1e3))
def test_moving_average_of_a_constant_is_the_constant(n, width, value):
    average = moving_average(np.full(n, value), width)
    np.testing.assert_allclose(average, value, atol=1e-9)


@given(series)
def test_moving_average_of_width_one_changes_nothing(x):
    np.testing.assert_allclose(moving_average(x, 1), x, atol=1e-9)


@given(series, widths, st.floats(-5, 5), st.floats(-5, 5))
def test_moving_average_is_linear(x, width, slope, level):
    np.testing.assert_allclose(
        moving_average(slope * x + level, width),
        slope * moving_average(x, width) + level,
        atol=1e-8,
    )


@given(series, st.integers(0, 20))
def test_moving_average_of_odd_width_has_no_direction(x, half):
    forwards = moving_average(x, 2 * half + 1)
    backwards = moving_average(x[::-1], 2 * half + 1)[::-1]
    np.testing.assert_allclose(forwards, backwards, atol=1e-9)


def test_moving_average_of_float32_is_computed_in_float64():
    x = np.full(100_000, 0.1, dtype=np.float32)
    average = moving_average(x, 1001)
    assert average.dtype == np.float64
    np.testing.assert_allclose(average, x[0], rtol=1e-12)


def make_components(n=50):
    rng = np.random.default_rng(0)
    return ScoreComponents(*rng.random((4, n)), *rng.normal(size=(2, n)))


NOWHERE = np.zeros(50, dtype=bool)
BOTH = {"with_neighbors": True, "with_network": True}


@pytest.mark.parametrize(
    ("score_by", "with_neighbors", "chosen"),
    [
        ("joint", False, ["probability", "error"]),  # Eq. 11
        ("classification", False, ["probability"]),
        ("classification", True, ["probability"]),
        ("reconstruction", False, ["error"]),
        ("reconstruction", True, ["error"]),
    ],
)
def test_without_neighbours_the_score_is_the_sum_of_smoothed_components(
    score_by, with_neighbors, chosen
):
    components = make_components()
    missing = np.arange(50) % 7 == 0
    score = combine(
        components,
        missing,
        score_by,
        5,
        with_neighbors=with_neighbors,
        with_network=True,
    )
    smoothed = [
        moving_average(getattr(components, name), 5, missing) for name in chosen
    ]
    np.testing.assert_allclose(score, sum(smoothed))


def test_the_joint_score_equals_the_reference_implementation():
    components = make_components()
    score = combine(components, NOWHERE, "joint", 5, **BOTH)
    expected = naive.joint_score(
        components.probability.tolist(),
        components.error.tolist(),
        components.value_distance.tolist(),
        components.difference_distance.tolist(),
        5,
    )
    np.testing.assert_allclose(score, expected)


def test_the_score_by_neighbours_is_the_geometric_mean_of_both_distances():
    components = make_components()
    score = combine(components, NOWHERE, "neighbors", 5, **BOTH)
    by_value = components.value_distance.clip(min=0) + 0.05
    by_difference = components.difference_distance.clip(min=0) + 0.1
    np.testing.assert_allclose(score, np.sqrt(by_value * by_difference))
    without_network = {"with_neighbors": True, "with_network": False}
    joint = combine(components, NOWHERE, "joint", 5, **without_network)
    np.testing.assert_array_equal(joint, score)


def test_a_single_high_component_hardly_raises_the_joint_score():
    components = ScoreComponents(*np.zeros((6, 3)))
    components.probability[:] = 0, 1, 1
    components.error[:] = 0, 1, 1
    components.value_distance[:] = 1, 0, 1
    components.difference_distance[:] = 1, 0, 1
    score = combine(components, np.zeros(3, dtype=bool), "joint", 1, **BOTH)
    assert score[2] > 1.5 * max(score[:2])
    assert (score > 0).all()


@pytest.mark.parametrize("with_neighbors", [False, True])
@pytest.mark.parametrize(
    "score_by", ["joint", "classification", "reconstruction", "neighbors"]
)
def test_inside_a_long_missing_run_the_score_is_zero(score_by, with_neighbors):
    missing = np.zeros(50, dtype=bool)
    missing[10:30] = True
    score = combine(
        make_components(),
        missing,
        score_by,
        3,
        with_neighbors=with_neighbors,
        with_network=True,
    )
    assert (score[12:28] == 0).all()
    assert np.isfinite(score).all()
