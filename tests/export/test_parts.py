"""The parts of the scoring graph, beside definitions in plain loops."""

import naive
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skcoad.export._cover import WindowCover
from skcoad.export._search import ExactSearch
from skcoad.neighbors import JoinIndex


@given(st.data())
@settings(max_examples=40)
def test_windows_come_back_to_the_timestamps_by_overlap_add(data):
    window_size = data.draw(st.integers(1, 8))
    n_timestamps = data.draw(st.integers(window_size, 30))
    step = data.draw(st.integers(1, window_size))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    cover = WindowCover(n_timestamps, window_size, step)
    x = rng.normal(size=n_timestamps)
    windows = naive.sliding_windows(x, window_size, step)
    cut = cover.cut(torch.tensor(x)[None])[0].numpy()
    np.testing.assert_array_equal(cut, windows)
    values = rng.normal(size=cut.shape)
    for aggregation in ("mean", "max"):
        expected = naive.windows_to_timestamps(
            values, n_timestamps, window_size, step, aggregation
        )
        actual = cover(torch.tensor(values)[None], aggregation)[0].numpy()
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)


def search_of(series, missing, length, metric):
    join = JoinIndex(torch.tensor(series), torch.tensor(missing), length, metric)
    return ExactSearch.of_join(join), join


@pytest.mark.parametrize("metric", ["euclidean", "znormalized"])
@given(seed=st.integers(0, 999), with_gap=st.booleans())
@settings(max_examples=5)
def test_every_neighbour_is_the_nearest(metric, seed, with_gap):
    rng = np.random.default_rng(seed)
    series = rng.normal(size=50).astype(np.float32)
    x = rng.normal(size=30).astype(np.float32)
    missing = np.zeros(50, dtype=bool)
    missing[20:23] = with_gap
    search, _ = search_of(series, missing, 7, metric)
    found = search(torch.tensor(x)[None], torch.arange(24))
    expected = naive.join(series, missing, x, 7, metric)
    np.testing.assert_allclose(found.distances[0], expected, rtol=1e-5, atol=1e-6)
    for i, index in enumerate(found.indices[0]):
        pair = x[i : i + 7], series[index : index + 7]
        assert naive.METRICS[metric](*pair) == pytest.approx(expected[i], rel=1e-5)


@pytest.mark.parametrize("metric", ["euclidean", "znormalized"])
def test_a_subsequence_of_the_normal_series_is_not_its_own_neighbour(metric, wave):
    series = wave(200)[:, 0].astype(np.float32)
    missing = np.zeros(200, dtype=bool)
    search, join = search_of(series, missing, 25, metric)
    starts = torch.arange(20, 100)
    found = search(torch.tensor(series)[None], starts)
    itself = join.self_join(1)
    assert ((found.indices[0] - starts).abs() >= 25).all()
    assert (found.distances[0] <= itself.distances[starts] + 1e-6).all()


def test_no_distance_exceeds_that_of_the_join():
    rng = np.random.default_rng(0)
    series, x = rng.normal(size=(2, 3000)).astype(np.float32)
    search, join = search_of(series, np.zeros(3000, dtype=bool), 20, "euclidean")
    exact = search(torch.tensor(x[:500])[None], torch.arange(481)).distances[0]
    near = join.join(torch.tensor(x[:500]), 1).distances
    assert (exact <= near + 1e-6).all()
    assert (exact < near - 1e-3).any()  # or nothing would be compared


def test_the_number_of_queries_at_once_does_not_matter(wave, monkeypatch):
    series = wave(200)[:, 0].astype(np.float32)
    search, _ = search_of(series, np.zeros(200, dtype=bool), 25, "euclidean")
    x, starts = torch.tensor(wave(100, seed=1)[:, 0], dtype=torch.float32), 76
    whole = search(x[None], torch.arange(starts))
    monkeypatch.setattr("skcoad.export._search.MAX_DISTANCES", 176 * 5)
    parts = search(x[None], torch.arange(starts))
    assert torch.equal(whole.indices, parts.indices)
    assert torch.equal(whole.distances, parts.distances)
