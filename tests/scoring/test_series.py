import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skcoad import _device
from skcoad.model import CoADModel, NetworkConfig, TrainingOptions
from skcoad.preprocessing import plan_windows
from skcoad.scoring import (
    ScoringOptions,
    explain_series,
    score_channels,
    score_series,
)
from skcoad.scoring._series import chunks


@given(
    st.integers(1, 2000), st.integers(1, 50), st.integers(0, 200), st.integers(1, 99)
)
def test_cores_partition_the_series_and_chunks_hold_their_halo(n, step, halo, least):
    cuts = list(chunks(n, step, halo, least))
    assert [i for _, core in cuts for i in range(n)[core]] == list(range(n))
    for chunk, core in cuts:
        assert chunk.start % step == 0
        assert chunk.start <= max(0, core.start - halo)
        assert chunk.stop >= min(n, core.stop + halo)


@pytest.fixture(scope="module")
def model(wave):
    X = wave(400, 2)
    options = TrainingOptions(max_steps=5)
    return CoADModel.fit(
        X, plan_windows(X), network=NetworkConfig(hidden_size=8), options=options
    )[0]


@pytest.mark.parametrize("aggregation", ["mean", "max"])
def test_the_score_of_a_series_aggregates_its_channels(aggregation, model, wave):
    X, options = wave(300, 2), ScoringOptions(channel_aggregation=aggregation)
    channels = np.stack(list(score_channels(model, X, options)))
    np.testing.assert_array_equal(
        score_series(model, X, options), getattr(channels, aggregation)(axis=0)
    )


def test_explanations_of_chunks_are_those_of_the_whole(model, wave, monkeypatch):
    X = wave(3000, 2)
    X[1500:1512, 0] = np.nan
    whole = explain_series(model, X, ScoringOptions())
    small = _device.CPU_CHUNKS._replace(timestamps=1)
    monkeypatch.setattr(_device, "CPU_CHUNKS", small)
    step, halo = model.config.plan.step, model.receptive_field
    assert len(list(chunks(len(X), step, halo, 1))) > 1
    in_chunks = explain_series(model, X, ScoringOptions())
    for mine, theirs in zip(in_chunks, whole, strict=True):
        for part, expected in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(part, expected, atol=5e-3)


@given(st.integers(0, 2**32 - 1))
def test_values_beyond_the_receptive_field_have_no_influence(seed):
    rng = np.random.default_rng(seed)
    train, X = rng.normal(size=(2, 300, 1))
    plan = plan_windows(train, period=8)
    model, _ = CoADModel.fit(train, plan, network=None)
    changed = X.copy()
    at = int(rng.integers(300))
    changed[at] += 5
    before, after = (model.components(x, 0) for x in (X, changed))
    far = np.abs(np.arange(300) - at) > model.receptive_field
    assert far.any()
    for mine, theirs in zip(before, after, strict=True):
        np.testing.assert_allclose(mine[far], theirs[far], atol=1e-5)


def test_a_model_can_be_moved_and_scores_the_same(model, wave):
    X = wave(300, 2)
    before = score_series(model, X, ScoringOptions())
    assert model.to(torch.device("cpu")).device == torch.device("cpu")
    np.testing.assert_array_equal(score_series(model, X, ScoringOptions()), before)
