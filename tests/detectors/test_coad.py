import copy
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skcoad import CoADDetector, NeighborsDetector, _device
from skcoad.datasets import load_ucr
from skcoad.metrics import kdd21_hit
from skcoad.model import _training as training
from skcoad.scoring._chunks import chunks
from skcoad.thresholds import PeaksOverThreshold

UCR = Path(__file__).parents[3] / "shared" / "data" / "ucr"


def check_scores(scores, n):
    assert scores.shape == (n,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()


# What goes in


@pytest.mark.parametrize("n_channels", [1, 2, 18])
def test_each_timestamp_of_any_series_from_a_window_on_has_a_score(
    n_channels, tiny, wave
):
    X = wave(300, n_channels)
    detector = tiny().fit(X)
    size, step = detector.window_size_, detector.step_
    check_scores(detector.decision_scores_, 300)
    for n in (size, size + 1, size + step - 1, 2 * size, 211, 293, 300):
        check_scores(detector.decision_function(X[:n]), n)
        assert detector.channel_scores(X[:n]).shape == (n, n_channels)


@pytest.mark.parametrize("n", [4, 5, 7, 8, 15, 16, 17, 31, 40])
def test_very_short_series_are_fitted_and_scored(n, tiny, wave):
    X = wave(n, 2)
    check_scores(tiny().fit(X).decision_function(X), n)


@pytest.mark.parametrize("parameters", [{"step": 1}, {"step": 7}, {"step": 48}])
def test_any_step_covers_every_timestamp(parameters, tiny, wave):
    X = wave(203)
    detector = tiny(window_size=48, patch_size=8, **parameters).fit(X)
    check_scores(detector.decision_function(X[:101]), 101)


def test_a_series_shorter_than_a_window_is_an_error_that_names_both(fitted, wave):
    size = fitted.window_size_
    with pytest.raises(ValueError, match=f"{size - 1} timestamps .*={size}"):
        fitted.decision_function(wave()[: size - 1])


def test_constant_channels_are_no_obstacle(tiny, wave):
    X = np.column_stack([np.full(300, 7.0), wave(300), np.zeros(300)])
    detector = tiny().fit(X)
    check_scores(detector.decision_function(X), 300)
    X[100:110, 0] = 9.0
    check_scores(detector.decision_function(X), 300)


@pytest.mark.parametrize("value", [0.0, 0.1, -5.0, 1e-30, 1e30])
def test_a_constant_series_is_fitted_and_scored(value, tiny):
    X = np.full((200, 1), value)
    detector = tiny().fit(X)
    check_scores(detector.decision_function(X), 200)
    check_scores(detector.decision_function(np.linspace(-9, 9, 200)), 200)


@pytest.mark.parametrize("unit", [1e-300, 1e-30, 1e-3, 1e30, 1e306])
def test_scores_do_not_depend_on_the_unit(unit, fitted, tiny, wave):
    X = wave()
    scores = tiny().fit(X * unit).decision_function(X * unit)
    np.testing.assert_allclose(scores, fitted.decision_function(X), atol=2e-3)


@pytest.mark.parametrize("level", [-50.0, 1e3, 1e30, -1e300])
def test_a_level_far_outside_the_training_range_has_finite_high_scores(
    level, fitted, wave
):
    X = wave()
    X[200:260] += level
    scores = fitted.decision_function(X)
    check_scores(scores, 400)
    assert 190 <= scores.argmax() <= 270


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i1", "i8", "u2", "?"])
def test_every_real_dtype_is_scored_as_its_values_in_float64(dtype, tiny, wave):
    X = (50 * np.abs(wave())).astype(dtype)
    scores = tiny().fit(X).decision_function(X)
    same = X.astype(float)
    np.testing.assert_allclose(
        scores, tiny().fit(same).decision_function(same), atol=2e-3
    )


def test_lists_frames_series_and_1d_arrays_are_scored_as_the_array(fitted, tiny, wave):
    X = wave()
    expected = fitted.decision_function(X)
    for same in (X.tolist(), X[:, 0], X[:, 0].tolist(), pd.Series(X[:, 0])):
        np.testing.assert_array_equal(fitted.decision_function(same), expected)
        np.testing.assert_array_equal(tiny().fit(same).decision_scores_, expected)
    frame = pd.DataFrame(X, columns=["a"], index=pd.date_range("2020", periods=400))
    detector = tiny().fit(frame)
    assert detector.feature_names_in_.tolist() == ["a"]
    np.testing.assert_array_equal(detector.decision_function(frame), expected)


def test_a_tensor_is_scored_as_the_array(fitted, wave):
    X = torch.tensor(wave(), requires_grad=True)
    np.testing.assert_array_equal(
        fitted.decision_function(X), fitted.decision_function(wave())
    )


def test_the_input_is_left_as_it_is(tiny, wave):
    X = wave(300, 2)
    X[17, 1] = np.nan
    before = X.copy()
    X.flags.writeable = False
    detector = tiny().fit(X)
    detector.decision_function(X)
    detector.explain(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 1)), "3 sample"),
        (np.zeros(10), "1-D array of 10 values"),
        (np.zeros((0, 1)), "0 sample"),
        (np.zeros((50, 0)), "0 feature"),
        (np.zeros((50, 1, 1)), "dim 3"),
        (np.full((50, 1), np.inf), "infinity"),
        (np.full((50, 1), 1j), "[Cc]omplex"),
        (np.full((50, 1), "a"), "numbers are needed"),
        (np.full((50, 1), "1", dtype=object), "numbers are needed"),
        (pd.DataFrame({"a": ["1.5"] * 50}), "numbers are needed"),
        (pd.DataFrame({"a": range(50), "b": ["1.5"] * 50}), "numbers are needed"),
        (np.full((50, 1), None), "NaN|missing"),
    ],
    ids=lambda value: "" if isinstance(value, str) else f"{value.shape}",
)
def test_what_is_no_series_is_an_error_that_says_why(X, message, tiny):
    with pytest.raises(ValueError, match=message):
        tiny().fit(X)


