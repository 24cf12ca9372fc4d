import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from skcoad import CoADDetector
from skcoad.model._distortions import DISTORTIONS

# What is valid


def numbers(low, high, **bounds):
    """Python's and numpy's numbers alike."""
    if isinstance(low, int):
        return st.integers(low, high) | st.integers(low, high).map(np.int64)
    return st.floats(low, high, **bounds) | st.floats(low, high, **bounds).map(
        np.float64
    )


def auto_or(strategy):
    return st.just("auto") | strategy


VALID = {
    "period": auto_or(numbers(2, 500)),
    "window_periods": numbers(1.0, 20.0),
    "window_size": auto_or(numbers(4, 130)),
    "patch_size": auto_or(numbers(1, 30)),
    "step": auto_or(numbers(1, 60)),
    "encoder": st.sampled_from(["conv", "gru"]),
    "hidden_size": numbers(2, 20),
    "n_layers": numbers(1, 5),
    "branches": st.sampled_from(["both", "time", "frequency"]),
    "fusion": st.sampled_from(["max", "mean"]),
    "masking": st.sampled_from(["soft", "hard", "random", "grating"]),
    "max_references": numbers(0, 500),
    "distortions": st.lists(st.sampled_from(list(DISTORTIONS)), min_size=1)
    | st.lists(st.sampled_from(list(DISTORTIONS)), min_size=1).map(tuple),
    "distortion_lengths": st.tuples(numbers(1e-3, 30.0), numbers(1e-3, 30.0)).map(
        sorted
    ),
    "loss_weight": numbers(0.0, 1e3),
    "lr": numbers(1e-9, 0.1),
    "batch_size": numbers(1, 40),
    "max_seconds": st.none() | numbers(1e-6, 1e6),
    "score_by": st.sampled_from(["joint", "classification", "reconstruction"]),
    "smoothing": numbers(0.0, 100.0),
    "score_aggregation": st.sampled_from(["mean", "max"]),
    "references": st.sampled_from(["train", "past", "all"]),
    "channel_aggregation": st.sampled_from(["rms", "mean", "max"]),
    "missing": st.sampled_from(["mask", "raise"]),
    "contamination": numbers(0.0, 0.5, exclude_min=True).map(float),
    "device": st.sampled_from(["auto", "cpu", torch.device("cpu")]),
    "random_state": st.none()
    | numbers(0, 2**32 - 1)
    | st.builds(np.random.RandomState, st.integers(0, 9)),
    "verbose": st.just(0),
}


@st.composite
def series(draw):
    """Short series of all sorts, perhaps with gaps and constant channels."""
    n = draw(st.integers(40, 400))
    n_channels = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    X = np.sin(np.arange(n)[:, None] * 2 * np.pi / draw(st.integers(2, 90)))
    X = 50 + 40 * X + rng.normal(size=(n, n_channels)) * draw(st.floats(0, 3))
    X[:, : draw(st.integers(0, n_channels))] = 7
    X = X.astype(draw(st.sampled_from(["f8", "f4", "f2", ">f8", "i8", "u1", "?"])))
    if X.dtype.kind == "f" and draw(st.booleans()):
        X[rng.random(X.shape) < draw(st.floats(0, 0.3))] = np.nan
        first, stop = sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n))))
        X[first:stop, draw(st.integers(0, n_channels - 1))] = np.nan
    return X


def is_contradiction(parameters, X):
    """Whether values that are valid alone cannot go together, or with the series.

    That a given step fits into an automatic window is not foreseen here.
    """
    missing = np.isnan(X).mean(axis=0).max() if X.dtype.kind == "f" else 0
    if missing > 0.5 or (missing and parameters.get("missing") == "raise"):
        return True
    if parameters.get("encoder") == "gru" and parameters.get("hidden_size", 32) % 2:
        return True
    window, patch, step = (
        parameters.get(name, "auto") for name in ("window_size", "patch_size", "step")
    )
    period = parameters.get("period", "auto")
    longest = len(X) // 2 if window == "auto" else min(len(X) // 2, window)
    if period != "auto" and period > longest:
        return True
    if window == "auto":
        return patch != "auto" and 4 * patch > len(X)
    return (
        window > len(X)
        or (patch != "auto" and (window % patch or window < 4 * patch))
        or (step != "auto" and step > window)
    )


def is_longer_than_automatic_window(parameters, X):
    parameters = dict(parameters)
    step = parameters.pop("step", "auto")
    if step == "auto" or parameters.get("window_size", "auto") != "auto":
        return False
    return step > CoADDetector(**parameters).fit(X).window_size_


