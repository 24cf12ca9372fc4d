from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad.scoring._segments import AnomalySegment, find_segments

# Small whole numbers: many ties, and no rounding when they are scaled.
series = st.lists(st.integers(-4, 12), min_size=1, max_size=60)
thresholds = st.integers(-5, 9)
separations = st.integers(1, 12)


def naive_stretches(scores, threshold, separation, limit=None, start=0):
    """Walk out from each peak, one timestamp at a time; then join what has no gap."""
    n = len(scores)
    free = [i >= start for i in range(n)]
    found = []
    while True:
        candidates = [i for i in range(n) if free[i] and scores[i] > threshold]
        if not candidates:
            break
        peak = max(candidates, key=lambda i: (scores[i], -i))
        level = (threshold + scores[peak]) / 2
        ends = []
        for direction in (-1, 1):
            last = i = peak
            while 0 <= i < n and free[i] and abs(i - last) <= separation:
                if scores[i] > level:
                    last = i
                i += direction
            ends.append(last)
        first, last = ends
        for i in range(max(0, first - separation), min(n, last + separation + 1)):
            free[i] = False
        found.append((first, last + 1, peak, scores[peak]))
    found.sort()
    groups = [[one] for one in found[:1]]
    for one, other in pairwise(found):
        level = (threshold + min(one[3], other[3])) / 2
        if min(scores[one[1] : other[0]]) > level:
            groups[-1].append(other)
        else:
            groups.append([other])
    whole = [
        (group[0][0], group[-1][1], *max(group, key=lambda s: (s[3], -s[2]))[2:])
        for group in groups
    ]
    return sorted(whole, key=lambda s: (-s[3], s[2]))[:limit]


@given(
    series, thresholds, separations, st.integers(1, 5) | st.none(), st.integers(0, 9)
)
def test_stretches_equal_a_walk_from_each_peak(
    scores, threshold, separation, limit, start
):
    assert find_segments(
        scores, threshold, separation=separation, limit=limit, start=start
    ) == naive_stretches(scores, threshold, separation, limit, start)


@given(series, thresholds, separations)
def test_stretches_are_apart_and_leave_no_peak_out(scores, threshold, separation):
    found = find_segments(scores, threshold, separation=separation)
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
    in_order = sorted(found)
    for before, after in pairwise(in_order):
        assert after.start - before.stop >= separation
        level = (threshold + min(before.score, after.score)) / 2
        assert min(scores[before.stop : after.start]) <= level
    for i in np.flatnonzero(np.array(scores) > threshold):
        assert any(s.start - separation <= i < s.stop + separation for s in found)


@given(series, thresholds, separations, st.sampled_from([0.25, 2, 8]))
def test_scale_and_level_of_the_score_do_not_matter(
    scores, threshold, separation, scale
):
    found = find_segments(scores, threshold, separation=separation)
    moved = find_segments(
        np.array(scores) * scale - 3, threshold * scale - 3, separation=separation
    )
    assert [s[:3] for s in moved] == [s[:3] for s in found]


@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.3])
def test_a_smoothed_event_is_found_with_its_own_borders(threshold):
    scores = np.convolve(np.repeat([0.0, 1.0, 0.0], [200, 80, 300]), np.ones(25) / 25)
    (found,) = find_segments(scores[12:], threshold, separation=25)
    assert abs(found.start - 200) <= 5
    assert abs(found.stop - 280) <= 5


def test_a_dip_shorter_than_the_separation_does_not_split_a_stretch():
    scores = [0, 5, 0, 0, 5, 0]
    assert find_segments(scores, 1, separation=3) == [AnomalySegment(1, 5, 1, 5.0)]
    assert len(find_segments(scores, 1, separation=2)) == 2


def test_a_long_event_is_one_segment_whatever_its_highest_peak():
    scores = np.zeros(400)
    scores[100:300] = 5
    scores[[100, 250]] = 12, 20
    found = find_segments(scores, 1, separation=40, limit=1)
    assert found == [AnomalySegment(100, 300, 250, 20.0)]
    scores[225] = 3  # between the two: no longer one event
    found = find_segments(scores, 1, separation=40)
    assert [s[:3] for s in found] == [(250, 300, 250), (100, 210, 100)]


def test_no_score_above_the_threshold_gives_nothing():
    assert find_segments([1, 1, 1], 1, separation=1) == []
    assert find_segments([], 1, separation=1) == []


def test_the_scores_given_are_not_changed():
    scores = np.array([0.0, 3.0, 0.0])
    find_segments(scores, 1, separation=1, start=1)
    assert scores.tolist() == [0, 3, 0]


@pytest.mark.parametrize(
    ("scores", "arguments", "message"),
    [
        ([[1.0]], {}, r"scores must be one-dimensional, got shape \(1, 1\)"),
        ([1.0, np.nan], {}, "scores must be finite, got nan at 1"),
        ([1.0], {"threshold": "2"}, "threshold must be a number, got '2'"),
        ([1.0], {"threshold": np.inf}, "threshold must be finite, got inf"),
        ([1.0], {"separation": 0}, "separation must be at least 1, got 0"),
        ([1.0], {"limit": 0}, "limit must be at least 1, got 0"),
        ([1.0], {"start": -1}, "start must be at least 0, got -1"),
        ([1.0], {"separation": 1.5}, r"separation must be an integer, got 1\.5"),
        (
            [1.0],
            {"separation": np.timedelta64(5, "s")},
            r"separation must be an integer, got np\.timedelta64\(5,'s'\)",
        ),
        ([1.0], {"limit": True}, "limit must be an integer, got True"),
        ([1.0], {"start": 0.0}, r"start must be an integer, got 0\.0"),
    ],
)
def test_wrong_input_is_an_error(scores, arguments, message):
    with pytest.raises(ValueError, match=message):
        find_segments(scores, **({"threshold": 0, "separation": 1} | arguments))
