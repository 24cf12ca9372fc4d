import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skcoad.metrics import auc_pr, range_auc_pr, vus_pr, vus_roc

from . import cases, naive
from .strategies import labelled_scores, plain_scores

windows = st.integers(0, 12)


@given(case=labelled_scores(), window=windows)
def test_range_auc_pr_equals_its_reference_implementation(case, window):
    expected = naive.range_auc_pr(*as_lists(case), window)
    assert range_auc_pr(*case, window=window) == pytest.approx(expected, abs=1e-10)


@settings(max_examples=50)
@given(case=labelled_scores(), window=windows)
def test_vus_pr_equals_its_reference_implementation(case, window):
    expected = naive.vus_pr(*as_lists(case), window)
    assert vus_pr(*case, window=window) == pytest.approx(expected, abs=1e-10)


@settings(max_examples=50)
@given(case=labelled_scores(normal_point=True), window=windows)
def test_vus_roc_equals_its_reference_implementation(case, window):
    expected = naive.vus_roc(*as_lists(case), window)
    assert vus_roc(*case, window=window) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_more_timestamps_than_thresholds_equal_the_reference(seed):
    rng = np.random.default_rng(seed)
    y_true = np.zeros(600, dtype=int)
    for start in rng.integers(0, 600, 6):
        y_true[start : start + rng.integers(1, 40)] = 1
    case = y_true, np.round(rng.normal(size=600), 2)
    for window in (0, 1, 30, 401):  # the last is wider than many gaps
        expected = naive.range_auc_pr(*as_lists(case), window)
        assert range_auc_pr(*case, window=window) == pytest.approx(expected, abs=1e-10)


def as_lists(case):
    y_true, y_score = case
    return y_true.tolist(), y_score.tolist()


@pytest.mark.parametrize("name", cases.EDGES)
def test_vus_pr_is_the_mean_range_auc_pr(name):
    y_true, y_score, window = cases.EDGES[name]
    areas = [range_auc_pr(y_true, y_score, window=w) for w in range(window + 1)]
    assert vus_pr(y_true, y_score, window=window) == pytest.approx(np.mean(areas))


@given(case=labelled_scores(plain_scores, normal_point=True), window=windows)
def test_only_the_order_of_scores_matters(case, window):
    y_true, y_score = case
    for metric in (range_auc_pr, vus_pr, vus_roc):
        value = metric(y_true, y_score, window=window)
        assert value == metric(y_true, np.arctan(y_score), window=window)


@given(case=labelled_scores(normal_point=True), window=windows)
def test_volumes_are_in_0_to_1_and_invariant_to_time_reversal(case, window):
    y_true, y_score = case
    for metric in (range_auc_pr, vus_pr, vus_roc):
        value = metric(y_true, y_score, window=window)
        assert 0 <= value <= 1 + 1e-12
        reversed_value = metric(y_true[::-1], y_score[::-1], window=window)
        assert reversed_value == pytest.approx(value, abs=1e-12)


def test_one_long_event_without_buffer_gives_average_precision():
    # The one event is found by every threshold that has a true positive, and 250
    # thresholds or fewer are all of them.
    rng = np.random.default_rng(0)
    y_true = np.repeat([0, 1, 0], [50, 100, 50])
    y_score = rng.random(200)
    value = range_auc_pr(y_true, y_score, window=0)
    assert value == pytest.approx(auc_pr(y_true, y_score), abs=1e-12)


def test_all_anomalous_gives_one():
    assert vus_pr(np.ones(9), np.arange(9)) == pytest.approx(1.0)


def test_score_that_peaks_beside_the_event_scores_higher_with_a_window():
    y_true, y_score = np.zeros(400), np.zeros(400)
    y_true[200:220] = 1
    y_score[190:210] = 1
    assert vus_pr(y_true, y_score, window=40) > vus_pr(y_true, y_score, window=0)
