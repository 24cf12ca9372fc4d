import subprocess
import sys

import pytest

import skcoad


def run(code):
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_the_package_loads_nothing_heavy():
    loaded = run("import skcoad, sys; print(*sys.modules)").split()
    heavy = {"torch", "pyod", "sklearn", "scipy", "pandas", "matplotlib", "numpy"}
    assert not heavy & set(loaded)


def test_transformers_need_neither_torch_nor_pyod():
    loaded = run(
        "import sys; from skcoad import SlidingWindowTransformer, FFTTransformer, "
        "STFTTransformer; print(*sys.modules)"
    ).split()
    assert not {"torch", "pyod", "matplotlib"} & set(loaded)


def test_panels_and_the_benchmark_load_detectors_only_when_they_run():
    loaded = run("import sys, skcoad.panel, skcoad.benchmark; print(*sys.modules)")
    assert not {"torch", "pyod", "stumpy"} & set(loaded.split())


def test_every_public_name_can_be_imported():
    for name in skcoad.__all__:
        assert getattr(skcoad, name) is not None
    assert set(skcoad.__all__) <= set(dir(skcoad))


def test_an_unknown_name_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="'skcoad' has no attribute 'CoAD'"):
        _ = skcoad.CoAD


def test_importing_the_detector_changes_no_global_setting():
    before_and_after = """
import random, warnings, numpy, torch
state = [
    list(warnings.filters),
    random.getstate(),
    numpy.random.get_state()[1].tolist(),
    torch.random.get_rng_state().tolist(),
    torch.get_num_threads(),
    torch.get_default_dtype(),
    torch.are_deterministic_algorithms_enabled(),
]
import pyod.models.base
torch.optim.Adam([torch.zeros(1, requires_grad=True)])
state[0] = list(warnings.filters)  # what PyOD and torch's optimizers load adds some
from skcoad import CoADDetector
CoADDetector(max_steps=2).fit(numpy.sin(numpy.arange(100.0)))
assert state == [
    list(warnings.filters),
    random.getstate(),
    numpy.random.get_state()[1].tolist(),
    torch.random.get_rng_state().tolist(),
    torch.get_num_threads(),
    torch.get_default_dtype(),
    torch.are_deterministic_algorithms_enabled(),
]
"""
    run(before_and_after)
