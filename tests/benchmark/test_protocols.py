import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skcoad import metrics
from skcoad.benchmark import PROTOCOLS, vus_window
from skcoad.benchmark._protocols import METRICS, evaluate
from skcoad.datasets import Series


def naive_vus_window(x):
    """TSB-AD's rule, step by step."""
    x = np.asarray(x, dtype=float)[:20_000]
    n = len(x)
    centred = x - x.mean()
    power = (centred**2).sum()
    if power == 0:
        return 125
    correlation = [
        (centred[: n - lag] * centred[lag:]).sum() / power
        for lag in range(min(400, n - 1) + 1)
    ]
    peaks = {
        lag: correlation[lag]
        for lag in range(4, len(correlation) - 1)
        if correlation[lag - 1] < correlation[lag] > correlation[lag + 1]
    }
    if not peaks:
        return 125
    best = max(peaks, key=peaks.get)
    return best if 6 <= best <= 303 else 125


@pytest.mark.parametrize("n_timestamps", [1, 2, 5, 50, 300, 2000])
@pytest.mark.parametrize("period", [4, 7, 40, 150, 302, 303, 304, 380])
def test_vus_window_equals_its_definition(n_timestamps, period):
    rng = np.random.default_rng(period)
    t = np.arange(n_timestamps)
    x = np.sin(2 * np.pi * t / period) + 0.1 * rng.standard_normal(n_timestamps)
    assert vus_window(x) == naive_vus_window(x)


def test_vus_window_uses_the_first_20000_points():
    t = np.arange(70_000)
    x = np.sin(2 * np.pi * t / np.where(t < 20_000, 40, 90))
    assert vus_window(x) == 40


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_vus_window_is_always_in_its_range(x):
    assert vus_window(x) == 125 or 6 <= vus_window(x) <= 303


def test_protocols_differ_in_what_is_scored():
    series = Series(np.arange(6.0), [0, 0, 0, 0, 1, 0], 2, "s")
    kdd21, tsb_ad = PROTOCOLS["kdd21"](series), PROTOCOLS["tsb-ad"](series)
    np.testing.assert_array_equal(kdd21.train, tsb_ad.train)
    np.testing.assert_array_equal(kdd21.scored[:, 0], [2, 3, 4, 5])
    np.testing.assert_array_equal(kdd21.labels, [0, 0, 1, 0])
    np.testing.assert_array_equal(tsb_ad.scored, series.values)
    np.testing.assert_array_equal(tsb_ad.labels, series.labels)


def test_evaluate_calls_each_metric_with_the_window():
    rng = np.random.default_rng(0)
    labels = np.zeros(500, dtype=int)
    labels[100:120] = 1
    scores = rng.random(500)
    scores[110] = 2
    values = evaluate(labels, scores, 30)
    assert tuple(values) == METRICS
    assert values["vus_pr"] == metrics.vus_pr(labels, scores, window=30)
    assert values["range_auc_pr"] == metrics.range_auc_pr(labels, scores, window=30)
    assert values["auc_pr"] == metrics.auc_pr(labels, scores)
    assert values["hit_at_1"] == 1.0
    assert all(type(value) is float for value in values.values())


def test_hits_are_for_a_single_anomaly():
    labels = np.zeros(50, dtype=int)
    labels[[10, 30]] = 1
    assert "hit_at_1" not in evaluate(labels, np.arange(50.0), 6)
