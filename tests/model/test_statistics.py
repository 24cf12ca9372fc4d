import naive
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skcoad.model import STATISTICS, ChannelStatistics
from skcoad.model._statistics import MIN_VOLATILITY, statistics
from skcoad.preprocessing import WindowPlan

PLAN = WindowPlan(period=20, window_size=40, patch_size=4, step=20)
WIDTH = 5  # a quarter of a period


def noise(n=1000, seed=0):
    return torch.randn(n, generator=torch.Generator().manual_seed(seed))


def nowhere(x):
    return torch.zeros_like(x, dtype=torch.bool)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 60), st.floats(0, 0.9))
def test_statistics_equal_their_definitions(seed, n, fraction):
    rng = np.random.default_rng(seed)
    x, missing = rng.normal(size=n), rng.random(n) < fraction
    series = torch.tensor(x), torch.tensor(missing)
    values, observed = statistics(*series, PLAN, torch.tensor(2.0))
    difference = np.diff(x, prepend=x[:1]) / 2
    unknown = [t == 0 or missing[t] or missing[t - 1] for t in range(n)]
    level = naive.moving_average(x.tolist(), WIDTH, missing)
    power = naive.moving_average(np.square(difference).tolist(), WIDTH, unknown)
    few, no_power = (
        np.array(naive.moving_average([float(one) for one in which], WIDTH)) > 0.5
        for which in (missing, unknown)
    )
    expected = (x, level, difference, 0.5 * np.log(np.add(power, MIN_VOLATILITY**2)))
    known = (~missing, ~few, ~np.array(unknown), ~no_power)
    for row in range(len(STATISTICS)):
        np.testing.assert_array_equal(observed[row], known[row])
        kept = observed[row].numpy()
        np.testing.assert_allclose(
            values[row].numpy()[kept], np.array(expected[row])[kept], atol=1e-6
        )


@pytest.mark.parametrize(
    ("change", "loudest"),
    [
        (lambda x: x.index_fill_(0, torch.tensor([510]), 9.0), "value"),
        (lambda x: x[500:540].add_(2.5), "level"),
        (lambda x: x[500:540].fill_(0.3), "volatility"),
        (lambda x: x[500:540].mul_(4), "volatility"),
    ],
)
def test_the_statistic_that_changes_speaks_where_it_does(change, loudest):
    x = noise()
    channel = ChannelStatistics(PLAN).fit(x, nowhere(x))
    new = noise(seed=1)
    change(new)
    evidence = channel(new, nowhere(new))[STATISTICS.index(loudest)]
    assert 495 <= int(evidence.argmax()) <= 545
    assert evidence.max() > 3
    assert evidence[:400].max() < evidence.max()


def test_a_constant_channel_has_no_evidence_until_it_moves():
    x = torch.zeros(300)
    channel = ChannelStatistics(PLAN).fit(x, nowhere(x))
    assert not channel(x, nowhere(x)).any()
    x[150:] = 1.0
    assert (channel(x, nowhere(x))[:2, 160:] > 3).all()


def test_what_was_not_observed_has_no_normal_range():
    x, missing = noise(), nowhere(noise())
    missing[1::2] = True  # of two neighbouring values one is missing
    channel = ChannelStatistics(PLAN).fit(x, missing)
    evidence = channel(noise(seed=1), nowhere(x))
    assert evidence[:2].max() > 1
    assert not evidence[2:].any()
    assert not channel.normal(x, missing)[2:].any()


def test_missing_values_are_no_evidence():
    x = noise()
    channel = ChannelStatistics(PLAN).fit(x, nowhere(x))
    missing = nowhere(x)
    missing[300:400] = True
    x[300:400] = 50.0
    evidence = channel(x, missing)
    assert not evidence[:, 303:398].any()
    assert not evidence[0, 300:400].any()
    assert not evidence[2, 300:401].any()
