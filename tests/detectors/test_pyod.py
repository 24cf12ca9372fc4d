import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from pyod.models.base import BaseDetector
from pyod.models.iforest import IForest
from pyod.utils import persistence
from sklearn.base import BaseEstimator

from skcoad import CoADDetector, NeighborsDetector, SlidingWindowTransformer
from skcoad.thresholds import PeaksOverThreshold


def test_the_detector_is_one_of_pyod(fitted):
    assert isinstance(fitted, BaseDetector)
    assert issubclass(CoADDetector, BaseDetector)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_training_scores_and_labels_are_those_of_scoring(n_channels, tiny, wave):
    X = wave(400, n_channels)
    detector = tiny().fit(X)
    np.testing.assert_array_equal(
        detector.decision_scores_, detector.decision_function(X)
    )
    np.testing.assert_array_equal(detector.labels_, detector.predict(X))
    assert set(detector.labels_.tolist()) == {0, 1}


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.25, 0.5])
def test_contamination_is_the_share_of_training_labels(contamination, tiny, wave):
    X = wave()
    detector = tiny(contamination=contamination).fit(X)
    assert detector.labels_.mean() == pytest.approx(contamination, abs=0.01)
    above = detector.decision_scores_ > detector.threshold_
    np.testing.assert_array_equal(detector.labels_, above)
    np.testing.assert_array_equal(detector.predict(X), above)


def test_a_number_that_pyod_would_take_for_a_thresholder_is_refused(tiny, wave):
    with pytest.raises(ValueError, match="must be a Python number"):
        tiny(contamination=np.float32(0.1)).fit(wave())


class Thresholder(BaseEstimator):
    """The part of pythresh's interface that PyOD uses."""

    def fit(self, scores):
        self.thresh_ = np.mean(scores) + np.std(scores)
        self.labels_ = (scores > self.thresh_).astype(int)
        return self

    def predict(self, scores):
        return (scores > self.thresh_).astype(int)


def test_contamination_may_be_a_thresholder(tiny, wave):
    X = wave()
    detector = tiny(contamination=Thresholder()).fit(X)
    scores = detector.decision_scores_
    assert detector.threshold_ == scores.mean() + scores.std()
    np.testing.assert_array_equal(detector.labels_, detector.predict(X))
    assert detector.predict_confidence(X).shape == (400,)


def test_a_thresholder_of_pyod_is_accepted(tiny, wave):
    pytest.importorskip("pythresh", reason="PyOD's thresholders need pythresh")
    from pyod.models.thresholds import FILTER

    detector = tiny(contamination=FILTER()).fit(wave())
    np.testing.assert_array_equal(detector.labels_, detector.predict(wave()))


@pytest.mark.parametrize("method", ["linear", "unify"])
def test_probabilities_are_those_of_two_classes(method, fitted, wave):
    X = wave()
    probability = fitted.predict_proba(X, method=method)
    assert probability.shape == (400, 2)
    assert ((probability >= 0) & (probability <= 1)).all()
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    order = np.argsort(fitted.decision_function(X))
    assert (np.diff(probability[order, 1]) >= 0).all()


def test_probabilities_of_lists_frames_and_1d_arrays_are_those_of_the_array(
    fitted, tiny, wave
):
    X = wave()
    expected = fitted.predict_proba(X)
    for same in (X.tolist(), X[:, 0], X[:, 0].tolist()):
        np.testing.assert_array_equal(fitted.predict_proba(same), expected)
    frame = pd.DataFrame(X, columns=["flow"])
    named = tiny().fit(frame)
    np.testing.assert_array_equal(named.predict_proba(frame), expected)
    with_confidence = named.predict_proba(frame, return_confidence=True)
    np.testing.assert_array_equal(with_confidence[0], expected)


@pytest.mark.parametrize("label", [0, 1])
def test_a_y_of_one_class_does_not_matter(label, tiny, wave):
    X = wave()
    detector = tiny().fit(X, np.full(400, label))
    assert detector.predict_proba(X).shape == (400, 2)
    np.testing.assert_array_equal(
        detector.decision_scores_, tiny().fit(X).decision_scores_
    )


