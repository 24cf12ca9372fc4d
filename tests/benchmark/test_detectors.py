import copy
import json

import numpy as np
import pytest
from pyod.models.iforest import IForest
from pyod.models.ts_od import TimeSeriesOD
from sklearn.base import BaseEstimator
from sklearn.svm import OneClassSVM

from skcoad.benchmark import FitPredictOnly
from skcoad.benchmark._detectors import check_detectors, make_detector
from skcoad.io._parameters import get_parameters


class Plain:
    """PyOD's methods and nothing else."""

    def __init__(self):
        self.state = []

    def fit(self, X):
        self.state.append("fitted")


class Parametrised(BaseEstimator):
    def __init__(self, a=1, b=None, random_state=None):
        self.a = a
        self.b = b
        self.random_state = random_state

    def fit(self, X):
        return self


def test_an_object_is_cloned_with_its_parameters():
    detector = Parametrised(a=5)
    estimator = make_detector(detector, period=10, seed=3)
    assert estimator is not detector
    assert (estimator.a, estimator.random_state) == (5, 3)
    assert detector.random_state is None


def test_without_a_seed_random_state_is_unchanged():
    assert make_detector(Parametrised(random_state=5), 10).random_state == 5


def test_an_object_without_parameters_is_copied():
    detector = Plain()
    make_detector(detector, period=10, seed=0).fit(None)
    assert detector.state == []


def test_a_function_is_given_the_period():
    assert (
        make_detector(lambda period: Parametrised(a=period), period=17, seed=0).a == 17
    )


def test_fit_predict_only_detectors_are_unwrapped():
    assert (
        make_detector(FitPredictOnly(lambda period: Parametrised(a=period)), 17, 0).a
        == 17
    )
    assert make_detector(FitPredictOnly(Parametrised(a=4)), 17, 0).a == 4


@pytest.mark.parametrize("mark", [lambda detector: detector, FitPredictOnly])
def test_detectors_whose_scores_are_low_for_anomalies_are_refused(mark):
    with pytest.raises(TypeError, match=r"PyOD's .* OneClass.* has scikit-learn's"):
        check_detectors({"svm": mark(OneClassSVM())})
    with pytest.raises(TypeError, match=r"OneClassSVM\(\) has scikit-learn's"):
        make_detector(mark(lambda period: OneClassSVM()), period=10)


def test_the_seed_reaches_a_nested_detector():
    estimator = make_detector(TimeSeriesOD(IForest()), period=10, seed=7)
    assert estimator.detector.random_state == 7


def test_parameters_can_be_stored_as_json():
    parameters = get_parameters(
        Parametrised(
            a=np.float64(2.5), b={"x": (1, np.int32(2)), "y": Plain(), "z": np.inf}
        )
    )
    assert parameters["a"] == 2.5
    assert parameters["b"]["x"] == [1, 2]
    assert parameters["b"]["z"] == "inf"
    assert parameters["b"]["y"] == {"class": f"{__name__}.Plain", "state": []}
    assert json.loads(json.dumps(parameters, allow_nan=False)) == parameters


class Settings:
    def __init__(self, **settings):
        vars(self).update(settings)


def long_array(last):
    return np.append(np.zeros(5000), last)


def one_function():
    pass


def another_function():
    pass


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (0.1, float("inf")),
        (long_array(1), long_array(2)),
        (np.zeros(3), np.zeros(3, np.float32)),
        (one_function, another_function),
        (Plain, Settings),
        (Settings(a=1), Settings(a=2)),
        ([Settings(a=Settings(b={1: 2}))], [Settings(a=Settings(b={1: 3}))]),
        (Plain(), Settings(state=[])),
        ({1, 2}, {1, 3}),
    ],
    ids=range(10),
)
def test_detectors_without_get_params_are_told_apart_by_their_attributes(one, other):
    first, again, second = (
        get_parameters(Settings(value=value))
        for value in (one, copy.deepcopy(one), other)
    )
    assert first == again
    assert first != second
    assert json.loads(json.dumps(first, allow_nan=False)) == first


def test_the_order_within_a_set_does_not_matter():
    members = [8, 0, "b", "a", None, (1, frozenset({16, 0}))]
    one, other = set(members), {(1, frozenset({0, 16})), *members[4::-1]}
    assert one == other
    assert get_parameters(Settings(value=one)) == get_parameters(Settings(value=other))
    described = get_parameters(Settings(value={frozenset({8, 0}), one_function}))
    assert described["value"] == [f"{__name__}.one_function", [0, 8]]


def test_a_detector_that_holds_itself_has_parameters():
    detector = Settings(a=1)
    detector.itself = [detector]
    assert get_parameters(detector)["itself"] == ["..."]


def test_a_detector_without_attributes_has_its_class():
    class Empty:
        __slots__ = ()

    assert get_parameters(Empty())["class"].endswith("Empty")


def test_classes_and_other_objects_are_refused():
    with pytest.raises(
        TypeError, match=r"x: got the class Parametrised; .* Parametrised\(\)"
    ):
        check_detectors({"x": Parametrised})
    with pytest.raises(TypeError, match=r"x: a detector must have a method fit.*got 3"):
        check_detectors({"x": FitPredictOnly(3)})
    check_detectors(
        {
            "x": Parametrised(),
            "y": lambda period: Parametrised(),
            "z": FitPredictOnly(Parametrised()),
        }
    )
