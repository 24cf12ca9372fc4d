"""Hypothesis strategies for labels and scores."""

import numpy as np
from hypothesis import strategies as st

# Few distinct values make ties; halves and quarters are exact in binary.
tied_scores = st.integers(-8, 8).map(lambda value: value / 4)
# Scores that stay distinct under a strictly increasing map, also in floating point.
plain_scores = st.integers(-1000, 1000).map(float)


@st.composite
def labelled_scores(draw, scores=tied_scores, max_size=30, normal_point=False):
    """(y_true, y_score) with an anomalous timestamp; both as numpy arrays."""
    n = draw(st.integers(1 + normal_point, max_size))
    labels = st.lists(st.integers(0, 1), min_size=n, max_size=n)
    y_true = draw(labels.filter(lambda y: any(y) and (not normal_point or not all(y))))
    y_score = draw(st.lists(scores, min_size=n, max_size=n))
    return np.array(y_true), np.array(y_score)
