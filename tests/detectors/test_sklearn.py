import warnings

import numpy as np
import pandas as pd
import pytest
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.pca import PCA
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skcoad import (
    CoADDetector,
    FFTTransformer,
    NeighborsDetector,
    SklearnOutlierAdapter,
    SlidingWindowTransformer,
    STFTTransformer,
)

PYOD = "PyOD labels anomalies 1 and the rest 0, and scores anomalies higher"
ORDER = "rows are timestamps: their order is data"
CONTEXT = "what a timestamp means depends on those around it"

OF_DETECTORS = {
    "check_outliers_train": PYOD,
    "check_outliers_fit_predict": PYOD,
    "check_methods_sample_order_invariance": ORDER,
    "check_methods_subset_invariance": CONTEXT,
}
EXPECTED_FAILURES = {
    CoADDetector: OF_DETECTORS,
    NeighborsDetector: OF_DETECTORS,
    SklearnOutlierAdapter: {
        "check_methods_sample_order_invariance": ORDER,
        "check_methods_subset_invariance": CONTEXT,
    },
    SlidingWindowTransformer: {
        "check_methods_sample_order_invariance": ORDER,
        "check_methods_subset_invariance": CONTEXT,
    },
    STFTTransformer: {
        "check_methods_sample_order_invariance": ORDER,
        "check_methods_subset_invariance": CONTEXT,
    },
    FFTTransformer: {},
}


def small(**parameters):
    return CoADDetector(**({"max_steps": 2, "random_state": 0} | parameters))


# check_array_api_input is skipped with this warning: it needs SCIPY_ARRAY_API, and no
# estimator here claims to support other array libraries.
# PyOD's fit_predict, which check_outliers_fit_predict calls, is deprecated by PyOD.
@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.SkipTestWarning",
    "ignore:Function fit_predict is deprecated:FutureWarning",
)
@parametrize_with_checks(
    [
        small(),
        NeighborsDetector(),
        SklearnOutlierAdapter(small()),
        SlidingWindowTransformer(),
        SlidingWindowTransformer(align="trailing"),
        FFTTransformer(),
        STFTTransformer(),
    ],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES[type(estimator)],
)
def test_estimators_pass_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_an_expected_failure_that_passes_is_reported(pytestconfig):
    assert pytestconfig.getini("xfail_strict")


