import warnings

import numpy as np
import pytest
import torch
from conftest import make_wave
from hypothesis import given
from hypothesis import strategies as st
from naive import joint_loss as naive_joint_loss

from skcoad.model import (
    Callback,
    CoADNetwork,
    CoADOutput,
    TrainingData,
    TrainingOptions,
    initialise,
    joint_loss,
    sample_batch,
    train,
    warmup_cosine,
)
from skcoad.model import _training as training
from skcoad.neighbors import ChannelNeighbors
from skcoad.preprocessing import WindowPlan

PLAN = WindowPlan(period=24, window_size=48, patch_size=4, step=12)


def run(
    series=None,
    *,
    masking="soft",
    with_reference=False,
    sample=sample_batch,
    callbacks=(),
    schedule=warmup_cosine,
    **options,
):
    """Train a small network; returns it with the history."""
    if series is None:
        series = [torch.tensor(make_wave()[:, 0], dtype=torch.float32)]
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):  # as the model does: no global generator is used
        network = CoADNetwork(
            4, 8, 2, "conv", "both", "max", masking, with_reference=with_reference
        )
    network = network.to_empty(device="cpu")
    initialise(network, generator)
    missing = [torch.zeros_like(x, dtype=torch.bool) for x in series]
    neighbors = None
    if with_reference:
        neighbors = [ChannelNeighbors.build(x, PLAN, 100) for x in series]
    history = train(
        network,
        TrainingData(PLAN, series, missing, neighbors),
        TrainingOptions(**({"batch_size": 8, "max_steps": 5} | options)),
        generator,
        sample=sample,
        schedule=schedule,
        callbacks=callbacks,
    )
    return network, history


shares = st.sampled_from([0.0, 0.1, 0.6, 1.0])


@given(st.integers(0, 2**32 - 1), st.floats(0, 20), shares, shares)
def test_joint_loss_equals_the_reference_implementation(seed, loss_weight, share, gaps):
    rng = np.random.default_rng(seed)
    direct, residual = rng.uniform(0.01, 0.99, (2, 3, 4))
    reconstruction, normal = rng.normal(size=(2, 3, 12))
    distorted, missing = rng.random((2, 3, 12)) < np.array([share, gaps])[:, None, None]
    output = CoADOutput(*map(torch.tensor, (direct, residual, direct, reconstruction)))
    loss = joint_loss(
        output,
        torch.tensor(normal),
        torch.tensor(distorted),
        torch.tensor(missing),
        loss_weight,
    )
    expected = naive_joint_loss(
        direct, residual, reconstruction, normal, distorted, missing, loss_weight
    )
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_the_perfect_answer_has_no_loss():
    distorted = torch.zeros(2, 12, dtype=torch.bool)
    distorted[0, 3:5] = True  # touches two patches of four points
    label = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    normal = torch.randn(2, 12)
    output = CoADOutput(label, label, label, normal)
    nowhere = torch.zeros_like(distorted)
    assert joint_loss(output, normal, distorted, nowhere, 10.0).item() == 0


def test_training_lowers_the_loss():
    _, history = run(max_steps=80)
    assert history.n_steps == 80
    assert len(history.loss_curve) == 4
    assert history.loss_curve[-1] < 0.9 * history.loss_curve[0]


@pytest.mark.parametrize("masking", ["soft", "hard", "random", "grating"])
@pytest.mark.parametrize("with_reference", [False, True])
def test_the_generator_is_the_only_source_of_randomness(masking, with_reference):
    state = torch.random.get_rng_state()
    one, first = run(masking=masking, with_reference=with_reference)
    other, second = run(masking=masking, with_reference=with_reference)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first == second
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_network_is_left_ready_for_scoring_without_dangling_state():
    network, _ = run()
    assert not network.training


class Losses(Callback):
    """Keep what a callback is told."""

    def __init__(self):
        self.calls, self.losses = [], []

    def on_train_begin(self, network):
        assert network.training
        self.calls.append("begin")

    def on_batch_end(self, network, n_steps, loss):
        assert n_steps == len(self.losses) + 1
        self.losses.append(loss.item())

    def on_train_end(self, network, history):
        assert history.n_steps == len(self.losses)
        self.calls.append("end")


def test_loss_curve_is_the_mean_of_blocks_and_a_callback_sees_each_step():
    record = Losses()
    _, history = run(max_steps=45, callbacks=[record])
    losses = record.losses
    assert record.calls == ["begin", "end"]
    assert len(losses) == 45
    blocks = [losses[:20], losses[20:40], losses[40:]]
    assert history.loss_curve == pytest.approx([np.mean(block) for block in blocks])


