"""Joint training of classifier and reconstructor."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from skcoad.model._distortions import distort
from skcoad.model._network import CoADNetwork, CoADOutput
from skcoad.neighbors._channel import ChannelReference
from skcoad.preprocessing._plan import WindowPlan

__all__ = ["TrainingRecord", "joint_loss", "train"]

POSITIVE_WEIGHT = 2.0  # of distorted patches, which are the fewer
WARM_UP = 0.05  # share of the training in which the learning rate rises
MAX_GRADIENT_NORM = 1.0
RECORD_EVERY = 20  # steps; also the least after which an interrupted fit is kept


class TrainingRecord(NamedTuple):
    """What happened in training.

    Attributes
    ----------
    n_steps : int
        Steps done.
    loss_curve : list of float
        Mean loss of every 20 steps.
    """

    n_steps: int
    loss_curve: list[float]


def joint_loss(
    output: CoADOutput,
    normal: Tensor,
    changed: Tensor,
    missing: Tensor,
    loss_weight: float,
) -> Tensor:
    """Loss of classifier and reconstructor together (Eq. 10).

    Parameters
    ----------
    output : CoADOutput
        For distorted windows.
    normal : Tensor of shape (B, T)
        The windows before they were distorted.
    changed : Tensor of shape (B, T)
        Which points were distorted, bool.
    missing : Tensor of shape (B, T)
        Which points are missing, bool; there is nothing to compare them with.
    loss_weight : float
        Weight of the reconstruction, lambda.

    Returns
    -------
    Tensor of shape ()
        Mean of the cross entropies of A and A_r, plus `loss_weight` times the squared
        error, half of it from distorted and half from untouched points.
    """
    label = changed.view(*output.direct.shape, -1).any(-1).to(normal)
    weight = 1 + (POSITIVE_WEIGHT - 1) * label
    cross_entropy = (
        F.binary_cross_entropy(output.direct, label, weight)
        + F.binary_cross_entropy(output.residual, label, weight)
    ) / 2
    squared = (output.reconstruction - normal).square()
    inside, outside = changed & ~missing, ~changed & ~missing
    error = (
        (squared * inside).sum() / (inside.sum() + 1)
        + (squared * outside).sum() / (outside.sum() + 1)
    ) / 2
    return cross_entropy + loss_weight * error


class Batch(NamedTuple):
    """Windows to train on, each of shape (B, T).

    Attributes
    ----------
    normal, distorted : Tensor
        The windows before and after distortion.
    changed, missing : Tensor
        Which points were distorted, and which are missing, bool.
    counterpart : Tensor or None
        What the references make of the distorted windows.
    """

    normal: Tensor
    distorted: Tensor
    changed: Tensor
    missing: Tensor
    counterpart: Tensor | None


def draw_batch(
    channels: Sequence[Tensor],
    missing: Sequence[Tensor],
    references: Sequence[ChannelReference] | None,
    plan: WindowPlan,
    distortions: Sequence[str],
    distortion_lengths: tuple[float, float],
    batch_size: int,
    generator: torch.Generator,
) -> Batch:
    """Draw windows of one channel at random places, and distort them.

    Parameters are those of :func:`train`.
    """
    channel = int(torch.randint(len(channels), (), generator=generator))
    n_positions = len(channels[channel]) - plan.window_size + 1
    position = torch.randint(n_positions, (batch_size,), generator=generator)
    position = position.to(channels[channel].device)
    normal = channels[channel].unfold(0, plan.window_size, 1)[position]
    gaps = missing[channel].unfold(0, plan.window_size, 1)[position]
    distorted, changed = distort(
        normal, plan.period, distortions, distortion_lengths, generator
    )
    counterpart = None
    if references is not None:
        counterpart = references[channel].counterpart(distorted, gaps, position)
    return Batch(normal, distorted, changed, gaps, counterpart)


def train(
    network: CoADNetwork,
    channels: Sequence[Tensor],
    missing: Sequence[Tensor],
    references: Sequence[ChannelReference] | None,
    plan: WindowPlan,
    *,
    distortions: Sequence[str],
    distortion_lengths: tuple[float, float],
    loss_weight: float,
    lr: float,
    batch_size: int,
    max_steps: int,
    max_seconds: float | None,
    generator: torch.Generator,
    on_step: Callable[[float], object],
) -> TrainingRecord:
    """Train the network on random windows of a series, in place.

    Each step takes windows of one channel at random places, so what training costs
    does not depend on the length of the series.

    Parameters
    ----------
    network : CoADNetwork
        Initialised, on the device of the channels.
    channels : sequence of Tensor of shape (n_timestamps,)
        The scaled training series, its gaps bridged.
    missing : sequence of Tensor of shape (n_timestamps,)
        Which of its values are missing, bool.
    references : sequence of ChannelReference or None
        One for each channel, for a network with reference.
    plan : WindowPlan
        Sizes.
    distortions, distortion_lengths : sequence of str, (float, float)
        As in :func:`skcoad.model.distort`.
    loss_weight, lr : float
        Lambda of Eq. 10, and the highest learning rate of the schedule (a short
        warm-up, then a half cosine down to zero).
    batch_size, max_steps : int
        Windows in a step, and steps.
    max_seconds : float or None
        Stop, and finish the schedule, within this time; kept to within a step.
    generator : torch.Generator
        On the CPU; the source of all randomness.
    on_step : callable
        Called with the loss after each step.

    Returns
    -------
    TrainingRecord

    Raises
    ------
    FloatingPointError
        If the output of the network becomes infinite or NaN.
    KeyboardInterrupt
        If interrupted before 20 steps were done; later, an interrupt ends the
        training with a warning and what was learned stays.
    """
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=lr, weight_decay=1e-3, fused=True
    )
    started = time.monotonic()
    losses: list[float] = []
    network.train()
    try:
        while len(losses) < max_steps:
            progress = len(losses) / max_steps
            if max_seconds is not None:
                spent = (time.monotonic() - started) / max_seconds
                progress = min(1.0, max(progress, spent))
                if progress == 1 and losses:
                    break
            for group in optimizer.param_groups:
                group["lr"] = lr * _schedule(progress)
            batch = draw_batch(
                channels,
                missing,
                references,
                plan,
                distortions,
                distortion_lengths,
                batch_size,
                generator,
            )
            pattern = None
            if network.masking == "random":
                n_patches = plan.window_size // plan.patch_size
                pattern = torch.randperm(n_patches, generator=generator) % 2
            output = network(batch.distorted, batch.counterpart, batch.missing, pattern)
            # Checked before the loss, which refuses what is no probability.
            if not torch.isfinite(
                output.probability.sum() + output.reconstruction.sum()
            ):
                raise FloatingPointError(
                    f"training diverged in step {len(losses) + 1}; a smaller lr than "
                    f"{lr} usually helps"
                )
            loss = joint_loss(
                output, batch.normal, batch.changed, batch.missing, loss_weight
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT_NORM)
            optimizer.step()
            losses.append(loss.item())
            on_step(losses[-1])
    except KeyboardInterrupt:
        if len(losses) < RECORD_EVERY:
            raise
        warnings.warn(
            f"training was interrupted after {len(losses)} of {max_steps} steps; the "
            "detector is usable but less accurate",
            stacklevel=3,
        )
    network.eval()
    blocks = [losses[i : i + RECORD_EVERY] for i in range(0, len(losses), RECORD_EVERY)]
    return TrainingRecord(len(losses), [sum(b) / len(b) for b in blocks])


def _schedule(progress: float) -> float:
    """Share of the highest learning rate at some point of the training."""
    warm = min(1.0, 0.02 + progress / WARM_UP)
    return warm * (1 + math.cos(math.pi * progress)) / 2