def test_reordered_missing_and_other_columns_are_errors(tiny, wave):
    frame = pd.DataFrame(wave(200, 2), columns=["a", "b"])
    detector = tiny().fit(frame)
    with pytest.raises(ValueError, match="same order"):
        detector.decision_function(frame[["b", "a"]])
    with pytest.raises(ValueError, match="feature names"):
        detector.decision_function(frame.rename(columns={"b": "c"}))
    with pytest.raises(ValueError, match=r"feature names|features"):
        detector.decision_function(frame[["a"]])


@pytest.mark.parametrize(
    "names",
    [
        [17, 18],
        [1, 0],
        pd.MultiIndex.from_tuples([("pump", 1), ("pump", 2)]),
        pd.to_datetime(["2024", "2025"]),
    ],
)
def test_names_of_channels_that_are_no_text_are_kept_and_compared(wave, names):
    X = wave(300, 2)
    X[200:212, 1] = 2.0
    frame = pd.DataFrame(X, columns=names)
    detector = NeighborsDetector().fit(frame[:150])
    assert detector.channel_names_ == list(frame.columns)
    assert not hasattr(detector, "feature_names_in_")
    found = detector.find_segments(frame, threshold=3.0, limit=1)
    assert found["channel"].tolist() == [frame.columns[1]]
    assert found["reason"][0].endswith(f", channel {detector.channel_names_[1]}")
    explained = detector.explain(frame, channels=[frame.columns[1]])
    assert explained.channels == (frame.columns[1],)
    assert explained.values[205, 0] == 2.0
    assert explained.nearest(frame.columns[1]).equals(explained.nearest())
    assert len(explained.plot(frame.columns[1]).axes)
    table = explained.to_frame()
    assert table.columns.get_level_values(0)[0] == frame.columns[1]
    expected = detector.decision_function(frame)
    np.testing.assert_array_equal(detector.decision_function(X), expected)
    for wrong in (frame.iloc[:, ::-1], frame.set_axis([5, 6], axis=1)):
        with pytest.raises(ValueError, match=r"column 0 of X is .*, in the same order"):
            detector.decision_function(wrong)


