"""Joint training of classifier and reconstructor.

One loop, :func:`train`, of one kind of step, :func:`train_step`. What a study might do
otherwise is an argument: the batches, the learning rate schedule, the callbacks.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad._threads import one_thread
from skcoad._warnings import warn_user
from skcoad.model._distortions import PAPER_DISTORTIONS, distort
from skcoad.model._network import CoADNetwork, CoADOutput
from skcoad.neighbors import ChannelNeighbors
from skcoad.preprocessing import WindowPlan

__all__ = [
    "RECORD_EVERY",
    "Batch",
    "Callback",
    "History",
    "InterruptedFitWarning",
    "TrainingData",
    "TrainingOptions",
    "joint_loss",
    "sample_batch",
    "train",
    "train_step",
    "warmup_cosine",
]

POSITIVE_WEIGHT = 2.0  # of distorted patches, the minority
WARM_UP = 0.05  # fraction of the training in which the learning rate rises
MAX_GRADIENT_NORM = 1.0
RECORD_EVERY = 20
"""Training steps of a record of the loss; the fewest of an interrupted fit."""


class InterruptedFitWarning(UserWarning):
    """A fit was interrupted; what it learned by then is kept."""


@dataclass(frozen=True)
class TrainingOptions:
    """How to train; see the parameters of :class:`skcoad.CoADDetector`."""

    distortions: Sequence[str] = PAPER_DISTORTIONS
    distortion_lengths: tuple[float, float] = (0.1, 1.0)
    loss_weight: float = 1.0
    lr: float = 5e-3
    batch_size: int = 32
    max_steps: int = 150
    max_seconds: float | None = None


@dataclass(frozen=True)
class TrainingData:
    """The channels to train on, each a Tensor of shape (n_timestamps,).

    Attributes
    ----------
    plan : WindowPlan
        Sizes.
    channels : sequence of Tensor
        Scaled, their missing values interpolated.
    missing : sequence of Tensor
        Which of their values are missing, bool.
    neighbors : sequence of ChannelNeighbors or None
        One for each channel, for a network with reference.
    """

    plan: WindowPlan
    channels: Sequence[Tensor]
    missing: Sequence[Tensor]
    neighbors: Sequence[ChannelNeighbors] | None

    @cached_property
    def complete(self) -> list[bool]:
        """Which channels lack nothing; asked once, since that waits for a device."""
        return [not bool(missing.any()) for missing in self.missing]


class Batch(NamedTuple):
    """Windows to train on, each of shape (B, T).

    Attributes
    ----------
    normal, distorted : Tensor
        The windows before and after distortion.
    distortion_mask, missing : Tensor
        Which points were distorted, and which are missing, bool.
    reference : Tensor or None
        What is retrieved for the distorted windows.
    """

    normal: Tensor
    distorted: Tensor
    distortion_mask: Tensor
    missing: Tensor
    reference: Tensor | None


class History(NamedTuple):
    """Record of a training.

    Attributes
    ----------
    n_steps : int
        Steps done.
    loss_curve : list of float
        Mean loss of every 20 steps; the last is of the steps that remain.
    """

    n_steps: int
    loss_curve: list[float]


class Callback:
    """What is called during training; every method may be overridden."""

    def on_train_begin(self, network: CoADNetwork) -> None:
        """Before the first step."""

    def on_batch_end(self, network: CoADNetwork, n_steps: int, loss: Tensor) -> None:
        """After each step; reading the loss waits for the device."""

    def on_train_end(self, network: CoADNetwork, history: History) -> None:
        """After the last step, also of a training that failed."""


def joint_loss(
    output: CoADOutput,
    normal: Tensor,
    distortion_mask: Tensor,
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
    distortion_mask : Tensor of shape (B, T)
        Which points were distorted, bool.
    missing : Tensor of shape (B, T)
        Which points are missing, bool; they do not count in the reconstruction.
    loss_weight : float
        Weight of the reconstruction, lambda.

    Returns
    -------
    Tensor of shape ()
        Mean of the cross entropies of A and A_r, plus `loss_weight` times the squared
        error, half of it from distorted and half from unchanged points.
    """
    label = distortion_mask.view(*output.direct.shape, -1).any(-1).to(normal)
    weight = 1 + (POSITIVE_WEIGHT - 1) * label
    cross_entropy = (
        F.binary_cross_entropy(output.direct, label, weight)
        + F.binary_cross_entropy(output.residual, label, weight)
    ) / 2
    squared = (output.reconstruction - normal).square()
    inside, outside = distortion_mask & ~missing, ~distortion_mask & ~missing
    error = (
        (squared * inside).sum() / (inside.sum() + 1)
        + (squared * outside).sum() / (outside.sum() + 1)
    ) / 2
    return cross_entropy + loss_weight * error