def test_an_unknown_probability_method_is_an_error(fitted, wave):
    with pytest.raises(ValueError, match="cubic"):
        fitted.predict_proba(wave(), method="cubic")


def test_confidence_is_a_probability(fitted, wave):
    X = wave()
    confidence = fitted.predict_confidence(X)
    assert confidence.shape == (400,)
    assert ((confidence >= 0) & (confidence <= 1)).all()
    labels, same = fitted.predict(X, return_confidence=True)
    np.testing.assert_array_equal(same, confidence)
    np.testing.assert_array_equal(labels, fitted.predict(X))


def test_rejection_marks_what_is_uncertain(fitted, wave):
    X = wave()
    labels, stats = fitted.predict_with_rejection(X, c_r=0.1, return_stats=True)
    assert set(labels.tolist()) <= {-2, 0, 1}
    kept = labels != -2
    assert 0 < kept.sum() < len(X)
    np.testing.assert_array_equal(labels[kept], fitted.predict(X)[kept])
    assert np.isfinite(stats).all()


@pytest.mark.parametrize("rows", [200, 10_000])  # some labels and none
def test_rejection_works_with_a_threshold(rows, wave):
    X = wave()
    threshold = PeaksOverThreshold(f"1 per {rows} rows")
    detector = NeighborsDetector(contamination=threshold).fit(X)
    labels, stats = detector.predict_with_rejection(X, c_r=0.1, return_stats=True)
    kept = labels != -2
    np.testing.assert_array_equal(labels[kept], detector.predict(X)[kept])
    np.testing.assert_array_equal(stats, detector.compute_rejection_stats(c_r=0.1))
    assert np.isfinite(stats).all()
    assert detector.rejection_threshold_ == pytest.approx(1)


def test_saved_and_loaded_by_joblib_or_pyod_the_scores_are_bit_equal(
    fitted, wave, tmp_path
):
    expected = fitted.decision_function(wave())
    joblib.dump(fitted, tmp_path / "joblib")
    persistence.save(fitted, str(tmp_path / "pyod.joblib"))
    for loaded in (
        joblib.load(tmp_path / "joblib"),
        persistence.load(str(tmp_path / "pyod.joblib"), trusted=True),
    ):
        np.testing.assert_array_equal(loaded.decision_function(wave()), expected)
        np.testing.assert_array_equal(loaded.labels_, fitted.labels_)


def test_parameters_are_handled_by_scikit_learn_and_leave_warnings_alone(fitted):
    before = list(warnings.filters)
    parameters = fitted.get_params()
    assert warnings.filters == before
    assert parameters["max_steps"] == 3
    assert "masking" in CoADDetector._get_param_names()
    assert repr(fitted) == "CoADDetector(max_steps=3, random_state=0)"
    broken = CoADDetector()
    del broken.lr
    with pytest.raises(AttributeError):
        broken.get_params()


class OnWindows:
    """A PyOD detector of rows, given the windows of a series."""

    def __init__(self, detector, window_size):
        self.detector = detector
        self.windows = SlidingWindowTransformer(window_size=window_size)

    def fit(self, X):
        self.detector.fit(self.windows.fit_transform(X))
        self.decision_scores_ = self.detector.decision_scores_
        return self


def test_a_loop_over_detectors_of_pyod_includes_ours(tiny, wave):
    from pyod.models.ts_matrix_profile import MatrixProfile
    from pyod.models.ts_od import TimeSeriesOD

    X = wave(600)
    X[400:425] = X[400]
    detectors = {
        "CoAD": tiny(max_steps=40),
        "TimeSeriesOD": TimeSeriesOD(detector="IForest", window_size=25),
        "IForest on windows": OnWindows(IForest(random_state=0), 25),
        "MatrixProfile": MatrixProfile(window_size=25),
    }
    peaks = {}
    for name, detector in detectors.items():
        detector.fit(X)
        assert detector.decision_scores_.shape == (600,), name
        assert np.isfinite(detector.decision_scores_).all(), name
        peaks[name] = int(detector.decision_scores_.argmax())
    assert 380 <= peaks["CoAD"] <= 445
