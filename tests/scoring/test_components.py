import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad.model import EVIDENCE, SCORES, ScoreComponents
from skcoad.scoring import combine, moving_average
from skcoad.scoring._components import smoothed

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
    evidence = rng.gamma(1, size=(len(EVIDENCE), n))
    return ScoreComponents(*rng.random((4, n)), *evidence)


BOTH = {"with_neighbors": True, "with_network": True}
WEIGHTS = np.array([0.2, 0.1, 0.1, 0.0, 0.2, 0.1, 0.1, 0.1, 0.1, 0.0])


def combined(
    components, missing=None, width=5, rarity=None, network_weight=1.0, **parts
):
    missing = np.zeros(50, dtype=bool) if missing is None else missing
    network = smoothed(components, missing[: len(components.error)], width)
    rarity = np.zeros_like(network) if rarity is None else rarity
    evidence = np.stack([getattr(components, name) for name in EVIDENCE])
    return combine(evidence, WEIGHTS, network, rarity, network_weight, **parts)


def test_probability_and_error_are_smoothed_where_they_are_observed():
    components = make_components()
    missing = np.arange(50) % 7 == 0
    parts = smoothed(components, missing, 5)
    for part, name in zip(parts, ["probability", "error"], strict=True):
        values = getattr(components, name)
        expected = np.array(naive.moving_average(values.tolist(), 5, missing))
        np.testing.assert_allclose(part, np.where(missing, np.nan, expected))


@pytest.mark.parametrize("with_neighbors", [False, True])
@pytest.mark.parametrize("with_network", [False, True])
def test_every_kind_of_score_has_one_value_for_each_timestamp(
    with_neighbors, with_network
):
    parts = {"with_neighbors": with_neighbors, "with_network": with_network}
    scores = combined(make_components(), **parts)
    assert set(scores) == set(SCORES)
    for score in scores.values():
        assert score.shape == (50,)
        assert score.dtype == np.float64


@pytest.mark.parametrize("with_neighbors", [False, True])
def test_the_scores_of_the_network_are_its_smoothed_components(with_neighbors):
    components = make_components()
    missing = np.arange(50) % 7 == 0
    parts = {"with_neighbors": with_neighbors, "with_network": True}
    scores = combined(components, missing, **parts)
    probability, error = smoothed(components, missing, 5)
    np.testing.assert_array_equal(scores["classification"], probability)
    np.testing.assert_array_equal(scores["reconstruction"], error)
    if not with_neighbors:  # Eq. 11
        np.testing.assert_allclose(scores["joint"], probability + error)


def test_the_scores_equal_the_reference_implementation():
    components = make_components()
    rarity = np.random.default_rng(1).gamma(1, size=(2, 50))
    scores = combined(components, rarity=rarity, network_weight=0.3, **BOTH)
    evidence = [getattr(components, name).tolist() for name in EVIDENCE]
    expected = naive.weighted_quadratic_mean(evidence, WEIGHTS)
    np.testing.assert_allclose(scores["neighbors"], expected)
    by_network = naive.quadratic_mean(*rarity.tolist())
    expected = [n * (1 + 0.3 * p) for n, p in zip(expected, by_network, strict=True)]
    np.testing.assert_allclose(scores["joint"], expected)
    alone = combined(components, with_neighbors=True, with_network=False)
    np.testing.assert_array_equal(alone["joint"], scores["neighbors"])


def test_the_network_raises_the_joint_score_and_does_not_lower_it():
    components = ScoreComponents(*np.zeros((4 + len(EVIDENCE), 4)))
    components.value_distance[:] = 3, 3, 3, 0
    rarity = np.array([[0.0, 3, 3, 3], [0, 0, 3, 3]])
    scores = combined(components, width=1, rarity=rarity, **BOTH)
    joint = scores["joint"]
    assert joint[0] == scores["neighbors"][0] > 1
    assert joint[0] < joint[1] < joint[2] == 4 * joint[0]
    assert joint[3] == 0  # what repeats exactly is normal
    without = combined(components, width=1, rarity=rarity, network_weight=0.0, **BOTH)
    np.testing.assert_array_equal(without["joint"], scores["neighbors"])


def test_where_nothing_is_observed_the_network_has_no_score():
    missing = np.zeros(50, dtype=bool)
    missing[10:30] = True
    parts = {"with_neighbors": False, "with_network": True}
    scores = combined(make_components(), missing, 3, **parts)
    for kind in ("joint", "classification", "reconstruction"):
        unknown = np.isnan(scores[kind])
        assert unknown.nonzero()[0].tolist() == list(range(10, 30))
    assert not np.isnan(scores["neighbors"]).any()
    both = combined(make_components(), missing, 3, **BOTH)
    assert not np.isnan(both["joint"]).any()
