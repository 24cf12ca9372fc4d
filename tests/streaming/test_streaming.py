"""A stream gives the scores of the series, however its rows come."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyod.models.iforest import IForest

import skcoad.streaming._detector
from skcoad import CoADDetector, NeighborsDetector
from skcoad.streaming import StreamingDetector


def collect(stream, X, sizes, finish=True):
    """Final and provisional score of each row, NaN where there was none."""
    final, provisional = np.full(len(X), np.nan), np.full(len(X), np.nan)
    start, every = 0, iter(sizes)
    while start < len(X) or finish:
        if start < len(X):
            size = next(every, len(X))
            part = X.iloc if hasattr(X, "iloc") else X
            found = stream.update(part[start : start + size])
            start += size
        else:
            found, finish = stream.finish(), False
        done = found.positions[found.final]
        assert np.isnan(final[done]).all()  # final scores come once
        assert (np.diff(done) == 1).all()
        final[done] = found.scores[found.final]
        provisional[found.positions[~found.final]] = found.scores[~found.final]
    return final, provisional


@pytest.fixture(scope="module")
def detectors(wave):
    """Of one and of two channels, with and without a network."""
    fitted = {}
    for n_channels in (1, 2):
        X = wave(400, n_channels, period=12)
        fitted[n_channels, "neighbors"] = NeighborsDetector(period=12).fit(X)
        fitted[n_channels, "network"] = CoADDetector(
            period=12, max_steps=3, random_state=0
        ).fit(X)
    return fitted


@pytest.fixture(scope="module")
def detector(detectors):
    return detectors[1, "neighbors"]


def damaged(X, seed):
    """With an anomaly, missing values, and a gap longer than a receptive field."""
    rng = np.random.default_rng(seed)
    X = X.copy()
    for channel in range(X.shape[1]):
        X[rng.random(len(X)) < 0.02, channel] = np.nan
        start, length = rng.integers(len(X)), rng.integers(1, 40)
        X[start : start + length, channel] = np.nan
    start = rng.integers(len(X))
    X[start : start + 10] = 0.5
    if seed % 2:
        start = rng.integers(len(X))
        X[start : start + 150] = np.nan
    return X


@settings(max_examples=8)
@given(
    st.integers(0, 10**6),
    st.sampled_from(
        [(1, "neighbors"), (2, "neighbors"), (1, "network"), (2, "network")]
    ),
    st.lists(st.integers(1, 200), max_size=8),
    st.integers(20, 200),
)
def test_final_scores_are_those_of_the_series_however_its_rows_come(
    wave, detectors, seed, kind, sizes, final_every
):
    X = damaged(wave(500, kind[0], period=12, seed=seed), seed)
    stream = StreamingDetector(detectors[kind], final_every=final_every)
    final, _ = collect(stream, X, sizes)
    expected = detectors[kind].decision_function(X)
    np.testing.assert_allclose(final, expected, rtol=1e-3, atol=1e-3)


@settings(max_examples=5)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 200), max_size=8))
def test_final_scores_do_not_depend_on_which_of_equal_neighbours_is_found(seed, sizes):
    def steps(n, seed):  # most subsequences have equals, some of rare surroundings
        rng = np.random.default_rng(seed)
        return np.repeat(rng.choice([-2.0, -1.9, 0.4, 2.0], n), 30)[:n]

    detector = NeighborsDetector(period=12).fit(steps(4000, 0))
    X = steps(900, seed)[:, None]
    final, _ = collect(StreamingDetector(detector, final_every=40), X, sizes)
    # Most normal distances are 0, so that the rarity of small ones is steep.
    np.testing.assert_allclose(final, detector.decision_function(X), atol=1e-2)


@settings(max_examples=5)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_provisional_scores_do_not_depend_on_how_rows_come(
    wave, detectors, seed, sizes
):
    detector = detectors[2, "neighbors"]
    X = damaged(wave(120, 2, period=12, seed=seed), seed)
    one_by_one, by_sizes = (
        collect(StreamingDetector(detector, final_every=1000), X, each, finish=False)[1]
        for each in ([1] * 120, sizes)
    )
    np.testing.assert_allclose(by_sizes, one_by_one, atol=1e-9)


def test_no_provisional_score_depends_on_later_rows(wave, detectors):
    X = wave(300, 2, period=12)
    later = X.copy()
    later[200:] += 5
    scores = [
        StreamingDetector(detectors[2, "network"], final_every=1000).update(x).scores
        for x in (X, later)
    ]
    assert len(scores[0]) == 300
    np.testing.assert_array_equal(scores[0][:200], scores[1][:200])
    assert (scores[1][200:] > scores[0][200:]).mean() > 0.9


@pytest.mark.parametrize("kind", ["neighbors", "network"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_the_threshold_means_the_same_for_provisional_scores(
    wave, detectors, kind, n_channels
):
    detector = detectors[n_channels, kind]
    X = wave(1500, n_channels, period=12, seed=1)
    final = detector.decision_function(X)
    provisional = StreamingDetector(detector, final_every=2000).update(X).scores
    for scores in (final, provisional):  # 10 % were asked for
        assert 0.03 < (scores > detector.threshold_).mean() < 0.2


@pytest.mark.parametrize("n_channels", [1, 2])
def test_an_anomaly_is_seen_at_once(wave, detectors, n_channels):
    detector = detectors[n_channels, "neighbors"]
    X = wave(200, n_channels, period=12, seed=2)
    X[150:156, 0] += 3
    _, provisional = collect(StreamingDetector(detector), X, [1] * 200, finish=False)
    assert provisional[150] > 2 * detector.threshold_
    assert provisional[150:156].max() > provisional[12:150].max()


def test_a_hole_is_no_alarm(wave, detector):
    X = wave(300, period=12, seed=3)
    X[100:140] = np.nan
    _, provisional = collect(StreamingDetector(detector), X, [1] * 300, finish=False)
    assert (provisional[100:140] == 0).all()
    assert provisional[140:160].max() < 3


def test_a_score_is_final_when_delay_rows_have_followed(wave, detector):
    X = wave(400, period=12)
    stream = StreamingDetector(detector, final_every=7)
    done = -1
    for now, row in enumerate(X):
        positions, _, final = stream.update(row)
        done = max(done, *positions[final], -1)
        assert positions[-1] == now
        assert now - stream.delay <= done
        assert done == -1 or done <= now - stream.delay + 6


def test_memory_does_not_grow(wave, detector):
    stream = StreamingDetector(detector)
    sizes = []
    for seed in range(6):
        stream.update(wave(3000, period=12, seed=seed))
        sizes.append(len(stream._buffer._X))
    assert max(sizes[1:]) == sizes[1]
    assert len(stream._buffer.X) <= stream.delay + stream._halo + detector.step_


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("step", ["_finalise", "_provisional"])
def test_rows_of_an_update_that_fails_are_not_taken(
    wave, detector, monkeypatch, step, error
):
    X = wave(500, period=12)
    stream, undisturbed = (
        StreamingDetector(detector, interval="1min", final_every=20) for _ in range(2)
    )
    rows = pd.DataFrame(X, index=pd.date_range("2024-01-01", periods=500, freq="min"))
    # Pieces of 50 rows, of which some have been taken when it fails.
    monkeypatch.setattr(skcoad.streaming._detector, "PIECE", 50)
    for start, stop in ((0, 100), (100, 350), (350, 500)):
        calls = 3 if step == "_finalise" and start == 100 else 1

        def fail(*arguments):
            nonlocal calls
            calls -= 1
            if calls == 0:
                raise error
            return getattr(StreamingDetector, step)(stream, *arguments)

        with monkeypatch.context() as context:
            context.setattr(stream, step, fail)
            with pytest.raises(error):
                stream.update(rows[start:stop])
        assert stream.n_rows == start
        for own, other in zip(
            stream.update(rows[start:stop]),
            undisturbed.update(rows[start:stop]),
            strict=True,
        ):
            np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize("at", [1, 30, 333])
def test_a_stream_goes_on_after_loading_as_if_nothing_had_been(
    wave, detectors, tmp_path, at
):
    X = damaged(wave(600, 2, period=12), seed=1)
    stream = StreamingDetector(detectors[2, "network"], final_every=20)
    stream.update(X[:at])
    stream.save(tmp_path / "stream.safetensors")
    loaded = StreamingDetector.load(tmp_path / "stream.safetensors")
    for size in (1, 5, 200):
        for own, other in zip(
            stream.update(X[at : at + size]),
            loaded.update(X[at : at + size]),
            strict=True,
        ):
            np.testing.assert_array_equal(own, other)
        at += size
    for own, other in zip(stream.finish(), loaded.finish(), strict=True):
        np.testing.assert_array_equal(own, other)
    assert loaded.threshold_ == stream.threshold_
    assert loaded.segment_threshold_ == stream.segment_threshold_


def test_a_stream_that_could_not_be_loaded_is_not_saved(wave, detectors, tmp_path):
    stream = StreamingDetector(detectors[2, "network"])
    stream.update(wave(50, 2, period=12))
    (tmp_path / "file").write_text("before")
    stream.detector.set_params(period=-1)
    with pytest.raises(ValueError, match=r"cannot be saved: .*'period'"):
        stream.save(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "before"


def test_after_finish_a_new_stream_begins(wave, detector):
    X = wave(300, period=12, seed=4)
    stream = StreamingDetector(detector)
    first = collect(stream, X, [100])
    again = collect(stream, X, [100])
    np.testing.assert_array_equal(first, again)
    assert len(stream.finish().scores) == 0


def test_score_next_leaves_the_stream_as_it_is(wave, detectors):
    X = wave(60, 2, period=12, seed=5)
    stream = StreamingDetector(detectors[2, "neighbors"])
    for row in X:
        stream.score_next(row + 3)
        expected = stream.score_next(row)
        assert stream.update(row).scores[-1] == pytest.approx(expected, abs=1e-12)
    assert stream.n_rows == 60


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        lambda X: X.astype(np.float32),
        lambda X: X.tolist(),
        lambda X: pd.DataFrame(X),
        lambda X: np.ma.masked_invalid(X),
    ],
    ids=["array", "float32", "list", "frame", "masked"],
)
def test_rows_of_any_form_are_the_array_of_their_values(wave, detectors, convert):
    X = wave(40, 2, period=12).astype(np.float32).astype(np.float64)
    X[7, 1] = np.nan
    expected = StreamingDetector(detectors[2, "neighbors"]).update(X)
    found = StreamingDetector(detectors[2, "neighbors"]).update(convert(X))
    np.testing.assert_allclose(found.scores, expected.scores)


def test_one_row_is_an_array_of_channels_or_a_number(wave, detectors):
    X = wave(30, 2, period=12)
    stream = StreamingDetector(detectors[2, "neighbors"])
    assert [len(stream.update(x).scores) for x in (X[0], list(X[1]), X[2:4])] == [
        1,
        1,
        2,
    ]
    single = StreamingDetector(detectors[1, "neighbors"])
    rows = (0.5, X[0, 0], X[:3, 0], X[:1, :1], [])
    assert [len(single.update(x).scores) for x in rows] == [1, 1, 3, 1, 0]


@pytest.mark.parametrize("n_channels", [1, 2])
def test_no_rows_have_no_scores(wave, detectors, n_channels):
    stream = StreamingDetector(detectors[n_channels, "neighbors"])
    stream.update(wave(60, n_channels))
    for rows in ([], (), np.empty(0), np.empty((0, n_channels))):
        assert len(stream.update(rows).scores) == 0
    assert stream.n_rows == 60


def test_rows_that_are_none_are_refused_and_not_taken(wave, detectors):
    stream = StreamingDetector(detectors[2, "neighbors"])
    stream.update(wave(30, 2, period=12))
    for rows, message in [
        ([1.0, np.inf], "infinity"),
        (np.zeros((2, 3)), "3 features"),
        (["a", "b"], "numbers are needed"),
        ({"a": 1.0, "b": 2.0}, "got dict"),
        (None, "got NoneType"),
    ]:
        with pytest.raises(ValueError, match=message):
            stream.update(rows)
    with pytest.raises(ValueError, match="takes one row, got 2"):
        stream.score_next(np.zeros((2, 2)))
    assert stream.n_rows == 30


def test_missing_values_are_refused_where_the_detector_refuses_them(wave):
    detector = NeighborsDetector(period=12, missing="raise").fit(wave(period=12))
    with pytest.raises(ValueError, match="NaN"):
        StreamingDetector(detector).update(np.nan)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"references": "past"}, "all of its past"),
        ({"references": "all"}, "its future"),
        ({"max_references": 0}, "max_references=0"),
    ],
)
def test_detectors_that_need_more_than_a_stream_holds_are_refused(
    wave, parameters, message
):
    detector = CoADDetector(period=12, max_steps=1, random_state=0, **parameters)
    with pytest.raises(ValueError, match=message):
        StreamingDetector(detector.fit(wave(period=12)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"final_every": 0}, "must be at least 1"),
        ({"final_every": 1.5}, "must be an integer"),
        ({"interval": "-1min"}, "not above 0"),
    ],
)
def test_invalid_parameters_are_errors(detector, parameters, message):
    with pytest.raises(ValueError, match=message):
        StreamingDetector(detector, **parameters)


def test_a_stream_shorter_than_a_window_has_provisional_scores_only(wave, detector):
    stream = StreamingDetector(detector)
    found = stream.update(wave(10, period=12))
    assert not found.final.any()
    assert np.isfinite(found.scores).all()
    with pytest.raises(ValueError, match="a stream of 10 rows is shorter"):
        stream.finish()
    stream.restart()
    assert stream.n_rows == 0
    assert stream.update(wave(1, period=12)).positions.tolist() == [0]


@pytest.mark.parametrize(
    "cycle", [np.ones(12), np.arange(12) < 4, np.abs(np.arange(12) - 6), np.arange(12)]
)
def test_what_repeats_exactly_is_no_alarm(cycle):
    repeated = np.tile(cycle.astype(float), 60)
    noise = 0.1 * np.random.default_rng(0).normal(size=720)
    for X in (repeated, np.c_[noise + np.tile(np.sin(np.arange(12)), 60), repeated]):
        detector = NeighborsDetector(period=12, contamination=0.01).fit(X[:400])
        _, provisional = collect(StreamingDetector(detector), X[400:], [1] * 320)
        assert (provisional[100:] > detector.threshold_).mean() < 0.05


@pytest.mark.parametrize(
    ("detector", "name"), [(IForest(), "IForest"), (None, "NoneType")]
)
def test_other_detectors_are_refused(detector, name):
    with pytest.raises(ValueError, match=f"or NeighborsDetector, got {name}"):
        StreamingDetector(detector)


def test_later_fits_of_the_detector_change_nothing(wave):
    X = wave(200, period=12, seed=6)
    detector = NeighborsDetector(period=12).fit(wave(period=12))
    expected = detector.decision_function(X)
    stream = StreamingDetector(detector)
    detector.fit(5 + wave(period=25))
    final, _ = collect(stream, X, [50] * 4)
    np.testing.assert_allclose(final, expected, rtol=1e-3, atol=1e-3)


def test_a_constant_channel_in_single_precision_is_no_alarm_in_double(wave):
    X = wave(800, 2)
    X[:, 1] = 0.1
    detector = NeighborsDetector(period=25).fit(X[:400].astype(np.float32))
    stream = StreamingDetector(detector)
    assert stream.update(X[400:]).scores.max() < 4
    assert stream.update([[X[0, 0], 0.2]]).scores.max() > 4
