import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import signal, stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skcoad.thresholds import (
    ConformalThreshold,
    PeaksOverThreshold,
    QuantileThreshold,
    count_events,
)
from skcoad.thresholds._events import lowest_threshold

THRESHOLDS = [ConformalThreshold, PeaksOverThreshold, QuantileThreshold]
every_threshold = pytest.mark.parametrize("cls", THRESHOLDS)


def blocks(n_blocks, seed, length=10):
    """Scores that stay for a while: independent between blocks, equal within."""
    return np.repeat(np.random.default_rng(seed).exponential(size=n_blocks), length)


def realised(cls, rows, *, n_blocks=300, n_trials=80):
    """Events on new scores by those asked for; the mean over many calibrations."""
    limits = [
        cls(f"1 per {rows} rows").fit(blocks(n_blocks, seed)).threshold_
        for seed in range(n_trials)
    ]
    new = blocks(20_000, 10**6)
    return count_events(new, limits, separation=1).mean() / (len(new) / rows)


# Of 80 calibrations of 300 blocks each: 3 events are asked for, then a third.
@pytest.mark.parametrize(
    ("cls", "rows", "low", "high"),
    [
        (ConformalThreshold, 1000, 0.8, 1.1),
        (QuantileThreshold, 1000, 1.0, 1.5),
        (PeaksOverThreshold, 1000, 0.8, 1.2),
        (PeaksOverThreshold, 9000, 0.5, 1.3),
    ],
)
def test_the_mean_rate_on_new_scores_is_the_one_asked_for(cls, rows, low, high):
    assert low <= realised(cls, rows) <= high


def test_a_quantile_cannot_be_rarer_than_once_in_all_scores():
    assert 2 <= realised(QuantileThreshold, 9000) <= 4


@pytest.mark.parametrize("allowed", [1, 2, 5])
def test_the_quantile_leaves_as_many_events_as_asked_for(allowed):
    x = blocks(100, 0)
    threshold = QuantileThreshold(f"{allowed} per 1000 rows").fit(x)
    assert count_events(x, threshold.threshold_, separation=1) == allowed
    conformal = ConformalThreshold(f"{allowed} per 1000 rows").fit(x)
    assert count_events(x, conformal.threshold_, separation=1) == allowed - 1


def test_conformal_says_what_it_can_promise():
    with pytest.raises(ValueError, match=r"can promise one in 1000 at best.*Peaks"):
        ConformalThreshold("1 per 1001 rows").fit(blocks(100, 0))


def test_the_tail_is_close_to_the_true_one():
    # The survival function of exponential scores is known.
    x = np.random.default_rng(0).exponential(size=50_000)
    threshold = PeaksOverThreshold("1 per 1000000 rows").fit(x)
    assert threshold.threshold_ == pytest.approx(np.log(1e6), rel=0.25)
    far = np.array([8.0, 10.0, 12.0])
    ratio = threshold.p_values(far) / np.exp(-far)
    assert (ratio > 0.5).all()
    assert (ratio < 4).all()


def test_p_values_are_of_rows_where_events_are_long():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(100, 5500))
    p_values = []
    for scores in signal.lfilter([np.sqrt(1 - 0.95**2)], [1, -0.95], noise)[:, 500:]:
        threshold = PeaksOverThreshold().fit(scores, separation=40)
        p_values.append(threshold.p_values([3, 4]))
    np.testing.assert_allclose(np.mean(p_values, 0), stats.norm.sf([3, 4]), atol=2e-4)


def test_a_heavier_tail_has_a_higher_threshold():
    quantiles = (np.arange(2000) + 0.5) / 2000
    order = np.random.default_rng(0).permutation(2000)
    limits = [
        PeaksOverThreshold("1 per 100000 rows")
        .fit(stats.genpareto.ppf(quantiles, shape)[order])
        .threshold_
        for shape in (-0.3, -1e-9, 0.3)
    ]
    assert limits == sorted(limits)
    assert limits[2] > 2 * limits[0]


def test_fewer_peaks_make_the_threshold_higher():
    many, few = (
        PeaksOverThreshold("1 per 10000 rows").fit(x, separation=separation)
        for x, separation in [(blocks(300, 0), 1), (blocks(300, 0), 600)]
    )
    assert len(few.peaks_) < 5 < len(many.peaks_)
    assert few.threshold_ > many.threshold_


@pytest.mark.parametrize("n", [1, 2, 30])
def test_equal_scores_are_the_threshold(n):
    for cls in (PeaksOverThreshold, QuantileThreshold):
        threshold = cls().fit(np.full(n, 2.0), separation=3)
        assert threshold.threshold_ == 2
        assert (threshold.p_values([1.0, 2.0, 3.0]) > 0).all()


series = arrays(float, st.integers(2, 60), elements=st.integers(0, 9).map(float))


@settings(max_examples=25)
@given(series, st.integers(1, 8))
def test_a_lower_rate_has_no_lower_threshold(x, separation):
    for cls in (PeaksOverThreshold, QuantileThreshold):
        limits = [
            cls(f"1 per {rows} rows").fit(x, separation=separation).threshold_
            for rows in (2, 5, 20, 100, 10_000)
        ]
        assert limits == sorted(limits)
        assert np.isfinite(limits).all()
        most = lowest_threshold(x, len(x), separation=separation)
        assert limits[0] >= most


