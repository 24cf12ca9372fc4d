from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad.calibration import TailCalibration
from skcoad.neighbors import (
    VIEWS,
    ChannelNeighbors,
    JoinIndex,
    SubsequenceIndex,
    baseline_distances,
    diff_missing,
    excess_distance,
    first_differences,
    impute,
    query_windows,
    retrieve,
    subsequence_excess,
    subsequence_weight,
)
from skcoad.preprocessing import WindowPlan
from skcoad.preprocessing._plan import QUERIES_PER_PERIOD

from . import series as wave

PLAN = WindowPlan(period=12, window_size=24, patch_size=4, step=12)


def make_series(n, seed):
    return wave.make_series(n, seed, noise=0.2)


def nowhere(x):
    return torch.zeros_like(x, dtype=torch.bool)


def somewhere(x):
    missing = nowhere(x)
    missing[[3, 4, 5, 6, 15, 20]] = True
    return missing


floats = st.floats(-100, 100, width=32)


@given(arrays(np.float32, st.integers(1, 20), elements=floats))
def test_first_differences_are_to_the_value_before(x):
    expected = [after - before for before, after in pairwise(x)]
    expected = [*(expected or [0])[:1], *expected]  # the first is as the second
    np.testing.assert_array_equal(first_differences(torch.tensor(x)), expected)


@given(arrays(bool, st.integers(1, 20)))
def test_a_difference_is_missing_with_either_of_its_values(missing):
    expected = [missing[max(0, t - 1)] or missing[t] for t in range(len(missing))]
    np.testing.assert_array_equal(diff_missing(torch.tensor(missing)), expected)


def view_of(kind, x, missing, scale):
    if kind == "values":
        return x, missing
    return first_differences(x) / scale, diff_missing(missing)


def from_second(kind, found):
    """Neighbours; the first subsequence of differences has those of the second."""
    if kind == "differences":
        found.distances[0], found.indices[0] = found.distances[1], found.indices[1] - 1
    return found