def sample_batch(
    data: TrainingData, options: TrainingOptions, generator: torch.Generator
) -> Batch:
    """Draw windows of one channel at random positions, and distort them.

    Parameters
    ----------
    data : TrainingData
        What to draw from.
    options : TrainingOptions
        Size of the batch, kinds and lengths of the distortions.
    generator : torch.Generator
        On the CPU; the source of all randomness.

    Returns
    -------
    Batch
    """
    plan = data.plan
    channel = int(torch.randint(len(data.channels), (), generator=generator))
    x, missing = data.channels[channel], data.missing[channel]
    n_positions = len(x) - plan.window_size + 1
    start = torch.randint(n_positions, (options.batch_size,), generator=generator)
    start = start.to(x.device)
    normal = x.unfold(0, plan.window_size, 1)[start]
    missing = missing.unfold(0, plan.window_size, 1)[start]
    distorted, distortion_mask = distort(
        normal, plan.period, options.distortions, options.distortion_lengths, generator
    )
    reference = None
    if data.neighbors is not None:
        distortion_mask &= ~missing  # the network sees their references
        reference = data.neighbors[channel].retrieve(
            distorted, None if data.complete[channel] else missing, start
        )
    return Batch(normal, distorted, distortion_mask, missing, reference)


def train_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    loss_weight: float,
    pattern: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Update the network by one batch, without waiting for the device.

    Parameters
    ----------
    network : CoADNetwork
        In training mode.
    optimizer : torch.optim.Optimizer
        Of its parameters.
    batch : Batch
        From :func:`sample_batch`.
    loss_weight : float
        Lambda of Eq. 10.
    pattern : Tensor of shape (N,), default=None
        As in :meth:`CoADNetwork.forward`.

    Returns
    -------
    loss : Tensor of shape ()
        Before the update.
    finite : Tensor of shape ()
        Whether the output of the network was finite, bool.
    """
    output = network(batch.distorted, batch.reference, batch.missing, pattern)
    finite = torch.isfinite(output.probability.sum() + output.reconstruction.sum())
    # The cross entropy refuses NaN; `finite` tells of it.
    output = output._replace(
        direct=output.direct.nan_to_num(), residual=output.residual.nan_to_num()
    )
    loss = joint_loss(
        output, batch.normal, batch.distortion_mask, batch.missing, loss_weight
    )
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT_NORM)
    optimizer.step()
    return loss.detach(), finite


def warmup_cosine(progress: float) -> float:
    """Schedule of the learning rate: a short warm-up, then a half cosine to zero.

    Parameters
    ----------
    progress : float
        Fraction of the training that is done.

    Returns
    -------
    float
        Fraction of the highest learning rate.

    Examples
    --------
    >>> from skcoad.model import warmup_cosine
    >>> round(warmup_cosine(0.5), 3), warmup_cosine(1.0)
    (0.5, 0.0)
    """
    warm = min(1.0, 0.02 + progress / WARM_UP)
    return warm * (1 + math.cos(math.pi * progress)) / 2


def train(
    network: CoADNetwork,
    data: TrainingData,
    options: TrainingOptions,
    generator: torch.Generator,
    *,
    sample: Callable[
        [TrainingData, TrainingOptions, torch.Generator], Batch
    ] = sample_batch,
    schedule: Callable[[float], float] = warmup_cosine,
    callbacks: Sequence[Callback] = (),
) -> History:
    """Train the network on random windows of a series, in place.

    Each step takes windows of one channel at random positions, so the cost of training
    does not depend on the length of the series.

    Parameters
    ----------
    network : CoADNetwork
        Initialised, on the device of the channels.
    data : TrainingData
        What to train on.
    options : TrainingOptions
        How to train. `max_seconds` is kept to within a step.
    generator : torch.Generator
        On the CPU; the source of all randomness.
    sample : callable, default=sample_batch
        Draws the batch of a step.
    schedule : callable, default=warmup_cosine
        Fraction of the highest learning rate by the fraction of the training.
    callbacks : sequence of Callback, default=()
        Called before, during and after the training.

    Returns
    -------
    History

    Raises
    ------
    FloatingPointError
        If the output of the network becomes infinite or NaN.
    KeyboardInterrupt
        If interrupted before 20 steps were done; later, an interrupt ends the
        training with a warning, and the network keeps what it learned.
    """
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=options.lr, weight_decay=1e-3, fused=True
    )
    started = time.monotonic()
    losses: list[float] = []
    unread: list[tuple[Tensor, Tensor]] = []  # read together: each read is a wait
    network.train()
    for callback in callbacks:
        callback.on_train_begin(network)
    try:
        # A step is many small operations: several threads would mostly wait for one
        # another.
        with one_thread():
            while (n_steps := len(losses) + len(unread)) < options.max_steps:
                progress = n_steps / options.max_steps
                if options.max_seconds is not None:
                    spent = (time.monotonic() - started) / options.max_seconds
                    progress = min(1.0, max(progress, spent))
                    if progress == 1 and n_steps:
                        break
                for group in optimizer.param_groups:
                    group["lr"] = options.lr * schedule(progress)
                batch = sample(data, options, generator)
                pattern = None
                if network.masking == "random":
                    n_patches = data.plan.window_size // data.plan.patch_size
                    pattern = torch.randperm(n_patches, generator=generator) % 2
                loss, finite = train_step(
                    network, optimizer, batch, options.loss_weight, pattern
                )
                unread.append((loss, finite))
                if len(unread) == RECORD_EVERY:
                    losses += _read(unread, len(losses), options.lr)
                for callback in callbacks:
                    callback.on_batch_end(network, n_steps + 1, loss)
        losses += _read(unread, len(losses), options.lr)
    except KeyboardInterrupt:
        n_steps = len(losses) + len(unread)
        if n_steps < RECORD_EVERY:
            raise
        warn_user(
            f"training was interrupted after {n_steps} of {options.max_steps} steps; "
            "the detector is usable but less accurate",
            InterruptedFitWarning,
        )
        losses += _read(unread, len(losses), options.lr)
    finally:
        network.eval()
        history = History(len(losses), _means(losses))
        for callback in callbacks:
            callback.on_train_end(network, history)
    return history


def _means(losses: list[float]) -> list[float]:
    """Mean of every 20 losses."""
    chunks = [losses[i : i + RECORD_EVERY] for i in range(0, len(losses), RECORD_EVERY)]
    return [sum(chunk) / len(chunk) for chunk in chunks]


def _read(unread: list[tuple[Tensor, Tensor]], n_before: int, lr: float) -> list[float]:
    """Losses of some steps, which are then read; raises if one of them diverged."""
    if not unread:
        return []
    losses, finite = (
        torch.stack(values).tolist() for values in zip(*unread, strict=True)
    )
    if not all(finite):
        raise FloatingPointError(
            f"training diverged in step {n_before + finite.index(False) + 1}; a "
            f"smaller lr than {lr} usually helps"
        )
    unread.clear()
    return losses
