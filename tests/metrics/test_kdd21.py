import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad.metrics import kdd21_hit

from . import naive


def series(n, start, stop, peaks):
    """Labels with one event, and scores from {timestamp: height}."""
    y_true, y_score = np.zeros(n, dtype=int), np.zeros(n)
    y_true[start:stop] = 1
    for timestamp, height in peaks.items():
        y_score[timestamp] = height
    return y_true, y_score


@given(
    start=st.integers(0, 999),
    length=st.integers(1, 300),
    peaks=st.dictionaries(st.integers(0, 999), st.integers(-2, 4), max_size=12),
    k=st.integers(1, 5),
)
def test_hit_equals_its_reference_implementation(start, length, peaks, k):
    y_true, y_score = series(1_000, start, start + length, peaks)
    expected = naive.kdd21_hit(y_true.tolist(), y_score.tolist(), k)
    assert kdd21_hit(y_true, y_score, k=k) is expected


@pytest.mark.parametrize(
    ("peak", "hit"), [(899, False), (900, True), (1_110, True), (1_111, False)]
)
def test_short_anomaly_is_hit_within_100_timestamps(peak, hit):
    y_true, y_score = series(2_000, 1_000, 1_011, {peak: 1})
    assert kdd21_hit(y_true, y_score) is hit


@pytest.mark.parametrize(
    ("peak", "hit"), [(799, False), (800, True), (1_399, True), (1_400, False)]
)
def test_long_anomaly_is_hit_within_its_length(peak, hit):
    y_true, y_score = series(2_000, 1_000, 1_200, {peak: 1})
    assert kdd21_hit(y_true, y_score) is hit


def test_one_broad_bump_is_one_peak():
    bump = {300 + t: 10 - 0.1 * t for t in range(-50, 51)}
    y_true, y_score = series(2_000, 1_000, 1_010, {**bump, 1_005: 1})
    assert not kdd21_hit(y_true, y_score)
    assert kdd21_hit(y_true, y_score, k=2)


def test_earliest_of_equal_peaks_counts_first():
    y_true, y_score = series(2_000, 1_000, 1_010, {1_005: 1, 1_600: 1})
    assert kdd21_hit(y_true, y_score)
    assert not kdd21_hit(y_true[::-1], y_score[::-1])
    assert kdd21_hit(y_true[::-1], y_score[::-1], k=2)


def test_constant_score_never_hits():
    y_true, y_score = series(50, 0, 10, {})
    assert not kdd21_hit(y_true, y_score, k=5)


def test_lowest_score_is_no_peak_even_if_tries_are_left():
    y_true, y_score = series(2_000, 0, 10, {1_500: 1})
    assert not kdd21_hit(y_true, y_score, k=5)


def test_more_than_one_event_is_an_error():
    with pytest.raises(ValueError, match="exactly one event in y_true, got 2"):
        kdd21_hit([1, 0, 1], [1, 2, 3])


@pytest.mark.parametrize(
    ("k", "message"),
    [
        (0, "k must be at least 1, got 0"),
        (2.0, r"k must be an integer, got 2\.0"),
        (True, "k must be an integer, got True"),
    ],
)
def test_k_is_an_integer_from_one_on(k, message):
    with pytest.raises(ValueError, match=message):
        kdd21_hit([0, 1], [1, 2], k=k)
