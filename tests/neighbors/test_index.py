import naive
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skcoad.neighbors._index import Places, ReferencePool, coarse_length

seeds = st.integers(0, 2**32 - 1)


def make_series(n, seed, period=12):
    """A wave that is never twice the same, of mean 0 and deviation 1."""
    rng = np.random.default_rng(seed)
    x = np.sin(2 * np.pi * np.arange(n) / period) + 0.4 * rng.normal(size=n)
    return torch.tensor((x - x.mean()) / x.std(), dtype=torch.float32)


def exhaustive(series, queries):
    """Distance of each query from the nearest of all subsequences of a series."""
    every = series.unfold(0, queries.shape[1], 1)[None]  # 1, place, length
    difference = queries[:, None] - every
    level = difference.mean(-1)
    return (difference.var(-1, correction=0) + (0.2 * level) ** 2).sqrt().amin(1)


def looked_up(pool, query, position=None):
    """Reference in the scale of the query, and its distance."""
    known = None if position is None else torch.tensor([position])
    place, distance = pool.nearest(query[None], known)
    values = pool.counterpart(query[None], Places(torch.tensor([0]), place[None]))
    return values[0].numpy(), distance[0].item()


@settings(max_examples=40)
@given(st.integers(30, 90), st.integers(4, 20), seeds)
def test_the_nearest_equals_an_exhaustive_search(n, length, seed):
    series = make_series(n, seed)
    pool = ReferencePool.build(series, length, size=n)
    assert len(pool) == n - length + 1
    query = make_series(length, seed + 1 if seed else 1)
    values, distance = looked_up(pool, query)
    expected, _, expected_values = naive.nearest(series.tolist(), query.tolist())
    assert distance == pytest.approx(expected, abs=1e-3)
    np.testing.assert_allclose(values, expected_values, atol=1e-3)


@settings(max_examples=40)
@given(st.integers(60, 90), st.integers(4, 20), seeds, st.data())
def test_what_overlaps_a_known_position_is_left_out(n, length, seed, data):
    series = make_series(n, seed)
    pool = ReferencePool.build(series, length, size=n)
    position = data.draw(st.integers(0, n - length))
    query = series[position : position + length]
    overlapping = range(position - length + 1, position + length)
    expected, _, expected_values = naive.nearest(
        series.tolist(), query.tolist(), excluded=overlapping
    )
    for values, distance in (
        looked_up(pool, query, position),
        looked_up(pool, query),  # finds itself, and is treated alike
    ):
        assert distance == pytest.approx(expected, abs=1e-3)
        np.testing.assert_allclose(values, expected_values, atol=1e-3)


