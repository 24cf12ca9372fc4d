"""The detectors within other libraries' own machinery, where these are installed.

docs/ecosystem.md says how to install them beside each other.
"""

import types

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoad import NeighborsDetector, SklearnOutlierAdapter
from skcoad.compat.tsb_ad import register, run_CoAD, run_CoADNeighbors

# Other libraries' warnings are not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")


def foreign(name):
    return pytest.importorskip(
        name, reason=f"{name} is not installed", exc_type=ImportError
    )


@pytest.fixture
def train(wave):
    return wave(300)


@pytest.fixture
def test(wave):
    X = wave(400, seed=1)
    X[200:212] = X[200]
    return X


@pytest.fixture
def expected(train, test):
    return NeighborsDetector().fit(train).decision_function(test)


def test_aeon_adapter_gives_the_scores_of_the_detector(train, test, expected):
    series = foreign("aeon.anomaly_detection.series")
    adapter = series.PyODAdapter(NeighborsDetector(), window_size=1)
    scores = adapter.fit(train, axis=0).predict(test, axis=0)
    np.testing.assert_allclose(scores, expected)


def test_aeon_metrics_take_the_scores(expected):
    metrics = foreign("aeon.benchmarking.metrics.anomaly_detection")
    truth = np.zeros(400, dtype=int)
    truth[200:212] = 1
    assert metrics.roc_auc_score(truth, expected) > 0.9
    assert metrics.range_pr_vus_score(truth, expected, max_buffer_size=10) > 0.5


def test_sktime_wrapper_fits_the_detector(train, test, expected):
    adapters = foreign("sktime.detection.adapters")
    wrapped = adapters.PyODDetector(NeighborsDetector()).fit(pd.DataFrame(train))
    np.testing.assert_allclose(wrapped.estimator_.decision_function(test), expected)


def test_dtaianomaly_takes_an_adapter_of_a_few_lines(train, test, expected):
    base = foreign("dtaianomaly.anomaly_detection")

    class Neighbors(base.BaseDetector):
        def __init__(self):
            super().__init__(base.Supervision.SEMI_SUPERVISED)

        def _fit(self, X, y=None, **kwargs):
            self.detector_ = NeighborsDetector().fit(X)

        def _decision_function(self, X):
            return self.detector_.decision_function(X)

    detector = Neighbors().fit(train)
    np.testing.assert_allclose(detector.decision_function(test), expected)
    assert detector.predict_proba(test).max() == 1


def test_dtaianomaly_has_a_wrapper_that_keeps_timestamps(train, test, expected):
    base = foreign("dtaianomaly.anomaly_detection")

    class Wrapped(base.BasePyODAnomalyDetector):
        def _initialize_detector(self, **parameters):
            return NeighborsDetector(**parameters)

        def _supervision(self):
            return base.Supervision.SEMI_SUPERVISED

    detector = Wrapped(window_size=1).fit(train)
    np.testing.assert_allclose(detector.decision_function(test), expected)


def test_darts_scorer_gives_the_scores_of_the_detector(train, test, expected):
    darts = foreign("darts")
    ad = foreign("darts.ad")
    scorer = ad.PyODScorer(NeighborsDetector(), window=1)
    scorer.fit(darts.TimeSeries.from_values(train))
    series = darts.TimeSeries.from_values(test)
    scores = scorer.score(series)
    np.testing.assert_allclose(scores.values()[:, 0], expected)
    truth = np.zeros(400)
    truth[200:212] = 1
    truth = darts.TimeSeries.from_values(truth)
    assert scorer.eval_metric(truth, series, metric="AUC_ROC") > 0.9


def test_tsb_ad_runs_the_detector_by_its_name(train, test, expected):
    wrapper = foreign("TSB_AD.model_wrapper")
    register(wrapper)
    scores = wrapper.run_Semisupervise_AD("CoADNeighbors", train, test)
    np.testing.assert_array_equal(scores, expected)


def test_what_tsb_ad_calls_is_registered_once(train, test, expected):
    wrapper = types.ModuleType("model_wrapper")
    wrapper.Semisupervise_AD_Pool = ["CNN"]
    register(wrapper)
    register(wrapper)
    assert wrapper.Semisupervise_AD_Pool == ["CNN", "CoAD", "CoADNeighbors"]
    assert wrapper.run_CoAD is run_CoAD
    np.testing.assert_array_equal(run_CoADNeighbors(train, test), expected)
    assert run_CoAD(train, test, max_steps=2, random_state=0).shape == (400,)


def test_frames_of_a_pipeline_keep_their_names(train, test):
    columns = ["flow"]
    pipeline = make_pipeline(StandardScaler(), NeighborsDetector())
    pipeline.set_output(transform="pandas").fit(pd.DataFrame(train, columns=columns))
    assert pipeline[-1].feature_names_in_.tolist() == columns
    frame = pd.DataFrame(test, columns=columns)
    assert pipeline.decision_function(frame).shape == (400,)


def test_metadata_are_routed_past_the_detector(train, test, expected):
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        pipeline = make_pipeline(scaler, NeighborsDetector())
        pipeline.fit(train, sample_weight=np.ones(300))
        adapter = SklearnOutlierAdapter(NeighborsDetector()).fit(train)
    np.testing.assert_allclose(pipeline.decision_function(test), expected, atol=1e-4)
    np.testing.assert_allclose(-adapter.score_samples(test), expected)
