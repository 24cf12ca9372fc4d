"""Scorers for scikit-learn's model selection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad.metrics._affiliation import affiliation_scores
from skcoad.metrics._kdd21 import kdd21_hit
from skcoad.metrics._pointwise import auc_pr, best_f1
from skcoad.metrics._range import range_auc_pr, vus_pr, vus_roc

Scorer = Callable[[Any, Any, ArrayLike], float]


def make_scorer(metric: Callable[..., float], **options: Any) -> Scorer:
    """Return a scorer for `GridSearchCV`, `cross_val_score` and the like.

    Unlike the scorers of scikit-learn, it supports both conventions of an anomaly
    score: ``decision_function`` of PyOD and skcoad (higher is more anomalous), and
    ``score_samples`` of scikit-learn (lower is more anomalous), which takes precedence
    and is negated. Both also work through a `Pipeline`.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_score, **options) -> float``, higher is better. It must
        be picklable (so not a lambda) for ``n_jobs`` above 1.
    **options : dict
        Arguments of `metric`, such as ``window=50``.

    Returns
    -------
    callable
        ``scorer(estimator, X, y) -> float``. It raises the exceptions of `metric`,
        which scikit-learn turns into ``error_score``.

    Raises
    ------
    TypeError
        If `metric` is not callable, such as a name.

    See Also
    --------
    SCORERS : A scorer for each metric, with its default options.

    Notes
    -----
    No metric is defined on a fold without an anomaly: the scorer raises ValueError.
    With ``error_score=0.0`` such a fold adds the same constant to every candidate
    and does not change their order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skcoad.metrics import make_scorer, vus_pr
    >>> X = np.zeros((200, 1))
    >>> X[90:95] = 1
    >>> detector = IsolationForest(random_state=0).fit(X)
    >>> scorer = make_scorer(vus_pr, window=0)
    >>> scorer(detector, X, X.ravel())
    1.0
    """
    if not callable(metric):
        raise TypeError(
            "metric must be a function such as skcoad.metrics.vus_pr, got "
            f"{metric!r}; SCORERS has scorers by name"
        )
    return partial(_score, metric=metric, options=options)


def _score(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    metric: Callable[..., float],
    options: dict[str, Any],
) -> float:
    return float(metric(y, _anomaly_scores(estimator, X), **options))


def _anomaly_scores(estimator: Any, X: Any) -> NDArray[np.float64]:
    # PyOD's detectors have no score_samples, all outlier detectors of scikit-learn
    # do; Pipeline and GridSearchCV have the method only if the wrapped detector does.
    if hasattr(estimator, "score_samples"):
        return -np.asarray(estimator.score_samples(X))
    return np.asarray(estimator.decision_function(X))


def _affiliation_f1(y_true: ArrayLike, y_score: ArrayLike) -> float:
    return affiliation_scores(y_true, y_score).f1


#: A scorer with default options for each metric that is suitable for model selection:
#: ``GridSearchCV(..., scoring=SCORERS["vus_pr"])``, or all at once with
#: ``scoring=SCORERS, refit="vus_pr"``.
SCORERS: dict[str, Scorer] = {
    "best_f1": make_scorer(best_f1),
    "auc_pr": make_scorer(auc_pr),
    "range_auc_pr": make_scorer(range_auc_pr),
    "vus_pr": make_scorer(vus_pr),
    "vus_roc": make_scorer(vus_roc),
    "affiliation_f1": make_scorer(_affiliation_f1),
    "kdd21_hit": make_scorer(kdd21_hit),
}
