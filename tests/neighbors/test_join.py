import naive
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skcoad.neighbors import JoinIndex, _diagonals_torch, _inverted_file, _join

from .series import make_series

METRICS = ["euclidean", "znormalized"]
metrics = st.sampled_from(METRICS)
seeds = st.integers(0, 2**32 - 2)


def nowhere(x):
    return torch.zeros_like(x, dtype=torch.bool)


def build(series, length, metric, missing=None):
    missing = nowhere(series) if missing is None else missing
    return JoinIndex(series, missing, length, metric)


def probe_everything(patch):
    patch.setattr(_inverted_file, "N_PROBES", 10**6)


def pair_distances(one, other, metric):
    """Distances of subsequences ``(..., length)``, in double precision."""
    difference = one.double() - other.double()
    if metric == "euclidean":
        squared = difference.var(-1, correction=0) + 0.04 * difference.mean(-1) ** 2
        return squared.sqrt()
    one, other = (
        (x - x.mean(-1, keepdim=True))
        / (x.var(-1, correction=0, keepdim=True) + 0.02**2).sqrt()
        for x in (one.double(), other.double())
    )
    return (one - other).square().mean(-1).sqrt()


def brute_force(series, x, length, metric):
    """Distance of each subsequence of `x` to the nearest of a series."""
    references = series.unfold(0, length, 1)
    return torch.cat(
        [
            pair_distances(part[:, None], references, metric).amin(1)
            for part in x.unfold(0, length, 1).split(50)
        ]
    )


def check_pairs(index, x, found, atol=1e-4):
    """Every distance is that of its pair, and no neighbour is incomplete."""
    near = found.distances.isfinite()
    assert not found.distances.isnan().any()
    assert not index.incomplete[found.indices[near]].any()
    if not near.any():
        return
    length = index.length
    expected = pair_distances(
        x.unfold(0, length, 1)[near],
        (index.series + index.shift).unfold(0, length, 1)[found.indices[near]],
        index.metric,
    )
    # A small distance is the root of a difference of large numbers.
    torch.testing.assert_close(
        found.distances[near].double().square(), expected**2, atol=atol, rtol=1e-4
    )


def some_missing(data, n):
    fraction = data.draw(st.sampled_from([0, 0.02, 0.1, 1]))
    seed = data.draw(st.integers(0, 99))
    return torch.from_numpy(np.random.default_rng(seed).random(n) < fraction)


sizes = st.integers(4, 12), st.integers(12, 50), st.integers(12, 50)


@settings(max_examples=40)
@given(*sizes, metrics, seeds, st.data())
def test_with_every_cell_probed_the_join_equals_brute_force(
    length, n_normal, n, metric, seed, data
):
    series, x = make_series(n_normal, seed), make_series(n, seed + 1)
    missing = some_missing(data, n_normal)
    with pytest.MonkeyPatch.context() as patch:
        probe_everything(patch)
        found = build(series, length, metric, missing).join(x, query_stride=1)
    expected = naive.join(series.tolist(), missing.tolist(), x.tolist(), length, metric)
    np.testing.assert_allclose(found.distances, expected, atol=1e-4)


@settings(max_examples=40)
@given(*sizes[:2], metrics, seeds, st.data())
def test_with_every_cell_probed_the_self_join_equals_brute_force(
    length, n, metric, seed, data
):
    series = make_series(n, seed)
    missing = some_missing(data, n)
    with pytest.MonkeyPatch.context() as patch:
        probe_everything(patch)
        index = build(series, length, metric, missing)
        found = index.self_join(query_stride=1)
    values = series.tolist()
    expected = naive.join(values, missing.tolist(), values, length, metric, itself=0)
    np.testing.assert_allclose(found.distances, expected, atol=1e-4)


@settings(max_examples=100)
@given(st.integers(1, 12), *sizes[1:], st.integers(1, 80), metrics, seeds, st.data())
def test_every_distance_is_exact_for_its_pair_and_none_below_brute_force(
    length, n_normal, n, stride, metric, seed, data
):
    series, x = make_series(n_normal, seed), make_series(n, seed + 1)
    index = build(series, length, metric, some_missing(data, n_normal))
    found = index.join(x, stride)
    assert len(found.indices) == len(found.distances) == n - length + 1
    check_pairs(index, x, found)
    best = brute_force(series, x, length, metric)
    assert (found.distances >= best - 1e-3).all()
    # With a query for every subsequence each has a neighbour.
    if stride == 1 and length >= 4:  # shorter ones may be trivial matches
        assert found.distances.isfinite().all()


