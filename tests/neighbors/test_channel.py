from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad.neighbors import (
    ChannelNeighbors,
    SubsequenceIndex,
    diff_missing,
    excess_distance,
    first_differences,
    impute,
    query_windows,
    retrieve,
)
from skcoad.preprocessing import WindowPlan

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
    expected = [0, *(after - before for before, after in pairwise(x))]
    np.testing.assert_array_equal(first_differences(torch.tensor(x)), expected)


@given(arrays(bool, st.integers(1, 20)))
def test_a_difference_is_missing_with_either_of_its_values(missing):
    expected = [missing[max(0, t - 1)] or missing[t] for t in range(len(missing))]
    np.testing.assert_array_equal(diff_missing(torch.tensor(missing)), expected)


@pytest.mark.parametrize("where", [nowhere, somewhere])
@pytest.mark.parametrize("n", [24, 60, 61])
def test_the_profile_is_made_of_every_index(n, where):
    series, x = make_series(300, 0), make_series(n, 1)
    missing = where(x)[None]
    neighbors = ChannelNeighbors.build(series, PLAN, max_references=100)
    profile = neighbors.profile(x, missing[0])

    one, two = (SubsequenceIndex.build(series, length, 100) for length in (12, 24))
    x = impute(one, x[None], missing, PLAN.query_stride(12))
    found = query_windows(one, x, PLAN.query_stride(12))
    torch.testing.assert_close(profile.retrieved, retrieve(one, x, found, missing)[0])
    of_two = query_windows(two, x, PLAN.query_stride(24))
    value_distances = [
        excess_distance(one, x, found, missing)[0],
        excess_distance(two, x, of_two, missing)[0],
    ]
    torch.testing.assert_close(profile.value_distance, sum(value_distances) / 2)

    scale = first_differences(series).std(correction=0)
    index = SubsequenceIndex.build(first_differences(series) / scale, 12, 100)
    x, missing = first_differences(x) / scale, diff_missing(missing)
    found = query_windows(index, x, PLAN.query_stride(12))
    expected = excess_distance(index, x, found, missing)[0]
    torch.testing.assert_close(profile.difference_distance, expected, atol=1e-4, rtol=0)


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
    index, stride = neighbors.values[0], PLAN.query_stride(12)
    imputed = impute(index, x, missing, stride, exclude_at)
    found = query_windows(index, imputed, stride, exclude_at)
    expected = retrieve(index, imputed, found, missing)
    retrieved = neighbors.retrieve(x, missing, exclude_at)
    torch.testing.assert_close(retrieved, expected)
    itself = neighbors.retrieve(x, missing)
    observed = ~missing
    error = [(y - x)[observed].abs().mean() for y in (retrieved, itself)]
    assert error[1] < 0.5 * error[0]


def test_a_tremor_is_anomalous_in_differences_and_a_flat_subsequence_in_values():
    series = make_series(600, 0)
    neighbors = ChannelNeighbors.build(series, PLAN, max_references=600)
    tremor, flat = make_series(120, 1), make_series(120, 1)
    tremor[60:72] += 0.5 * torch.tensor([1.0, -1.0]).repeat(6)
    flat[60:72] = flat[60:72].mean()
    profile = neighbors.profile(tremor, nowhere(tremor))
    assert 55 <= profile.difference_distance.argmax() <= 76
    assert profile.difference_distance.max() > 2 * profile.value_distance.max()
    profile = neighbors.profile(flat, nowhere(flat))
    assert 55 <= profile.value_distance.argmax() <= 76


def test_missing_runs_are_no_neighbours_and_have_little_weight():
    series, x = make_series(300, 0), make_series(60, 1)
    missing = nowhere(series)
    missing[100:110] = True
    interpolated = torch.where(missing, 50.0, series)
    incomplete = ChannelNeighbors.build(interpolated, PLAN, 300, missing)
    complete = ChannelNeighbors.build(series, PLAN, 300)
    indexes = [*incomplete.values, incomplete.differences]
    assert [int(index.missing.sum()) for index in indexes] == [10, 10, 11]
    # Only the baseline of the differences may differ, for their scale has seen the run.
    torch.testing.assert_close(
        incomplete.profile(x, nowhere(x)).retrieved,
        complete.profile(x, nowhere(x)).retrieved,
        atol=1.0,
        rtol=0,
    )
    run = nowhere(x)
    run[30:32] = True
    interpolated = torch.where(run, 50.0, x)
    assert complete.profile(interpolated, run).value_distance.max() < 1


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
        torch.testing.assert_close(one[far], other[far], atol=1e-4, rtol=0)
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
    # Each index has the series from its channel: it is in the state once.
    assert sum(len(tensor) == 300 for tensor in state.values() if tensor.ndim == 1) == 2
    loaded.load_state_dict(state, assign=True)
    loaded.attach()
    for one, same in zip(
        [*loaded.values, loaded.differences],
        [*neighbors.values, neighbors.differences],
        strict=True,
    ):
        assert torch.equal(one.series, same.series)
        assert torch.equal(one.missing, same.missing)
        assert torch.equal(one.incomplete, same.incomplete)
    for missing in (nowhere(x), somewhere(x)):
        profiles = loaded.profile(x, missing), neighbors.profile(x, missing)
        for one, same in zip(*profiles, strict=True):
            assert torch.equal(one, same)