def test_columns_that_are_counted_may_not_be_reordered(wave):
    frame = pd.DataFrame(wave(300, 2))
    detector = NeighborsDetector().fit(frame)
    assert detector.channel_names_ == [0, 1]
    with pytest.raises(ValueError, match="column 0 of X is 1, and was 0 in fit"):
        detector.decision_function(frame[[1, 0]])
    named = frame.set_axis([17, 18], axis=1)
    expected = detector.decision_function(frame)
    np.testing.assert_array_equal(detector.decision_function(named), expected)
    detector.fit(named)
    np.testing.assert_array_equal(detector.decision_function(frame), expected)
    assert detector.fit(frame).channel_names_ == [0, 1]


def test_where_names_are_integers_an_integer_is_a_name(wave):
    frame = pd.DataFrame(wave(300, 2), columns=[1, 0])
    detector = NeighborsDetector().fit(frame)
    explained = detector.explain(frame, channels=[0])
    np.testing.assert_array_equal(explained.values[:, 0], frame[0])
    detector.fit(frame.set_axis([1, 2], axis=1))
    with pytest.raises(ValueError, match="there are 2 channels, none is 0: 1, 2"):
        detector.explain(frame.set_axis([1, 2], axis=1), channels=[0])


@pytest.mark.parametrize("kind", ["datetime", "timedelta", "period"])
def test_timestamps_out_of_order_or_twice_are_errors_that_say_so(kind, tiny, wave):
    index = pd.date_range("2020", periods=200, freq="h")
    if kind == "timedelta":
        index = index - index[0]
    if kind == "period":
        index = index.to_period("h")
    frame = pd.DataFrame(wave(200), columns=["a"], index=index)
    detector = tiny().fit(frame)
    unsorted = frame.iloc[[*range(50), 51, 50, *range(52, 200)]]
    twice = frame.iloc[[*range(50), 49, *range(50, 199)]]
    for fails in (tiny().fit, detector.decision_function):
        with pytest.raises(ValueError, match="not sorted: row 51"):
            fails(unsorted)
        with pytest.raises(ValueError, match="more than once"):
            fails(twice)


# Missing values


def test_missing_values_have_finite_scores_and_leave_the_rest_alone(tiny, wave):
    X = wave(800, 2)
    detector = tiny(max_steps=20).fit(X)
    gappy = X.copy()
    gappy[300:330, 0] = np.nan
    gappy[::97, 1] = np.nan
    check_scores(detector.decision_function(gappy), 800)
    one_gap = X.copy()
    one_gap[300:330] = np.nan
    far = detector.window_size_ + 2 * detector.period_
    away = np.r_[0 : 300 - far, 330 + far : 800]
    np.testing.assert_allclose(
        detector.decision_function(one_gap)[away],
        detector.decision_function(X)[away],
        atol=2e-3,
    )


def test_a_training_series_may_have_missing_values(tiny, wave):
    X = wave(400, 2)
    X[50:90, 0] = np.nan
    X[:3, 1] = X[-3:, 1] = np.nan
    detector = tiny().fit(X)
    check_scores(detector.decision_scores_, 400)
    np.testing.assert_array_equal(
        detector.decision_scores_, detector.decision_function(X)
    )
    check_scores(detector.decision_function(np.full((100, 2), np.nan)), 100)