@settings(max_examples=50)
@given(st.integers(1, 12), sizes[1], st.integers(1, 80), metrics, seeds, st.data())
def test_no_subsequence_is_a_neighbour_of_one_it_overlaps(
    length, n, stride, metric, seed, data
):
    series = make_series(n, seed)
    index = build(series, length, metric, some_missing(data, n))
    found = index.self_join(stride)
    check_pairs(index, series, found)
    near = found.distances.isfinite()
    apart = (found.indices - torch.arange(n - length + 1)).abs()
    assert (apart[near] >= length).all()


@settings(max_examples=50)
@given(
    st.integers(1, 12),
    sizes[1],
    st.integers(1, 80),
    st.integers(1, 60),
    st.booleans(),
    metrics,
    seeds,
)
def test_neighbours_are_outside_of_the_exclusion_zone(
    length, n, stride, exclusion, past_only, metric, seed
):
    series = make_series(n, seed)
    index = build(series, length, metric)
    found = index.self_join(stride, exclusion, past_only)
    check_pairs(index, series, found)
    near = found.distances.isfinite()
    after = found.indices - torch.arange(n - length + 1)
    assert ((after if past_only else -after.abs())[near] <= -exclusion).all()
    allowed = torch.arange(n - length + 1) >= exclusion
    assert not near[~allowed].any() or not past_only


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("past_only", [False, True])
def test_outside_of_the_exclusion_zone_the_nearest_is_found(past_only, metric):
    series = make_series(1000, 0, 40)
    found = build(series, 40, metric).self_join(2, 100, past_only)
    subsequences = series.unfold(0, 40, 1)
    at = torch.arange(len(subsequences))
    best = []
    for i in range(200, len(at), 31):
        far = at - i <= -100 if past_only else (at - i).abs() >= 100
        pairs = pair_distances(subsequences[i], subsequences[far], metric)
        best.append(pairs.min())
    sample, best = found.distances[200::31], torch.stack(best)
    assert (sample >= best - 1e-4).all()
    assert sample.mean() <= 1.08 * best.mean()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("length", "period", "n"), [(48, 48, 2500), (32, 80, 2500), (32, 80, 1000)]
)
@pytest.mark.parametrize("noise", [0.05, 0.4])
def test_the_join_of_a_long_series_is_near_brute_force(
    metric, length, period, noise, n
):
    series = make_series(n, 0, period, noise)
    x = make_series(400, 1, period, noise)
    index = build(series, length, metric)
    found = index.join(x, length // 16)
    check_pairs(index, x, found)
    best = brute_force(series, x, length, metric)
    assert (found.distances >= best - 1e-4).all()
    assert found.distances.mean() <= 1.06 * best.mean()
    assert (found.distances <= 1.001 * best + 1e-4).float().mean() >= 0.4


@pytest.mark.parametrize("metric", METRICS)
def test_the_self_join_of_a_long_series_is_near_brute_force(metric):
    series = make_series(1000, 0, 40)
    index = build(series, 40, metric)
    found = index.self_join(2)
    check_pairs(index, series, found)
    subsequences = series.unfold(0, 40, 1)
    at = torch.arange(len(subsequences))
    best = []
    for i in range(0, len(at), 31):
        far = (at - i).abs() >= 40
        pairs = pair_distances(subsequences[i], subsequences[far], metric)
        best.append(pairs.min())
    sample, best = found.distances[::31], torch.stack(best)
    assert (sample >= best - 1e-4).all()
    assert sample.mean() <= 1.08 * best.mean()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("name", "value"), [("MAX_POINTS", 16), ("MAX_INDEXED", 200), ("N_SAMPLE", 100)]
)
def test_long_subsequences_and_series_are_thinned_out(metric, name, value, monkeypatch):
    monkeypatch.setattr(_join, name, value)
    monkeypatch.setattr(_inverted_file, "N_SAMPLE", _join.N_SAMPLE)
    series, x = make_series(1500, 0, 60, 0.2), make_series(400, 1, 60, 0.2)
    index = build(series, 60, metric)
    assert len(index.components) == (15 if name == "MAX_POINTS" else 60)
    assert name != "MAX_INDEXED" or len(index.file.positions) <= 200
    found = index.join(x, 3)
    check_pairs(index, x, found)
    assert found.distances.mean() <= 1.2 * brute_force(series, x, 60, metric).mean()


