import numpy as np
import pytest

from skcoad import metrics

METRICS = [
    metrics.affiliation_scores,
    metrics.auc_pr,
    metrics.best_f1,
    metrics.kdd21_hit,
    metrics.point_adjusted_f1,
    metrics.range_auc_pr,
    metrics.vus_pr,
    metrics.vus_roc,
]

every_metric = pytest.mark.parametrize(
    "metric", METRICS, ids=lambda metric: metric.__name__
)


@every_metric
@pytest.mark.parametrize(
    ("y_true", "y_score", "message"),
    [
        ([0, 0, 0], [1, 2, 3], "at least one anomalous timestamp .* got 3 normal"),
        ([0, 1], [1, 2, 3], r"shape of y_true, got \(3,\) and \(2,\)"),
        ([0, 1], [[1], [2]], r"shape of y_true, got \(2, 1\) and \(2,\)"),
        ([[0, 1]], [[1, 2]], r"shape \(n_timestamps,\).* got shape \(1, 2\)"),
        ([], [], r"at least one timestamp, got shape \(0,\)"),
        ([0, 1, -1], [1, 2, 3], "got -1 at index 2"),
        ([0, 1, np.nan], [1, 2, 3], "got nan at index 2"),
        (["no", "yes"], [1, 2], "got 'no' at index 0"),
        (["0", "1"], [1, 2], "got '0' at index 0"),
        ([0, 1], [1, np.nan], "finite, got nan at index 1"),
        ([0, 1], [np.inf, 1], "finite, got inf at index 0"),
    ],
)
def test_invalid_input_is_quoted(metric, y_true, y_score, message):
    with pytest.raises(ValueError, match=message):
        metric(y_true, y_score)


@every_metric
def test_any_array_like_gives_the_same_value(metric):
    y_true, y_score = [0, 0, 1, 0, 0], [1, 2, 3, 2, 5]
    expected = metric(y_true, y_score)
    assert metric(np.array(y_true, dtype=bool), np.array(y_score)) == expected
    assert metric(np.array(y_true, float), np.array(y_score, np.float32)) == expected
    assert metric(tuple(y_true), tuple(y_score)) == expected


@every_metric
def test_input_is_left_unchanged(metric):
    y_true, y_score = np.array([0, 1, 1, 0]), np.array([1.0, 0.0, 3.0, 2.0])
    metric(y_true, y_score)
    assert y_true.tolist() == [0, 1, 1, 0]
    assert y_score.tolist() == [1.0, 0.0, 3.0, 2.0]


@every_metric
def test_constant_score_gives_a_finite_value(metric):
    assert np.isfinite(metric([0, 1, 1, 0, 0], np.full(5, 7.0))).all()


@pytest.mark.parametrize(
    "metric", [metric for metric in METRICS if metric is not metrics.vus_roc]
)
def test_all_anomalous_gives_a_finite_value(metric):
    assert np.isfinite(metric(np.ones(4), [1, 2, 2, 3])).all()


def test_vus_roc_needs_a_normal_timestamp():
    with pytest.raises(ValueError, match="at least one normal timestamp"):
        metrics.vus_roc(np.ones(4), [1, 2, 2, 3])


@pytest.mark.parametrize(
    "metric", [metrics.range_auc_pr, metrics.vus_pr, metrics.vus_roc]
)
def test_window_is_an_integer_from_zero_on(metric):
    with pytest.raises(ValueError, match="window must be at least 0, got -1"):
        metric([0, 1], [1, 2], window=-1)
    for window in (2.5, True, "2"):
        with pytest.raises(ValueError, match=f"must be an integer, got {window!r}"):
            metric([0, 1], [1, 2], window=window)
    metric([0, 1], [1, 2], window=np.int64(2))
