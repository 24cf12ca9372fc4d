import numpy as np
import pytest
from hypothesis import given

from skcoad.metrics import auc_pr, best_f1, point_adjusted_f1

from . import naive
from .strategies import labelled_scores, plain_scores

REFERENCES = [
    (auc_pr, naive.average_precision),
    (best_f1, naive.best_f1),
    (point_adjusted_f1, naive.point_adjusted_f1),
]


@pytest.mark.parametrize(("metric", "reference"), REFERENCES)
@given(case=labelled_scores())
def test_metrics_equal_their_reference_implementations(metric, reference, case):
    y_true, y_score = case
    expected = reference(y_true.tolist(), y_score.tolist())
    assert metric(y_true, y_score) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", [metric for metric, _ in REFERENCES])
@given(case=labelled_scores(plain_scores))
def test_only_the_order_of_scores_matters(metric, case):
    y_true, y_score = case
    assert metric(y_true, y_score) == metric(y_true, np.arctan(y_score))


@pytest.mark.parametrize("metric", [metric for metric, _ in REFERENCES])
@given(case=labelled_scores())
def test_perfect_score_gives_one(metric, case):
    y_true, _ = case
    assert metric(y_true, y_true) == 1.0


def test_constant_score_flags_everything():
    y_true = [0, 0, 0, 1]
    assert auc_pr(y_true, np.ones(4)) == 0.25
    assert best_f1(y_true, np.ones(4)) == 0.4
    assert point_adjusted_f1(y_true, np.ones(4)) == 0.4


@given(case=labelled_scores())
def test_point_adjustment_never_lowers_f1(case):
    assert point_adjusted_f1(*case) >= best_f1(*case)


def test_point_adjusted_f1_rewards_noise():
    y_true = np.zeros(5_000)
    y_true[2_000:2_500] = 1
    noise = np.random.default_rng(0).random(5_000)
    assert point_adjusted_f1(y_true, noise) > 0.9 > 0.3 > best_f1(y_true, noise)
