import naive
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skcoad import _device
from skcoad.neighbors import SubsequenceIndex, WindowNeighbors, retrieve
from skcoad.neighbors._index import downsampled_length

from .series import make_series

seeds = st.integers(0, 2**32 - 1)


def exhaustive(series, queries):
    """Distance of each query to the nearest of all subsequences of a series."""
    subsequences = series.unfold(0, queries.shape[1], 1)[None]  # 1, index, length
    difference = queries[:, None] - subsequences
    mean = difference.mean(-1)
    squared = difference.var(-1, correction=0) + (0.2 * mean) ** 2
    return squared.sqrt().amin(1)


def nearest(index, query, exclude_at=None):
    """Nearest neighbour at the mean of the query, and its distance."""
    at = None if exclude_at is None else torch.tensor([exclude_at])
    indices, distances = index.query(query[None], at)
    neighbors = WindowNeighbors(torch.tensor([0]), indices[None])
    return retrieve(index, query[None], neighbors)[0].numpy(), distances[0].item()


@settings(max_examples=40)
@given(st.integers(30, 90), st.integers(4, 20), seeds)
def test_the_nearest_equals_an_exhaustive_search(n, length, seed):
    series = make_series(n, seed)
    index = SubsequenceIndex.build(series, length, max_references=n)
    assert len(index) == n - length + 1
    query = make_series(length, seed + 1 if seed else 1)
    values, distance = nearest(index, query)
    expected, _, expected_values = naive.nearest(series.tolist(), query.tolist())
    assert distance == pytest.approx(expected, abs=1e-3)
    np.testing.assert_allclose(values, expected_values, atol=1e-3)


@settings(max_examples=40)
@given(st.integers(60, 90), st.integers(4, 20), seeds, st.data())
def test_what_overlaps_the_query_is_excluded(n, length, seed, data):
    series = make_series(n, seed)
    index = SubsequenceIndex.build(series, length, max_references=n)
    at = data.draw(st.integers(0, n - length))
    query = series[at : at + length]
    overlapping = range(at - length + 1, at + length)
    expected, _, expected_values = naive.nearest(
        series.tolist(), query.tolist(), excluded=overlapping
    )
    for values, distance in (
        nearest(index, query, at),
        nearest(index, query),  # a trivial match is found and excluded
    ):
        assert distance == pytest.approx(expected, abs=1e-3)
        np.testing.assert_allclose(values, expected_values, atol=1e-3)


@settings(max_examples=20)
@given(st.integers(4, 20), seeds)
def test_the_mean_counts_a_fifth(length, seed):
    series = make_series(80, seed)
    index = SubsequenceIndex.build(series, length, 80)
    query = make_series(length, seed + 1) + 0.5
    _, distance = nearest(index, query)
    expected, _, _ = naive.nearest(series.tolist(), query.tolist())
    assert distance == pytest.approx(expected, abs=1e-3)