def rarity_by_coverage(normal, weight, observed, excess, length):
    """Rarity of excess distances one by one, as means of so many subsequences."""

    def mean(part):
        total = (weight[part].double() * normal[part].double()).sum()
        return float(total / weight[part].double().sum())

    means = {
        coverage: [
            mean(slice(start, start + coverage))
            for start in range(len(normal) - coverage + 1)
            if observed[start + coverage - 1]
        ]
        for coverage in (1, length // 4, length // 2)
    }
    means[length] = [
        mean(slice(max(0, t - length + 1), t + 1))
        for t in range(len(observed))
        if observed[t]
    ]
    calibrations = {
        coverage: TailCalibration(1).fit(torch.tensor([each], dtype=torch.float32))
        for coverage, each in means.items()
    }
    n = len(excess)
    rarity = []
    for t, value in enumerate(excess):
        n_covering = min(t + 1, n - t, n - length + 1, length)
        coverage = max(each for each in calibrations if each <= n_covering)
        rarity.append(calibrations[coverage](value[None, None])[0, 0])
    return torch.stack(rarity)


@pytest.mark.parametrize("where", [nowhere, somewhere])
@pytest.mark.parametrize("n", [24, 60, 61])
def test_the_profile_is_made_of_the_index_and_every_join(n, where):
    series, x = make_series(300, 0), make_series(n, 1)
    missing, absent = where(x), where(series)
    neighbors = ChannelNeighbors.build(series, PLAN, 100, absent)
    profile = neighbors.profile(x, missing)

    scale = first_differences(series).std(correction=0)
    torch.testing.assert_close(neighbors.difference_scale, scale)
    index = SubsequenceIndex.build(series, 12, 100, absent)
    stride = PLAN.query_stride(2)
    here = torch.tensor([0])
    series = impute(index, series[None], absent[None], stride, here)[0]
    index = SubsequenceIndex.build(series, 12, 100, absent)
    imputed = impute(index, x[None], missing[None], stride)
    found = query_windows(index, imputed, stride)
    expected = retrieve(index, imputed, found, missing[None])[0]
    torch.testing.assert_close(profile.retrieved, expected)

    assert profile.evidence.shape == (len(VIEWS), n)
    stride = PLAN.query_stride(QUERIES_PER_PERIOD)
    for row, (kind, metric) in enumerate(VIEWS):
        join = JoinIndex(*view_of(kind, series, absent, scale), 12, metric)
        itself = from_second(kind, join.self_join(stride))
        baseline = baseline_distances(itself, join.incomplete, 12)
        torch.testing.assert_close(neighbors.baselines[row], baseline)
        _, gaps = view_of(kind, series, absent, scale)
        normal = subsequence_excess(itself, baseline)
        weight = subsequence_weight(normal, 12, gaps)
        observed = ~diff_missing(absent)
        y, gaps = view_of(kind, imputed[0], missing, scale)
        found = from_second(kind, join.join(y, stride))
        excess = excess_distance(found, baseline, 12, gaps)
        expected = rarity_by_coverage(normal, weight, observed, excess, 12)
        torch.testing.assert_close(profile.evidence[row], expected, atol=1e-3, rtol=0)


def test_on_its_own_series_the_evidence_has_its_unit():
    series = make_series(1000, 0)
    neighbors = ChannelNeighbors.build(series, PLAN, 100)
    evidence = neighbors.profile(series, nowhere(series)).evidence
    assert (evidence >= 0).all()
    for decades, fraction in [(0.5, 10**-0.5), (1, 0.1), (2, 0.01)]:
        above = (evidence > decades).float().mean(1)
        torch.testing.assert_close(above, torch.full((4,), fraction), atol=0.01, rtol=0)


@pytest.mark.parametrize("n", [12, 13, 23, 24, 30])
def test_a_series_of_few_subsequences_has_finite_evidence(n):
    plan = WindowPlan(period=12, window_size=12, patch_size=3, step=6)
    series, x = make_series(n, 0), make_series(50, 1)
    neighbors = ChannelNeighbors.build(series, plan, 100)
    for y in (series, x):
        for part in neighbors.profile(y, nowhere(y)):
            assert torch.isfinite(part).all()
    if n < 24:  # a period has no neighbour but itself: no evidence
        assert not neighbors.baselines.any()
        assert not neighbors.profile(series, nowhere(series)).evidence.any()


@pytest.mark.parametrize("where", [nowhere, somewhere])
def test_windows_are_retrieved_as_in_the_profile(where):
    series = make_series(300, 0)
    neighbors = ChannelNeighbors.build(series, PLAN, max_references=300)
    x = make_series(24, 1)
    retrieved = neighbors.retrieve(x[None], where(x)[None])
    torch.testing.assert_close(retrieved[0], neighbors.profile(x, where(x)).retrieved)


@pytest.mark.parametrize("where", [nowhere, somewhere])
def test_windows_of_the_training_series_are_not_retrieved_as_themselves(where):
    series = make_series(300, 0)
    neighbors = ChannelNeighbors.build(series, PLAN, max_references=300)
    exclude_at = torch.tensor([0, 100, 276])
    x = series.unfold(0, 24, 1)[exclude_at] + 0.02 * make_series(72, 1).view(3, 24)
    missing = where(x[0]).expand_as(x)
    index, stride = neighbors.index, PLAN.query_stride(2)
    imputed = impute(index, x, missing, stride, exclude_at)
    found = query_windows(index, imputed, stride, exclude_at)
    expected = retrieve(index, imputed, found, missing)
    retrieved = neighbors.retrieve(x, missing, exclude_at)
    torch.testing.assert_close(retrieved, expected)
    itself = neighbors.retrieve(x, missing)
    observed = ~missing
    error = [(y - x)[observed].abs().mean() for y in (retrieved, itself)]
    assert error[1] < 0.5 * error[0]


def by_view(profile):
    return dict(zip(VIEWS, profile.evidence, strict=True))


def test_a_tremor_is_anomalous_in_differences_and_a_flat_subsequence_in_values():
    series = make_series(600, 0)
    neighbors = ChannelNeighbors.build(series, PLAN, max_references=600)
    tremor, flat = make_series(120, 1), make_series(120, 1)
    tremor[60:72] += 0.5 * torch.tensor([1.0, -1.0]).repeat(6)
    flat[60:72] = flat[60:72].mean()
    evidence = by_view(neighbors.profile(tremor, nowhere(tremor)))
    difference, value = (
        evidence[kind, "euclidean"] for kind in ("differences", "values")
    )
    assert 55 <= difference.argmax() <= 76
    assert difference.max() > 1.3 * value.max()
    evidence = by_view(neighbors.profile(flat, nowhere(flat)))
    for metric in ("euclidean", "znormalized"):
        assert 55 <= evidence["values", metric].argmax() <= 76


def test_another_amplitude_is_anomalous_in_values_and_another_form_in_shape():
    series = make_series(600, 0)
    neighbors = ChannelNeighbors.build(series, PLAN, max_references=600)
    larger = 2 * make_series(120, 1)
    evidence = by_view(neighbors.profile(larger, nowhere(larger)))
    value, shape = (evidence["values", m] for m in ("euclidean", "znormalized"))
    assert value.mean() > 2 * shape.mean()
    form = make_series(120, 1)
    form[60:72] *= -0.3
    evidence = by_view(neighbors.profile(form, nowhere(form)))
    assert 50 <= evidence["values", "znormalized"].argmax() <= 80


def test_missing_runs_are_no_neighbours_and_have_little_weight():
    series, x = make_series(300, 0), make_series(60, 1)
    missing = nowhere(series)
    missing[100:110] = True
    interpolated = torch.where(missing, 50.0, series)
    incomplete = ChannelNeighbors.build(interpolated, PLAN, 300, missing)
    complete = ChannelNeighbors.build(series, PLAN, 300)
    assert incomplete.index.incomplete.sum() == 10 + 11
    for (kind, _), join in zip(VIEWS, incomplete.joins, strict=True):
        n_missing = 10 if kind == "values" else 11
        assert join.incomplete.sum() == n_missing + 11
    # The scale has seen the run, so that what is retrieved may differ.
    torch.testing.assert_close(
        incomplete.profile(x, nowhere(x)).retrieved,
        complete.profile(x, nowhere(x)).retrieved,
        atol=1.0,
        rtol=0,
    )
    run = nowhere(x)
    run[30:32] = True
    usual = complete.profile(x, nowhere(x)).evidence
    interpolated = x.clone()
    interpolated[30:32] = torch.lerp(x[29], x[32], torch.tensor([1 / 3, 2 / 3]))
    filled = complete.profile(interpolated, run).evidence
    assert filled.max() < usual.max() + 1
    interpolated = torch.where(run, 50.0, x)
    filled, observed = (
        complete.profile(interpolated, gaps).evidence for gaps in (run, nowhere(x))
    )
    assert filled.max() < 0.5 * observed.max()


def test_rounding_does_not_set_the_scale_of_the_differences():
    jitter = torch.where(torch.arange(400) % 3 == 0, 1e-7, 0.0)
    neighbors = ChannelNeighbors.build(jitter, PLAN, max_references=100)
    assert neighbors.difference_scale == 1
    x = torch.cat([jitter[:100], jitter[:100] + 1e4])
    for part in neighbors.profile(x, nowhere(x)):
        assert torch.isfinite(part).all()


def test_a_constant_series_has_no_differences_and_divides_by_nothing():
    constant = torch.zeros(100)
    neighbors = ChannelNeighbors.build(constant, PLAN, max_references=50)
    assert neighbors.difference_scale == 1
    for part in neighbors.profile(constant, nowhere(constant)):
        assert not part.any()


@pytest.mark.parametrize("where", [nowhere, somewhere])
@pytest.mark.parametrize("step", [4, 12, 24])
def test_a_value_does_not_influence_the_profile_beyond_the_receptive_field(step, where):
    plan = PLAN._replace(step=step)
    x = make_series(360, 1)
    # The missing values are where an imputed value may carry the change on.
    missing = torch.cat([where(part) for part in x.view(15, 24)])
    neighbors = ChannelNeighbors.build(make_series(300, 0), plan, 300)
    before = neighbors.profile(x, missing)
    changed = x.clone()
    changed[180] += 5
    after = neighbors.profile(changed, missing)
    far = (torch.arange(360) - 180).abs() > plan.receptive_field
    assert far.any()
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one[..., far], other[..., far], atol=1e-3, rtol=0)
        assert not torch.equal(one, other)


