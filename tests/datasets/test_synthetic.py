import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skcoad.datasets import ANOMALY_KINDS, make_series


def events(labels):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], labels, [0]])))
    return edges.reshape(-1, 2)


@settings(deadline=None, max_examples=50)
@given(
    kinds=st.lists(st.sampled_from(ANOMALY_KINDS), max_size=5),
    period=st.integers(8, 40),
    n_channels=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_events_appear_in_the_given_order(kinds, period, n_channels, seed):
    series = make_series(
        5000, n_channels=n_channels, period=period, anomalies=kinds, random_state=seed
    )
    assert series.values.shape == (5000, n_channels)
    assert np.isfinite(series.values).all()
    assert not series.labels[: series.train_length].any()
    lengths = [end - start for start, end in events(series.labels)]
    assert len(lengths) == len(kinds)
    for kind, length in zip(kinds, lengths, strict=True):
        if kind == "point":
            assert length == 1
        elif kind == "drift":
            assert length == 6 * period
        else:
            assert period // 2 <= length <= 2 * period


def test_a_seed_fixes_the_series_and_global_generators_are_unused():
    np.random.seed(0)  # noqa: NPY002 - the global generator is under test
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = make_series(random_state=7)
    second = make_series(random_state=np.random.default_rng(7))
    other = make_series(random_state=8)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert (first.values != other.values).all()


def test_the_period_is_the_given_one():
    x = make_series(20_000, period=64, anomalies=(), random_state=0).values[:, 0]
    spectrum = np.abs(np.fft.rfft(x - x.mean())) ** 2
    frequency = np.fft.rfftfreq(len(x))
    fundamental = frequency < 1.5 / 64
    centre = (frequency * spectrum)[fundamental].sum() / spectrum[fundamental].sum()
    assert 1 / centre == pytest.approx(64, rel=0.05)
    assert x.std() == pytest.approx(1, abs=0.1)


def test_cycles_vary():
    x = make_series(20_000, period=50, anomalies=(), noise=0, random_state=0).values
    assert np.abs(x[:-50] - x[50:]).max() > 0.1


@pytest.mark.parametrize("kind", ["flip", "noise"])
def test_an_anomaly_changes_one_channel_and_nothing_outside_its_segment(kind):
    # These kinds draw their segments in the same way, so the same seed gives the same
    # series except for the anomaly.
    series, other = (
        make_series(4000, n_channels=3, anomalies=(k,), noise=0, random_state=3)
        for k in (kind, "amplitude")
    )
    np.testing.assert_array_equal(series.labels, other.labels)
    changed = series.values != other.values
    assert changed.any(axis=0).sum() == 1
    np.testing.assert_array_equal(changed.any(axis=1), series.labels == 1)


def test_a_point_anomaly_differs_from_its_neighbours():
    series = make_series(4000, anomalies=("point",), noise=0, random_state=3)
    jumps = np.abs(np.diff(series.values[:, 0]))
    position = int(series.labels.argmax())
    assert sorted(np.argsort(jumps)[-2:]) == [position - 1, position]
    assert jumps[position] > 3


def test_a_drift_raises_the_level_and_returns():
    series = make_series(4000, period=20, anomalies=("drift",), random_state=3)
    level = np.convolve(series.values[:, 0], np.ones(20) / 20, mode="same")
    ((start, end),) = events(series.labels)
    assert start < level.argmax() < end
    assert 1.2 < level.max() < 2.7
    assert np.abs(np.delete(level, slice(start - 10, end + 10))[10:-10]).max() < 0.4


@pytest.mark.parametrize(("kind", "speed"), [("time_warp", 0.5), ("frequency", 2.0)])
def test_the_cycle_changes_speed_in_all_channels(kind, speed):
    series = make_series(4000, n_channels=2, anomalies=(kind,), noise=0, random_state=1)
    (start, end) = events(series.labels)[0]
    slope = np.abs(np.diff(series.values, axis=0))
    inside = slope[start : end - 1].mean(axis=0)
    outside = slope[: series.train_length].mean(axis=0)
    np.testing.assert_allclose(inside / outside, speed, rtol=0.4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"anomalies": ("point", "flop")}, "unknown kind of anomaly 'flop'"),
        ({"anomalies": "flip"}, "anomalies must be a sequence of names, got 'flip'"),
        ({"n_timestamps": 0}, "n_timestamps must be at least 1, got 0"),
        ({"n_channels": 0}, "n_channels must be at least 1, got 0"),
        ({"period": 7}, "period must be at least 8, got 7"),
        ({"noise": -0.1}, "noise must be at least 0, got -0.1"),
        ({"noise": float("nan")}, "noise must be at least 0, got nan"),
        ({"train_length": 10_001}, "between 0 and the 10000 timestamps, got 10001"),
        ({"n_timestamps": 500}, "7 anomalies in 300 points leave 42"),
    ],
)
def test_invalid_arguments_are_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_series(**arguments)
