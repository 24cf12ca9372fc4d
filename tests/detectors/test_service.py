"""A detector inside of a larger program: other libraries, threads, forks, Ctrl-C."""

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from skcoad import CoADDetector, NeighborsDetector, SklearnOutlierAdapter
from skcoad.detectors import _base, load
from skcoad.model import InterruptedFitWarning
from skcoad.model import _training as training
from skcoad.preprocessing import windows_to_timestamps


@contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


STATES = {
    "float64 by default": lambda: default_dtype(torch.float64),
    "float16 by default": lambda: default_dtype(torch.float16),
    "bfloat16 by default": lambda: default_dtype(torch.bfloat16),
    "another device by default": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "deterministic algorithms": deterministic,
}
DETECTORS = {
    "default": {},
    "gru": {"encoder": "gru", "masking": "random", "score_aggregation": "max"},
    "paper": {"max_references": 0, "masking": "hard", "branches": "time"},
    "distortions": {
        "distortions": (
            *("uniform", "flip", "time_warp", "jitter"),
            *("amplitude", "bump", "swap", "smooth"),
        ),
        "max_steps": 6,
    },
}


def holey(wave):
    X = wave(400, 2)
    X[100:104, 0] = X[300:340, 1] = np.nan
    return X


@pytest.mark.parametrize("parameters", DETECTORS.values(), ids=DETECTORS)
def test_scores_do_not_depend_on_the_state_that_other_libraries_leave_torch_in(
    parameters, tiny, wave, tmp_path
):
    X = holey(wave)
    detector = tiny(**parameters).fit(X)
    expected = detector.decision_function(X[50:])
    names = STATES if parameters == {} else ("bfloat16 by default", "inference_mode")
    for name in names:
        with STATES[name]():
            scores = detector.decision_function(X[50:])
            again = tiny(**parameters).fit(X)
            again.save(tmp_path / "detector.safetensors")
            loaded = load(tmp_path / "detector.safetensors")
            from_file = loaded.decision_function(X[50:])
            explained = loaded.explain(X[50:]).components
            by_channel = loaded.channel_scores(X[50:])
        assert loaded.aggregate(by_channel) == pytest.approx(expected), name
        assert all(np.isfinite(part).all() for part in explained[0]), name
        np.testing.assert_array_equal(scores, expected, name)
        np.testing.assert_array_equal(again.decision_scores_, detector.decision_scores_)
        np.testing.assert_array_equal(from_file, expected, name)
        # Nothing of the state stays in the detector.
        np.testing.assert_array_equal(loaded.decision_function(X[50:]), expected, name)
        loaded.fit(X)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_scores_of_windows_do_not_depend_on_the_state_of_torch(state):
    scores = np.array([1.0, 3.0, 1 / 3])
    expected = windows_to_timestamps(scores, 7, window_size=3, step=2)
    with state():
        found = windows_to_timestamps(scores, 7, window_size=3, step=2)
    np.testing.assert_array_equal(found, expected)


def test_the_state_of_torch_is_left_as_it_was(tiny, wave):
    with torch.inference_mode(), torch.autocast("cpu"), torch.device("meta"):
        tiny().fit(wave()).decision_function(wave())
        assert torch.is_inference_mode_enabled()
        assert torch.is_autocast_enabled("cpu")
        assert torch.get_default_device().type == "meta"
    assert torch.get_default_dtype() == torch.float32


FORK = """
import multiprocessing, sys
import numpy as np
from skcoad import CoADDetector, NeighborsDetector

x = np.sin(2 * np.pi * np.arange(600) / 25)

def child(queue):
    queue.put(detector.decision_function(x))
    queue.put(CoADDetector(max_steps=3, random_state=0).fit(x).decision_scores_)
    queue.put(detector.explain(x).components[0].error)

detector = CoADDetector(max_steps=3, random_state=0).fit(x)
queue = multiprocessing.get_context("fork").Queue()
process = multiprocessing.get_context("fork").Process(target=child, args=(queue,))
process.start()
results = [queue.get(timeout=60) for _ in range(3)]
process.join()
expected = detector.decision_scores_, detector.decision_scores_
for found, scores in zip(results, expected):
    np.testing.assert_allclose(found, scores, rtol=1e-3)
error = detector.explain(x).components[0].error
np.testing.assert_allclose(results[2], error, rtol=1e-3, atol=1e-5)
print(process.exitcode)
"""


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork here"
)
def test_a_forked_child_fits_and_scores_like_its_parent():
    # In a process of its own, with the threads that a child does not inherit.
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.stdout == "0\n", process.stderr


