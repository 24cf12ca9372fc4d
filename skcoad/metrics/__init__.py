"""Accuracy metrics for labelled time series, on plain arrays.

Each metric is called as ``metric(y_true, y_score)``, with one label (0 normal,
1 anomalous) and one score (higher is more anomalous) per timestamp, in time order.
"""

from skcoad.metrics._affiliation import AffiliationScores, affiliation_scores
from skcoad.metrics._events import events
from skcoad.metrics._kdd21 import kdd21_hit
from skcoad.metrics._pointwise import auc_pr, best_f1, point_adjusted_f1
from skcoad.metrics._range import range_auc_pr, vus_pr, vus_roc
from skcoad.metrics._scorers import SCORERS, make_scorer

__all__ = [
    "SCORERS",
    "AffiliationScores",
    "affiliation_scores",
    "auc_pr",
    "best_f1",
    "events",
    "kdd21_hit",
    "make_scorer",
    "point_adjusted_f1",
    "range_auc_pr",
    "vus_pr",
    "vus_roc",
]
