import json

import numpy as np
import pytest
from pyod.models.iforest import IForest
from pyod.models.ts_od import TimeSeriesOD
from sklearn.base import BaseEstimator

from skcoad.benchmark import FitPredictOnly
from skcoad.benchmark._detectors import build, check_detectors, settings


class Plain:
    """PyOD's methods and nothing else."""

    def __init__(self):
        self.state = []

    def fit(self, X):
        self.state.append("fitted")


class Odd(BaseEstimator):
    def __init__(self, a=1, b=None, random_state=None):
        self.a = a
        self.b = b
        self.random_state = random_state

    def fit(self, X):
        return self


def test_an_object_is_cloned_with_its_parameters():
    detector = Odd(a=5)
    made = build(detector, period=10, seed=3)
    assert made is not detector
    assert (made.a, made.random_state) == (5, 3)
    assert detector.random_state is None


def test_an_object_without_parameters_is_copied():
    detector = Plain()
    build(detector, period=10, seed=0).fit(None)
    assert detector.state == []


def test_a_function_is_given_the_period():
    assert build(lambda period: Odd(a=period), period=17, seed=0).a == 17


def test_the_mark_is_taken_off():
    assert build(FitPredictOnly(lambda period: Odd(a=period)), 17, 0).a == 17
    assert build(FitPredictOnly(Odd(a=4)), 17, 0).a == 4


def test_the_seed_reaches_a_detector_within_a_detector():
    made = build(TimeSeriesOD(IForest()), period=10, seed=7)
    assert made.detector.random_state == 7


def test_settings_are_what_json_knows():
    parts = settings(
        Odd(a=np.float64(2.5), b={"x": (1, np.int32(2)), "y": Plain(), "z": np.inf})
    )
    assert parts["a"] == 2.5
    assert parts["b"]["x"] == [1, 2]
    assert parts["b"]["z"] == "inf"
    assert "Plain" in parts["b"]["y"]
    assert "0x" not in parts["b"]["y"]
    assert json.loads(json.dumps(parts, allow_nan=False)) == parts


def test_settings_of_a_detector_that_does_not_tell():
    assert settings(Plain()) is None


def test_classes_and_strangers_are_refused():
    with pytest.raises(TypeError, match=r"x: got the class Odd, .* Odd\(\)"):
        check_detectors({"x": Odd})
    with pytest.raises(TypeError, match=r"x: a detector has a method fit.*got 3"):
        check_detectors({"x": FitPredictOnly(3)})
    check_detectors({"x": Odd(), "y": lambda period: Odd(), "z": FitPredictOnly(Odd())})