def test_too_many_missing_values_are_an_error_that_names_channel_and_share(tiny, wave):
    X = wave(200, 2)
    X[:120, 1] = np.nan
    with pytest.raises(ValueError, match=r"60% .* channel 1 .* 50%"):
        tiny().fit(X)


def test_missing_values_are_an_error_on_request(tiny, wave):
    X = wave(200)
    detector = tiny(missing="raise").fit(X)
    X[5] = np.nan
    for fails in (detector.decision_function, tiny(missing="raise").fit):
        with pytest.raises(ValueError, match="NaN"):
            fails(X)


# Parameters


@pytest.mark.parametrize(
    "parameters",
    [
        {"masking": "hard"},
        {"masking": "random"},
        {"masking": "grating"},
        {"branches": "time"},
        {"branches": "frequency"},
        {"fusion": "mean"},
        {"score_by": "classification"},
        {"score_by": "reconstruction"},
        {"score_by": "neighbors"},
        {"encoder": "gru"},
        {"max_references": 0},
        {"max_references": 50},
        {"distortions": ["flip"]},
        {"distortions": ("jitter", "bump", "swap")},
        {"distortion_lengths": (0.5, 2.0)},
        {"loss_weight": 0},
        {"loss_weight": 10},
        {"lr": 1e-4},
        {"smoothing": 0},
        {"smoothing": 0.5},
        {"score_aggregation": "max"},
        {"channel_aggregation": "max"},
        {"window_periods": 4},
        {"period": 20},
        {"window_size": 64},
        {"patch_size": 8},
        {"step": 10},
        {"hidden_size": 16},
        {"n_layers": 1},
        {"max_steps": 5},
        {"batch_size": 8},
        {"random_state": 1},
    ],
    ids=str,
)
def test_each_parameter_changes_the_scores(parameters, tiny, wave):
    X = wave(250, 2)
    scores = tiny(**parameters).fit(X).decision_function(X)
    check_scores(scores, 250)
    usual = tiny().fit(X).decision_function(X)
    assert not np.allclose(scores, usual, atol=1e-4)


def test_the_papers_settings_fit(wave):
    detector = CoADDetector.paper(max_steps=2, random_state=0, hidden_size=16)
    assert detector.encoder == "gru"
    assert detector.max_references == 0
    detector.fit(wave(200))
    check_scores(detector.decision_scores_, 200)
    assert detector.neighbors_ is None
    assert detector.patch_size_ == 8
    with pytest.raises(TypeError):
        CoADDetector.paper(no_such=1)


INVALID = [
    ("period", 1),
    ("period", 25.0),
    ("period", "long"),
    ("window_periods", 0.5),
    ("window_periods", np.nan),
    ("window_size", 3),
    ("window_size", 100_000),
    ("patch_size", 0),
    ("patch_size", 5000),
    ("step", 0),
    ("step", 5000),
    ("encoder", "transformer"),
    ("hidden_size", 1),
    ("n_layers", 0),
    ("branches", "space"),
    ("fusion", "min"),
    ("masking", "none"),
    ("max_references", -1),
    ("distortions", ()),
    ("distortions", "flip"),
    ("distortions", ["flop"]),
    ("distortions", [["flip"]]),
    ("distortion_lengths", (1.0,)),
    ("distortion_lengths", (0.0, 1.0)),
    ("distortion_lengths", (1.0, 0.5)),
    ("distortion_lengths", ("a", "b")),
    ("distortion_lengths", (0.1, np.inf)),
    ("distortion_lengths", (np.nan, 1.0)),
    ("loss_weight", -1),
    ("loss_weight", np.inf),
    ("lr", 0),
    ("lr", np.nan),
    ("batch_size", 0),
    ("max_steps", 0),
    ("max_seconds", 0),
    ("score_by", "both"),
    ("smoothing", -1),
    ("score_aggregation", "median"),
    ("channel_aggregation", "median"),
    ("missing", "drop"),
    ("contamination", 0),
    ("contamination", 0.6),
    ("contamination", "auto"),
    ("device", "no such"),
    ("device", 0),
    ("random_state", -1),
    ("random_state", "seed"),
    ("verbose", -1),
]