def test_threads_that_score_while_another_fits_see_one_fit_or_the_other(wave):
    # Of two series in other units, so that any mixture of the two fits shows.
    series = [wave(200), 1000 + 50 * wave(300, period=40)]
    detector = SklearnOutlierAdapter(NeighborsDetector())
    X = wave(150, seed=1)
    expected = []
    for one in series:
        core = NeighborsDetector().fit(one)
        expected.append(
            (core.decision_function(X), core.predict(X), core.predict_proba(X))
        )
    core.fit(series[0])
    detector.detector_ = core
    done = threading.Event()

    def refit():
        try:
            for i in range(12):
                core.fit(series[(i + 1) % 2])
        finally:
            done.set()

    fits = threading.Thread(target=refit)
    fits.start()
    wrong = []
    methods = (core.decision_function, core.predict, core.predict_proba)
    while not done.is_set():
        for number, method in enumerate(methods):
            found = method(X)
            if not any(np.array_equal(found, both[number]) for both in expected):
                wrong.append(method.__name__)
        labels = (detector.predict(X) == -1).astype(int)
        if not any(np.array_equal(labels, both[1]) for both in expected):
            wrong.append("adapter")
    fits.join()
    assert not wrong


def reloaded(detector):
    return pickle.loads(pickle.dumps(detector))


def interrupt_scoring(monkeypatch, times):
    calibrate, calls = _base.calibrate_scores, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) <= times:
            raise KeyboardInterrupt
        return calibrate(*arguments)

    monkeypatch.setattr(_base, "calibrate_scores", interrupted)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, reloaded])
def test_an_interrupt_after_training_keeps_what_was_learned_and_warns(
    copied, monkeypatch, tiny, wave
):
    X = wave()
    expected = tiny().fit(X).decision_scores_
    interrupt_scoring(monkeypatch, 1)
    with pytest.warns(InterruptedFitWarning, match="scored the training series"):
        detector = tiny().fit(X)
    detector = copied(detector)
    np.testing.assert_array_equal(detector.decision_function(X), expected)
    np.testing.assert_array_equal(detector.decision_scores_, expected)
    assert "_unscored" not in vars(detector)


def test_scoring_that_is_interrupted_again_and_again_can_still_be_done(
    monkeypatch, tiny, wave
):
    detector = tiny().fit(5 + wave(period=40))
    interrupt_scoring(monkeypatch, 3)
    with pytest.warns(InterruptedFitWarning):
        detector.fit(wave())
    with pytest.raises(KeyboardInterrupt):
        _ = detector.threshold_
    with pytest.raises(KeyboardInterrupt):
        detector.predict(wave())
    expected = tiny().fit(wave())
    assert detector.threshold_ == expected.threshold_
    names = {name for name in vars(detector) if name.endswith("_")}
    assert names == {name for name in vars(expected) if name.endswith("_")}


def test_a_refit_forgets_the_scoring_that_an_interrupted_fit_left(
    monkeypatch, tiny, wave
):
    X = wave(300, seed=1)
    interrupt_scoring(monkeypatch, 1)
    with pytest.warns(InterruptedFitWarning):
        detector = tiny().fit(5 + wave(period=40))
    detector.fit(X)
    expected = tiny().fit(X)
    scores = detector.decision_function(X)
    np.testing.assert_array_equal(scores, expected.decision_function(X))
    np.testing.assert_array_equal(detector.decision_scores_, expected.decision_scores_)
    assert detector.threshold_ == expected.threshold_


@pytest.mark.parametrize("end", ["whole", "diverges", "interrupted", "stopped"])
def test_callbacks_such_as_the_progress_bar_see_the_end_however_training_ends(
    monkeypatch, tiny, wave, capsys, end
):
    bars = []

    class Bar(training.Callback):
        def on_train_begin(self, network):
            bars.append("open")

        def on_batch_end(self, network, n_steps, loss):
            if end == "interrupted" and n_steps == 25:
                raise KeyboardInterrupt
            if end == "stopped":
                raise KeyboardInterrupt

        def on_train_end(self, network, history):
            bars.append(history.n_steps)

    monkeypatch.setattr(
        CoADDetector, "_training_arguments", lambda self: {"callbacks": [Bar()]}
    )
    detector = tiny(max_steps=40, lr=1e6 if end == "diverges" else 1e-3)
    expected = {
        "whole": None,
        "diverges": FloatingPointError,
        "interrupted": InterruptedFitWarning,
        "stopped": KeyboardInterrupt,
    }[end]
    if expected is None:
        detector.fit(wave())
    else:
        with pytest.raises(expected):
            detector.fit(wave())
    n_read = {"whole": 40, "interrupted": 20}.get(end, 0)
    assert bars == ["open", n_read]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16])
def test_small_numbers_of_numpy_are_numbers_as_parameters(dtype, tiny, wave):
    integers = {"period": 25, "window_size": 48, "patch_size": 4, "step": 12}
    integers |= {"batch_size": 16, "hidden_size": 8, "n_layers": 2, "max_steps": 2}
    reals = {"smoothing": 0.5, "loss_weight": 1.0, "window_periods": 2.0}
    expected = tiny(**integers, **reals).fit(wave())
    small = tiny(
        **{name: dtype(value) for name, value in integers.items()},
        **{name: np.float16(value) for name, value in reals.items()},
    ).fit(wave())
    np.testing.assert_array_equal(small.decision_scores_, expected.decision_scores_)
