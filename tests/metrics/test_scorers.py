import pickle

import numpy as np
import pytest
from pyod.models.pca import PCA as PyODPCA  # noqa: N811
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoad.metrics import SCORERS, make_scorer, vus_pr

N_TIMESTAMPS = 400


@pytest.fixture(scope="module")
def labelled_series():
    """Noise with one plain anomaly in each of the four test folds below."""
    X = np.random.default_rng(0).normal(size=(N_TIMESTAMPS, 2))
    y = np.zeros(N_TIMESTAMPS, dtype=int)
    for start in (120, 200, 280, 360):
        X[start : start + 5] += 20
        y[start : start + 5] = 1
    return X, y


def detectors():
    return {
        "scikit-learn": IsolationForest(n_estimators=20, random_state=0),
        "PyOD": PyODPCA(),
        "scikit-learn in a Pipeline": make_pipeline(
            StandardScaler(), IsolationForest(n_estimators=20, random_state=0)
        ),
        "PyOD in a Pipeline": make_pipeline(StandardScaler(), PyODPCA()),
    }


@pytest.mark.parametrize("name", detectors())
def test_plain_anomalies_score_high_whatever_the_sign_convention(name, labelled_series):
    X, y = labelled_series
    detector = detectors()[name].fit(X)
    assert SCORERS["auc_pr"](detector, X, y) > 0.95
    assert make_scorer(vus_pr, window=4)(detector, X, y) > 0.6


@pytest.mark.parametrize("name", SCORERS)
def test_ready_scorers_survive_pickling(name, labelled_series):
    X, y = labelled_series
    y = np.where(np.arange(N_TIMESTAMPS) < 140, y, 0)  # kdd21_hit needs one event
    detector = IsolationForest(n_estimators=5, random_state=0).fit(X)
    scorer = pickle.loads(pickle.dumps(SCORERS[name]))
    value = scorer(detector, X, y)
    assert isinstance(value, float)
    assert value == SCORERS[name](detector, X, y)


def test_grid_search_over_time_folds_in_two_processes(labelled_series):
    X, y = labelled_series
    search = GridSearchCV(
        detectors()["scikit-learn in a Pipeline"],
        {"isolationforest__max_features": [1, 2]},
        scoring=SCORERS,
        refit="vus_pr",
        cv=TimeSeriesSplit(4),
        n_jobs=2,
        error_score="raise",
    ).fit(X, y)
    for name in SCORERS:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()
    assert make_scorer(vus_pr)(search, X, y) > 0


def test_fold_without_an_anomaly_obeys_error_score(labelled_series):
    X, _ = labelled_series
    y = np.zeros(N_TIMESTAMPS, dtype=int)
    y[-5:] = 1
    detector = IsolationForest(n_estimators=5, random_state=0)
    options = {"cv": TimeSeriesSplit(2), "scoring": SCORERS["vus_pr"]}
    with pytest.raises(ValueError, match="at least one anomalous timestamp"):
        cross_val_score(detector, X, y, error_score="raise", **options)
    with pytest.warns(UserWarning, match="Scoring failed"):
        scores = cross_val_score(detector, X, y, error_score=0.0, **options)
    assert scores[0] == 0
    assert scores[1] > 0


def test_a_name_is_no_metric():
    with pytest.raises(
        TypeError, match=r"must be a function .*, got 'vus_pr'; SCORERS"
    ):
        make_scorer("vus_pr")