@pytest.mark.parametrize(("name", "value"), INVALID, ids=str)
def test_an_invalid_value_is_an_error_that_names_the_parameter(name, value, wave):
    detector = CoADDetector(max_steps=1)
    detector.set_params(**{name: value})
    said = "window" if name == "window_size" else name
    with pytest.raises(ValueError, match=said):
        detector.fit(wave())


def test_a_gru_needs_an_even_hidden_size(tiny, wave):
    with pytest.raises(ValueError, match=r"hidden_size=3 .* encoder='gru'"):
        tiny(encoder="gru", hidden_size=3).fit(wave())


def test_more_smoothing_than_series_is_allowed(tiny, wave):
    X = wave(200)
    check_scores(tiny(smoothing=100.0).fit(X).decision_function(X), 200)


def test_sizes_that_were_given_are_used(tiny, wave):
    detector = tiny(period=20, window_size=60, patch_size=5, step=15).fit(wave())
    sizes = detector.period_, detector.window_size_, detector.patch_size_
    assert (*sizes, detector.step_) == (20, 60, 5, 15) == tuple(detector.plan_)


def test_the_period_is_found_in_each_channel_count(tiny, wave):
    assert tiny().fit(wave(400, 1, period=30)).period_ == pytest.approx(30, abs=1)
    assert tiny().fit(wave(400, 5, period=30)).period_ == pytest.approx(30, abs=1)


# What comes out


def test_an_anomaly_has_the_highest_score(tiny, wave):
    X = wave(1500)
    X[1200:1225] = X[1200]
    detector = tiny(max_steps=40).fit(X[:700])
    assert 1190 <= detector.decision_function(X).argmax() <= 1240


@pytest.mark.parametrize(
    ("contamination", "decade"), [(0.1, 1.0), (0.05, 1.3), (0.01, 2.0)]
)
@pytest.mark.parametrize("score_by", ["joint", "neighbors"])
def test_the_threshold_is_the_decade_that_contamination_asks_for(
    contamination, decade, score_by, tiny, wave
):
    detector = tiny(contamination=contamination, score_by=score_by).fit(wave(2000))
    assert detector.threshold_ == pytest.approx(decade, abs=0.25)


def test_channel_scores_are_what_is_aggregated(tiny, wave):
    X = wave(300, 3)
    for aggregation in ("mean", "max"):
        detector = tiny(channel_aggregation=aggregation).fit(X)
        aggregate = getattr(detector.channel_scores(X), aggregation)(axis=1)
        order = np.argsort(aggregate, kind="stable")
        # In decades of its own, so in the same order.
        assert (np.diff(detector.decision_function(X)[order]) >= 0).all()


def test_channels_that_don_t_predict_each_other_don_t_change_their_scores(tiny, wave):
    X = wave(400, 2)
    X[:, 1] = np.random.default_rng(5).normal(size=400)
    detector = tiny().fit(X)
    other = X.copy()
    other[:, 1] = 0
    assert detector.model_.regression.explained[0] < 0.01
    np.testing.assert_allclose(
        detector.channel_scores(other)[:, 0],
        detector.channel_scores(X)[:, 0],
        atol=0.05,
    )


def test_the_score_by_neighbours_is_that_of_the_neighbours_detector(tiny, wave):
    X = wave(600, 2)
    X[100:107, 0] = np.nan
    detector = tiny(score_by="neighbors").fit(X)
    alone = NeighborsDetector().fit(X)
    np.testing.assert_array_equal(detector.decision_scores_, alone.decision_scores_)
    assert detector.plan_.period == alone.plan_.period


