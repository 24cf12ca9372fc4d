import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

from skcoad import CoADDetector
from skcoad.benchmark import FitPredictOnly
from skcoad.benchmark._detectors import make_detector
from skcoad.benchmark.baselines import (
    BASELINES,
    KMeansAD,
    MatrixProfileAB,
    PyODMatrixProfile,
    RobustZScore,
    SeededTorch,
    _kmeans,
)
from skcoad.datasets import make_series

# Without numba's compilation and without minutes of training.
FAST = (
    "Neighbors",
    "KMeansAD",
    "SpectralResidual",
    "PCA",
    "IForest",
    "KNN",
    "LOF",
    "PyODMatrixProfile",
)


@pytest.fixture(scope="module")
def series():
    return make_series(1500, period=30, anomalies=("noise",), random_state=4)


def scores_of(detector, series):
    estimator = make_detector(BASELINES[detector], 30, 0)
    if isinstance(BASELINES[detector], FitPredictOnly):
        return estimator.fit(series.test).decision_scores_
    return estimator.fit(series.train).decision_function(series.test)


@pytest.mark.parametrize("name", FAST)
def test_a_baseline_finds_an_obvious_anomaly_repeatably(name, series):
    scores = scores_of(name, series)
    assert scores.shape == (len(series.test),)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, scores_of(name, series))
    if name != "SpectralResidual":  # it detects points
        start, end = np.flatnonzero(series.test_labels)[[0, -1]]
        assert start - 30 <= scores.argmax() <= end + 30


def test_coad_is_included_with_its_defaults_and_as_in_the_paper():
    for name, expected in (
        ("CoAD", CoADDetector()),
        ("CoADPaper", CoADDetector.paper()),
    ):
        estimator = make_detector(BASELINES[name], 42)
        assert estimator.get_params() == expected.get_params()


@pytest.mark.parametrize(
    "name", sorted(set(BASELINES) - {"CoAD", "CoADPaper", "Neighbors", "RobustZScore"})
)
def test_windows_are_the_period(name):
    estimator = make_detector(BASELINES[name], 42, 0)
    if name != "SpectralResidual":
        assert (
            getattr(estimator, "detector", estimator)
            .get_params()
            .get("window_size", estimator.get_params().get("window_size"))
            == 42
        )


def naive_kmeans_scores(detector, x, window_size):
    windows = [x[i : i + window_size] for i in range(len(x) - window_size + 1)]
    total, count = np.zeros(len(x)), np.zeros(len(x))
    for i, window in enumerate(windows):
        channels = []
        for channel in window.T:
            scale = channel.std() if channel.std() > 1e-10 else 1
            channels.append((channel - channel.mean()) / scale)
        point = np.stack(channels, axis=1).ravel()
        distance = np.linalg.norm(
            detector.kmeans_.cluster_centers_ - point, axis=1
        ).min()
        total[i : i + window_size] += distance
        count[i : i + window_size] += 1
    return total / count


def test_kmeans_scores_equal_their_definition(monkeypatch):
    monkeypatch.setattr(_kmeans, "WINDOW_VALUES_CHUNK", 8 * 2 * 50)  # several chunks
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2))
    X[50:90] = 3.0  # constant windows
    detector = KMeansAD(8, n_clusters=4, max_windows=70, random_state=0).fit(X)
    np.testing.assert_allclose(
        detector.decision_function(X), naive_kmeans_scores(detector, X, 8)
    )
    np.testing.assert_array_equal(
        detector.decision_scores_, detector.decision_function(X)
    )


def test_kmeans_accepts_fewer_windows_than_clusters():
    detector = KMeansAD(8).fit(np.arange(10.0))
    assert np.isfinite(detector.decision_function(np.arange(10.0))).all()


def test_robust_z_scores_equal_their_definition():
    train = np.array([[1.0, 7.0], [2.0, 7.0], [np.nan, 7.0], [6.0, 7.0], [9e9, 7.0]])
    detector = make_detector(BASELINES["RobustZScore"], 42).fit(train)
    # Channel 0: median 4, deviations from it 2, 2, 3 and 9e9. Channel 1 is constant.
    np.testing.assert_array_equal(detector.median_, [4.0, 7.0])
    np.testing.assert_allclose(detector.deviation_, [1.4826 * 2.5, 7e-10])
    x = np.array([[0.0, 7.0], [np.nan, 7.0], [4.0, 8.0], [np.nan, np.nan]])
    np.testing.assert_allclose(
        detector.decision_function(x), [4 / (1.4826 * 2.5), 0, 1 / 7e-10, 0]
    )


