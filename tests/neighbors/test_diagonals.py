"""The kernels for the CPU and for other devices give the same."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from skcoad.neighbors import JoinIndex, _diagonals, _diagonals_torch, _join
from skcoad.neighbors._distance import NOWHERE, VARIANCE_FLOOR, Comparison, Moments
from skcoad.neighbors._inverted_file import ExclusionZone
from skcoad.neighbors._join import join_all, self_join_all

from .series import make_series

KERNELS = [_diagonals, _diagonals_torch]
METRICS = ["euclidean", "znormalized"]


def moments(series, length):
    windows = series.double().unfold(0, length, 1)
    return Moments(series, windows.mean(1), windows.var(1, correction=0))


def sum_squares(x, y, length, i, j):
    difference = x[i : i + length].double() - y[j : j + length].double()
    return float(difference.square().sum())


def squared_distance(x, y, metric, i, j, mean_square):
    """Of two subsequences, as the documentation of the metric says it."""
    m_x, m_y, v_x, v_y = map(
        float, (x.mean[i], y.mean[j], x.variance[i], y.variance[j])
    )
    between = (m_x - m_y) ** 2
    if metric == "euclidean":  # the means are shrunk to a fifth
        return mean_square - between + between / 25
    covariance = (v_x + v_y + between - mean_square) / 2
    a_x, a_y = v_x + VARIANCE_FLOOR, v_y + VARIANCE_FLOOR
    return v_x / a_x + v_y / a_y - 2 * covariance / (a_x * a_y) ** 0.5


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("past_only", [False, True])
@pytest.mark.parametrize("itself", [False, True])
def test_of_adjacent_candidates_the_nearest_is_found(
    kernels, metric, past_only, itself
):
    rng, length = np.random.default_rng(0), 12
    y = moments(make_series(80, 1), length)
    x = y if itself else moments(make_series(50, 0), length)
    n_y = len(y.mean)
    incomplete = torch.tensor(rng.random(n_y) < 0.3)
    zone = ExclusionZone(9, past_only)
    compared = Comparison(x, y, incomplete, zone, metric)
    starts = torch.arange(0, len(x.mean), 2)
    candidates = torch.tensor(rng.integers(0, n_y, (len(starts), 4)))
    candidates[0], candidates[1] = 0, n_y - 1
    match = starts if itself else torch.full_like(starts, -(2**40))
    if past_only and not itself:
        match = torch.full_like(starts, n_y)
    found, totals = kernels.nearest_adjacent(compared, starts, candidates, match)
    assert totals.dtype == torch.float64
    moved = 0
    for query, i in enumerate(starts.tolist()):
        for probe, at in enumerate(candidates[query].tolist()):
            best, least = at, np.inf
            for j in (at, at - 1, at + 1):
                if not 0 <= j < n_y or incomplete[j]:
                    continue
                offset = j - int(match[query])
                if offset > -9 and (past_only or offset < 9):
                    continue
                total = sum_squares(x.series, y.series, length, i, j)
                squared = squared_distance(x, y, metric, i, j, total / length)
                if squared < least:
                    best, least = j, squared
            assert found[query, probe] == best
            total = sum_squares(x.series, y.series, length, i, best)
            assert float(totals[query, probe]) == pytest.approx(total)
            moved += best != at
    assert moved


@given(
    seed=st.integers(0, 2**32 - 3),
    n=st.integers(1, 90),
    length=st.integers(2, 20),
    stride=st.integers(1, 100),
    zone=st.builds(ExclusionZone, st.integers(1, 40), st.booleans()),
    metrics=st.lists(st.sampled_from(METRICS), min_size=1, max_size=3),
    itself=st.booleans(),
)
@example(0, 90, 20, 7, ExclusionZone(20), ["euclidean"], True)
def test_both_kernels_find_the_same_pairs(
    seed, n, length, stride, zone, metrics, itself
):
    rng = np.random.default_rng(seed)
    x = moments(make_series(n + length - 1, seed), length)
    stride = min(stride, n)
    n_blocks = -(-n // stride)
    starts = (torch.arange(n_blocks + 1) * stride).clamp_max(n - 1)
    joins, candidates, totals = [], [], []
    for row, metric in enumerate(metrics):
        other = make_series(60 + length - 1, seed + 1 + row)
        y = x if itself else moments(other, length)
        n_y = len(y.mean)
        incomplete = torch.tensor(rng.random(n_y) < 0.1)
        joins.append(Comparison(x, y, incomplete, zone, metric))
        found = torch.tensor(rng.integers(0, n_y, (n_blocks + 1, 3)))
        candidates.append(found)
        of_queries = [
            [sum_squares(x.series, y.series, length, int(i), int(j)) for j in row]
            for i, row in zip(starts, found, strict=True)
        ]
        totals.append(torch.tensor(of_queries, dtype=torch.float64))
    candidates, totals = torch.stack(candidates), torch.stack(totals)
    match = torch.tensor(rng.choice([0, NOWHERE, 5], candidates.shape))
    excluded = torch.zeros_like(candidates) if itself else match
    (squared, diagonal), (expected, expected_diagonal) = (
        kernels.follow_diagonals(
            joins, starts, stride, candidates - starts[:, None], totals, excluded
        )
        for kernels in KERNELS
    )
    torch.testing.assert_close(squared, expected, atol=1e-9, rtol=1e-9)
    found = squared.isfinite()
    assert torch.equal(diagonal[found], expected_diagonal[found])


@pytest.mark.parametrize("metric", METRICS)
def test_a_join_is_the_same_by_both_kernels(metric, monkeypatch):
    series, x = make_series(600, 0, 60, 0.2), make_series(300, 1, 60, 0.2)
    index = JoinIndex(series, torch.arange(600) % 90 == 40, 24, metric)
    joined, itself = index.join(x, 3), index.self_join(3)
    monkeypatch.setattr(_join, "_kernels", lambda _: _diagonals_torch)
    for one, other in ((joined, index.join(x, 3)), (itself, index.self_join(3))):
        assert torch.equal(one.indices, other.indices)
        torch.testing.assert_close(one.distances, other.distances)


@pytest.mark.parametrize("kernels", KERNELS)
def test_joined_at_once_is_joined_one_by_one(kernels, monkeypatch):
    monkeypatch.setattr(_join, "_kernels", lambda _: kernels)
    missing = torch.arange(2200) % 300 == 40
    indexes = [
        JoinIndex(make_series(2200, 0), missing, 24, "euclidean"),
        JoinIndex(make_series(2200, 1, 60, 0.2), ~missing, 24, "znormalized"),
        JoinIndex(torch.zeros(2200), missing, 24, "znormalized"),  # of a single cell
    ]
    x = [make_series(150, seed) for seed in range(2)]
    x.append(indexes[1].series[100:250])  # trivial matches
    at_once = *join_all(indexes, x, 3), *self_join_all(indexes, 3)
    alone = [index.join(part, 3) for index, part in zip(indexes, x, strict=True)]
    alone += [index.self_join(3) for index in indexes]
    for found, expected in zip(at_once, alone, strict=True):
        assert torch.equal(found.indices, expected.indices)
        assert torch.equal(found.distances, expected.distances)
