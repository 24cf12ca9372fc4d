"""Thresholds as `contamination`, ours and those of PyOD and pythresh."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler

from skcoad import CoADDetector, NeighborsDetector, SklearnOutlierAdapter
from skcoad.datasets import Series
from skcoad.detectors import fit_series
from skcoad.detectors._contamination import held_back_scores, thresholder_limit
from skcoad.thresholds import (
    ConformalThreshold,
    PeaksOverThreshold,
    QuantileThreshold,
)

THRESHOLDS = [
    PeaksOverThreshold("1 per 200 rows"),
    PeaksOverThreshold("1 per 5000 rows", held_back=0),
    QuantileThreshold("1 per 100 rows", held_back=0.5),
    ConformalThreshold("1 per 100 rows"),
]


@pytest.mark.parametrize("threshold", THRESHOLDS, ids=str)
def test_labels_are_the_scores_above_the_threshold(threshold, wave):
    X, other = wave(600), wave(300, seed=1)
    detector = NeighborsDetector(contamination=threshold).fit(X)
    assert not hasattr(threshold, "threshold_")  # a parameter is not fitted
    assert detector.threshold_ == detector.thresholder_.threshold_
    above = detector.decision_scores_ > detector.threshold_
    np.testing.assert_array_equal(detector.labels_, above)
    for series in (X, other):
        scores = detector.decision_function(series)
        labels, confidence = detector.predict(series, return_confidence=True)
        np.testing.assert_array_equal(labels, scores > detector.threshold_)
        assert ((confidence >= 0) & (confidence <= 1)).all()
        adapter = SklearnOutlierAdapter(clone(detector)).fit(X)
        np.testing.assert_array_equal(adapter.predict(series), 1 - 2 * labels)


@pytest.mark.parametrize("cls", [PeaksOverThreshold, QuantileThreshold])
@pytest.mark.parametrize("drift", [0.0, 1.0])
def test_the_threshold_is_the_higher_of_held_back_and_training_scores(cls, drift, wave):
    # With a drift, the amplitude at the end is new to a detector of the beginning.
    X = wave(600) * (1 + drift * (np.arange(600) > 420))[:, None]
    threshold = cls("1 per 1000 rows")
    detector = NeighborsDetector(contamination=threshold).fit(X)
    held_back = held_back_scores(NeighborsDetector(), X, 0.5, 25)
    assert held_back.shape == (600,)
    limits = [
        clone(threshold).fit(scores, separation=detector.period_).threshold_
        for scores in (held_back, detector.decision_scores_)
    ]
    assert detector.threshold_ == max(limits)
    if drift:
        assert limits[0] > 2 * limits[1]
        np.testing.assert_array_equal(detector.thresholder_.scores_, held_back)


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_each_end_is_scored_as_new_by_a_detector_fitted_to_the_rest(share, wave):
    X = wave(600)
    n = round(share * 600)
    scores = held_back_scores(NeighborsDetector(), X, share, 25)
    later, earlier = (
        NeighborsDetector(period=25).fit(X[n:] if at else X[: 600 - n]) for at in (1, 0)
    )
    beginning, end = np.split(scores, [n])
    # Also near the seam: all that a score depends on is known there. But for rounding:
    # in a series of another length, sums may be taken in another order.
    np.testing.assert_allclose(beginning, later.decision_function(X)[:n], rtol=1e-9)
    np.testing.assert_allclose(end, earlier.decision_function(X)[-n:], rtol=1e-9)


def test_a_gross_outlier_is_no_missing_value_to_what_is_held_back(wave):
    X = wave(600)
    X[100] = 65535
    threshold = PeaksOverThreshold("1 per 200 rows")
    raising, masking = (
        NeighborsDetector(missing=missing, contamination=threshold).fit(X)
        for missing in ("raise", "mask")
    )
    assert raising.threshold_ == masking.threshold_


@pytest.mark.parametrize("n_train", [0, 300])
def test_fitting_to_a_series_leaves_the_parameters_alone(n_train, wave):
    threshold = PeaksOverThreshold("1 per 200 rows")
    detector = NeighborsDetector(contamination=threshold)
    series = Series(wave(600), np.zeros(600), n_train, "wave")
    fit_series(detector, series, train_length=n_train)
    assert detector.contamination is threshold
    assert threshold.held_back == 0.5
    assert detector.thresholder_.held_back == (0.5 if n_train else 0)


def test_a_few_rows_are_held_back_as_well(wave):
    assert held_back_scores(NeighborsDetector(), wave(300), 1e-6, 25).shape == (2,)


def test_without_holding_back_it_is_calibrated_on_the_training_scores(wave):
    threshold = QuantileThreshold("1 per 100 rows", held_back=0)
    detector = NeighborsDetector(contamination=threshold).fit(wave(600))
    scores = detector.thresholder_.scores_
    np.testing.assert_array_equal(scores, detector.decision_scores_)


@pytest.mark.parametrize("held_back", [0, 0.5])
def test_a_break_in_the_series_is_not_calibrated_on(held_back, wave):
    X = wave(600)
    X[100:125] = np.nan  # a period, which is imputed
    X[450:476] = np.nan
    threshold = QuantileThreshold("1 per 100 rows", held_back=held_back)
    detector = NeighborsDetector(period=25, contamination=threshold).fit(X)
    missing = detector.thresholder_.missing_
    assert np.flatnonzero(missing).tolist() == list(range(450, 476))


def test_a_gross_outlier_in_training_does_not_raise_the_threshold(wave):
    clean = wave(600)
    dirty = clean.copy()
    dirty[500] = 1e6
    for held_back in (0, 0.5):
        threshold = PeaksOverThreshold(held_back=held_back)
        limits = [
            NeighborsDetector(contamination=threshold).fit(X).threshold_
            for X in (clean, dirty)
        ]
        assert limits[1] < 2 * limits[0] + 1


def test_a_part_that_cannot_be_fitted_to_is_named(wave):
    X = wave(800)
    X[100:380] = np.nan
    with pytest.raises(ValueError, match=r"400 of 800 rows held back .* held_back=0 "):
        NeighborsDetector(contamination=PeaksOverThreshold()).fit(X)
    threshold = PeaksOverThreshold(held_back=0)
    assert NeighborsDetector(contamination=threshold).fit(X).threshold_ > 0


def test_a_rate_in_time_takes_the_times_of_the_training_series(wave):
    times = pd.date_range("2026-01-01", periods=600, freq="30min")
    frame = pd.DataFrame(wave(600), index=times, columns=["flow"])
    threshold = PeaksOverThreshold("1 per week")
    detector = NeighborsDetector(contamination=threshold).fit(frame)
    assert 1 / detector.thresholder_.rate_ == pytest.approx(7 * 48)
    with pytest.raises(ValueError, match="needs the times of the rows"):
        NeighborsDetector(contamination=threshold).fit(wave(600))


# Of rows mostly 2 minutes apart, a minute is missing between them.
UNEVEN = np.cumsum(np.tile([1, 2, 2, 2], 200))


@pytest.mark.parametrize(
    ("times", "rate", "rows"),
    [
        (
            pd.Timestamp("2026-01-01") + pd.to_timedelta(UNEVEN, unit="min"),
            "1 per day",
            1440,
        ),
        (pd.bdate_range("2021-01-01", periods=800), "1 per year", 365.25 * 5 / 7),
        (pd.date_range("2021-01-31", periods=800, freq="ME"), "1 per year", 12),
        (pd.period_range("2021-01-01", periods=800, freq="h"), "1 per week", 168),
    ],
    ids=["uneven", "business days", "months", "periods"],
)
def test_a_rate_in_time_counts_the_rows_that_are_missing(times, rate, rows, wave):
    frame = pd.DataFrame(wave(len(times)), index=times)
    threshold = PeaksOverThreshold(rate, held_back=0)
    detector = NeighborsDetector(period=25, contamination=threshold).fit(frame)
    assert 1 / detector.thresholder_.rate_ == pytest.approx(rows, rel=2e-3)


def test_a_rate_in_time_takes_the_times_of_xarray(wave):
    hours = pd.date_range("2026-01-01", periods=600, freq="h")
    array = xr.DataArray(wave(600), {"time": hours, "channel": [0]})
    detector = NeighborsDetector(contamination=PeaksOverThreshold("1 per week"))
    assert detector.fit(array).thresholder_.interval_ == 3600.0


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        (PeaksOverThreshold("sometimes"), "is no rate"),
        (PeaksOverThreshold(held_back=1), "held_back"),
        ("1 per 1000 rows", "is an object, such as skcoad.thresholds.PeaksOver"),
        (StandardScaler(), r"contamination=StandardScaler\(\) is no thresholder"),
        (IsolationForest(), r"contamination=IsolationForest\(\) is no thresholder"),
        (ConformalThreshold("1 per 1000 rows"), "the 600 scores given can promise"),
    ],
)
def test_a_threshold_that_cannot_be_set_is_an_error_before_the_fit(
    threshold, message, wave, monkeypatch
):
    detector = NeighborsDetector(contamination=threshold)
    with pytest.raises(ValueError, match=message):
        detector.fit(wave(600))
    assert not hasattr(detector, "model_")


class Foreign(BaseEstimator):
    """A thresholder with the limit that pythresh states: none, scaled, or not."""

    def __init__(self, stated="scaled"):
        self.stated = stated

    def fit(self, scores):
        low, high = scores.min(), scores.max()
        limit = low + 0.4 * (high - low)
        stated = {"scaled": 0.4, "as it is": limit, "nothing": None, "wrong": 1e9}
        self.thresh_ = stated[self.stated]
        self.labels_ = (scores > limit).astype(int)
        return self


@pytest.mark.parametrize("stated", ["scaled", "as it is", "nothing", "wrong"])
def test_the_limit_of_a_thresholder_is_in_the_unit_of_the_scores(stated, wave):
    X = wave(400)
    thresholder = Foreign(stated)
    detector = NeighborsDetector(contamination=thresholder).fit(X)
    assert not hasattr(thresholder, "labels_")
    assert detector.thresholder_ is None
    scores = detector.decision_scores_
    expected = clone(thresholder).fit(scores).labels_
    assert 0 < expected.sum() < 400
    np.testing.assert_array_equal(scores > detector.threshold_, expected)
    np.testing.assert_array_equal(detector.labels_, expected)
    np.testing.assert_array_equal(detector.predict(X), expected)
    adapter = SklearnOutlierAdapter(NeighborsDetector(contamination=thresholder))
    np.testing.assert_array_equal(adapter.fit_predict(X) == -1, expected)
    if stated in ("scaled", "as it is"):
        low, high = scores.min(), scores.max()
        assert detector.threshold_ == pytest.approx(low + 0.4 * (high - low))


class All(BaseEstimator):
    def fit(self, scores):
        self.thresh_, self.labels_ = None, np.ones(len(scores))
        return self


def test_where_all_is_abnormal_the_limit_is_below_all():
    assert thresholder_limit(All(), np.array([2.0, 1.0])) == np.nextafter(1, 0)


@pytest.mark.parametrize("name", ["MAD", "FILTER", "IQR", "ZSCORE", "AUCP"])
def test_thresholders_of_pyod_and_pythresh_agree_with_scores_and_adapter(name, wave):
    pytest.importorskip("pythresh", reason="PyOD's thresholders need pythresh")
    from pyod.models import thresholds

    X = wave(600)
    X[400:412] += 3
    state = np.random.get_state()  # noqa: NPY002 - pythresh seeds the global one
    adapter = SklearnOutlierAdapter(
        NeighborsDetector(contamination=getattr(thresholds, name)())
    ).fit(X)
    np.random.set_state(state)  # noqa: NPY002
    detector = adapter.detector_
    above = detector.decision_scores_ > detector.threshold_
    assert 0 < above.sum() < 300
    assert detector.segment_threshold_ == detector.threshold_
    np.testing.assert_array_equal(detector.labels_, above)
    np.testing.assert_array_equal(detector.predict(X), above)
    np.testing.assert_array_equal(adapter.predict(X) == -1, above)


def test_a_window_that_bounds_the_period_does_so_in_what_is_held_back():
    x = np.sin(2 * np.pi * np.arange(600) / 50)
    x += 0.1 * np.random.default_rng(0).standard_normal(600)
    detector = CoADDetector(
        window_size=32, max_steps=2, contamination=PeaksOverThreshold(), random_state=0
    ).fit(x)
    assert detector.period_ == 32
    assert np.isfinite(detector.threshold_)


def test_what_is_held_back_needs_a_value(wave):
    x = wave(900)
    x[:120] = x[-120:] = np.nan
    threshold = QuantileThreshold("1 per 20 rows", held_back=0.1)
    message = r"the 90 rows at each end that held_back=0\.1 holds back are in breaks"
    with pytest.raises(ValueError, match=message):
        NeighborsDetector(contamination=threshold).fit(x)
