import numpy as np
import pytest
from hypothesis import given, settings

from skcoad.metrics import affiliation_scores

from . import naive
from .strategies import labelled_scores


@settings(max_examples=60)
@given(case=labelled_scores(max_size=20))
def test_scores_equal_their_reference_implementation(case):
    y_true, y_score = case
    expected = naive.affiliation_scores(y_true.tolist(), y_score.tolist())
    assert affiliation_scores(y_true, y_score) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_many_thresholds_and_events_equal_the_reference(seed):
    rng = np.random.default_rng(seed)
    y_true = rng.random(60) < 0.3
    y_score = rng.normal(size=60)
    expected = naive.affiliation_scores(y_true.astype(int).tolist(), y_score.tolist())
    assert affiliation_scores(y_true, y_score) == pytest.approx(expected, abs=1e-10)


@given(case=labelled_scores())
def test_predictions_are_used_unchanged(case):
    y_true, y_score = case
    flags = y_score > y_score.min()
    if not flags.any():
        flags[:] = True
    precision, recall, _ = affiliation_scores(y_true, flags)
    expected = naive.affiliation(y_true.tolist(), flags.tolist())
    assert (precision, recall) == pytest.approx(expected, abs=1e-10)


@given(case=labelled_scores())
def test_perfect_score_gives_one(case):
    y_true, _ = case
    assert affiliation_scores(y_true, y_true) == (1.0, 1.0, 1.0)


@given(case=labelled_scores())
def test_scores_are_in_0_to_1(case):
    assert all(0 <= value <= 1 for value in affiliation_scores(*case))


def test_constant_score_flags_everything():
    constant = affiliation_scores([0, 0, 1, 0], np.zeros(4))
    assert constant == affiliation_scores([0, 0, 1, 0], np.full(4, 9.0))
    assert constant.recall == 1.0
    assert constant.precision == pytest.approx(
        naive.affiliation([0, 0, 1, 0], [1] * 4)[0]
    )


def test_event_without_a_flag_in_its_zone_has_no_recall_and_no_precision():
    # Zones [0, 3) and [3, 6): only the first event is found, and exactly.
    found = affiliation_scores([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 0])
    assert found == (1.0, 0.5, pytest.approx(2 / 3))


def test_nearer_flags_score_higher():
    y_true = np.zeros(100)
    y_true[50:55] = 1
    values = []
    for flagged in (10, 30, 45, 49):
        y_score = np.zeros(100)
        y_score[flagged] = 1
        values.append(affiliation_scores(y_true, y_score).f1)
    assert values == sorted(values)
    assert values[0] < values[-1]
