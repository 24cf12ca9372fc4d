import warnings

import numpy as np
import pytest
import torch
from conftest import make_wave
from hypothesis import given
from hypothesis import strategies as st
from naive import joint_loss as naive_joint_loss

from skcoad.model import _training as training
from skcoad.model._distortions import PAPER_DISTORTIONS
from skcoad.model._network import CoADNetwork, CoADOutput, initialise
from skcoad.model._training import joint_loss, train
from skcoad.neighbors._channel import ChannelReference
from skcoad.preprocessing._plan import WindowPlan

PLAN = WindowPlan(period=24, window_size=48, patch_size=4, step=12)


def run(
    series=None,
    *,
    missing=None,
    masking="soft",
    with_reference=False,
    on_step=None,
    **parameters,
):
    """Train a small network; returns it with the record."""
    if series is None:
        series = [torch.tensor(make_wave()[:, 0], dtype=torch.float32)]
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):  # as the detector does: no global generator is used
        network = CoADNetwork(
            4, 8, 2, "conv", "both", "max", masking, with_reference=with_reference
        )
    network = network.to_empty(device="cpu")
    initialise(network, generator)
    settings = {
        "distortions": PAPER_DISTORTIONS,
        "distortion_lengths": (0.1, 1.0),
        "loss_weight": 1.0,
        "lr": 2e-3,
        "batch_size": 8,
        "max_steps": 5,
        "max_seconds": None,
    }
    references = None
    if with_reference:
        references = [ChannelReference.build(x, PLAN, 100) for x in series]
    record = train(
        network,
        series,
        missing or [torch.zeros_like(x, dtype=torch.bool) for x in series],
        references,
        PLAN,
        generator=generator,
        on_step=on_step or (lambda loss: None),
        **(settings | parameters),
    )
    return network, record


shares = st.sampled_from([0.0, 0.1, 0.6, 1.0])


@given(st.integers(0, 2**32 - 1), st.floats(0, 20), shares, shares)
def test_joint_loss_equals_the_twin(seed, loss_weight, share, gaps):
    rng = np.random.default_rng(seed)
    direct, residual = rng.uniform(0.01, 0.99, (2, 3, 4))
    reconstruction, normal = rng.normal(size=(2, 3, 12))
    changed, missing = rng.random((2, 3, 12)) < np.array([share, gaps])[:, None, None]
    output = CoADOutput(*map(torch.tensor, (direct, residual, direct, reconstruction)))
    loss = joint_loss(
        output,
        torch.tensor(normal),
        torch.tensor(changed),
        torch.tensor(missing),
        loss_weight,
    )
    expected = naive_joint_loss(
        direct, residual, reconstruction, normal, changed, missing, loss_weight
    )
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_the_perfect_answer_has_no_loss():
    changed = torch.zeros(2, 12, dtype=torch.bool)
    changed[0, 3:5] = True  # touches two patches of four points
    label = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    normal = torch.randn(2, 12)
    output = CoADOutput(label, label, label, normal)
    nowhere = torch.zeros_like(changed)
    assert joint_loss(output, normal, changed, nowhere, 10.0).item() == 0


def test_training_lowers_the_loss():
    _, record = run(max_steps=80)
    assert record.n_steps == 80
    assert len(record.loss_curve) == 4
    assert record.loss_curve[-1] < 0.9 * record.loss_curve[0]


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


def test_loss_curve_is_the_mean_of_blocks_and_the_callback_sees_each_step():
    losses = []
    _, record = run(max_steps=45, on_step=losses.append)
    assert len(losses) == 45
    blocks = [losses[:20], losses[20:40], losses[40:]]
    assert record.loss_curve == pytest.approx([np.mean(block) for block in blocks])


def test_all_channels_are_learnt_from(monkeypatch):
    levels = set()

    def spy(windows, *args, **kwargs):
        levels.add(round(windows.mean().item()))
        return distort(windows, *args, **kwargs)

    distort = training.distort
    monkeypatch.setattr(training, "distort", spy)
    wave = torch.tensor(make_wave()[:, 0], dtype=torch.float32)
    run([wave, wave + 10, wave + 20], max_steps=30)
    assert levels == {0, 10, 20}


def test_windows_are_taken_from_the_whole_series(monkeypatch):
    seen = set()

    def spy(windows, *args, **kwargs):
        seen.update(windows.flatten().round().int().tolist())
        return distort(windows, *args, **kwargs)

    distort = training.distort
    monkeypatch.setattr(training, "distort", spy)
    series = torch.arange(60.0)
    run([series], max_steps=30, loss_weight=0.0)
    assert seen == set(range(60))


def test_a_series_of_one_window_is_enough():
    _, record = run([torch.sin(torch.arange(48.0))])
    assert np.isfinite(record.loss_curve).all()


def test_the_time_limit_ends_training(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(training.time, "monotonic", lambda: next(clock))
    _, record = run(max_steps=500, max_seconds=10.5)
    assert record.n_steps == 10


def test_at_least_one_step_is_done_however_short_the_time():
    _, record = run(max_seconds=1e-9)
    assert record.n_steps >= 1
    assert len(record.loss_curve) >= 1


def test_a_loss_that_diverges_is_an_error_with_advice():
    with pytest.raises(FloatingPointError, match=r"step 1; a smaller lr than 0\.5"):
        run([torch.full((100,), torch.nan)], lr=0.5)


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


def test_a_later_interrupt_keeps_what_was_learned_and_warns(monkeypatch):
    interrupt_at(monkeypatch, 21)
    with pytest.warns(UserWarning, match="interrupted after 20 of 50 steps"):
        network, record = run(max_steps=50)
    assert record.n_steps == 20
    assert not network.training


def test_training_itself_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(max_steps=25)


def test_the_learning_rate_rises_and_then_falls_to_zero():
    schedule = [training._schedule(p) for p in np.linspace(0, 1, 101)]
    peak = int(np.argmax(schedule))
    assert 0 < schedule[0] < 0.1
    assert 3 <= peak <= 8
    assert (np.diff(schedule[: peak + 1]) > 0).all()
    assert (np.diff(schedule[peak:]) < 0).all()
    assert schedule[-1] == pytest.approx(0, abs=1e-12)
    assert max(schedule) <= 1
