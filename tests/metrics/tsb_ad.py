"""TSB-AD's own metrics, called like ours. Importing this file needs TSB-AD.

Where TSB-AD chooses the threshold of an F1 by another rule than we do, its metric is
evaluated at each of our thresholds.
"""

import warnings

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # invalid escapes in its sources
    from TSB_AD.evaluation.affiliation.generics import convert_vector_to_events
    from TSB_AD.evaluation.affiliation.metrics import pr_from_events
    from TSB_AD.evaluation.basic_metrics import basic_metricor

GRADER = basic_metricor()


def auc_pr(y_true, y_score):
    return GRADER.metric_PR(y_true, y_score)


def best_f1(y_true, y_score):
    return max(
        GRADER.metric_PointF1(y_true, y_score, preds=y_score >= threshold)
        for threshold in np.unique(y_score)
    )


def point_adjusted_f1(y_true, y_score):
    return max(
        GRADER.metric_PointF1PA(y_true, y_score, preds=y_score >= threshold)
        for threshold in np.unique(y_score)
    )


def volumes(y_true, y_score, window):
    """Return Range-AUC-PR at the full window, VUS-PR and VUS-ROC."""
    rates, _, precisions, _, vus_roc, vus_pr = GRADER.RangeAUC_volume_opt(
        y_true, y_score, window
    )
    return np.diff(rates[-1][:-1]) @ precisions[-1][1:], vus_pr, vus_roc


def affiliation(y_true, flags):
    result = pr_from_events(
        convert_vector_to_events(flags),
        convert_vector_to_events(y_true),
        (0, len(y_true)),
    )
    return result["Affiliation_Precision"], result["Affiliation_Recall"]


def affiliation_f1(y_true, y_score):
    return GRADER.metric_Affiliation(y_true, y_score)


def all_metrics(y_true, y_score, window):
    """Every metric that TSB-AD can compute for this input, by name."""
    median = np.median(y_score)
    values = {"auc_pr": auc_pr(y_true, y_score)}
    if y_true[0] == 0:  # it never adjusts timestamp 0
        values["point_adjusted_f1"] = point_adjusted_f1(y_true, y_score)
    if not y_true.all():  # it fails without a normal timestamp
        values["best_f1"] = best_f1(y_true, y_score)
        names = ("range_auc_pr", "vus_pr", "vus_roc")
        values |= zip(names, volumes(y_true, y_score, window), strict=True)
    if y_score.min() < y_score.max():  # otherwise it flags nothing and returns NaN
        precision, recall = affiliation(y_true, (y_score >= median).astype(int))
        values["affiliation_precision_at_median"] = precision
        values["affiliation_recall_at_median"] = recall
        values["affiliation_f1"] = affiliation_f1(y_true, y_score)
    return {name: float(value) for name, value in values.items()}
