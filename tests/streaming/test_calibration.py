"""Rarity of few values in numpy is that of torch."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skcoad.calibration import TailCalibration
from skcoad.streaming._calibration import Rarity

# Few different values: quantiles tie, in the middle and at the last of them.
numbers = st.one_of(
    st.sampled_from([0.0, 0.25, 1.0, 3.0]),
    st.floats(-100, 1e6, width=32, allow_subnormal=False),
)


@settings(deadline=None)
@given(
    hnp.arrays(np.float32, (2, 60), elements=numbers),
    hnp.arrays(np.float32, (2, 9), elements=numbers),
    st.booleans(),
)
def test_rarity_is_that_of_the_calibration(normal, evidence, extrapolate):
    calibration = TailCalibration(2, extrapolate).fit(torch.from_numpy(normal))
    # Also what is itself a quantile, and what is among the highest normal values.
    evidence = np.concatenate([evidence, normal[:, :5], np.sort(normal)[:, -5:]], 1)
    expected = calibration(torch.from_numpy(evidence)).numpy()
    found = Rarity([calibration])(evidence.astype(float))
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


def test_where_the_highest_quantiles_tie_the_tail_begins_at_its_own_fraction():
    normal = torch.cat([torch.arange(90.0), torch.full((10,), 100.0)])[None]
    calibration = TailCalibration(1).fit(normal)
    evidence = np.array([[100.0, 100.1, 101.0]])
    expected = calibration(torch.from_numpy(evidence).float()).numpy()
    np.testing.assert_allclose(Rarity([calibration])(evidence), expected, rtol=1e-4)


def test_kinds_of_several_calibrations_follow_each_other():
    generator = torch.Generator().manual_seed(0)
    parts = [
        TailCalibration(n).fit(torch.randn(n, 500, generator=generator)) for n in (2, 1)
    ]
    evidence = torch.randn(3, 40, generator=generator) * 3
    expected = torch.cat([parts[0](evidence[:2]), parts[1](evidence[2:])]).numpy()
    found = Rarity(parts)(evidence.double().numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