@settings(max_examples=20)
@given(st.integers(2, 9), seeds)
def test_with_gaps_the_nearest_is_no_worse_than_the_best_that_is_held(spacing, seed):
    series, length = make_series(150, seed), 12
    n_positions = len(series) - length + 1
    pool = ReferencePool.build(series, length, size=-(-n_positions // spacing))
    left_out = [p for p in range(n_positions) if p % pool.spacing]
    query = make_series(length, seed + 1)
    _, distance = looked_up(pool, query)
    best, _, _ = naive.nearest(series.tolist(), query.tolist())
    best_held, _, _ = naive.nearest(series.tolist(), query.tolist(), left_out)
    assert best - 1e-3 <= distance <= best_held + 1e-3


@settings(max_examples=20)
@given(st.integers(26, 60), seeds)
def test_principal_components_find_the_nearest_long_shape_or_nearly(length, seed):
    # A long subsequence is not held whole; of a wave, its components are enough. Now
    # and then the second best is found, so many are looked up.
    series = make_series(200, seed, period=length)
    pool = ReferencePool.build(series, length, size=200)
    queries = make_series(length + 300, seed + 1, period=length).unfold(0, length, 15)
    found = pool.nearest(queries).distance
    nearest = exhaustive(series, queries)
    assert (found >= nearest - 1e-3).all()
    assert found.mean() <= 1.02 * nearest.mean()


def test_long_subsequences_are_searched_by_means_of_neighbours(monkeypatch):
    monkeypatch.setattr("skcoad.neighbors._index.MAX_POINTS", 30)
    series = make_series(600, 0, period=100)
    pool = ReferencePool.build(series, 100, size=600)
    assert pool.components.shape[0] == coarse_length(100) == 25
    query = make_series(100, 1, period=100)
    _, distance = looked_up(pool, query)
    expected, _, _ = naive.nearest(series.tolist(), query.tolist())
    assert expected - 1e-3 <= distance <= 1.2 * expected


def test_the_pool_holds_no_more_than_its_size_and_reaches_over_the_series():
    series = make_series(1000, 0)
    for size in (1, 7, 100, 5000):
        pool = ReferencePool.build(series, 20, size)
        assert 1 <= len(pool) <= size
        assert pool.spacing * (len(pool) - 1) <= 980
        assert pool.spacing * len(pool) > 980


@given(st.floats(-100, 100), seeds)
def test_the_reference_follows_the_level_of_the_query_which_counts_a_fifth(level, seed):
    series = make_series(80, seed)
    pool = ReferencePool.build(series, 16, size=80)
    query = make_series(16, seed + 1)
    _, distance = looked_up(pool, query)
    moved, farther = looked_up(pool, query + level)
    assert moved.mean() == pytest.approx((query + level).mean().item(), abs=1e-4)
    assert abs(farther - distance) <= 0.2 * abs(level) + 1e-2


def test_a_wider_swing_is_a_distance():
    series = make_series(200, 0)
    pool = ReferencePool.build(series, 24, size=200)
    as_usual, wider = (factor * make_series(24, 1) for factor in (1, 3))
    assert looked_up(pool, wider)[1] > 2 * looked_up(pool, as_usual)[1]


def test_a_flat_stretch_among_small_noise_is_near():
    series = torch.zeros(100)
    series[::2] = 1e-3
    pool = ReferencePool.build(series, 10, size=100)
    _, distance = looked_up(pool, torch.full((10,), 5e-4))
    assert distance < 1e-3


def gaps(n, kind):
    missing = torch.zeros(n, dtype=torch.bool)
    if kind == "some":
        missing[[3, 4, 20, 21, 22, 23, 24, 25, 60, 70]] = True
    if kind == "most":
        missing[5:-5] = True
    return missing


@pytest.mark.parametrize("kind", ["none", "some", "most"])
@pytest.mark.parametrize(("length", "hop"), [(12, 1), (12, 5), (12, 12), (40, 7)])
def test_the_counterpart_equals_the_twin(length, hop, kind):
    series, x = make_series(200, 0), make_series(90, 1)
    missing = gaps(90, kind)
    pool = ReferencePool.build(series, length, size=200)
    places = pool.find(x[None], hop)
    expected = naive.counterpart(
        series.tolist(),
        x.tolist(),
        missing.tolist(),
        length,
        places.starts.tolist(),
        places.places[0].tolist(),
    )
    found = pool.counterpart(x[None], places, missing[None])[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["none", "some", "most"])
@pytest.mark.parametrize(
    ("length", "hop", "size"),
    [(12, 1, 300), (12, 5, 300), (12, 5, 60), (40, 10, 300), (40, 7, 60), (89, 4, 60)],
)
@pytest.mark.parametrize("from_the_ends", [False, True])
def test_the_excess_equals_the_twin(length, hop, size, from_the_ends, kind):
    series, x = make_series(300, 0), make_series(90, 1)
    if from_the_ends:  # where references leave the series when they are moved along
        noise = 0.01 * make_series(90, 2)
        x = torch.cat([series[-45:], series[:45]]) + noise
    missing = gaps(90, kind)
    pool = ReferencePool.build(series, length, size)
    places = pool.find(x[None], hop)
    expected = naive.excess(
        series.tolist(),
        pool.own.tolist(),
        pool.spacing,
        x.tolist(),
        missing.tolist(),
        length,
        places.starts.tolist(),
        places.places[0].tolist(),
    )
    found = pool.excess(x[None], places, missing[None])[0]
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(("length", "reach"), [(12, 1), (24, 3), (40, 5)])
def test_the_pool_knows_how_far_its_own_are_from_their_nearest(length, reach):
    series = make_series(150, 0)
    pool = ReferencePool.build(series, length, size=150)
    alone = []
    for place in range(len(pool)):
        overlapping = range(place - length + 1, place + length)
        query = series[place : place + length].tolist()
        alone.append(naive.nearest(series.tolist(), query, overlapping)[0])
    around = [max(alone[max(0, i - reach) : i + reach + 1]) for i in range(len(alone))]
    np.testing.assert_allclose(pool.own, around, atol=1e-3)


def test_windows_of_a_batch_do_not_influence_each_other(monkeypatch):
    pool = ReferencePool.build(make_series(200, 0), 12, size=200)
    windows = make_series(400, 1).view(10, 40)

    def compared(x):
        places = pool.find(x, 5)
        return pool.counterpart(x, places), pool.excess(x, places)

    together = compared(windows)
    for i in range(len(windows)):
        for alone, all_ in zip(compared(windows[i : i + 1]), together, strict=True):
            torch.testing.assert_close(alone[0], all_[i], atol=1e-5, rtol=1e-4)
    monkeypatch.setattr("skcoad.neighbors._index.QUERIES_AT_ONCE", 7)
    torch.testing.assert_close(compared(windows), together, atol=1e-5, rtol=1e-4)


def test_known_positions_of_windows_are_those_of_their_first_points():
    series = make_series(200, 0)
    pool = ReferencePool.build(series, 12, size=200)
    position = torch.tensor([30, 77])
    windows = series.unfold(0, 36, 1)[position]
    known, found = pool.find(windows, 6, position), pool.find(windows, 6)
    torch.testing.assert_close(known, found)
    overlaps = (known.places - known.starts - position[:, None]).abs() < 12
    assert not overlaps.any()


def test_a_changed_window_of_known_position_is_not_its_own_reference():
    series = make_series(400, 0)
    pool = ReferencePool.build(series, 24, size=400)
    position = torch.tensor([0, 100, 340])
    windows = series.unfold(0, 60, 1)[position].clone()
    windows += 0.02 * make_series(180, 1).view(3, 60)  # too much to be found out
    missing = torch.zeros_like(windows, dtype=torch.bool)
    missing[:, 30:34] = True

    def overlaps(places):
        there = position[:, None] + places.starts
        return ((places.places - there).abs() < 24).float().mean()

    assert overlaps(pool.find(windows, 6)) > 0.8
    assert overlaps(pool.find(windows, 6, position)) == 0
    by_itself = pool.fill(windows, missing, 6)
    by_others = pool.fill(windows, missing, 6, position)
    own = series.unfold(0, 60, 1)[position]
    error = [(x - own)[missing].abs().mean() for x in (by_itself, by_others)]
    assert error[0] < 0.5 * error[1]


def test_a_subsequence_with_a_stand_in_is_no_reference():
    series = make_series(200, 0)
    missing = torch.zeros(200, dtype=torch.bool)
    missing[[50, 51, 120]] = True
    pool = ReferencePool.build(series, 12, size=200, missing=missing)
    queries = series.unfold(0, 12, 1)
    places = pool.nearest(queries + 0.01 * queries.flip(0)).place.tolist()
    assert not any(missing[place : place + 12].any() for place in places)
    usable = [not missing[i : i + 12].any() for i in range(189)]
    beside = {i for i in range(188) if usable[i] != usable[i + 1]}
    assert beside & set(places) or {i + 1 for i in beside} & set(places)


def test_the_bridge_of_a_gap_does_not_make_distances_usual():
    series = make_series(600, 0)
    missing = torch.zeros(600, dtype=torch.bool)
    missing[100:130] = True
    broken = torch.where(missing, torch.arange(600) / 20.0, series)
    usual = ReferencePool.build(broken, 40, 600, missing).own
    whole = ReferencePool.build(series, 40, 600).own
    assert usual.max() < 1.5 * whole.max()


def test_a_reference_that_is_moved_into_a_gap_is_the_second_choice():
    series = make_series(200, 0)
    missing = torch.zeros(200, dtype=torch.bool)
    missing[60] = True
    pool = ReferencePool.build(series, 12, 200, missing)
    starts = torch.tensor([0, 12])
    x = series[48:72][None]
    # The first, moved along, would be the series itself, gap and all.
    excess = pool.excess(x, Places(starts, torch.tensor([[48, 120]])))
    without = pool.excess(x, Places(starts, torch.tensor([[108, 120]])))
    torch.testing.assert_close(excess[0, 12:], without[0, 12:])


def test_a_series_with_gaps_all_over_is_its_own_reference_all_the_same():
    series = make_series(100, 0)
    missing = torch.arange(100) % 10 == 0
    pool = ReferencePool.build(series, 12, size=100, missing=missing)
    places = pool.nearest(series.unfold(0, 12, 1)[[20]] + 0.01).place
    assert abs(places.item() - 20) > 0
    assert torch.isfinite(pool.own).all()


@pytest.mark.parametrize("spacing", [19, 50])
def test_what_the_search_has_found_is_never_lost_to_a_neighbour(spacing):
    rng = np.random.default_rng(0)
    series = torch.tensor(rng.normal(size=60 * spacing), dtype=torch.float32)
    pool = ReferencePool.build(series, 20, size=-(-(len(series) - 19) // spacing))
    assert pool.spacing == spacing
    held = torch.arange(len(pool)) * spacing
    queries = series.unfold(0, 20, 1)[held] + 0.1 * make_series(20, 1)
    assert (pool.nearest(queries).place == held).all()


@pytest.mark.parametrize("length", [4, 20])
def test_far_apart_references_are_left_out_only_where_they_overlap(length):
    rng = np.random.default_rng(0)
    series = torch.tensor(rng.normal(size=600), dtype=torch.float32)
    pool = ReferencePool.build(series, length, size=20)
    position = torch.arange(0, 600 - length)
    queries = 0 * position[:, None] + series[pool.spacing :][:length] + 0.1
    place = pool.nearest(queries, position).place
    far = (position - pool.spacing).abs() >= length
    assert (place[far] == pool.spacing).all()
    assert ((place - position).abs() >= length).all()


@pytest.mark.parametrize("spacing", [2, 4, 9])
def test_what_the_spacing_left_out_is_found_by_its_neighbours(spacing):
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter1d(rng.normal(size=(2, 1200)), 20)
    series, other = torch.tensor(smooth / smooth.std(), dtype=torch.float32)
    pool = ReferencePool.build(series, 100, size=-(-1101 // spacing))
    assert pool.spacing == spacing
    queries = series.unfold(0, 100, 25) + 0.1 * other[:100]
    best = exhaustive(series, queries)
    assert np.isclose(pool.nearest(queries).distance, best, rtol=1e-3).mean() > 0.95


def test_what_is_missing_takes_the_value_of_its_reference():
    series = make_series(600, 0)
    pool = ReferencePool.build(series, 12, size=600)
    whole = series.unfold(0, 36, 1)[torch.tensor([100, 333])]
    missing = torch.zeros_like(whole, dtype=torch.bool)
    missing[0, 15:18] = True
    broken = torch.where(missing, 0.0, whole)
    filled = pool.fill(broken, missing, 3)
    assert (filled == whole)[~missing].all()
    nearer = (filled - whole).abs() < (broken - whole).abs()
    assert nearer[missing].float().mean() > 0.5
    assert pool.fill(whole, torch.zeros_like(missing), 3) is whole


def test_an_anomaly_is_farther_from_its_reference_than_usual():
    series = make_series(600, 0)
    strange = make_series(60, 1)
    strange[24:36] = strange[24]
    pool = ReferencePool.build(series, 12, size=600)
    excess = pool.excess(strange[None], pool.find(strange[None], 3))
    assert 20 <= excess[0].argmax() <= 40


def test_a_series_with_nothing_but_overlaps_has_a_reference():
    series = make_series(15, 0)
    pool = ReferencePool.build(series, 12, size=15)
    windows = series[None, :14]
    places = pool.find(windows, 2, torch.tensor([0]))
    assert torch.isfinite(pool.counterpart(windows, places)).all()
    assert torch.isfinite(pool.excess(windows, places)).all()


def test_a_series_shorter_than_a_subsequence_is_an_error_that_names_both():
    with pytest.raises(ValueError, match=r"length 12 .* 11 timestamps"):
        ReferencePool.build(torch.zeros(11), 12, size=10)
