"""Labelled series with scores: random ones and edge cases."""

import numpy as np


def random_case(seed):
    """Labels, scores (often with ties) and a window; at least one normal point."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 200))
    y_true = np.zeros(n, dtype=int)
    for _ in range(rng.integers(1, 6)):
        start = rng.integers(0, n)
        y_true[start : start + rng.integers(1, 2 + n // 6)] = 1
    if y_true.all():
        y_true[rng.integers(0, n)] = 0
    noise = rng.normal(size=n) + rng.random() * y_true
    return y_true, np.round(noise, rng.integers(0, 4)), int(rng.integers(0, 41))


def _edge(pattern, seed, window):
    y_true = np.array([int(label) for label in pattern])
    y_score = np.random.default_rng(seed).integers(0, 6, len(y_true)) / 4
    return y_true, y_score, window


EDGES = {
    "one event": _edge("0" * 20 + "1" * 5 + "0" * 20, 0, 10),
    "one point": _edge("0" * 12 + "1" + "0" * 12, 1, 8),
    "event at the start": _edge("111" + "0" * 25, 2, 9),
    "event at the end": _edge("0" * 25 + "111", 3, 9),
    "events at both borders": _edge("11" + "0" * 30 + "11", 4, 12),
    "buffers that overlap": _edge("0" * 8 + "1100011000011" + "0" * 8, 5, 14),
    "buffers that touch": _edge("0" * 8 + "11" + "0" * 4 + "11" + "0" * 8, 6, 4),
    "every second point": _edge("01" * 12, 7, 7),
    "one normal point": _edge("1" * 6 + "0" + "1" * 6, 8, 6),
    "window longer than series": _edge("0" * 5 + "11" + "0" * 6, 9, 40),
    "hard borders only": _edge("0" * 5 + "11" + "0" * 6, 10, 0),
    "two timestamps": _edge("01", 11, 3),
    "constant score": (_edge("0011000", 0, 4)[0], np.full(7, 0.5), 4),
    "binary score": (_edge("0011000100", 0, 4)[0], np.eye(10)[2] + np.eye(10)[4], 4),
    "perfect score": (
        _edge("0011000100", 0, 4)[0],
        np.array([*map(int, "0011000100")]),
        4,
    ),
    "all anomalous": _edge("1" * 10, 12, 4),
}
