"""Detectors with one thing done otherwise, for ``levers.py``.

In a module of their own, so that the processes of a benchmark find them by name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from skcoad import CoADDetector
from skcoad.datasets import make_series
from skcoad.detectors import _coad as detector_module
from skcoad.model import _training as training_module
from skcoad.model._network import CoADNetwork, CoADOutput, initialise
from skcoad.model._training import Batch, TrainingRecord, draw_batch, train

EMA_DECAY = 0.98
GENERATED_NOISE = (0.0, 0.05, 0.2)
N_EACH = 4  # generated channels of each
OTHER_SEED = 1000


class DirectOnly(nn.Module):
    """A network whose first opinion (Eq. 4) stands in for the second (Eq. 8)."""

    def __init__(self, network: CoADNetwork) -> None:
        super().__init__()
        self.network = network
        self.masking = network.masking

    def forward(self, *args: Any) -> CoADOutput:
        """Say the same as the network, but for the second opinion."""
        output: CoADOutput = self.network(*args)
        return output._replace(residual=output.direct)


class WithoutResidualHead(CoADDetector):
    """The classifier never looks at the reconstruction."""

    def _network_on_meta(self, patch_size: int) -> DirectOnly:  # type: ignore[override]
        return DirectOnly(super()._network_on_meta(patch_size))


class ConstantRate(CoADDetector):
    """The learning rate stays at half of its height: no warm-up, no decay."""

    def _fit(self, X: Any) -> CoADDetector:
        with mock.patch.object(training_module, "_schedule", return_value=0.5):
            return super()._fit(X)


class AveragedWeights(ConstantRate):
    """A constant rate, and a moving average of the weights in the end."""

    def _fit(self, X: Any) -> CoADDetector:
        with mock.patch.object(detector_module, "train", train_and_average):
            return super()._fit(X)


def train_and_average(
    network: nn.Module, *args: Any, on_step: Callable[[float], object], **how: Any
) -> TrainingRecord:
    """Train, and leave the moving average of the weights."""
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(EMA_DECAY))

    def average(loss: float) -> None:
        averaged.update_parameters(network)
        on_step(loss)

    record = train(network, *args, on_step=average, **how)
    network.load_state_dict(averaged.module.state_dict())
    return record


class Curriculum(CoADDetector):
    """Distortions from long to short: the shortest come after half of the training."""

    def _fit(self, X: Any) -> CoADDetector:
        n_drawn = 0

        def draw(*args: Any) -> Batch:
            nonlocal n_drawn
            *before, (shortest, longest), batch_size, generator = args
            easy = max(0.0, 1 - 2 * n_drawn / self.max_steps)
            n_drawn += 1
            lengths = (shortest + easy * (longest - shortest), longest)
            return draw_batch(*before, lengths, batch_size, generator)

        with mock.patch.object(training_module, "draw_batch", draw):
            return super()._fit(X)


class Pretrained(CoADDetector):
    """The weights start from those of a network trained on generated series."""

    def _fit(self, X: Any) -> CoADDetector:
        with mock.patch.object(detector_module, "initialise", start_from_pretrained):
            return super()._fit(X)


def start_from_pretrained(network: CoADNetwork, generator: Generator) -> None:
    """Fill a network with pretrained weights."""
    initialise(network, generator)  # so that the batches are those of the default
    network.load_state_dict(pretrained(network.patch_size))


@functools.cache
def pretrained(patch_size: int) -> dict[str, Tensor]:
    """Weights after the defaults' 300 steps on generated series.

    Once for each patch size and process, within the time of the fit that needs it.
    """
    train_part = np.hstack(
        [
            make_series(
                1000 * patch_size,
                n_channels=N_EACH,
                period=16 * patch_size,
                anomalies=(),
                noise=noise,
                random_state=seed,
            ).values
            for seed, noise in enumerate(GENERATED_NOISE)
        ]
    )
    detector = CoADDetector(
        period=16 * patch_size, patch_size=patch_size, random_state=0
    )
    with mock.patch.object(detector_module, "initialise", initialise):  # not from here
        return detector.fit(train_part).network_.state_dict()


class Pair(CoADDetector):
    """Mean of the scores of two detectors; the second differs as its kind says."""

    def _second(self) -> CoADDetector:
        raise NotImplementedError

    def fit(self, X: Any, y: object = None) -> CoADDetector:
        """Fit both."""
        super().fit(X)
        self.second_ = self._second().fit(X)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Mean of both."""
        first, second = super().decision_function(X), self.second_.decision_function(X)
        return np.asarray((first + second) / 2)


class TwoSeeds(Pair):
    """The second has another seed."""

    def _second(self) -> CoADDetector:
        return CoADDetector(random_state=OTHER_SEED)


class TwoScales(Pair):
    """The second believes in twice the period."""

    def _second(self) -> CoADDetector:
        return CoADDetector(period=2 * self.period_, random_state=self.random_state)