def test_the_fitted_model_is_one_module_with_all_that_scoring_needs(fitted, wave):
    model = fitted.model_
    assert fitted.network_ is model.network
    assert fitted.neighbors_[0] is model.neighbors[0]
    assert fitted.plan_ == model.config.plan
    assert fitted.device_ == model.device
    names = {name.split(".")[0] for name in model.state_dict()}
    assert names == {
        "scaler",
        "neighbors",
        "statistics",
        "network",
        "calibrations",
        "aggregate",
    }


def test_the_anomalous_channel_has_the_higher_score(tiny, wave):
    X = wave(1000, 3)
    detector = tiny(max_steps=40).fit(X[:600])
    X[800:825, 1] = 0
    scores = detector.channel_scores(X)
    assert scores[790:835].max(axis=0).argmax() == 1


def test_explain_gives_each_component_of_each_timestamp_and_channel(tiny, wave):
    X = 100 + 5 * wave(300, 2)
    detector = tiny(max_steps=30).fit(X)
    explained = detector.explain(X).components
    assert len(explained) == 2
    for channel, components in enumerate(explained):
        for component in components:
            assert component.shape == (300,)
            assert np.isfinite(component).all()
        for fraction in (components.probability, components.mask):
            assert ((fraction >= 0) & (fraction <= 1)).all()
        assert (components.error >= 0).all()
        # In the units of the input, and near to it.
        assert np.abs(components.reconstruction - X[:, channel]).mean() < 5


def test_without_neighbours_the_distances_are_zero(tiny, wave):
    components = tiny(max_references=0).fit(wave()).explain(wave()).components[0]
    assert not components.value_distance.any()
    assert not components.difference_distance.any()


def test_the_history_of_the_training_is_kept(tiny, wave):
    detector = tiny(max_steps=45).fit(wave())
    assert detector.n_iter_ == 45
    assert len(detector.loss_curve_) == 3
    assert detector.device_ == torch.device("cpu") or torch.cuda.is_available()


def test_training_is_silent_unless_asked(tiny, wave, capsys):
    tiny().fit(wave())
    assert capsys.readouterr() == ("", "")
    tiny(verbose=1).fit(wave())
    out, err = capsys.readouterr()
    assert not out
    assert "3/3" in err


# Determinism


def test_the_same_seed_gives_the_same_scores(fitted, tiny, wave):
    again = tiny().fit(wave()).decision_function(wave())
    np.testing.assert_array_equal(again, fitted.decision_function(wave()))


def test_without_a_seed_fits_differ(tiny, wave):
    one, other = (tiny(random_state=None).fit(wave()) for _ in range(2))
    assert not np.array_equal(one.decision_scores_, other.decision_scores_)


def test_a_random_state_instance_is_used_and_moves_on(tiny, wave):
    fits = [tiny(random_state=np.random.RandomState(3)).fit(wave()) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].decision_scores_, fits[1].decision_scores_)
    shared = np.random.RandomState(3)
    fits = [tiny(random_state=shared).fit(wave()) for _ in range(2)]
    assert not np.array_equal(fits[0].decision_scores_, fits[1].decision_scores_)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"encoder": "gru", "masking": "random"}, {"random_state": 7, "verbose": 1}],
    ids=str,
)
def test_global_generators_are_neither_used_nor_changed(parameters, tiny, wave):
    def states():
        numpy = np.random.get_state()[1].tolist()  # noqa: NPY002
        return random.getstate(), numpy, torch.random.get_rng_state().tolist()

    X = wave()
    before = states()
    expected = tiny(**parameters).fit(X).decision_function(X)
    assert states() == before
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    again = tiny(**parameters).fit(X).decision_function(X)
    np.testing.assert_array_equal(again, expected)


@pytest.mark.parametrize("encoder", ["conv", "gru"])
def test_threads_side_by_side_give_the_same_as_one_alone(encoder, tiny, wave):
    X = wave()

    def scores(seed):
        return tiny(random_state=seed, encoder=encoder).fit(X).decision_scores_

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(scores, [0, 1, 0, 1, 2, 0]))
    for seed, one in zip([0, 1, 0, 1, 2, 0], together, strict=True):
        np.testing.assert_array_equal(one, scores(seed))


