import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import signal

from skcoad.preprocessing._period import autocorrelation, dominant_period

seeds = st.integers(0, 2**32 - 1)


def noisy_wave(period, seed, n_periods=20):
    """A fundamental and an overtone of random strength and phase, and noise."""
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(n_periods * period) / period
    x = np.sin(phase + rng.uniform(0, 7)) + rng.uniform(0, 0.5) * np.sin(2 * phase)
    return x + 0.05 * rng.normal(size=len(x))


@given(arrays(float, st.integers(3, 40), elements=st.floats(-10, 10)), st.data())
def test_autocorrelation_equals_the_reference_implementation(x, data):
    max_lag = data.draw(st.integers(0, len(x) - 1))
    if np.std(x) < 1e-3:
        return  # nothing but rounding is left to compare
    expected = naive.autocorrelation(x.tolist(), max_lag)
    np.testing.assert_allclose(autocorrelation(x, max_lag), expected, atol=1e-9)


@given(st.integers(0, 30), st.integers(31, 300))
def test_autocorrelation_in_chunks_equals_that_of_the_whole(max_lag, n):
    x = np.random.default_rng(n).normal(size=n).cumsum()
    whole = autocorrelation(x, max_lag)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("skcoad.preprocessing._period.FFT_CHUNK", 1)
        np.testing.assert_allclose(autocorrelation(x, max_lag), whole, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e30, -7.0])
def test_autocorrelation_of_a_constant_is_zero_but_for_lag_zero(value):
    for n in (9, 1000):
        x = np.full(n, value)
        np.testing.assert_array_equal(autocorrelation(x, 3), [1, 0, 0, 0])


@given(st.integers(8, 120), seeds)
def test_the_period_of_a_noisy_wave_is_found(period, seed):
    found = dominant_period(noisy_wave(period, seed))
    assert abs(found - period) <= 1 + period // 25


@given(st.integers(8, 60), seeds, st.floats(-1e3, 1e3), st.floats(1e-6, 1e6))
def test_the_period_does_not_change_with_level_unit_sign_and_direction(
    period, seed, level, unit
):
    x = noisy_wave(period, seed)
    found = dominant_period(x)
    assert dominant_period(x + level) == found
    assert dominant_period(x * unit) == found
    assert dominant_period(-x) == found
    assert dominant_period(x[::-1]) == found


@pytest.mark.parametrize("unit", [1e-300, 1e-30, 1e30, 1e300])
def test_the_period_does_not_change_with_an_extreme_unit(unit):
    x = noisy_wave(25, 0)
    assert dominant_period(x * unit) == dominant_period(x)


@given(st.integers(8, 60), seeds)
def test_a_trend_does_not_change_the_period(period, seed):
    x = noisy_wave(period, seed)
    found = dominant_period(x + np.linspace(0, 5, len(x)))
    assert abs(found - period) <= 1 + period // 25


def test_channels_are_averaged_and_constant_ones_are_ignored():
    x = noisy_wave(25, 0)
    alone = dominant_period(x)
    constant = np.full(len(x), 3.0)
    assert dominant_period(x[:, None]) == alone
    assert dominant_period(np.column_stack([x, x])) == alone
    assert dominant_period(np.column_stack([constant, x, 0 * x])) == alone


def test_the_order_of_channels_does_not_matter():
    X = np.column_stack([noisy_wave(25, seed) for seed in range(4)])
    assert dominant_period(X) == dominant_period(X[:, ::-1])


def test_the_range_of_lags_is_kept():
    x = noisy_wave(25, 0, n_periods=40)
    assert dominant_period(x, min_period=30) in (49, 50, 51)
    assert dominant_period(x, max_period=20) is None
    assert dominant_period(x[:23]) is None  # no third of it holds a lag of 8