@hypothesis_settings(max_examples=60)
@given(
    st.fixed_dictionaries({"max_steps": numbers(1, 3)}, optional=VALID),
    series(),
)
def test_any_valid_parameters_fit_any_series_unless_they_contradict_each_other(
    parameters, X
):
    detector = CoADDetector(**parameters)
    if is_contradiction(parameters, X):
        with pytest.raises(ValueError):
            detector.fit(X)
        return
    try:
        detector.fit(X)
    except ValueError:
        assert is_longer_than_automatic_window(parameters, X)
        return
    n, n_channels = X.shape
    scores = detector.decision_function(X)
    assert scores.shape == (n,)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, detector.decision_scores_)
    assert np.isfinite(detector.threshold_)
    np.testing.assert_array_equal(detector.predict(X), scores > detector.threshold_)
    assert np.isfinite(detector.decision_function(X[-detector.window_size_ :])).all()
    explained = detector.explain(X).components
    assert len(explained) == n_channels
    for part in (part for channel in explained for part in channel):
        assert part.shape == (n,)
        assert np.isfinite(part).all()


def test_every_parameter_is_drawn():
    assert {*VALID, "max_steps"} == set(CoADDetector().get_params())


# What is not

NOTHING = st.sampled_from(
    [np.nan, np.inf, -np.inf, 1j, b"max", (), {}, {1}, print, np.timedelta64(9, "s")]
)
HUGE = st.sampled_from([2**63, 2**64, 10**30, 10**400])
TEXT = st.text(max_size=6).filter(
    lambda text: not any(text in options for options in ("auto", "cpu", "cuda"))
)
NESTED = st.lists(st.lists(st.integers(), max_size=3), max_size=3)
OTHER = NOTHING | TEXT | NESTED | NESTED.map(str)


def no_whole(low, high=None):
    outside = st.integers(max_value=low - 1)
    if high is not None:
        outside |= st.integers(min_value=high + 1)
    return OTHER | st.none() | st.booleans() | HUGE | outside | st.floats()


def no_number(low, high=None, *, inclusive=True):
    outside = st.floats(max_value=low, exclude_max=inclusive, allow_nan=False)
    if high is not None:
        outside |= st.floats(min_value=high, exclude_min=True)
        outside |= st.integers(min_value=int(high) + 1)
    outside |= st.integers(max_value=int(low) - 1)
    return OTHER | st.booleans() | HUGE | st.floats(min_value=1e10) | outside


NO_OPTION = OTHER | st.none() | st.booleans() | st.integers() | st.floats()
NO_LENGTH = OTHER | st.none() | st.floats(max_value=0) | HUGE | st.floats(1e10)
INVALID = {
    "period": no_whole(2),
    "window_periods": no_number(1) | st.none(),
    "window_size": no_whole(4) | st.integers(min_value=101),
    "patch_size": no_whole(1) | st.integers(min_value=26),
    "step": no_whole(1) | st.integers(min_value=101),
    "encoder": NO_OPTION,
    "hidden_size": no_whole(2, 1024),
    "n_layers": no_whole(1, 16),
    "branches": NO_OPTION,
    "fusion": NO_OPTION,
    "masking": NO_OPTION,
    "max_references": no_whole(0),
    "distortions": NO_OPTION | st.lists(NO_OPTION),
    "distortion_lengths": NO_OPTION
    | st.lists(st.floats(0.1, 9), max_size=1)
    | st.lists(st.floats(0.1, 9), min_size=3, max_size=5)
    | st.tuples(NO_LENGTH, st.floats(0.1, 9))
    | st.tuples(st.floats(0.1, 9), NO_LENGTH)
    | st.tuples(st.floats(2, 3), st.floats(0, 2, exclude_max=True)),
    "loss_weight": no_number(0) | st.none(),
    "lr": no_number(0, inclusive=False) | st.none(),
    "batch_size": no_whole(1, 4096),
    "max_steps": no_whole(1),
    "max_seconds": no_number(0, inclusive=False),
    "score_by": NO_OPTION,
    "smoothing": no_number(0) | st.none(),
    "score_aggregation": NO_OPTION,
    "references": NO_OPTION,
    "channel_aggregation": NO_OPTION,
    "missing": NO_OPTION,
    "contamination": no_number(0, 0.5, inclusive=False) | st.none(),
    "device": NO_OPTION,
    "random_state": no_whole(0, 2**32 - 1).filter(lambda value: value is not None),
    "verbose": OTHER | st.none() | st.floats() | st.integers(max_value=-1),
}
ONE_INVALID = st.sampled_from(sorted(INVALID)).flatmap(
    lambda name: st.tuples(st.just(name), INVALID[name])
)


@hypothesis_settings(max_examples=400)
@given(ONE_INVALID)
def test_any_invalid_value_is_a_value_error_and_leaves_the_detector_as_it_was(invalid):
    name, value = invalid
    detector = CoADDetector(**{"max_steps": 1, name: value})
    before = vars(detector).copy()
    with pytest.raises(ValueError, match="window" if name == "window_size" else name):
        detector.fit(np.sin(np.arange(100.0)))
    assert vars(detector) == before


def test_no_parameter_is_left_out():
    assert set(INVALID) == set(CoADDetector().get_params())
