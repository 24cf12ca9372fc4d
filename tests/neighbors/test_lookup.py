"""Single subsequences find what brute force finds."""

from itertools import pairwise

import naive
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skcoad.neighbors import VIEWS, ChannelNeighbors, SubsequenceLookup
from skcoad.preprocessing import WindowPlan

from .series import make_series

PERIOD = 8
PLAN = WindowPlan(period=PERIOD, window_size=16, patch_size=4, step=8)
seeds = st.integers(0, 2**32 - 2)
fractions = st.sampled_from([0, 0.02, 0.1])


def build(n_normal, seed, fraction_missing=0.0):
    """Neighbours of a series of which some values are interpolated."""
    missing = np.random.default_rng(seed).random(n_normal) < fraction_missing
    series = make_series(n_normal, seed, PERIOD)
    return ChannelNeighbors.build(series, PLAN, 100, torch.from_numpy(missing))


def views(neighbors, x):
    """A series in the scale of the neighbours, as each view has it: lists."""
    scale = float(neighbors.difference_scale)
    differences = [(b - a) / scale for a, b in pairwise(x)]
    differences = [differences[0], *differences]
    return [x if kind == "values" else differences for kind, _ in VIEWS]


def complete(neighbors, start, kind):
    """Whether no value of a normal subsequence was missing; or all have a hole."""
    gone = neighbors.missing.tolist()
    if kind == "differences":
        gone = [gone[max(0, t - 1)] or gone[t] for t in range(len(gone))]
    holes = [any(gone[i : i + PERIOD]) for i in range(len(gone) - PERIOD + 1)]
    return not holes[start] or all(holes)


def brute_force(neighbors, x, candidates, at=None):
    """Excess distance of each subsequence, in each view, by the definition."""
    n = len(neighbors.series) - PERIOD + 1
    normal = views(neighbors, neighbors.series.tolist())
    scored = views(neighbors, x.tolist())
    excess = np.zeros(candidates.shape[:2])
    for view, (kind, metric) in enumerate(VIEWS):
        for i, starts in enumerate(candidates[view].tolist()):
            query = scored[view][i : i + PERIOD]
            allowed = [
                start
                for start in starts
                if start < n
                and complete(neighbors, start, kind)
                and (at is None or abs(start - at[i]) >= PERIOD)
            ]
            distances = {
                start: naive.METRICS[metric](
                    query, normal[view][start : start + PERIOD]
                )
                for start in allowed
            }
            if distances:
                nearest = min(distances, key=distances.get)
                baseline = float(neighbors.baselines[view, nearest])
                excess[view, i] = distances[nearest] - baseline
    return excess


@settings(max_examples=20)
@given(st.integers(20, 60), st.integers(PERIOD, 30), fractions, seeds)
def test_excess_distances_are_those_of_brute_force(n_normal, n, fraction, seed):
    neighbors = build(n_normal, seed, fraction)
    x = make_series(n, seed + 1, PERIOD).double().numpy()
    lookup = SubsequenceLookup(neighbors)
    rng = np.random.default_rng(seed)
    # Some candidates are beyond the end, as where they are followed.
    candidates = rng.integers(0, n_normal, (len(VIEWS), n - PERIOD + 1, 3))
    found = lookup.excess(lookup.points(x), candidates)
    expected = brute_force(neighbors, x, candidates)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@settings(max_examples=20)
@given(st.integers(20, 60), fractions, seeds)
def test_what_overlaps_with_a_subsequence_of_the_training_series_does_not_count(
    n, fraction, seed
):
    neighbors = build(n, seed, fraction)
    x = neighbors.series.double().numpy()
    lookup = SubsequenceLookup(neighbors)
    at = np.arange(n - PERIOD + 1)
    rng = np.random.default_rng(seed)
    candidates = rng.integers(0, n, (len(VIEWS), len(at), 3))
    found = lookup.excess(lookup.points(x), candidates, at)
    expected = brute_force(neighbors, x, candidates, at)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@settings(max_examples=20)
@given(st.integers(20, 60), st.integers(PERIOD, 30), fractions, seeds)
def test_in_a_short_series_the_search_finds_the_nearest(n_normal, n, fraction, seed):
    neighbors = build(n_normal, seed, fraction)
    x = make_series(n, seed + 1, PERIOD).double().numpy()
    lookup = SubsequenceLookup(neighbors)
    found = lookup.search(lookup.points(x))
    scored, normal = (views(neighbors, each.tolist()) for each in (x, neighbors.series))
    for view, (kind, metric) in enumerate(VIEWS):
        starts = range(n_normal - PERIOD + 1)
        allowed = [i for i in starts if complete(neighbors, i, kind)]
        for i, candidates in enumerate(found[view].tolist()):
            query = scored[view][i : i + PERIOD]
            distance = {
                start: naive.METRICS[metric](
                    query, normal[view][start : start + PERIOD]
                )
                for start in allowed
            }
            assert set(candidates) <= set(allowed)
            best = min(distance[start] for start in candidates)
            assert best == pytest.approx(min(distance.values()), abs=1e-4)


def test_it_finds_what_the_join_of_the_training_series_finds():
    neighbors = build(2500, 0)  # more than are searched as one cell
    lookup = SubsequenceLookup(neighbors)
    x = make_series(200, 1, PERIOD)
    points = lookup.points(x.double().numpy())
    found = lookup.excess(points, lookup.search(points))
    for view, (series, join) in enumerate(
        zip(views(neighbors, x.tolist()), neighbors.joins, strict=True)
    ):
        nearest = join.join(torch.tensor(series), query_stride=1)
        expected = nearest.distances - neighbors.baselines[view][nearest.indices]
        # The join also tries the diagonals of the neighbours of neighbours.
        assert np.mean(np.abs(found[view] - expected.numpy()) < 1e-4) > 0.9, (
            view,
            np.mean(np.abs(found[view] - expected.numpy()) < 1e-4),
        )
