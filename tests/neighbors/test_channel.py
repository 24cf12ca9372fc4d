from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad.neighbors._channel import ChannelReference, changes, missing_changes
from skcoad.neighbors._index import ReferencePool
from skcoad.preprocessing._plan import WindowPlan

PLAN = WindowPlan(period=12, window_size=24, patch_size=4, step=12)


def make_series(n, seed):
    """A wave that is never twice the same, of mean 0 and deviation 1."""
    rng = np.random.default_rng(seed)
    x = np.sin(2 * np.pi * np.arange(n) / 12) + 0.2 * rng.normal(size=n)
    return torch.tensor((x - x.mean()) / x.std(), dtype=torch.float32)


def nowhere(x):
    return torch.zeros_like(x, dtype=torch.bool)


floats = st.floats(-100, 100, width=32)


@given(arrays(np.float32, st.integers(1, 20), elements=floats))
def test_changes_are_differences_to_the_value_before(x):
    expected = [0, *(after - before for before, after in pairwise(x))]
    np.testing.assert_array_equal(changes(torch.tensor(x)), expected)


@given(arrays(bool, st.integers(1, 20)))
def test_a_change_is_missing_with_either_of_its_values(missing):
    expected = [missing[max(0, t - 1)] or missing[t] for t in range(len(missing))]
    np.testing.assert_array_equal(missing_changes(torch.tensor(missing)), expected)


def some(x):
    missing = nowhere(x)
    missing[[3, 4, 5, 6, 15, 20]] = True
    return missing


@pytest.mark.parametrize("gaps", [nowhere, some])
@pytest.mark.parametrize("n", [24, 60, 61])
def test_a_series_is_compared_with_every_pool(n, gaps):
    series, x = make_series(300, 0), make_series(n, 1)
    missing = gaps(x)[None]
    reference = ChannelReference.build(series, PLAN, size=100)
    compared = reference.compare(x, missing[0])

    one, two = (ReferencePool.build(series, length, 100) for length in (12, 24))
    x = one.fill(x[None], missing, PLAN.hop(12))
    found = one.find(x, PLAN.hop(12))
    torch.testing.assert_close(
        compared.counterpart, one.counterpart(x, found, missing)[0]
    )
    in_values = [
        one.excess(x, found, missing)[0],
        two.excess(x, two.find(x, PLAN.hop(24)), missing)[0],
    ]
    torch.testing.assert_close(compared.value_excess, sum(in_values) / 2)

    scale = changes(series).std(correction=0)
    pool = ReferencePool.build(changes(series) / scale, 12, 100)
    x, missing = changes(x) / scale, missing_changes(missing)
    in_changes = pool.excess(x, pool.find(x, PLAN.hop(12)), missing)[0]
    torch.testing.assert_close(compared.change_excess, in_changes, atol=1e-4, rtol=0)


@pytest.mark.parametrize("gaps", [nowhere, some])
def test_training_windows_have_the_counterpart_that_scoring_finds(gaps):
    series = make_series(300, 0)
    reference = ChannelReference.build(series, PLAN, size=300)
    x = make_series(24, 1)
    counterpart = reference.counterpart(x[None], gaps(x)[None])
    torch.testing.assert_close(counterpart[0], reference.compare(x, gaps(x))[0])


@pytest.mark.parametrize("gaps", [nowhere, some])
def test_training_windows_are_not_their_own_counterpart(gaps):
    series = make_series(300, 0)
    reference = ChannelReference.build(series, PLAN, size=300)
    position = torch.tensor([0, 100, 276])
    x = series.unfold(0, 24, 1)[position] + 0.02 * make_series(72, 1).view(3, 24)
    missing = gaps(x[0]).expand_as(x)
    pool, hop = reference.values[0], PLAN.hop(12)
    filled = pool.fill(x, missing, hop, position)
    expected = pool.counterpart(filled, pool.find(filled, hop, position), missing)
    found = reference.counterpart(x, missing, position)
    torch.testing.assert_close(found, expected)
    found_itself = reference.counterpart(x, missing)
    known = ~missing
    error = [(y - x)[known].abs().mean() for y in (found, found_itself)]
    assert error[1] < 0.5 * error[0]


def test_a_tremor_is_strange_in_changes_and_a_lull_in_values():
    series = make_series(600, 0)
    reference = ChannelReference.build(series, PLAN, size=600)
    tremor, lull = make_series(120, 1), make_series(120, 1)
    tremor[60:72] += 0.5 * torch.tensor([1.0, -1.0]).repeat(6)
    lull[60:72] = lull[60:72].mean()
    by_value, by_change = reference.compare(tremor, nowhere(tremor))[1:]
    assert 55 <= by_change.argmax() <= 76
    assert by_change.max() > 2 * by_value.max()
    by_value, _ = reference.compare(lull, nowhere(lull))[1:]
    assert 55 <= by_value.argmax() <= 76


def test_gaps_are_no_reference_and_have_little_say():
    series, x = make_series(300, 0), make_series(60, 1)
    missing = nowhere(series)
    missing[100:110] = True
    broken = torch.where(missing, 50.0, series)
    reference = ChannelReference.build(broken, PLAN, 300, missing)
    whole = ChannelReference.build(series, PLAN, 300)
    assert [int(pool.missing.sum()) for pool in reference.pools] == [10, 10, 11]
    # Only what is usual for the changes may differ, for their scale has seen the gap.
    torch.testing.assert_close(
        reference.compare(x, nowhere(x)).counterpart,
        whole.compare(x, nowhere(x)).counterpart,
        atol=1.0,
        rtol=0,
    )
    gap = nowhere(x)
    gap[30:32] = True
    bridged = torch.where(gap, 50.0, x)
    excess = whole.compare(bridged, gap).value_excess
    assert excess.max() < 1


def test_rounding_is_no_change_that_others_are_measured_by():
    jitter = torch.where(torch.arange(400) % 3 == 0, 1e-7, 0.0)
    reference = ChannelReference.build(jitter, PLAN, size=100)
    assert reference.change_scale == 1
    x = torch.cat([jitter[:100], jitter[:100] + 1e4])
    for part in reference.compare(x, nowhere(x)):
        assert torch.isfinite(part).all()


def test_a_constant_series_has_no_changes_and_divides_by_nothing():
    constant = torch.zeros(100)
    reference = ChannelReference.build(constant, PLAN, size=50)
    assert reference.change_scale == 1
    for part in reference.compare(constant, nowhere(constant)):
        assert not part.any()
