import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad.metrics import events

from . import naive


@given(st.lists(st.booleans(), min_size=1))
def test_events_equal_those_found_by_a_scan(y_true):
    assert events(y_true).tolist() == [list(span) for span in naive.events(y_true)]


@pytest.mark.parametrize(
    ("y_true", "expected"),
    [
        ([0, 0, 0], []),
        ([1, 1, 1], [[0, 3]]),
        ([1, 0, 1], [[0, 1], [2, 3]]),
        ([0, 1, 1, 0], [[1, 3]]),
    ],
)
def test_events_at_both_ends_nowhere_and_everywhere(y_true, expected):
    found = events(y_true)
    assert found.shape == (len(expected), 2)
    assert found.tolist() == expected


@given(st.lists(st.booleans(), min_size=1))
def test_events_reproduce_the_labels(y_true):
    labels = np.zeros(len(y_true), dtype=bool)
    for start, stop in events(y_true):
        labels[start:stop] = True
    assert labels.tolist() == y_true
