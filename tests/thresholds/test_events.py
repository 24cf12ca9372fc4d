import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad.thresholds import count_events
from skcoad.thresholds._events import event_peaks, lowest_threshold

scores = arrays(float, st.integers(1, 40), elements=st.integers(0, 9).map(float))
separations = st.integers(1, 12)
levels = st.integers(-1, 10).map(float)


@given(scores, levels, separations)
def test_events_are_those_of_the_reference_implementation(x, threshold, separation):
    peaks = naive.event_peaks(x.tolist(), threshold, separation)
    assert count_events(x, threshold, separation=separation) == len(peaks)
    mine = event_peaks(x, threshold, separation=separation)
    np.testing.assert_array_equal(mine, peaks)


@given(scores, st.lists(levels, max_size=5), separations)
def test_several_thresholds_are_counted_at_once(x, thresholds, separation):
    each = [count_events(x, one, separation=separation) for one in thresholds]
    at_once = count_events(x, np.array(thresholds), separation=separation)
    np.testing.assert_array_equal(at_once, np.array(each, dtype=int))


@given(scores, st.integers(0, 6), separations)
def test_above_the_lowest_threshold_there_are_never_more_events(x, n, separation):
    threshold = lowest_threshold(x, n, separation=separation)
    levels = np.unique(x)
    counts = [len(naive.event_peaks(x, level, separation)) for level in levels]
    assert threshold in levels
    above = [c for c, level in zip(counts, levels, strict=True) if level >= threshold]
    assert max(above) <= n
    # No lower one would do: it has more events, or lies where they only merge.
    below = [c for c, level in zip(counts, levels, strict=True) if level < threshold]
    assert not below or below[-1] > n or max(above) >= max(below)


@pytest.mark.parametrize(
    ("separation", "expected"), [(1, 3), (2, 2), (3, 2), (4, 1), (10**18, 1)]
)
def test_scores_at_most_the_separation_apart_are_one_event(separation, expected):
    x = [0, 5, 0, 5, 0, 0, 0, 5]
    assert count_events(x, 1, separation=separation) == expected


@pytest.mark.parametrize("separation", [0, 1.5])
def test_a_separation_is_a_whole_number_of_rows(separation):
    with pytest.raises(ValueError, match="separation must be"):
        count_events([0, 1], 0.5, separation=separation)


@pytest.mark.parametrize(
    ("x", "message"),
    [([0, np.nan, 9], "finite, got nan at 1"), ([[0, 1]], "must be one-dimensional")],
)
def test_what_is_counted_is_a_finite_score_of_each_row(x, message):
    with pytest.raises(ValueError, match=message):
        count_events(x, 0.5, separation=1)
