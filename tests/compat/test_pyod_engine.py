import pytest
from pyod.utils.ad_engine import ADEngine

from skcoad import CoADDetector, NeighborsDetector
from skcoad.compat.pyod import register


@pytest.mark.parametrize(
    ("name", "cls", "params"),
    [
        ("CoAD", CoADDetector, {"max_steps": 2}),
        ("CoADNeighbors", NeighborsDetector, {"period": 25}),
    ],
)
def test_an_engine_builds_a_registered_detector(name, cls, params, wave):
    engine = ADEngine()
    register(engine)
    detector = engine.build_detector({"detector_name": name, "params": params})
    assert isinstance(detector, cls)
    assert detector.get_params().items() >= params.items()
    assert detector.fit(wave()).decision_scores_.shape == (400,)


def test_other_engines_stay_as_they_are():
    register(ADEngine())
    assert "CoAD" not in ADEngine().kb.algorithms