@settings(max_examples=20)
@given(st.integers(2, 9), seeds)
def test_with_a_stride_the_nearest_is_no_worse_than_the_best_indexed(stride, seed):
    series, length = make_series(150, seed), 12
    n_subsequences = len(series) - length + 1
    index = SubsequenceIndex.build(series, length, -(-n_subsequences // stride))
    not_indexed = [i for i in range(n_subsequences) if i % index.index_stride]
    query = make_series(length, seed + 1)
    _, distance = nearest(index, query)
    best, _, _ = naive.nearest(series.tolist(), query.tolist())
    best_indexed, _, _ = naive.nearest(series.tolist(), query.tolist(), not_indexed)
    assert best - 1e-3 <= distance <= best_indexed + 1e-3


@settings(max_examples=20)
@given(st.integers(26, 60), seeds)
def test_principal_components_find_the_nearest_long_subsequence_or_nearly(length, seed):
    # Of a long subsequence only the components are indexed; of a wave, they are enough.
    # Now and then the second best is found, so there are many queries.
    series = make_series(200, seed, period=length)
    index = SubsequenceIndex.build(series, length, max_references=200)
    queries = make_series(length + 300, seed + 1, period=length).unfold(0, length, 15)
    distances = index.query(queries).distances
    expected = exhaustive(series, queries)
    assert (distances >= expected - 1e-3).all()
    assert distances.mean() <= 1.02 * expected.mean()


def test_long_subsequences_are_downsampled_for_the_first_stage(monkeypatch):
    monkeypatch.setattr("skcoad.neighbors._index.MAX_POINTS", 30)
    series = make_series(600, 0, period=100)
    index = SubsequenceIndex.build(series, 100, max_references=600)
    assert index.components.shape[0] == downsampled_length(100) == 25
    query = make_series(100, 1, period=100)
    _, distance = nearest(index, query)
    expected, _, _ = naive.nearest(series.tolist(), query.tolist())
    assert expected - 1e-3 <= distance <= 1.2 * expected


def test_at_most_max_references_are_indexed_and_they_reach_over_the_series():
    series = make_series(1000, 0)
    for max_references in (1, 7, 100, 5000):
        index = SubsequenceIndex.build(series, 20, max_references)
        assert 1 <= len(index) <= max_references
        assert index.index_stride * (len(index) - 1) <= 980
        assert index.index_stride * len(index) > 980


@given(st.floats(-100, 100), seeds)
def test_what_is_retrieved_has_the_mean_of_the_query_which_counts_a_fifth(shift, seed):
    series = make_series(80, seed)
    index = SubsequenceIndex.build(series, 16, max_references=80)
    query = make_series(16, seed + 1)
    _, distance = nearest(index, query)
    values, shifted_distance = nearest(index, query + shift)
    assert values.mean() == pytest.approx((query + shift).mean().item(), abs=1e-4)
    assert abs(shifted_distance - distance) <= 0.2 * abs(shift) + 1e-2


def test_a_larger_amplitude_is_a_distance():
    series = make_series(200, 0)
    index = SubsequenceIndex.build(series, 24, max_references=200)
    usual, larger = (factor * make_series(24, 1) for factor in (1, 3))
    assert nearest(index, larger)[1] > 2 * nearest(index, usual)[1]


def test_a_flat_subsequence_among_small_noise_is_near():
    series = torch.zeros(100)
    series[::2] = 1e-3
    index = SubsequenceIndex.build(series, 10, max_references=100)
    _, distance = nearest(index, torch.full((10,), 5e-4))
    assert distance < 1e-3


def test_a_subsequence_with_an_imputed_value_is_no_neighbour():
    series = make_series(200, 0)
    missing = torch.zeros(200, dtype=torch.bool)
    missing[[50, 51, 120]] = True
    index = SubsequenceIndex.build(series, 12, 200, missing)
    complete = [not missing[i : i + 12].any() for i in range(189)]
    assert index.incomplete.tolist() == [not value for value in complete]
    queries = series.unfold(0, 12, 1)
    indices = index.query(queries + 0.01 * queries.flip(0)).indices.tolist()
    assert all(complete[i] for i in indices)
    beside = {i for i in range(188) if complete[i] != complete[i + 1]}
    assert beside & set(indices) or {i + 1 for i in beside} & set(indices)


def test_a_subsequence_like_an_interpolated_run_has_a_complete_neighbour():
    series = make_series(200, 0)
    missing = torch.zeros(200, dtype=torch.bool)
    missing[50:110] = True
    series[50:110] = 7.0  # every candidate of the first stage would be from here
    index = SubsequenceIndex.build(series, 12, 200, missing)
    found = index.query(torch.full((1, 12), 7.01)).indices.item()
    assert not index.incomplete[found]


def test_where_every_subsequence_is_incomplete_all_are_neighbours_all_the_same():
    series = make_series(100, 0)
    missing = torch.arange(100) % 10 == 0
    index = SubsequenceIndex.build(series, 12, 100, missing)
    assert not index.incomplete.any()
    indices = index.query(series.unfold(0, 12, 1)[[20]] + 0.01).indices
    assert abs(indices.item() - 20) > 0


@pytest.mark.parametrize("stride", [19, 50])
def test_an_indexed_subsequence_is_never_lost_to_those_around_it(stride):
    rng = np.random.default_rng(0)
    series = torch.tensor(rng.normal(size=60 * stride), dtype=torch.float32)
    index = SubsequenceIndex.build(series, 20, -(-(len(series) - 19) // stride))
    assert index.index_stride == stride
    indexed = torch.arange(len(index)) * stride
    queries = series.unfold(0, 20, 1)[indexed] + 0.1 * make_series(20, 1)
    assert (index.query(queries).indices == indexed).all()


@pytest.mark.parametrize("length", [4, 20])
def test_sparsely_indexed_subsequences_are_excluded_only_where_they_overlap(length):
    rng = np.random.default_rng(0)
    series = torch.tensor(rng.normal(size=600), dtype=torch.float32)
    index = SubsequenceIndex.build(series, length, max_references=20)
    stride = index.index_stride
    exclude_at = torch.arange(0, 600 - length)
    queries = 0 * exclude_at[:, None] + series[stride:][:length] + 0.1
    indices = index.query(queries, exclude_at).indices
    far = (exclude_at - stride).abs() >= length
    assert (indices[far] == stride).all()
    assert ((indices - exclude_at).abs() >= length).all()


@pytest.mark.parametrize("stride", [2, 4, 9])
def test_what_the_stride_left_out_is_found_from_its_indexed_neighbours(stride):
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter1d(rng.normal(size=(2, 1200)), 20)
    series, other = torch.tensor(smooth / smooth.std(), dtype=torch.float32)
    index = SubsequenceIndex.build(series, 100, -(-1101 // stride))
    assert index.index_stride == stride
    queries = series.unfold(0, 100, 25) + 0.1 * other[:100]
    best = exhaustive(series, queries)
    assert np.isclose(index.query(queries).distances, best, rtol=1e-3).mean() > 0.95


def test_an_index_does_not_depend_on_the_chunks_it_is_built_in(monkeypatch):
    series = make_series(200, 0)
    index = SubsequenceIndex.build(series, 12, 100)
    few = _device.CPU_CHUNKS._replace(queries=7)
    monkeypatch.setattr("skcoad._device.CPU_CHUNKS", few)
    in_chunks = SubsequenceIndex.build(series, 12, 100)
    queries = make_series(300, 1).unfold(0, 12, 5)
    torch.testing.assert_close(in_chunks.query(queries), index.query(queries))


@pytest.mark.parametrize("length", [1, 12, 200])
@pytest.mark.parametrize("max_references", [3, 500])
def test_an_index_made_of_its_state_and_series_finds_the_same(length, max_references):
    series = make_series(200, 0)
    missing = torch.arange(200) == 50
    index = SubsequenceIndex.build(series, length, max_references, missing)
    state = index.state_dict()
    # The owner saves the series.
    assert set(state) == {"components", "embeddings"}
    with torch.device("meta"):
        loaded = SubsequenceIndex(len(series), length, max_references)
    for name, tensor in loaded.state_dict().items():
        assert tensor.shape == state[name].shape
        assert tensor.dtype == state[name].dtype == torch.float32
    loaded.load_state_dict(state, assign=True)
    loaded.attach(series, missing)
    assert loaded.series is series
    assert len(loaded) == len(index)
    assert torch.equal(loaded.incomplete, index.incomplete)
    queries = make_series(length + 30, 1).unfold(0, length, 7)
    for one, same in zip(loaded.query(queries), index.query(queries), strict=True):
        assert torch.equal(one, same)


def test_a_series_shorter_than_a_subsequence_is_an_error_that_names_both():
    with pytest.raises(ValueError, match=r"length 12 .* 11 timestamps"):
        SubsequenceIndex.build(torch.zeros(11), 12, max_references=10)
