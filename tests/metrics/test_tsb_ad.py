"""Equality with TSB-AD: frozen results everywhere, live ones where it installs."""

import json
from pathlib import Path

import numpy as np
import pytest

from skcoad import metrics

from . import cases

FROZEN = json.loads(Path(__file__).with_name("oracle.json").read_text())["cases"]


def our_metrics(y_true, y_score, window):
    at_median = metrics.affiliation_scores(y_true, y_score >= np.median(y_score))
    values = {
        "auc_pr": metrics.auc_pr(y_true, y_score),
        "best_f1": metrics.best_f1(y_true, y_score),
        "point_adjusted_f1": metrics.point_adjusted_f1(y_true, y_score),
        "range_auc_pr": metrics.range_auc_pr(y_true, y_score, window=window),
        "vus_pr": metrics.vus_pr(y_true, y_score, window=window),
        "affiliation_precision_at_median": at_median.precision,
        "affiliation_recall_at_median": at_median.recall,
        "affiliation_f1": metrics.affiliation_scores(y_true, y_score).f1,
    }
    if not y_true.all():
        values["vus_roc"] = metrics.vus_roc(y_true, y_score, window=window)
    return values


def assert_equal_metrics(ours, theirs):
    assert {name: ours[name] for name in theirs} == pytest.approx(
        theirs, rel=0, abs=1e-8
    )


@pytest.mark.parametrize("case", FROZEN, ids=lambda case: case["name"])
def test_metrics_equal_frozen_results_of_tsb_ad(case):
    y_true = np.array([int(label) for label in case["y_true"]])
    y_score = np.array(case["y_score"])
    ours = our_metrics(y_true, y_score, case["window"])
    assert_equal_metrics(ours, case["expected"])


@pytest.fixture
def tsb_ad():
    pytest.importorskip("TSB_AD", reason="TSB-AD is not installed: frozen results only")
    from . import tsb_ad

    return tsb_ad


@pytest.mark.parametrize("seed", range(100, 150))
def test_metrics_equal_tsb_ad_on_random_cases(tsb_ad, seed):
    case = cases.random_case(seed)
    assert_equal_metrics(our_metrics(*case), tsb_ad.all_metrics(*case))


@pytest.mark.parametrize("name", cases.EDGES)
def test_metrics_equal_tsb_ad_on_edge_cases(tsb_ad, name):
    case = cases.EDGES[name]
    assert_equal_metrics(our_metrics(*case), tsb_ad.all_metrics(*case))


def test_best_f1_is_tsb_ads_without_its_added_constant(tsb_ad):
    y_true = np.array([0, 0, 1, 1])
    theirs = tsb_ad.GRADER.metric_PointF1(y_true, y_true.astype(float))
    assert theirs == pytest.approx(2 / (2 + 1e-5), abs=1e-12)
    assert metrics.best_f1(y_true, y_true) == 1.0


def test_point_adjusted_f1_is_at_least_tsb_ads_on_its_100_thresholds(tsb_ad):
    for seed in range(20):
        y_true, y_score, _ = cases.random_case(seed)
        theirs = tsb_ad.GRADER.metric_PointF1PA(y_true, y_score)
        assert metrics.point_adjusted_f1(y_true, y_score) >= theirs - 1e-12
