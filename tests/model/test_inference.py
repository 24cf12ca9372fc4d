import naive
import numpy as np
import pytest
import torch

from skcoad import _device
from skcoad._rolling import WINDOW_POWER
from skcoad.model import CoADNetwork, initialise, score_components
from skcoad.neighbors import ChannelNeighbors
from skcoad.preprocessing import WindowPlan

PLAN = WindowPlan(period=12, window_size=24, patch_size=4, step=7)


def make_network(with_reference=False, masking="soft"):
    network = CoADNetwork(4, 8, 2, "conv", "both", "max", masking, with_reference)
    initialise(network, torch.Generator().manual_seed(0))
    return network.eval()


def in_chunks(monkeypatch, n_points):
    """Have the network see so many points at once."""
    chunks = _device.CPU_CHUNKS._replace(points=n_points)
    monkeypatch.setattr(_device, "CPU_CHUNKS", chunks)


def make_series(n):
    return torch.randn(n, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("n", [24, 25, 31, 38, 61])
@pytest.mark.parametrize("aggregation", ["mean", "max"])
@pytest.mark.parametrize("with_reference", [False, True])
@pytest.mark.parametrize("step", [1, 7, 24])
def test_components_equal_the_reference_implementation(
    n, aggregation, with_reference, step, monkeypatch
):
    plan = PLAN._replace(step=step)
    network, x = make_network(with_reference), make_series(n)
    nowhere = torch.zeros(n, dtype=torch.bool)
    retrieved = None
    if with_reference:
        neighbors = ChannelNeighbors.build(make_series(200), plan, 200)
        retrieved = neighbors.profile(x, nowhere).retrieved
    in_chunks(monkeypatch, 3 * 24)
    parts = score_components(network, x, nowhere, retrieved, plan, aggregation)
    assert parts.shape == (4, n)
    assert parts.isfinite().all()
    starts = naive.window_starts(n, 24, step)
    probability, error = naive.score_components(
        network, x, retrieved, starts, 24, 4, aggregation
    )
    np.testing.assert_allclose(parts[0], probability, atol=1e-5)
    np.testing.assert_allclose(parts[3], error, atol=1e-5)


@pytest.mark.parametrize("masking", ["soft", "hard", "random", "grating"])
def test_batches_of_any_size_give_the_same_components(masking, monkeypatch):
    network, x = make_network(masking=masking), make_series(100)
    nowhere = torch.zeros(100, dtype=torch.bool)
    whole = score_components(network, x, nowhere, None, PLAN, "mean")
    for n_points in (1, 50, 130):
        in_chunks(monkeypatch, n_points)
        in_parts = score_components(network, x, nowhere, None, PLAN, "mean")
        np.testing.assert_allclose(in_parts, whole, atol=1e-5)


@pytest.mark.parametrize("aggregation", ["mean", "max"])
def test_missing_values_have_no_error_and_lower_the_weight_of_their_windows(
    aggregation,
):
    network, x = make_network(), make_series(61)
    missing = torch.zeros(61, dtype=torch.bool)
    missing[5:7] = True
    missing[28:50] = True
    parts = score_components(network, x, missing, None, PLAN, aggregation)
    collected = [
        [] for _ in range(61)
    ]  # probability, mask, reconstruction, error, weight
    for start in naive.window_starts(61, 24, 7):
        window, gaps = x[start : start + 24], missing[start : start + 24]
        output = network(window[None], None, gaps[None])
        observed = 1 - gaps.sum().item() / 24
        for offset in range(24):
            value = output.reconstruction[0, offset].item()
            error = 0 if gaps[offset] else abs(value - window[offset].item())
            a = output.probability[0, offset // 4].item()
            mask = output.mask[0, offset // 4].item()
            weight = max(observed**WINDOW_POWER, 1e-6)
            collected[start + offset].append((a, mask, value, error, weight))
    for t, rows in enumerate(collected):
        *columns, weights = zip(*rows, strict=True)
        expected = [np.average(column, weights=weights) for column in columns]
        if aggregation == "max":
            expected[0], expected[3] = max(columns[0]), max(columns[3])
        np.testing.assert_allclose(parts[:, t], expected, atol=1e-4)


def test_without_a_network_the_reconstruction_is_retrieved():
    x, nowhere = make_series(61), torch.zeros(61, dtype=torch.bool)
    missing = nowhere.clone()
    missing[20:23] = True
    neighbors = ChannelNeighbors.build(make_series(200), PLAN, 200)
    retrieved = neighbors.profile(x, missing).retrieved
    probability, mask, reconstruction, error = score_components(
        None, x, missing, retrieved, PLAN, "mean"
    )
    np.testing.assert_array_equal(reconstruction, retrieved)
    np.testing.assert_allclose(error, np.where(missing, 0, (retrieved - x).abs()))
    assert not probability.any()
    assert not mask.any()


def test_a_network_that_is_not_finite_is_an_error():
    network, x = make_network(), make_series(61)
    with torch.no_grad():
        network.to_points.bias.fill_(torch.nan)
    nowhere = torch.zeros(61, dtype=torch.bool)
    with pytest.raises(FloatingPointError, match="smaller lr"):
        score_components(network, x, nowhere, None, PLAN, "mean")
