import naive
import numpy as np
import pytest
import torch

from skcoad import _device
from skcoad.neighbors import (
    SubsequenceIndex,
    WindowNeighbors,
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


@pytest.mark.parametrize("kind", ["none", "some", "most"])
@pytest.mark.parametrize(
    ("length", "stride", "max_references"),
    [(12, 1, 300), (12, 5, 300), (12, 5, 60), (40, 10, 300), (40, 7, 60), (89, 4, 60)],
)
@pytest.mark.parametrize("from_the_ends", [False, True])
def test_the_excess_distance_equals_the_reference_implementation(
    length, stride, max_references, from_the_ends, kind
):
    series, x = make_series(300, 0), make_series(90, 1)
    if from_the_ends:  # where diagonals leave the series
        noise = 0.01 * make_series(90, 2)
        x = torch.cat([series[-45:], series[:45]]) + noise
    missing = missing_runs(90, kind)
    index = SubsequenceIndex.build(series, length, max_references)
    neighbors = query_windows(index, x[None], stride)
    expected = naive.excess_distance(
        series.tolist(),
        index.baseline_distances.tolist(),
        index.index_stride,
        x.tolist(),
        missing.tolist(),
        length,
        neighbors.query_offsets.tolist(),
        neighbors.indices[0].tolist(),
    )
    profile = excess_distance(index, x[None], neighbors, missing[None])[0]
    np.testing.assert_allclose(profile, expected, atol=1e-3)


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
        return retrieve(index, x, neighbors), excess_distance(index, x, neighbors)

    together = profile(windows)
    for i in range(len(windows)):
        for alone, all_ in zip(profile(windows[i : i + 1]), together, strict=True):
            torch.testing.assert_close(alone[0], all_[i], atol=1e-5, rtol=1e-4)
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


def test_a_diagonal_through_a_missing_run_is_the_second_choice():
    series = make_series(200, 0)
    missing = torch.zeros(200, dtype=torch.bool)
    missing[60] = True
    index = SubsequenceIndex.build(series, 12, 200, missing)
    offsets = torch.tensor([0, 12])
    x = series[48:72][None]
    # The diagonal through the first would be the series itself, missing value and all.
    neighbors = WindowNeighbors(offsets, torch.tensor([[48, 120]]))
    elsewhere = WindowNeighbors(offsets, torch.tensor([[108, 120]]))
    profile, expected = (
        excess_distance(index, x, found) for found in (neighbors, elsewhere)
    )
    torch.testing.assert_close(profile[0, 12:], expected[0, 12:])


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


def test_an_anomaly_has_the_largest_excess_distance():
    series = make_series(600, 0)
    anomalous = make_series(60, 1)
    anomalous[24:36] = anomalous[24]
    index = SubsequenceIndex.build(series, 12, max_references=600)
    neighbors = query_windows(index, anomalous[None], 3)
    profile = excess_distance(index, anomalous[None], neighbors)
    assert 20 <= profile[0].argmax() <= 40


@pytest.mark.parametrize("mean_weight", [0.0, 0.2, 1.0])
def test_the_excess_distance_weighs_means_as_the_index_does(mean_weight):
    series, x = make_series(300, 0), make_series(60, 1) + 3
    index = SubsequenceIndex.build(series, 12, 300, mean_weight=mean_weight)
    neighbors = query_windows(index, x[None], 5)
    expected = naive.excess_distance(
        series.tolist(),
        index.baseline_distances.tolist(),
        index.index_stride,
        x.tolist(),
        [False] * 60,
        12,
        neighbors.query_offsets.tolist(),
        neighbors.indices[0].tolist(),
        mean_weight,
    )
    profile = excess_distance(index, x[None], neighbors)[0]
    np.testing.assert_allclose(profile, expected, atol=1e-3)


def test_a_series_of_nothing_but_overlaps_has_neighbours():
    series = make_series(15, 0)
    index = SubsequenceIndex.build(series, 12, max_references=15)
    windows = series[None, :14]
    neighbors = query_windows(index, windows, 2, torch.tensor([0]))
    assert torch.isfinite(retrieve(index, windows, neighbors)).all()
    assert torch.isfinite(excess_distance(index, windows, neighbors)).all()
