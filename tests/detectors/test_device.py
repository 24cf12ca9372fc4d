"""Everything runs on another device than the CPU, without waiting for it in loops."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from unittest import mock

import numpy as np
import pytest
import simulated_device
import torch

from skcoad import CoADDetector, NeighborsDetector
from skcoad.datasets import make_series
from skcoad.streaming import StreamingDetector

pytestmark = pytest.mark.skipif(
    not simulated_device.AVAILABLE, reason="this torch cannot simulate a device"
)
DETECTORS = {
    "neighbors": (NeighborsDetector, {}),
    "all": (NeighborsDetector, {"references": "all"}),
    "network": (CoADDetector, {"max_steps": 3, "random_state": 0}),
}
N_CHANNELS = {"neighbors": 2, "all": 1, "network": 1}


@pytest.fixture(scope="module")
def process():
    """Another process, which the simulated device is confined to."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        yield lambda function, *args: pool.submit(with_cells, function, *args).result()


def with_cells(function, *args):
    """Call with an inverted file of several cells also for short series."""
    with mock.patch("skcoad.neighbors._inverted_file.MIN_INDEXED", 100):
        return function(*args)


def parts(n_timestamps, n_channels):
    """Training part, with holes if there are several channels, and test part."""
    series = make_series(
        n_timestamps, period=10, anomalies=["flip", "noise"], random_state=0
    )
    shifts = range(0, 3 * n_channels, 3)
    normal, X = (
        np.column_stack([np.roll(part, shift) for shift in shifts])
        for part in (series.train, series.test)
    )
    normal[50:60, 1:] = np.nan
    return normal, X


def outcome(name, device, folder):
    """All that is computed on a device."""
    make, settings = DETECTORS[name]
    normal, X = parts(500, N_CHANNELS[name])
    detector = make(device=device, **settings).fit(normal)
    assert detector.device_.type == device
    detector.save(folder / device)
    found = {
        "of training": detector.decision_scores_,
        "of test": detector.decision_function(X),
    }
    if name == "network":
        found["explained"] = detector.explain(X, start=60, stop=70).contributions
    if name == "neighbors":
        stream = StreamingDetector(detector)
        scores = [stream.update(part) for part in np.array_split(X, 7)]
        scores.append(stream.finish())
        found["streamed"] = np.concatenate([one.scores[one.final] for one in scores])
    return found


def simulated_outcome(name, folder):
    with simulated_device.simulation():
        return outcome(name, simulated_device.NAME, folder)


def waits(name, n_timestamps, n_steps):
    """How often lines of the package wait for the device, in fit and in scoring."""
    make, settings = DETECTORS[name]
    if "max_steps" in settings:
        settings = settings | {"max_steps": n_steps}
    normal, X = parts(n_timestamps, n_channels=1)
    with simulated_device.simulation() as running:
        make(device=simulated_device.NAME, **settings).fit(normal).decision_function(X)
        return running.waits


def check_strictness():
    """Check that the simulated device refuses what a GPU does."""
    with simulated_device.simulation() as running:
        x = torch.ones(2, device=simulated_device.NAME)
        with pytest.raises(RuntimeError, match="of the CPU and of the device"):
            x + torch.ones(2)
        with pytest.raises(TypeError, match="cannot be read"):
            x.numpy()
        assert not running.waits
        assert (x + torch.ones(())).tolist() == [2, 2]
        assert running.waits.total() == 1


def test_simulated_device_is_as_strict_as_a_gpu(process):
    process(check_strictness)


@pytest.mark.parametrize("name", DETECTORS)
def test_everything_is_computed_as_on_the_cpu(process, name, tmp_path):
    simulated = process(simulated_outcome, name, tmp_path)
    for what, expected in with_cells(outcome, name, "cpu", tmp_path).items():
        # Near ties between neighbours are settled otherwise.
        np.testing.assert_allclose(simulated[what], expected, 0.02, 0.02, err_msg=what)
        assert np.median(np.abs(simulated[what] - expected)) < 1e-4
    # Where there is no such device, a detector file is for the CPU.
    loaded = DETECTORS[name][0].load(tmp_path / simulated_device.NAME)
    scores = with_cells(loaded.decision_function, parts(500, N_CHANNELS[name])[1])
    np.testing.assert_allclose(scores, simulated["of test"], 0.02, 0.02)


@pytest.mark.parametrize("name", DETECTORS)
def test_no_loop_waits_for_the_device(process, name):
    """Neither over timestamps nor over training steps."""
    few = process(waits, name, 500, 2)
    assert sum(few.values()) > 0
    assert process(waits, name, 1000, 4) == few


def n_operations(n_channels):
    """How often the device is told to compute something for a score."""
    normal, X = parts(1000, n_channels)
    with simulated_device.simulation() as running:
        detector = NeighborsDetector(device=simulated_device.NAME, period=10)
        detector.fit(normal)
        before = running.n_operations
        detector.decision_function(X)
        return running.n_operations - before


def test_channels_are_compared_with_their_neighbours_at_once(process):
    """Where they are short, telling the device what to do costs more than doing it."""
    one, two, three = (process(n_operations, n_channels) for n_channels in (1, 2, 3))
    assert three - two < 0.7 * one  # what channels predict of others is new to two