def labelled(wave, n=900):
    X = wave(n, 2)
    y = np.zeros(n, dtype=int)
    # No two alike: what a training fold has seen is no anomaly in the next.
    rng = np.random.default_rng(1)
    for first in range(n // 4 + 60, n, n // 4):
        X[first : first + 20] += rng.normal(size=(20, X.shape[1]))
        y[first : first + 20] = 1
    return X, y


def test_a_pipeline_scales_and_scores(wave):
    X, _ = labelled(wave)
    pipeline = Pipeline([("scale", StandardScaler()), ("detect", small())]).fit(X)
    scores = pipeline.decision_function(X)
    scaled = StandardScaler().fit_transform(X)
    alone = small().fit(scaled).decision_function(scaled)
    np.testing.assert_array_equal(scores, alone)
    assert set(pipeline.predict(X).tolist()) == {0, 1}
    assert pipeline.predict_proba(X).shape == (len(X), 2)


def test_grid_search_over_splits_in_time_compares_ablations(wave):
    X, y = labelled(wave)
    pipeline = Pipeline([("scale", StandardScaler()), ("detect", small())])
    search = GridSearchCV(
        pipeline,
        {"detect__masking": ["soft", "hard"]},
        cv=TimeSeriesSplit(3),
        scoring="average_precision",
        n_jobs=2,
        error_score="raise",
    ).fit(X, y)
    means = search.cv_results_["mean_test_score"]
    assert means.shape == (2,)
    assert ((means > 0) & (means <= 1)).all()
    assert search.best_params_["detect__masking"] in ("soft", "hard")
    assert search.decision_function(X).shape == (len(X),)


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision"])
def test_scorers_take_higher_scores_as_more_anomalous(scoring, wave):
    X, y = labelled(wave)
    detector = small(max_steps=40)
    scores = cross_val_score(
        detector, X, y, cv=TimeSeriesSplit(2), scoring=scoring, error_score="raise"
    )
    assert (scores > (0.5 if scoring == "roc_auc" else y.mean())).all()


@pytest.mark.filterwarnings("ignore:No positive class found in y_true")
def test_folds_of_one_class_are_fitted_and_scored(wave):
    X, y = labelled(wave)
    y[:450] = 0  # the training part of the first fold, and its test part
    scores = cross_val_score(
        small(),
        X,
        y,
        cv=TimeSeriesSplit(3),
        scoring="average_precision",
        error_score="raise",
    )
    assert np.isfinite(scores).all()


def test_folds_that_are_too_short_obey_error_score(wave):
    X, y = labelled(wave, 400)
    cv = TimeSeriesSplit(3)
    detector = small(window_size=160, patch_size=8)
    options = {"cv": cv, "scoring": lambda d, X, y: d.decision_function(X).mean()}
    with pytest.raises(ValueError, match=r"window of 160 .* 100"):
        cross_val_score(detector, X, y, error_score="raise", **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.simplefilter("ignore", UserWarning)  # scoring failed, likewise
        scores = cross_val_score(detector, X, y, error_score=-7.0, **options)
    assert scores.tolist() == [-7.0, -7.0, -7.0]


def test_windows_and_spectra_feed_a_detector_of_pyod(wave):
    X = wave(600)
    X[400:425] += 3 * np.sin(np.arange(25) * 2)[:, None]
    pipeline = make_pipeline(
        SlidingWindowTransformer(window_size=25, padding="reflect"),
        FFTTransformer(),
        IForest(random_state=0),
    ).fit(X)
    scores = pipeline.decision_function(X)
    assert scores.shape == (600,)
    assert 388 <= scores.argmax() <= 437


def test_scores_of_a_window_table_come_back_to_the_timestamps(wave):
    X = wave(603)
    X[400:425] += 3 * np.sin(np.arange(25) * 2)[:, None]
    windows = SlidingWindowTransformer(window_size=25, step=5, padding=None)
    table = FFTTransformer().fit_transform(windows.fit_transform(X))
    scores = IForest(random_state=0).fit(table).decision_scores_
    for aggregation in ("mean", "max"):
        back = windows.scores_to_timestamps(scores, len(X), aggregation)
        assert back.shape == (603,)
        assert 375 <= back.argmax() <= 450


def test_a_pipeline_of_transformers_keeps_names_and_index(wave):
    index = pd.date_range("2020", periods=100, freq="min")
    frame = pd.DataFrame(wave(100, 2), columns=["a", "b"], index=index)
    pipeline = make_pipeline(
        SlidingWindowTransformer(window_size=4), FFTTransformer(n_channels=2)
    ).set_output(transform="pandas")
    table = pipeline.fit_transform(frame)
    assert table.columns.tolist() == pipeline.get_feature_names_out().tolist()
    pd.testing.assert_index_equal(table.index, index)
    assert table.shape == (100, 6)


@pytest.mark.parametrize(
    "transformer",
    [SlidingWindowTransformer(window_size=3), STFTTransformer(), FFTTransformer()],
    ids=lambda transformer: type(transformer).__name__,
)
def test_transformers_refuse_columns_in_another_order(transformer, wave):
    frame = pd.DataFrame(wave(100, 2), columns=["a", "b"])
    transformer = clone(transformer).fit(frame)
    with pytest.raises(ValueError, match="same order"):
        transformer.transform(frame[["b", "a"]])
    with pytest.raises(ValueError, match="input_features"):
        transformer.get_feature_names_out(["b", "a"])


@pytest.mark.parametrize("transformer", [SlidingWindowTransformer(), STFTTransformer()])
def test_transformers_of_series_refuse_timestamps_out_of_order(transformer, wave):
    index = pd.date_range("2020", periods=100, freq="min")
    frame = pd.DataFrame(wave(100), columns=["a"], index=index)
    with pytest.raises(ValueError, match="not sorted"):
        clone(transformer).fit(frame[::-1])
    with pytest.raises(ValueError, match="not sorted"):
        clone(transformer).fit(frame).transform(frame[::-1])


def test_the_adapter_inverts_labels_and_scores(fitted, wave):
    X = wave()
    adapter = SklearnOutlierAdapter(fitted).fit(X)
    np.testing.assert_array_equal(
        adapter.score_samples(X), -fitted.decision_function(X)
    )
    assert adapter.offset_ == -fitted.threshold_
    np.testing.assert_array_equal(
        adapter.decision_function(X), adapter.score_samples(X) - adapter.offset_
    )
    np.testing.assert_array_equal(adapter.predict(X), 1 - 2 * fitted.predict(X))
    np.testing.assert_array_equal(clone(adapter).fit_predict(X), 1 - 2 * fitted.labels_)


@pytest.mark.parametrize("cls", [IForest, KNN, ECOD, HBOS, PCA])
def test_the_adapter_wraps_any_detector_of_pyod_and_leaves_it_unfitted(cls):
    X = np.random.default_rng(0).normal(size=(200, 3))
    detector = cls()
    adapter = SklearnOutlierAdapter(detector).fit(X)
    assert set(adapter.predict(X).tolist()) == {-1, 1}
    assert not hasattr(detector, "decision_scores_")
    assert adapter.n_features_in_ == 3


@pytest.mark.parametrize("make", [KNN, lambda: small()])
def test_an_adapter_that_is_fitted_again_forgets_the_names(make, wave):
    adapter = SklearnOutlierAdapter(make())
    adapter.fit(pd.DataFrame(wave(), columns=["flow"]))
    assert adapter.feature_names_in_.tolist() == ["flow"]
    adapter.fit(wave(400, 2))
    assert adapter.n_features_in_ == 2
    assert not hasattr(adapter, "feature_names_in_")


def test_the_adapter_makes_a_detector_of_its_own(monkeypatch, wave):
    monkeypatch.setattr("skcoad.detectors._coad.CoADDetector", small)
    adapter = SklearnOutlierAdapter().fit(wave())
    assert isinstance(adapter.detector_, CoADDetector)
    assert adapter.detector is None


def test_parameters_inside_the_adapter_can_be_set_and_searched(wave):
    adapter = SklearnOutlierAdapter(small())
    adapter.set_params(detector__masking="grating")
    assert adapter.fit(wave()).detector_.masking == "grating"


def test_an_adapter_that_is_not_fitted_says_so(wave):
    adapter = SklearnOutlierAdapter(small())
    for method in ("score_samples", "decision_function", "predict"):
        with pytest.raises(NotFittedError):
            getattr(adapter, method)(wave())