@pytest.mark.parametrize(
    ("near_best", "expected"), [(0.5, 25), (0.85, 25), (0.97, 50), (1.0, 50)]
)
def test_a_subharmonic_is_the_period_if_the_first_peak_is_not_near_the_best(
    near_best, expected
):
    # Every other period is a little lower, so that two together repeat exactly.
    t = np.arange(1500)
    x = np.sin(2 * np.pi * t / 25) * np.where(t // 25 % 2, 0.7, 1.0)
    found = dominant_period(x, max_period=70, near_best=near_best)
    assert found == expected


@given(st.integers(8, 60), seeds)
def test_the_first_of_equally_high_peaks_is_found_whatever_is_near_the_best(
    period, seed
):
    x = noisy_wave(period, seed)
    lower, higher = (
        dominant_period(x, near_best=near_best) for near_best in (0.6, 1.0)
    )
    assert lower <= dominant_period(x) <= higher


def test_a_trend_that_is_not_subtracted_hides_the_period():
    x = noisy_wave(25, 0, n_periods=80)
    assert dominant_period(x, detrend=False) == dominant_period(x)
    trend = np.linspace(0, 20, len(x))
    assert abs(dominant_period(x + trend) - 25) <= 1
    assert dominant_period(x + trend, detrend=False) is None


ROWS = np.arange(2000)
TRENDS = {
    "level shift": 8.0 * (ROWS >= 1000),
    "high level shift": 50.0 * (ROWS >= 300),
    "pulse": 8.0 * ((ROWS >= 600) & (ROWS < 1500)),
    "linear": 0.01 * ROWS,
    "steep": -5.0 * ROWS,
    "quadratic": 1e-5 * ROWS**2,
    "hinge": 0.02 * np.maximum(ROWS - 1000, 0),
}


@pytest.mark.parametrize("kind", TRENDS)
@pytest.mark.parametrize("period", [20, 50, 100])
def test_a_shift_or_a_trend_does_not_hide_the_period(kind, period):
    noise = 0.1 * np.random.default_rng(0).normal(size=2000)
    x = np.sin(2 * np.pi * ROWS / period) + noise + TRENDS[kind]
    assert dominant_period(x) == pytest.approx(period, abs=1)
    assert dominant_period(np.column_stack([x, -x])) == pytest.approx(period, abs=1)


@pytest.mark.parametrize("root", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("kind", ["level shift", "high level shift", "hinge"])
def test_a_shift_or_a_trend_of_noise_is_no_period(root, kind):
    noises = np.random.default_rng(1).normal(size=(60, 2000))
    wanders = signal.lfilter([1.0], [1.0, -root], noises)
    found = [dominant_period(x + TRENDS[kind]) for x in wanders]
    assert sum(period is not None for period in found) <= 1


def test_the_rounding_of_a_line_is_no_period():
    for slope in (0.1, 1 / 3, 1e9):
        assert dominant_period(slope * ROWS + 7.7) is None


def test_only_the_beginning_of_a_long_series_is_used(monkeypatch):
    monkeypatch.setattr("skcoad.preprocessing._period.MAX_TIMESTAMPS", 600)
    x = np.concatenate([noisy_wave(25, 0, 24), noisy_wave(40, 1, 100)])
    assert dominant_period(x) == dominant_period(x[:600])
    assert abs(dominant_period(x) - 25) <= 1


def test_missing_values_are_interpolated():
    x = noisy_wave(25, 0)
    x[100:104] = x[333] = np.nan
    assert abs(dominant_period(x) - 25) <= 1
    assert dominant_period(np.full(500, np.nan)) is None


@pytest.mark.parametrize(
    "x",
    [np.zeros(500), np.full(500, 0.1), np.arange(500.0), np.eye(500)[250]],
    ids=["zeros", "constant", "line", "one pulse"],
)
def test_where_nothing_repeats_there_is_no_period(x):
    assert dominant_period(x) is None


def test_white_noise_has_no_period():
    # What a threshold lets through by chance is allowed to one series in twenty.
    noises = [np.random.default_rng(seed).normal(size=2000) for seed in range(60)]
    found = [dominant_period(x) for x in noises]
    assert sum(period is not None for period in found) <= 6


# By roots of the autoregression: from nearly white to nearly a random walk.
@pytest.mark.parametrize("roots", [[0.8], [0.95], [0.99], [0.8, 0.8], [0.9, 0.5]])
@pytest.mark.parametrize("n", [600, 3000])
def test_red_noise_has_no_period(roots, n):
    denominator = np.poly(roots)
    noises = np.random.default_rng(0).normal(size=(40, n + 500))
    wanders = signal.lfilter([1.0], denominator, noises)[:, 500:]
    found = [dominant_period(x) for x in wanders]
    assert sum(period is not None for period in found) <= 2


@pytest.mark.parametrize("level", [0.5, 2.0])
def test_the_period_of_a_wave_in_red_noise_is_found(level):
    wave = np.sin(2 * np.pi * np.arange(3000) / 40)
    noise = np.random.default_rng(1).normal(size=3000)
    wander = signal.lfilter([1.0], [1.0, -0.9], noise)
    assert dominant_period(wave + level * wander / wander.std()) in range(38, 43)


def test_five_periods_are_enough():
    assert abs(dominant_period(noisy_wave(50, 0, n_periods=5)) - 50) <= 1


@pytest.mark.parametrize(("period", "n"), [(1440, 14400), (2016, 20000), (3000, 30000)])
def test_a_long_period_is_found_where_nothing_repeats_sooner(period, n):
    noise = 0.3 * np.random.default_rng(0).standard_normal(n)
    x = np.sin(2 * np.pi * np.arange(n) / period) + noise
    assert dominant_period(x) == pytest.approx(period, rel=0.02)
    assert dominant_period(x, max_period=1000) is None
    assert dominant_period(x[: 7 * period]) is None  # too few of them


def test_a_short_period_comes_before_a_long_one():
    t = np.arange(20_000)
    x = np.sin(2 * np.pi * t / 50) + 5 * np.sin(2 * np.pi * t / 2000)
    assert dominant_period(x) == pytest.approx(50, abs=1)


def test_a_few_bursts_are_no_long_period():
    found = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = 0.1 * rng.standard_normal(40_000)
        for start in rng.integers(0, 39_900, 15):
            x[start : start + 100] += 5
        found.append(dominant_period(x))
    assert found == 5 * [None]
