import numpy as np
import pytest

from skcoad.datasets import SCENARIOS, make_scenario
from skcoad.datasets.scenarios import SEEDS
from skcoad.datasets.scenarios._base import EDGE, N_TEST, N_TRAIN

GAPS = {"flipped_cycle_beside_missing_values"}
SEVERAL = {"anomalies_of_unequal_magnitude": 3, "repeated_anomaly": 2}


def spans(labels):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], labels, [0]])))
    return edges.reshape(-1, 2)


@pytest.mark.parametrize("draw", range(3))
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_has_anomalies_in_the_test_part_alone(name, draw):
    series = make_scenario(name, draw)
    assert series.name == f"{name}-{draw}"
    assert (len(series.train), len(series.test)) == (N_TRAIN, N_TEST)
    assert np.isfinite(series.values).all() == (name not in GAPS)
    anomalies = spans(series.labels)
    assert len(anomalies) == SEVERAL.get(name, 1)
    assert anomalies.min() >= N_TRAIN + EDGE // 2
    assert anomalies.max() <= N_TRAIN + N_TEST - EDGE // 2


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_series_depends_on_name_and_draw_alone(name):
    first, again, other = (make_scenario(name, draw) for draw in (0, 0, 1))
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert not np.array_equal(first.values, other.values, equal_nan=True)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_says_what_happens(name):
    assert SCENARIOS[name].__doc__.endswith(".")


def test_generators_of_scenarios_differ():
    assert len(set(SEEDS.values())) == len(SCENARIOS) >= 30


def test_a_draw_does_not_change_with_the_name_of_its_scenario():
    total = make_scenario("loss_of_correlation").values.sum()
    assert total == pytest.approx(739.1800489)


def test_unknown_scenarios_and_draws_are_errors():
    with pytest.raises(ValueError, match="unknown scenario 'stuck', choose from"):
        make_scenario("stuck")
    with pytest.raises(ValueError, match="draw must be at least 0, got -1"):
        make_scenario("holiday", -1)
    with pytest.raises(ValueError, match=r"draw must be an integer, got 1\.0"):
        make_scenario("holiday", 1.0)


def anomalous(name, draw=0):
    """The values of the only anomaly, and the series with these left out."""
    series = make_scenario(name, draw)
    inside = series.labels == 1
    return series.values[inside], series.values[~inside]


@pytest.mark.parametrize(
    "name",
    [
        "stuck_in_noise",
        "stuck_in_ar_noise",
        "stuck_in_random_walk",
        "stuck_in_periodic_signal",
    ],
)
def test_a_stuck_sensor_is_constant_there_and_nowhere_else(name):
    inside, outside = anomalous(name)
    assert np.ptp(inside) == 0
    assert (np.diff(outside, axis=0) != 0).mean() > 0.99


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("variance_increase_in_noise", 2, 3),
        ("variance_decrease_in_noise", 0.15, 0.35),
        ("loss_of_autocorrelation", 0.7, 1.4),
        ("sine_in_noise", 0.8, 1.2),
        ("amplitude_decrease", 0.6, 0.8),
        ("long_anomaly", 0.9, 1.1),
    ],
)
def test_the_deviation_changes_as_described(name, least, most):
    inside, outside = anomalous(name)
    assert least < inside.std() / outside.std() < most


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("level_shift_in_noise", 1.5),
        ("level_shift_in_periodic_signal", 0.8),
        ("rate_decrease_of_counts", -14),
    ],
)
def test_the_mean_changes_as_described(name, change):
    inside, outside = anomalous(name)
    assert inside.mean() - outside.mean() == pytest.approx(change, rel=0.2)


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("flipped_cycle_after_gross_outlier", 65535, 1),
        ("flipped_cycle_after_sentinel_values", -999, 15),
        ("stuck_after_zeros", 0, 15),
    ],
)
def test_outliers_are_in_the_training_part_alone(name, value, count):
    series = make_scenario(name)
    assert (series.train == value).sum() == count
    assert (series.test != value).all()


def test_uncorrelated_channels_differ_only_there_and_keep_their_own_statistics():
    series = make_scenario("loss_of_correlation")
    difference = np.ptp(series.values, axis=1)
    assert difference[series.labels == 1].max() > 1.0
    assert difference[series.labels == 0].max() < 0.7
    steps = np.abs(np.diff(series.values[:, 1]))
    assert steps[series.labels[1:] == 1].max() < 1.3 * steps[: len(series.train)].max()


def test_one_channel_of_60_is_stuck():
    series = make_scenario("stuck_channel_of_60")
    ranges = np.ptp(series.values[series.labels == 1], axis=0)
    assert (ranges == 0).sum() == 1
    assert np.sort(ranges)[1] > 1
