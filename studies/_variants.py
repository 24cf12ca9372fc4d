"""Detectors with one part of the training or of the ensemble changed, for `levers.py`.

Each variant of the training replaces an argument of `skcoad.model.CoADModel.fit`: the
initial weights (`init`), the batches (`sample`), the learning rate (`schedule`) or the
callbacks. The variants are in a module of their own, so that the worker processes of a
benchmark can import them by name.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from skcoad import CoADDetector
from skcoad.datasets import make_series
from skcoad.model import (
    Batch,
    Callback,
    CoADNetwork,
    CoADOutput,
    History,
    TrainingData,
    TrainingOptions,
    initialise,
    sample_batch,
)

EMA_DECAY = 0.98
CONSTANT_RATE = 0.5  # fraction of the highest learning rate
PRETRAINING_NOISES = (0.0, 0.05, 0.2)
N_PRETRAINING_CHANNELS = 4  # of each noise
PRETRAINING_PERIOD = 16  # patches
OTHER_SEED = 1000


class WithoutResidualHead(CoADDetector):
    """The classifier ignores the reconstruction: A (Eq. 4) replaces A_r (Eq. 8)."""

    def _training_arguments(self) -> Mapping[str, Any]:
        return {**super()._training_arguments(), "init": initialise_without_residual}


def initialise_without_residual(network: CoADNetwork, generator: Generator) -> None:
    """Draw the initial weights, and bypass the residual head from then on.

    Parameters
    ----------
    network : CoADNetwork
        Changed in place. The bypass is a hook: it is not part of a saved detector.
    generator : torch.Generator
        Source of the weights.
    """
    initialise(network, generator)
    network.register_forward_hook(_replace_residual)


def _replace_residual(_: nn.Module, __: object, output: CoADOutput) -> CoADOutput:
    return output._replace(residual=output.direct)


class ConstantRate(CoADDetector):
    """The learning rate is constant, half of the highest: no warm-up, no decay."""

    def _training_arguments(self) -> Mapping[str, Any]:
        return {**super()._training_arguments(), "schedule": constant_rate}


def constant_rate(progress: float) -> float:
    """Fraction of the highest learning rate, whatever the progress."""
    return CONSTANT_RATE


class AveragedWeights(ConstantRate):
    """A constant rate, and finally an exponential moving average of the weights."""

    def _training_arguments(self) -> Mapping[str, Any]:
        arguments = super()._training_arguments()
        callbacks = [*arguments["callbacks"], WeightAverage()]
        return {**arguments, "callbacks": callbacks}


class WeightAverage(Callback):
    """Average the weights over the steps, and end with the average."""

    def on_train_begin(self, network: CoADNetwork) -> None:
        """Start from the initial weights."""
        average = get_ema_multi_avg_fn(EMA_DECAY)  # type: ignore[no-untyped-call]
        self.averaged = AveragedModel(network, multi_avg_fn=average)

    def on_batch_end(self, network: CoADNetwork, n_steps: int, loss: Tensor) -> None:
        """Update the average."""
        self.averaged.update_parameters(network)

    def on_train_end(self, network: CoADNetwork, history: History) -> None:
        """Replace the weights by the average."""
        network.load_state_dict(self.averaged.module.state_dict())


class Curriculum(CoADDetector):
    """Distortions from long to short: the shortest appear after half of the steps."""

    def _training_arguments(self) -> Mapping[str, Any]:
        sample = CurriculumSampler(self.max_steps)
        return {**super()._training_arguments(), "sample": sample}


class CurriculumSampler:
    """Draw batches whose shortest distortion shrinks with each call.

    Parameters
    ----------
    max_steps : int
        Batches of the whole training.
    """

    def __init__(self, max_steps: int) -> None:
        self.max_steps = max_steps
        self.n_drawn = 0

    def __call__(
        self, data: TrainingData, options: TrainingOptions, generator: Generator
    ) -> Batch:
        """Draw the next batch, see `skcoad.model.sample_batch`."""
        shortest, longest = options.distortion_lengths
        easiness = max(0.0, 1 - 2 * self.n_drawn / self.max_steps)
        self.n_drawn += 1
        lengths = (shortest + easiness * (longest - shortest), longest)
        options = dataclasses.replace(options, distortion_lengths=lengths)
        return sample_batch(data, options, generator)


class Pretrained(CoADDetector):
    """The initial weights are those of a network trained on synthetic series."""

    pretraining_steps = 300

    def _training_arguments(self) -> Mapping[str, Any]:
        init = functools.partial(
            initialise_pretrained, pretraining_steps=self.pretraining_steps
        )
        return {**super()._training_arguments(), "init": init}


def initialise_pretrained(
    network: CoADNetwork, generator: Generator, pretraining_steps: int
) -> None:
    """Load pretrained weights.

    Parameters
    ----------
    network : CoADNetwork
        Of the default architecture, with any patch size.
    generator : torch.Generator
        Advanced as by `initialise`, so that the batches are those of the default.
    pretraining_steps : int
        Steps of the pretraining.
    """
    initialise(network, generator)
    weights = pretrained_weights(network.patch_size, pretraining_steps)
    network.load_state_dict(weights)


@functools.cache
def pretrained_weights(patch_size: int, max_steps: int) -> dict[str, Tensor]:
    """Weights of the default network, trained on synthetic series.

    Computed once per patch size and process, within the time of the fit that first
    needs them.

    Parameters
    ----------
    patch_size : int
        Points in a patch.
    max_steps : int
        Training steps.

    Returns
    -------
    dict of str to Tensor
        The network's ``state_dict``.
    """
    period = PRETRAINING_PERIOD * patch_size
    channels = [
        make_series(
            1000 * patch_size,
            n_channels=N_PRETRAINING_CHANNELS,
            period=period,
            anomalies=(),
            noise=noise,
            random_state=seed,
        ).values
        for seed, noise in enumerate(PRETRAINING_NOISES)
    ]
    detector = CoADDetector(
        period=period, patch_size=patch_size, max_steps=max_steps, random_state=0
    )
    detector.fit(np.hstack(channels))
    weights: dict[str, Tensor] = detector.network_.state_dict()
    return weights


class Pair(CoADDetector):
    """Mean of the scores of two detectors; subclasses say what the second is."""

    def _second(self) -> CoADDetector:
        raise NotImplementedError

    def fit(self, X: Any, y: object = None) -> CoADDetector:
        """Fit both."""
        super().fit(X)
        self.second_ = self._second().fit(X)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Mean of the scores of both."""
        first, second = super().decision_function(X), self.second_.decision_function(X)
        return np.asarray((first + second) / 2)


class TwoSeeds(Pair):
    """The second has another seed."""

    def _second(self) -> CoADDetector:
        return CoADDetector(**{**self.get_params(), "random_state": OTHER_SEED})


class TwoScales(Pair):
    """The second is given twice the period."""

    def _second(self) -> CoADDetector:
        return CoADDetector(**{**self.get_params(), "period": 2 * self.period_})