@pytest.mark.parametrize("plan", [PLAN, WindowPlan(16, 16, 4, 8)])
def test_neighbours_made_of_their_state_give_the_same_profile(plan):
    series, x = make_series(300, 0), make_series(60, 1)
    neighbors = ChannelNeighbors.build(series, plan, 100, somewhere(series))
    state = neighbors.state_dict()
    with torch.device("meta"):
        loaded = ChannelNeighbors(plan, len(series), 100)
    assert set(loaded.state_dict()) == set(state)
    for name, tensor in loaded.state_dict().items():
        assert tensor.shape == state[name].shape
        assert tensor.dtype == state[name].dtype
    # Index and joins have the series from their channel: it is in the state once.
    assert sum(len(tensor) == 300 for tensor in state.values() if tensor.ndim == 1) == 2
    assert not any(name.startswith("joins") for name in state)
    loaded.load_state_dict(state, assign=True)
    loaded.attach()
    for name in ("series", "missing", "incomplete"):
        one, same = (getattr(each.index, name) for each in (loaded, neighbors))
        assert torch.equal(one, same)
    for one, same in zip(loaded.joins, neighbors.joins, strict=True):
        for mine, theirs in zip(one.buffers(), same.buffers(), strict=True):
            assert torch.equal(mine, theirs)
        assert torch.equal(one.file.edges, same.file.edges)
    for missing in (nowhere(x), somewhere(x)):
        profiles = loaded.profile(x, missing), neighbors.profile(x, missing)
        for one, same in zip(*profiles, strict=True):
            assert torch.equal(one, same)


def test_a_missing_run_in_training_does_not_spoil_the_calibration():
    series = make_series(1200, 0)
    missing = nowhere(series)
    missing[300:700] = True
    broken = torch.where(missing, 0.0, series)
    whole, gappy = (
        build.calibration.tails[-1].quantiles[:, -1]
        for build in (
            ChannelNeighbors.build(series, PLAN, 300),
            ChannelNeighbors.build(broken, PLAN, 300, missing),
        )
    )
    assert (gappy < 2 * whole + 0.05).all()


