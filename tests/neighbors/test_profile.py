import naive
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skcoad import _device
from skcoad.neighbors import (
    JoinIndex,
    Neighbors,
    SubsequenceIndex,
    baseline_distances,
    excess_distance,
    impute,
    query_windows,
    retrieve,
)

from .series import make_series


def missing_runs(n, kind):
    missing = torch.zeros(n, dtype=torch.bool)
    if kind == "some":
        missing[[3, 4, 20, 21, 22, 23, 24, 25, 60, 70]] = True
    if kind == "most":
        missing[5:-5] = True
    return missing


@pytest.mark.parametrize("kind", ["none", "some", "most"])
@pytest.mark.parametrize(("length", "stride"), [(12, 1), (12, 5), (12, 12), (40, 7)])
def test_what_is_retrieved_equals_the_reference_implementation(length, stride, kind):
    series, x = make_series(200, 0), make_series(90, 1)
    missing = missing_runs(90, kind)
    index = SubsequenceIndex.build(series, length, max_references=200)
    neighbors = query_windows(index, x[None], stride)
    expected = naive.retrieve(
        series.tolist(),
        x.tolist(),
        missing.tolist(),
        length,
        neighbors.query_offsets.tolist(),
        neighbors.indices[0].tolist(),
    )
    retrieved = retrieve(index, x[None], neighbors, missing[None])[0]
    np.testing.assert_allclose(retrieved, expected, atol=1e-4)


@pytest.mark.parametrize(("n", "stride"), [(12, 5), (36, 5), (37, 5), (40, 12)])
def test_windows_are_queried_at_every_stride_and_at_their_end(n, stride):
    index = SubsequenceIndex.build(make_series(200, 0), 12, 200)
    windows = make_series(2 * n, 1).view(2, n)
    neighbors = query_windows(index, windows, stride)
    offsets = naive.window_starts(n, 12, stride)
    assert neighbors.query_offsets.tolist() == offsets
    for k, offset in enumerate(offsets):
        expected = index.query(windows[:, offset : offset + 12]).indices
        assert neighbors.indices[:, k].tolist() == expected.tolist()


def test_windows_of_a_batch_do_not_influence_each_other(monkeypatch):
    index = SubsequenceIndex.build(make_series(200, 0), 12, max_references=200)
    windows = make_series(400, 1).view(10, 40)

    def profile(x):
        neighbors = query_windows(index, x, 5)
        return retrieve(index, x, neighbors)

    together = profile(windows)
    for i in range(len(windows)):
        alone = profile(windows[i : i + 1])[0]
        torch.testing.assert_close(alone, together[i], atol=1e-5, rtol=1e-4)
    few = _device.CPU_CHUNKS._replace(queries=7)
    monkeypatch.setattr("skcoad._device.CPU_CHUNKS", few)
    torch.testing.assert_close(profile(windows), together, atol=1e-5, rtol=1e-4)


def test_windows_are_excluded_where_each_of_their_subsequences_stands():
    series = make_series(200, 0)
    index = SubsequenceIndex.build(series, 12, max_references=200)
    exclude_at = torch.tensor([30, 77])
    windows = series.unfold(0, 36, 1)[exclude_at]
    excluded = query_windows(index, windows, 6, exclude_at)
    found = query_windows(index, windows, 6)
    torch.testing.assert_close(excluded, found)
    offsets, indices = excluded
    overlaps = (indices - offsets - exclude_at[:, None]).abs() < 12
    assert not overlaps.any()


def test_a_distorted_window_of_the_series_is_not_its_own_neighbour():
    series = make_series(400, 0)
    index = SubsequenceIndex.build(series, 24, max_references=400)
    exclude_at = torch.tensor([0, 100, 340])
    windows = series.unfold(0, 60, 1)[exclude_at].clone()
    windows += 0.02 * make_series(180, 1).view(3, 60)  # too much for a trivial match
    missing = torch.zeros_like(windows, dtype=torch.bool)
    missing[:, 30:34] = True

    def overlaps(neighbors):
        at = exclude_at[:, None] + neighbors.query_offsets
        return ((neighbors.indices - at).abs() < 24).float().mean()

    assert overlaps(query_windows(index, windows, 6)) > 0.8
    assert overlaps(query_windows(index, windows, 6, exclude_at)) == 0
    by_itself = impute(index, windows, missing, 6)
    by_others = impute(index, windows, missing, 6, exclude_at)
    undistorted = series.unfold(0, 60, 1)[exclude_at]
    error = [(x - undistorted)[missing].abs().mean() for x in (by_itself, by_others)]
    assert error[0] < 0.5 * error[1]