def test_batches_and_learning_rates_come_from_the_arguments():
    batches, progress = [], []

    def sample(data, options, generator):
        batches.append(sample_batch(data, options, generator))
        return batches[-1]

    def schedule(fraction):
        progress.append(fraction)
        return 0.0

    network, _ = run(max_steps=4, sample=sample, schedule=schedule)
    assert [len(batch.normal) for batch in batches] == [8] * 4
    assert progress == [0, 0.25, 0.5, 0.75]
    other, _ = run(max_steps=1, schedule=schedule)
    for mine, theirs in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)  # nothing is learned at a rate of zero


def test_windows_are_drawn_from_all_channels(monkeypatch):
    levels = set()

    def spy(windows, *args, **kwargs):
        levels.add(round(windows.mean().item()))
        return distort(windows, *args, **kwargs)

    distort = training.distort
    monkeypatch.setattr(training, "distort", spy)
    wave = torch.tensor(make_wave()[:, 0], dtype=torch.float32)
    run([wave, wave + 10, wave + 20], max_steps=30)
    assert levels == {0, 10, 20}


def test_windows_are_drawn_from_the_whole_series(monkeypatch):
    seen = set()

    def spy(windows, *args, **kwargs):
        seen.update(windows.flatten().round().int().tolist())
        return distort(windows, *args, **kwargs)

    distort = training.distort
    monkeypatch.setattr(training, "distort", spy)
    series = torch.arange(60.0)
    run([series], max_steps=30, loss_weight=0.0)
    assert seen == set(range(60))


@pytest.mark.parametrize("with_reference", [False, True])
def test_a_distortion_that_the_network_does_not_see_is_none(with_reference):
    x = torch.tensor(make_wave()[:, 0], dtype=torch.float32)
    missing = (torch.arange(len(x)) % 100) < 40
    neighbors = [ChannelNeighbors.build(x, PLAN, 100, missing)]
    data = TrainingData(PLAN, [x], [missing], neighbors if with_reference else None)
    options = TrainingOptions(batch_size=64)
    batch = sample_batch(data, options, torch.Generator().manual_seed(0))
    assert batch.distortion_mask.any(1).float().mean() > 0.5
    hidden = (batch.distortion_mask & batch.missing).any()
    assert bool(hidden) == (not with_reference)  # it sees interpolated values then


def test_a_series_of_one_window_is_enough():
    _, history = run([torch.sin(torch.arange(48.0))])
    assert np.isfinite(history.loss_curve).all()


def test_the_time_limit_ends_training(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(training.time, "monotonic", lambda: next(clock))
    _, history = run(max_steps=500, max_seconds=10.5)
    assert history.n_steps == 10


def test_at_least_one_step_is_done_however_short_the_time():
    _, history = run(max_seconds=1e-9)
    assert history.n_steps >= 1
    assert len(history.loss_curve) >= 1


@pytest.mark.parametrize("max_steps", [5, 20, 30])
def test_a_loss_that_diverges_is_an_error_with_advice(max_steps):
    with pytest.raises(FloatingPointError, match=r"step 1; a smaller lr than 0\.5"):
        run([torch.full((100,), torch.nan)], lr=0.5, max_steps=max_steps)


def test_the_step_that_diverged_is_named():
    n_drawn = 0

    def sample(data, options, generator):
        nonlocal n_drawn
        n_drawn += 1
        batch = sample_batch(data, options, generator)
        if n_drawn == 23:
            batch = batch._replace(distorted=batch.distorted * torch.nan)
        return batch

    with pytest.raises(FloatingPointError, match="step 23;"):
        run(max_steps=50, sample=sample)


def interrupt_at(monkeypatch, step):
    calls = []

    def interrupted(*args, **kwargs):
        calls.append(1)
        if len(calls) == step:
            raise KeyboardInterrupt
        return distort(*args, **kwargs)

    distort = training.distort
    monkeypatch.setattr(training, "distort", interrupted)


def test_an_early_interrupt_is_passed_on(monkeypatch):
    interrupt_at(monkeypatch, 20)
    with pytest.raises(KeyboardInterrupt):
        run(max_steps=50)


def test_a_later_interrupt_keeps_the_weights_and_warns(monkeypatch):
    interrupt_at(monkeypatch, 21)
    with pytest.warns(UserWarning, match="interrupted after 20 of 50 steps"):
        network, history = run(max_steps=50)
    assert history.n_steps == 20
    assert not network.training


def test_training_itself_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(max_steps=25)


def test_the_learning_rate_rises_and_then_falls_to_zero():
    schedule = [warmup_cosine(p) for p in np.linspace(0, 1, 101)]
    peak = int(np.argmax(schedule))
    assert 0 < schedule[0] < 0.1
    assert 3 <= peak <= 8
    assert (np.diff(schedule[: peak + 1]) > 0).all()
    assert (np.diff(schedule[peak:]) < 0).all()
    assert schedule[-1] == pytest.approx(0, abs=1e-12)
    assert max(schedule) <= 1