def with_constant_part(n, seed):
    series = make_series(n, seed)
    series[n // 2 : n // 2 + 30] = 0.7
    return series


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stride", [1, 3, 12, 1000])
def test_a_series_joined_with_itself_is_its_self_join(stride, metric):
    series = make_series(400, 0)
    index = build(series, 20, metric)
    found, expected = index.join(series, stride), index.self_join(stride)
    assert torch.equal(found.distances, expected.distances)
    assert torch.equal(found.indices, expected.indices)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stride", [1, 3])
def test_a_constant_part_joined_with_itself_is_a_trivial_match(stride, metric):
    series = with_constant_part(400, 0)
    index = build(series, 20, metric)
    found, expected = (
        f.distances for f in (index.join(series, stride), index.self_join(stride))
    )
    # Which of its subsequences is the match is open, and so is the exclusion zone.
    torch.testing.assert_close(found[200:211], expected[200:211], atol=0.1, rtol=0.1)
    assert (found == expected).float().mean() > 0.8


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("start", "stop"), [(0, 200), (97, 260), (301, 400)])
def test_a_slice_of_the_series_has_the_distances_of_the_self_join(
    start, stop, metric, monkeypatch
):
    probe_everything(monkeypatch)
    series = make_series(400, 0)
    index = build(series, 12, metric)
    found = index.join(series[start:stop], 1)
    expected = index.self_join(1).distances[start : stop - 11]
    torch.testing.assert_close(found.distances, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stride", [1, 2, 5])
def test_new_data_after_the_series_do_not_undo_its_self_join(stride, metric):
    series = make_series(400, 0)
    index = build(series, 24, metric)
    # The self-join asks once more, at its very end.
    inside = 400 - 24 + 1 - 5 * stride
    found = index.join(torch.cat([series, make_series(100, 1)]), stride)
    expected = index.self_join(stride).distances[:inside]
    torch.testing.assert_close(found.distances[:inside], expected, atol=1e-4, rtol=1e-4)
    # What is half in the series is not its own neighbour either.
    after = torch.arange(400 - 24 + 1)
    assert ((found.indices[after] - after).abs() >= 24).all()


@pytest.mark.parametrize("metric", METRICS)
def test_a_trivial_match_in_the_middle_of_new_data_is_excluded(metric):
    series = make_series(600, 0)
    index = build(series, 24, metric)
    x = torch.cat([make_series(100, 1), series[200:400], make_series(100, 2)])
    found = index.join(x, 2)
    within = torch.arange(100, 300 - 24 + 1)
    assert ((found.indices[within] - (within + 100)).abs() >= 24).all()


@pytest.mark.parametrize("metric", METRICS)
def test_a_subsequence_that_is_nearly_a_normal_one_is_no_trivial_match(metric):
    series = make_series(600, 0)
    x = series[100:200] + 0.02 * make_series(100, 1)
    found = build(series, 24, metric).join(x, 2)
    assert found.distances.max() < 0.1
    assert (found.indices == torch.arange(100, 177)).float().mean() > 0.95


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stride", [1, 3, 50])
def test_results_do_not_depend_on_the_sizes_of_chunks(metric, stride, monkeypatch):
    monkeypatch.setattr(_join, "_kernels", lambda _: _diagonals_torch)
    series, x = make_series(200, 0), make_series(100, 1)
    missing = torch.arange(200) % 90 == 40

    def compute():
        index = build(series, 24, metric, missing)
        parts = torch.cat([series[:60], x])
        return [index.join(parts, stride).distances, index.self_join(stride).distances]

    expected = compute()
    for pairs, queries in [(300, 64), (10**4, 2**13)]:
        for module in (_diagonals_torch, _inverted_file):
            monkeypatch.setattr(module, "PAIR_CHUNK", pairs)
        monkeypatch.setattr(_inverted_file, "QUERY_CHUNK", queries)
        for one, other in zip(compute(), expected, strict=True):
            # Another rounding in the first stage may choose another candidate.
            same = torch.isclose(one, other, atol=1e-4, rtol=1e-4)
            assert same.float().mean() > 0.98


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stride", [1, 2, 6])
@pytest.mark.parametrize(("first", "last"), [(10, 60), (0, 41)])
def test_away_from_the_cuts_a_slice_has_the_distances_of_the_whole(
    first, last, stride, metric
):
    length, x = 24, make_series(400, 1)
    index = build(make_series(500, 0), length, metric)
    whole = index.join(x, stride).distances
    start, stop = first * 6, last * 6 + 1
    part = index.join(x[start:stop], stride).distances
    reach = 4 * stride
    inside = slice(reach if start else 0, len(part) - reach)
    expected = whole[start : stop - length + 1]
    torch.testing.assert_close(part[inside], expected[inside], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stride", [1, 2, 6])
@pytest.mark.parametrize("repeated", [False, True])
def test_the_reach_of_a_value_is_bounded(repeated, stride, metric):
    length, at = 24, 200
    series, x = make_series(500, 0), make_series(400, 1)
    if repeated:  # trivial matches have a reach as well
        x[100:300] = series[:200]
    index = build(series, length, metric)
    changed = x.clone()
    changed[at] += 3
    before, after = (index.join(y, stride).distances for y in (x, changed))
    starts = torch.arange(len(before))
    reach = 4 * stride
    far = (starts > at + reach) | (starts < at - length + 1 - reach)
    torch.testing.assert_close(before[far], after[far], atol=1e-4, rtol=1e-4)
    assert not torch.equal(before, after)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stride", [1, 2, 7])
def test_incomplete_subsequences_are_no_neighbours(metric, stride):
    series = make_series(400, 0)
    missing = nowhere(series)
    missing[[50, 51, 120]] = missing[200:260] = True
    index = build(series, 12, metric, missing)
    complete = [not missing[i : i + 12].any() for i in range(389)]
    assert index.incomplete.tolist() == [not value for value in complete]
    # Without the exclusion, these are their nearest neighbours.
    x = series + 0.05 * make_series(400, 1)
    found = index.join(x, stride)
    check_pairs(index, x, found)
    assert found.distances.isfinite().all()
    check_pairs(index, series, index.self_join(stride))


def test_where_every_subsequence_is_incomplete_all_are_neighbours_all_the_same():
    series = make_series(100, 0)
    index = build(series, 12, "euclidean", torch.arange(100) % 10 == 0)
    assert not index.incomplete.any()
    assert index.self_join(1).distances.isfinite().all()


degenerate = {
    "constant": torch.zeros(100),
    "constant elsewhere": torch.full((100,), 5.0),
    "constant part": with_constant_part(100, 0),
    "repetition": make_series(20, 0).repeat(5),
    "one peak": (torch.arange(100) == 50).float() * 10,
    "step": (torch.arange(100) >= 50).float(),
    "tiny": make_series(100, 0) * 1e-8,
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stride", [2, 200])
@pytest.mark.parametrize("length", [1, 10, 40])
@pytest.mark.parametrize("kind", degenerate)
def test_series_in_which_little_happens_have_finite_distances(
    kind, length, stride, metric
):
    series = degenerate[kind]
    index = build(series, length, metric)
    for x in (series, make_series(60, 1), torch.full((70,), 5.0)):
        found = index.join(x, stride)
        check_pairs(index, x, found)
        if stride < length:
            assert found.distances.isfinite().any()
    found = index.self_join(stride)
    check_pairs(index, series, found)


@pytest.mark.parametrize("metric", METRICS)
def test_of_an_exact_repetition_every_subsequence_is_at_distance_zero(metric):
    series = make_series(50, 0).repeat(6)
    index = build(series, 20, metric)
    for found in (index.self_join(2), index.join(series, 2)):
        np.testing.assert_allclose(found.distances, 0, atol=1e-3)
        assert ((found.indices - torch.arange(281)) % 50 == 0).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("stride", [1, 5])
@pytest.mark.parametrize("n", [12, 13, 20, 23])
def test_what_overlaps_with_everything_is_infinitely_far(n, stride, metric):
    series = make_series(n, 0)
    index = build(series, 12, metric)
    assert index.self_join(stride).distances.isinf().all()
    assert index.join(series, stride).distances.isinf().all()
    x = make_series(40, 1)
    found = index.join(x, 1)
    check_pairs(index, x, found)
    assert found.distances.isfinite().all()


@pytest.mark.parametrize("metric", METRICS)
def test_the_middle_of_a_series_of_nearly_two_lengths_is_infinitely_far(metric):
    series = make_series(30, 0)
    found = build(series, 12, metric).self_join(1)
    overlapping = [i for i in range(19) if not (i >= 12 or i + 12 <= 18)]
    assert found.distances.isinf().nonzero()[:, 0].tolist() == overlapping


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("level", [10.0, 300.0, 1e4])
def test_far_from_the_normal_data_distances_are_still_exact(level, metric):
    series = with_constant_part(600, 0)
    x = make_series(300, 1) + level
    x[100:150] = level  # a variance at its floor
    x[200] = -1e4
    index = build(series, 24, metric)
    # What is compared is rounded to float32 around the mean of the series.
    rounded = (x.double() - index.shift).float()
    found = index.join(x, 2)
    check_pairs(index, rounded.double() + index.shift, found, atol=1e-3)


@pytest.mark.parametrize("metric", METRICS)
def test_a_shift_costs_a_fifth_or_nothing(metric):
    series = make_series(400, 0)
    index = build(series, 24, metric)
    x = make_series(200, 1)
    before, after = (index.join(y, 1).distances for y in (x, x + 0.5))
    cost = 0.1 if metric == "euclidean" else 0
    assert (after - before).abs().max() <= cost + 0.1
    assert abs((after - before).mean()) <= cost + 1e-3


def test_z_normalised_neighbours_have_any_amplitude():
    series, x = make_series(600, 0), make_series(200, 1)
    small, usual = (
        build(series, 24, "znormalized").join(scale * x, 2).distances
        for scale in (0.5, 1)
    )
    torch.testing.assert_close(small.mean(), usual.mean(), rtol=0.05, atol=0)
    by_value = [
        build(series, 24, "euclidean").join(scale * x, 2).distances.mean()
        for scale in (3, 1)
    ]
    assert by_value[0] > 2 * by_value[1]


def test_below_the_floor_of_the_variance_shape_is_noise():
    series = make_series(400, 0)
    series[100:200] = 0
    x = 1e-4 * make_series(100, 1)
    found = build(series, 24, "znormalized").join(x, 2)
    assert found.distances.max() < 0.02


@pytest.mark.parametrize("metric", METRICS)
def test_an_index_is_determined_by_its_series(metric):
    series, x = make_series(2000, 0), make_series(300, 1)
    state = torch.get_rng_state()
    one, other = (build(series, 24, metric) for _ in range(2))
    for mine, theirs in zip(one.join(x, 2), other.join(x, 2), strict=True):
        assert torch.equal(mine, theirs)
    for mine, theirs in zip(one.self_join(2), other.self_join(2), strict=True):
        assert torch.equal(mine, theirs)
    assert torch.equal(torch.get_rng_state(), state)
    assert not one.state_dict()  # it is made again after loading


def test_a_series_that_stands_still_is_thinned_out_in_its_cell(monkeypatch):
    series = torch.cat([torch.zeros(3000), make_series(1000, 0)])
    index = build(series, 24, "euclidean")
    sizes = np.diff(index.file.edges)
    assert sizes.sum() == len(index.file.positions) < 3977
    assert sizes.max() < 1500
    x = make_series(300, 1)
    found = index.join(x, 2)
    best = brute_force(series, x, 24, "euclidean")
    assert found.distances.mean() <= 1.2 * best.mean()


def test_the_mean_counts_a_fifth():
    series = make_series(300, 0)
    missing = torch.zeros(300, dtype=torch.bool)
    index = JoinIndex(series, missing, 20, "euclidean")
    x = make_series(60, 1) + 1
    found = index.join(x, 1)
    for start, (neighbor, distance) in enumerate(zip(*found, strict=True)):
        pair = x[start : start + 20], series[int(neighbor) : int(neighbor) + 20]
        expected = naive.distance(*(part.tolist() for part in pair))
        assert distance.item() == pytest.approx(expected, abs=1e-4)