def test_missing_values_are_imputed_from_the_neighbours():
    series = make_series(600, 0)
    index = SubsequenceIndex.build(series, 12, max_references=600)
    complete = series.unfold(0, 36, 1)[torch.tensor([100, 333])]
    missing = torch.zeros_like(complete, dtype=torch.bool)
    missing[0, 15:18] = True
    x = torch.where(missing, 0.0, complete)
    imputed = impute(index, x, missing, 3)
    assert (imputed == complete)[~missing].all()
    nearer = (imputed - complete).abs() < (x - complete).abs()
    assert nearer[missing].float().mean() > 0.5
    assert impute(index, complete, torch.zeros_like(missing), 3) is complete


def test_a_series_of_nothing_but_overlaps_has_neighbours():
    series = make_series(15, 0)
    index = SubsequenceIndex.build(series, 12, max_references=15)
    windows = series[None, :14]
    neighbors = query_windows(index, windows, 2, torch.tensor([0]))
    assert torch.isfinite(retrieve(index, windows, neighbors)).all()
    assert torch.isfinite(impute(index, windows, windows > 1, 2)).all()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_baseline_distances_equal_the_reference_implementation(n, length, seed):
    rng = np.random.default_rng(seed)
    distances = np.where(rng.random(n) < 0.1, np.inf, rng.random(n))
    distances[rng.random(n) < 0.2] = 0
    incomplete = rng.random(n) < 0.1
    neighbors = Neighbors(torch.arange(n), torch.tensor(distances).float())
    baseline = baseline_distances(neighbors, torch.tensor(incomplete), length)
    expected = naive.baseline_distances(distances, incomplete, length)
    if 2 * (length // 8) < n:  # of very few subsequences, fewer are around each
        np.testing.assert_allclose(baseline, expected, atol=1e-6)
    assert baseline.shape == (n,)
    assert baseline.isfinite().all()


@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 99), st.booleans())
def test_the_excess_distance_equals_the_reference_implementation(
    n, length, seed, complete
):
    rng = np.random.default_rng(seed)
    distances = np.where(rng.random(n) < 0.1, np.inf, rng.random(n))
    indices, baseline = rng.integers(30, size=n), rng.random(30)
    missing = rng.random(n + length - 1) < (0 if complete else 0.2)
    expected = naive.excess_distance(distances, indices, baseline, length, missing)
    arguments = (
        Neighbors(torch.tensor(indices), torch.tensor(distances).float()),
        torch.tensor(baseline).float(),
        length,
    )
    profile = excess_distance(*arguments, torch.tensor(missing))
    np.testing.assert_allclose(profile, expected, atol=1e-5)
    if complete:
        assert torch.equal(excess_distance(*arguments), profile)


def join_itself(series, length, missing=None):
    missing = torch.zeros_like(series, dtype=torch.bool) if missing is None else missing
    index = JoinIndex(series, missing, length, "euclidean")
    return index, baseline_distances(index.self_join(1), index.incomplete, length)


@pytest.mark.parametrize("length", [12, 24, 40])
def test_baseline_distances_are_the_largest_of_the_self_join_around(
    length, monkeypatch
):
    monkeypatch.setattr("skcoad.neighbors._inverted_file.N_PROBES", 10**6)
    series = make_series(120, 0)
    values = series.tolist()
    index, baseline = join_itself(series, length)
    distances = naive.join(values, [False] * 120, values, length, "euclidean", itself=0)
    expected = naive.baseline_distances(distances, index.incomplete.tolist(), length)
    # Of long subsequences only the components are compared at first.
    np.testing.assert_allclose(baseline, expected, atol=1e-3, rtol=0.1)


def test_interpolated_runs_do_not_raise_the_baseline_distances():
    series = make_series(600, 0)
    missing = torch.zeros(600, dtype=torch.bool)
    missing[100:130] = True
    interpolated = torch.where(missing, torch.arange(600) / 20.0, series)
    _, baseline = join_itself(interpolated, 40, missing)
    _, complete = join_itself(series, 40)
    assert baseline.max() < 1.5 * complete.max()


def test_an_anomaly_has_the_largest_excess_distance():
    anomalous = make_series(60, 1)
    anomalous[24:36] = anomalous[24]
    index, baseline = join_itself(make_series(600, 0), 12)
    profile = excess_distance(index.join(anomalous, 1), baseline, 12)
    assert profile.shape == (60,)
    assert 20 <= profile.argmax() <= 40
    assert (profile < 0).any()


def test_where_there_is_no_neighbour_there_is_no_evidence():
    series = make_series(20, 0)
    index, baseline = join_itself(series, 12)
    assert not baseline.any()
    assert not excess_distance(index.join(series, 1), baseline, 12).any()