@pytest.mark.parametrize("encoder", ["conv", "gru"])
def test_the_number_of_threads_changes_no_more_than_rounding(encoder, tiny, wave):
    X, before = wave(1000), torch.get_num_threads()
    scores = []
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            detector = tiny(encoder=encoder, max_steps=5).fit(X)
            scores.append(detector.decision_function(X))
    finally:
        torch.set_num_threads(before)
    for other in scores[1:]:
        np.testing.assert_allclose(other, scores[0], rtol=1e-3, atol=1e-5)


def test_scores_do_not_depend_on_the_batch_size(tiny, wave, monkeypatch):
    X = wave(700)
    detector = tiny(max_steps=20).fit(X)
    expected = detector.decision_function(X)
    for n_points in (1, 100, 1000):
        small = _device.CPU_CHUNKS._replace(points=n_points)
        monkeypatch.setattr(_device, "CPU_CHUNKS", small)
        np.testing.assert_allclose(detector.decision_function(X), expected, atol=2e-3)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"max_references": 0},
        {"smoothing": 0},
        {"step": 50, "window_size": 64},
        {"step": 25, "window_size": 64},
        {"window_periods": 10},
        {"score_by": "reconstruction", "score_aggregation": "max"},
    ],
    ids=str,
)
def test_scores_of_a_slice_are_those_of_the_whole_away_from_the_cuts(
    parameters, tiny, wave
):
    X = wave(1500)
    detector = tiny(max_steps=20, **parameters).fit(X[:700])
    whole = detector.decision_function(X)
    smoothing = round(detector.smoothing * detector.period_)
    near = detector.window_size_ + detector.period_ + smoothing
    for n_steps in (1, 3):
        first = n_steps * detector.step_
        part = detector.decision_function(X[first:1203])
        inside = slice(near, -near)
        np.testing.assert_allclose(part[inside], whole[first:1203][inside], atol=5e-3)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_long_series_is_scored_in_chunks_as_if_it_were_one(
    n_channels, tiny, wave, monkeypatch
):
    X = wave(3000, n_channels)
    X[1500:1512, 0] = np.nan
    detector = tiny(max_steps=20).fit(X[:700])
    whole = detector.channel_scores(X)
    aggregated = detector.decision_function(X)
    small = _device.CPU_CHUNKS._replace(timestamps=1)
    monkeypatch.setattr(_device, "CPU_CHUNKS", small)
    halo = detector.model_.receptive_field + detector.period_
    assert len(list(chunks(len(X), detector.step_, halo, 1))) > 1
    np.testing.assert_allclose(detector.channel_scores(X), whole, atol=5e-3)
    np.testing.assert_allclose(detector.decision_function(X), aggregated, atol=5e-3)


def test_later_values_do_not_change_earlier_scores(fitted, wave):
    X = wave(900)
    longer = fitted.decision_function(X)
    shorter = fitted.decision_function(X[:600])
    np.testing.assert_allclose(shorter[:480], longer[:480], atol=2e-3)


# Life of a detector


def test_a_detector_that_is_not_fitted_says_so(tiny, wave):
    for method in ("decision_function", "predict", "channel_scores", "explain"):
        with pytest.raises(NotFittedError, match="not fitted"):
            getattr(tiny(), method)(wave())


def test_copies_score_the_same_to_the_last_bit(fitted, wave):
    expected = fitted.decision_function(wave(300, seed=1))
    for copied in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        scores = copied.decision_function(wave(300, seed=1))
        np.testing.assert_array_equal(scores, expected)
        assert copied.get_params() == fitted.get_params()


