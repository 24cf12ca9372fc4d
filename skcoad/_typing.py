"""Names of types that several modules use."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

Size = int | Literal["auto"]
Missing = Literal["mask", "raise"]
Aggregation = Literal["mean", "max"]
ChannelAggregation = Literal["rms", "mean", "max"]
References = Literal["train", "past", "all"]

Encoder = Literal["conv", "gru"]
Branches = Literal["time", "frequency", "both"]
Fusion = Literal["max", "mean"]
Masking = Literal["soft", "hard", "random", "grating"]
ScoreBy = Literal["joint", "classification", "reconstruction", "neighbors"]