def test_a_robust_z_score_ignores_gross_outliers_in_training():
    rng = np.random.default_rng(0)
    train = rng.standard_normal(1000)
    train[::20] = 65535
    scores = RobustZScore().fit(train).decision_function([5.0])
    assert scores[0] == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("cls", [RobustZScore, KMeansAD, MatrixProfileAB])
@pytest.mark.parametrize(("fitted", "scored"), [(2, 1), (1, 2)])
def test_another_number_of_channels_is_an_error(cls, fitted, scored):
    X = np.random.default_rng(0).normal(size=(200, 2))
    detector = cls().fit(X[:, :fitted])
    with pytest.raises(ValueError, match=f"channels of fit, {fitted}, got {scored}"):
        detector.decision_function(X[:, :scored])


def test_pyods_matrix_profile_is_finite_where_the_series_is_constant():
    x = np.concatenate([np.sin(np.arange(200) / 3), np.zeros(60)])
    scores = PyODMatrixProfile(20).fit(x).decision_scores_
    assert np.isfinite(scores).all()
    assert scores[230] == scores.max()
    assert (PyODMatrixProfile(20).fit(np.zeros(100)).decision_scores_ == 0).all()


def test_a_torch_baseline_is_repeatable_and_restores_the_global_generator():
    import torch

    class RandomScores:
        def fit(self, X):
            self.decision_scores_ = torch.rand(len(X)).numpy()

        def decision_function(self, X):
            return self.decision_scores_[: len(X)]

    before = torch.get_rng_state()
    X = np.zeros((5, 1))
    first, second, other = (
        SeededTorch(RandomScores(), random_state=seed).fit(X).decision_function(X)
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(first, second)
    assert (first != other).all()


@pytest.mark.parametrize("name", ["KShape", "SAND", "LSTMAD", "AnomalyTransformer"])
def test_a_slow_baseline_runs_on_a_short_series(name):
    x = np.sin(np.arange(130) / 2)
    detector = make_detector(BASELINES[name], 12, 0)
    inner = getattr(detector, "detector", detector)
    for parameter, small in {"max_iter": 1, "epochs": 1, "d_model": 16}.items():
        if parameter in inner.get_params():
            inner.set_params(**{parameter: small})
    scores = clone(detector).fit(x[:80]).decision_function(x)
    assert scores.shape == (130,)
    assert np.isfinite(scores).all()


# Compiling stumpy takes longer than all other tests. With NUMBA_DISABLE_JIT its
# functions run as plain Python, in a separate process because numba reads it on import.

STUMPY_SCRIPT = """
import numpy as np
from skcoad.benchmark.baselines import MatrixProfileAB, MatrixProfileSelf

def normalised(window):
    scale = window.std()
    return (window - window.mean()) / scale if scale > 1e-7 else 0 * window

def naive(x, reference, m, excluded):
    n = len(x) - m + 1
    total, count = np.zeros(len(x)), np.zeros(len(x))
    for i in range(n):
        distances = [
            np.linalg.norm(normalised(x[i:i+m]) - normalised(reference[j:j+m]))
            for j in range(len(reference) - m + 1)
            if abs(i - j) > excluded
        ]
        total[i:i+m] += min(distances, default=2 * np.sqrt(m))
        count[i:i+m] += 1
    return total / count

rng = np.random.default_rng(0)
X = np.cumsum(rng.standard_normal((120, 2)), axis=0)
X[40:60, 0] = 1.0
m = 8
expected = np.mean([naive(x, x, m, m // 4) for x in X.T], axis=0)
scores = MatrixProfileSelf(m).fit(X).decision_scores_
np.testing.assert_allclose(scores, expected, atol=1e-6)

join = MatrixProfileAB(m).fit(X[:50])
expected = np.mean([naive(x, x[:50], m, -1) for x in X.T], axis=0)
np.testing.assert_allclose(join.decision_function(X), expected, atol=1e-6)
assert (join.decision_function(X[:50]) < 1e-6).all()

constant = MatrixProfileSelf(m).fit(np.zeros(60)).decision_scores_
np.testing.assert_array_equal(constant, 0)
against_constant = MatrixProfileAB(m).fit(np.zeros(60)).decision_function(X[60:, 1])
np.testing.assert_allclose(against_constant, np.sqrt(m))
alone = MatrixProfileSelf(m).fit(X[:10, 1]).decision_scores_
np.testing.assert_allclose(alone, 2 * np.sqrt(m))
"""


def test_matrix_profiles_equal_their_definition():
    pytest.importorskip("stumpy", reason="the extra [benchmark] is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STUMPY_SCRIPT],
        env=os.environ
        | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