def test_a_clone_is_not_fitted(fitted, wave):
    unfitted = clone(fitted)
    assert unfitted.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        unfitted.decision_function(wave())


def test_fitting_again_forgets_the_first_series(fitted, tiny, wave):
    detector = tiny().fit(50 + 10 * wave(300, 3, period=40))
    detector.fit(wave())
    np.testing.assert_array_equal(detector.decision_scores_, fitted.decision_scores_)
    names = {name for name in vars(detector) if name.endswith("_")}
    assert names == {name for name in vars(fitted) if name.endswith("_")}


def interrupt_at(monkeypatch, step):
    distort, calls = training.distort, []

    def interrupted(*args, **kwargs):
        calls.append(1)
        if len(calls) == step:
            raise KeyboardInterrupt
        return distort(*args, **kwargs)

    monkeypatch.setattr(training, "distort", interrupted)


def test_an_early_interrupt_leaves_an_unfitted_detector(monkeypatch, tiny, wave):
    interrupt_at(monkeypatch, 10)
    detector = tiny(max_steps=50)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(wave())
    with pytest.raises(NotFittedError):
        detector.decision_function(wave())


def test_a_later_interrupt_leaves_a_fitted_detector_and_warns(monkeypatch, tiny, wave):
    interrupt_at(monkeypatch, 31)
    detector = tiny(max_steps=50)
    with pytest.warns(UserWarning, match="after 30 of 50 steps"):
        detector.fit(wave())
    assert detector.n_iter_ == 30
    check_scores(detector.decision_function(wave()), 400)


@pytest.mark.parametrize("step", [10, 31, 70])
def test_an_interrupt_while_a_threshold_holds_back_ends_the_fit(
    step, monkeypatch, tiny, wave
):
    # The first 100 steps are of detectors that only calibrate.
    interrupt_at(monkeypatch, step)
    threshold = PeaksOverThreshold("1 per 200 rows")
    detector = tiny(max_steps=50, contamination=threshold)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(wave())
    with pytest.raises(NotFittedError):
        detector.decision_function(wave())


def test_an_interrupted_refit_leaves_no_mixture(monkeypatch, tiny, wave):
    X = wave()
    detector = tiny().fit(X)
    before = detector.decision_function(X)
    interrupt_at(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(5 + 100 * X)
    # As it was; never scores of one fit scaled by another.
    np.testing.assert_array_equal(detector.decision_function(X), before)


@pytest.mark.parametrize("max_references", [0, 4096])
def test_a_training_that_diverges_is_an_error_with_advice(max_references, tiny, wave):
    detector = tiny(lr=1e5, max_steps=30, max_references=max_references)
    with pytest.raises(FloatingPointError, match="smaller lr"):
        detector.fit(wave())


def test_a_time_limit_still_leaves_a_trained_detector(tiny, wave):
    detector = tiny(max_steps=10_000, max_seconds=1e-6).fit(wave())
    assert 1 <= detector.n_iter_ <= 2
    check_scores(detector.decision_function(wave()), 400)


@pytest.mark.skipif(
    not UCR.is_dir(), reason="the development data are not beside the repository"
)
def test_the_anomaly_of_a_real_series_is_found_after_few_steps():
    name = "026_UCR_Anomaly_DISTORTEDInternalBleeding15_1700_5684_5854.txt"
    series = load_ucr(UCR / name)
    n_train = series.train_length
    detector = CoADDetector(max_steps=20, random_state=0).fit(series.values[:n_train])
    scores = detector.decision_function(series.values[n_train:])
    assert kdd21_hit(series.labels[n_train:], scores)


@pytest.mark.parametrize(
    "parameters", [{"score_by": "neighbors"}, {"references": "past"}]
)
def test_what_needs_neighbours_is_refused_without_them(parameters, tiny, wave):
    with pytest.raises(ValueError, match="needs max_references above 0"):
        tiny(max_references=0, **parameters).fit(wave())
