"""The fitted model: the paper's network beside the neighbours, and how it is trained.

``_network.py`` is the paper's section 4, ``_distortions.py`` its appendix A,
``_training.py`` its Eq. 10; ``_inference.py`` brings windows back to timestamps, and
``_model.py`` holds everything together.
"""

from __future__ import annotations

from skcoad.model._config import ModelConfig, NetworkConfig
from skcoad.model._distortions import DISTORTIONS, PAPER_DISTORTIONS, distort
from skcoad.model._inference import EVIDENCE, ScoreComponents, score_components
from skcoad.model._model import (
    AGGREGATIONS,
    SCORES,
    CoADModel,
    ScoreCalibration,
)
from skcoad.model._network import CoADNetwork, CoADOutput, initialise
from skcoad.model._regression import RESIDUALS, ChannelRegression
from skcoad.model._statistics import STATISTICS, ChannelStatistics
from skcoad.model._training import (
    RECORD_EVERY,
    Batch,
    Callback,
    History,
    InterruptedFitWarning,
    TrainingData,
    TrainingOptions,
    joint_loss,
    sample_batch,
    train,
    train_step,
    warmup_cosine,
)

__all__ = [
    "AGGREGATIONS",
    "DISTORTIONS",
    "EVIDENCE",
    "PAPER_DISTORTIONS",
    "RECORD_EVERY",
    "RESIDUALS",
    "SCORES",
    "STATISTICS",
    "Batch",
    "Callback",
    "ChannelRegression",
    "ChannelStatistics",
    "CoADModel",
    "CoADNetwork",
    "CoADOutput",
    "History",
    "InterruptedFitWarning",
    "ModelConfig",
    "NetworkConfig",
    "ScoreCalibration",
    "ScoreComponents",
    "TrainingData",
    "TrainingOptions",
    "distort",
    "initialise",
    "joint_loss",
    "sample_batch",
    "score_components",
    "train",
    "train_step",
    "warmup_cosine",
]