@settings(max_examples=25)
@given(series, st.floats(0.01, 100), st.floats(-50, 50))
def test_the_unit_of_the_scores_does_not_matter(x, unit, offset):
    for cls in (PeaksOverThreshold, QuantileThreshold):
        threshold = cls("1 per 50 rows")
        limit = clone(threshold).fit(x, separation=2).threshold_
        scaled = clone(threshold).fit(unit * x + offset, separation=2).threshold_
        assert scaled == pytest.approx(unit * limit + offset, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("unit", [1e-100, 1e-15, 1e15, 1e100])
def test_the_tail_is_exact_in_any_unit(unit):
    scores = np.random.default_rng(0).exponential(size=3000)
    limit, scaled = (
        PeaksOverThreshold("1 per 1000000 rows").fit(x).threshold_
        for x in (scores, unit * scores)
    )
    assert scaled / unit == pytest.approx(limit, rel=1e-9)


@every_threshold
def test_p_values_are_valid_and_fall_with_the_score(cls):
    rng = np.random.default_rng(0)
    threshold = cls("1 per 100 rows").fit(rng.exponential(size=1000))
    p_values = threshold.p_values(rng.exponential(size=20_000))
    for level in (0.5, 0.1, 0.01):
        assert (p_values <= level).mean() <= 1.5 * level
    falling = threshold.p_values([*np.linspace(-1, 30, 200), 1e300])
    assert (np.diff(falling) <= 0).all()
    assert (falling > 0).all()
    assert falling[0] == 1


@every_threshold
def test_missing_rows_do_not_count_and_are_in_no_event(cls):
    before, after = blocks(100, 0), blocks(200, 1)
    before[-10:] = after[:10] = 0  # no event at the break
    x = np.concatenate([before, np.full(1000, 99.0), after])
    missing = x == 99
    rate = cls("1 per 1000 rows")
    with_break = clone(rate).fit(x, missing=missing)
    without = clone(rate).fit(x[~missing])
    assert with_break.threshold_ == without.threshold_
    levels = np.linspace(-1, 30, 50)
    np.testing.assert_array_equal(with_break.p_values(levels), without.p_values(levels))
    again = clone(rate).fit(with_break.scores_, missing=with_break.missing_)
    assert again.threshold_ == with_break.threshold_
    for wrong, message in [
        (missing[1:], r"missing must be of the shape of scores, \(4000,\), got"),
        (np.ones(4000), "at least one score"),
    ]:
        with pytest.raises(ValueError, match=message):
            clone(rate).fit(x, missing=wrong)


def test_a_break_is_between_two_events():
    x = [0.0, 5, 9, 9, 9, 5, 0]
    threshold = QuantileThreshold("1 per 4 rows")
    missing = np.equal(x, 9)
    assert threshold.fit(x, separation=2, missing=missing).threshold_ == 5
    assert threshold.fit(x, separation=4, missing=missing).threshold_ == 0


def test_a_fit_that_fails_leaves_the_threshold_as_it_was():
    threshold = ConformalThreshold("1 per 20 rows")
    with pytest.raises(ValueError, match="can promise"):
        threshold.fit(np.arange(5.0))
    with pytest.raises(NotFittedError):
        threshold.p_values([1.0])
    threshold.fit(np.arange(100.0))
    before = dict(vars(threshold))
    with pytest.raises(ValueError, match="can promise"):
        threshold.fit(np.arange(5.0), separation=3)
    assert vars(threshold).keys() == before.keys()
    assert all(vars(threshold)[name] is before[name] for name in before)


@every_threshold
def test_it_is_an_estimator_that_refuses_what_is_wrong(cls):
    threshold = cls("1 per 5 rows", held_back=0.5)
    assert clone(threshold).get_params() == threshold.get_params()
    with pytest.raises(NotFittedError):
        threshold.p_values([1.0])
    for scores, message in [
        ([[1.0]], "one-dimensional"),
        ([1.0, np.nan], "must be finite, got nan at 1"),
        ([], "at least one score"),
    ]:
        with pytest.raises(ValueError, match=message):
            threshold.fit(scores)
    with pytest.raises(ValueError, match="separation must be at least 1, got 0"):
        threshold.fit([1.0, 2.0], separation=0)
    with pytest.raises(ValueError, match=r"separation must be an integer, got 1\.5"):
        threshold.fit([1.0, 2.0], separation=1.5)
    for held_back in (-0.1, 0.95, "half"):
        with pytest.raises(ValueError, match="held_back"):
            cls(held_back=held_back).fit([1.0, 2.0])
    with pytest.raises(ValueError, match="false_alarms"):
        cls(0.01).fit([1.0, 2.0])


@every_threshold
def test_a_rate_in_time_takes_the_interval_of_the_index(cls):
    scores = blocks(300, 0)
    times = pd.date_range("2026-01-01", periods=len(scores), freq="min")
    indexed = cls("1 per day").fit(pd.Series(scores, index=times))
    stated = cls("1 per day").fit(scores, interval=60.0)
    assert indexed.interval_ == 60.0
    assert indexed.threshold_ == stated.threshold_
    lasting = cls("1 per day").fit(scores, interval=pd.Timedelta("1min"))
    assert (lasting.interval_, lasting.threshold_) == (60.0, stated.threshold_)
    with pytest.raises(ValueError, match="needs the times of the rows"):
        cls("1 per day").fit(pd.Series(scores))
    for index in (times[::-1], times[:1].repeat(len(scores))):
        with pytest.raises(ValueError, match="an index of times has to increase"):
            cls("1 per day").fit(pd.Series(scores, index=index))


@pytest.mark.parametrize("n", range(40, 110))
def test_a_rate_of_one_in_all_rows_is_one_event(n):
    scores = np.arange(n, dtype=np.float64)
    rate = f"1 per {n} rows"
    assert ConformalThreshold(rate).fit(scores).threshold_ == scores[-1]
    assert QuantileThreshold(rate).fit(scores).threshold_ == scores[-2]