def repeated(n=1600, period=PLAN.period):
    """A rhythm in which one odd cycle comes twice, and a later one once."""
    t = torch.arange(float(n))
    generator = torch.Generator().manual_seed(3)
    x = torch.sin(2 * torch.pi * t / period) + 0.05 * torch.randn(
        n, generator=generator
    )
    odd = torch.sin(4 * torch.pi * torch.arange(period) / period)
    for start in (500, 900):
        x[start : start + period] = odd
    return x


def test_references_from_elsewhere_halve_at_most_what_repeats():
    series = repeated()[:400]
    neighbors = ChannelNeighbors.build(series, PLAN, 100)
    x = repeated()[400:]
    by = {
        references: neighbors.profile(x, nowhere(x), references).evidence.mean(0)
        for references in ("train", "past", "all")
    }
    first, second = slice(100, 120), slice(500, 520)
    for evidence in by.values():
        assert evidence[first].max() > 2
    # Of the past, the second is a repetition; of the whole record, both are.
    train, past, whole = (by[name] for name in ("train", "past", "all"))
    assert past[first].max() > 0.95 * train[first].max()
    assert past[second].max() < 0.7 * train[second].max()
    assert whole[first].max() < 0.7 * train[first].max()
    for evidence in (past, whole):
        assert (evidence >= 0.5 * train - 1e-4).all()


def test_the_past_does_not_depend_on_what_follows():
    neighbors = ChannelNeighbors.build(repeated()[:400], PLAN, 100)
    x = repeated()[400:1200]
    changed = x.clone()
    changed[600:] += 3
    before, after = (
        neighbors.profile(values, nowhere(values), "past").evidence
        for values in (x, changed)
    )
    known = slice(0, 600 - 4 * PLAN.period)
    difference = (before - after)[:, known].abs()
    # What is rounded in another way may choose another candidate.
    assert (difference < 1e-3).float().mean() > 0.95


@pytest.mark.parametrize("references", ["past", "all"])
def test_a_drift_is_followed_by_references_from_the_scored_series(references):
    period = PLAN.period
    t = torch.arange(2400.0)
    generator = torch.Generator().manual_seed(0)
    growth = 1 + t / 400
    x = growth * (torch.sin(2 * torch.pi * t / period))
    x += 0.05 * torch.randn(len(t), generator=generator)
    neighbors = ChannelNeighbors.build(x[:800], PLAN, 100)
    scored = x[800:]
    train, followed = (
        neighbors.profile(scored, nowhere(scored), how).evidence[0]
        for how in ("train", references)
    )
    assert followed[-400:].mean() < 0.7 * train[-400:].mean()


def test_a_rhythm_is_explained_and_noise_and_a_constant_are_not():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(800, generator=generator)
    rhythm = torch.sin(2 * torch.pi * torch.arange(800.0) / PLAN.period) + 0.02 * noise
    explained = [
        ChannelNeighbors.build(x, PLAN, 100).explained
        for x in (rhythm, noise, torch.zeros(800))
    ]
    assert (explained[0] > 0.95).all()
    assert (explained[1] < 0.9).all()
    long = WindowPlan(125, 250, 4, 62)  # by chance, long ones are less alike
    assert (ChannelNeighbors.build(noise, long, 100).explained < 0.5).all()
    assert not explained[2].any()


def test_the_ends_of_new_series_are_as_rare_as_their_middle():
    series = make_series(4000, 0)
    neighbors = ChannelNeighbors.build(series[:2000], PLAN, 300)
    ends, middles = [], []
    for start in range(2000, 3940, 20):
        x = series[start : start + 60]
        evidence = neighbors.profile(x, nowhere(x)).evidence
        ends.append(evidence[:, [0, 1, 2, -3, -2, -1]])
        middles.append(evidence[:, 24:36])
    for decades, most in ((1, 0.12), (2, 0.01)):
        for part in (ends, middles):
            above = (torch.cat(part, 1) > decades).float().mean()
            assert above < most


def test_the_first_difference_of_a_series_is_no_evidence():
    series = torch.sin(torch.arange(2000.0) / 8) / 0.7
    series += 0.003 * torch.randn(2000, generator=torch.Generator().manual_seed(0))
    neighbors = ChannelNeighbors.build(series[:1200], PLAN, 300)
    first = [
        neighbors.profile(part, nowhere(part)).evidence[:, 0]
        for part in series[1200:].unfold(0, 200, 17)
    ]
    # As rare as on normal data: of what was expected of it as 0, all would be above 2.
    assert (torch.stack(first) > 2).float().mean() < 0.1
