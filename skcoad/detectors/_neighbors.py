"""The training-free estimator: distances to nearest normal subsequences."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from skcoad._device import resolve_device
from skcoad._typing import (
    ChannelAggregation,
    FloatArray,
    Missing,
    References,
    Size,
)
from skcoad._validation import integers
from skcoad.detectors._base import TimeSeriesDetector
from skcoad.model import CoADModel
from skcoad.preprocessing import WindowPlan, plan_windows
from skcoad.scoring import ScoringOptions

__all__ = ["NeighborsDetector"]


class NeighborsDetector(TimeSeriesDetector):
    """Distances to the nearest normal subsequences; nothing is trained.

    Every subsequence of one period is compared with its nearest neighbour in the
    training series: in values and in first differences, by Euclidean distance after
    shrinking the mean to a fifth, and after z-normalisation. What counts is the excess
    distance: the distance minus that of the neighbour to its own nearest neighbour, so
    that parts where the training series hardly repeats raise no alarm. Each of the four
    is expressed as its rarity on the training series, every subsequence compared with
    the others; so are local statistics (value, level, difference, volatility) and, with
    several channels, what other channels predict. The score is their weighted quadratic
    mean, in the same unit: 2 is exceeded by one of 100 normal timestamps. Fitting takes
    a second or less for most series, and nothing is random.

    The search is near exact: the distances found are never below the exact ones; how
    far above, and how often the exact neighbour is found, is measured by
    ``benchmarks/recall.py`` and stated in ``docs/evidence.md``. For exact distances to
    the training series see :class:`skcoad.benchmark.baselines.MatrixProfileAB`.

    These are the neighbours of :class:`CoADDetector`, whose scores with
    ``score_by="neighbors"`` and the same period are equal.

    One sample is one timestamp, and rows are in time order. Fit on a series that is
    mostly normal, score any other or the same.

    Parameters
    ----------
    period : int or "auto", default="auto"
        Dominant period in timestamps, at most half of the training series; by default
        from the autocorrelation, or 125 at most where nothing repeats; see
        :func:`skcoad.preprocessing.dominant_period`.
    step : int or "auto", default="auto"
        Queries are at most so far apart, and at most a sixteenth of a period; by
        default about a period. See :func:`skcoad.preprocessing.plan_windows`.
    max_references : int, default=4096
        Largest number of training subsequences, per channel, from which missing values
        are imputed and the expected values retrieved; distances consider all.
    references : {"train", "past", "all"}, default="train"
        Where the nearest neighbours of a scored subsequence may be: in the training
        series; or besides in the scored series itself, at least 2.5 periods earlier, or
        at least 2.5 periods away. The past follows a drift and is known in a stream;
        all is for looking back at a record. Both find more where normal behaviour
        changes, cost about twice the time, and find less of an anomaly that lasts or
        repeats; a score then depends on the whole series that is scored, or on what
        came before, and no longer on the timestamps around it alone.
    channel_aggregation : {"rms", "mean", "max"}, default="rms"
        How the scores of the channels are combined: by their quadratic mean, their
        mean, or the largest. With several channels, the aggregate is expressed as its
        own rarity on the training series.
    missing : {"mask", "raise"}, default="mask"
        What to do about NaN: mask the values, or raise an error. Up to half of the
        values of each channel may be missing when fitting, any number later.
    contamination : float or threshold, default=0.1
        Share of the training series above `threshold_`, in (0, 0.5] (the default is
        PyOD's); or a threshold of :mod:`skcoad.thresholds`, which keeps a rate of false
        alarms; or an object of ``pyod.models.thresholds``.
    device : str or torch.device, default="auto"
        Where to compute; by default a GPU if there is one.
    verbose : int, default=0
        Above 0, a progress bar is shown while fitting and scoring take longer than a
        second.

    Attributes
    ----------
    model_ : CoADModel
        The fitted model, without network.
    decision_scores_ : ndarray of shape (n_timestamps,)
        Scores of the training series, the same as ``decision_function`` gives.
    threshold_ : float
        Scores above are anomalies for `predict`.
    segment_threshold_ : float
        Scores above are anomalies for `find_segments`, explanations and reports:
        `threshold_`, unless `contamination` is a share, which is of rows and says
        nothing of alarms. Then it is that of
        ``PeaksOverThreshold("1 per 1000 rows", held_back=0)``.
    thresholder_ : ScoreThreshold or None
        The fitted threshold, if `contamination` is one of :mod:`skcoad.thresholds`; it
        has ``p_values``.
    labels_ : ndarray of shape (n_timestamps,)
        1 for anomalies of the training series, else 0.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, when `fit` saw any.
    channel_names_ : list of length `n_features_in_`
        These names, or what else columns are called, such as integers, or positions.

    See Also
    --------
    CoADDetector : The neighbours and a trained network, which score together.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import NeighborsDetector
    >>> rng = np.random.default_rng(0)
    >>> x = np.sin(2 * np.pi * np.arange(2000) / 50) + 0.1 * rng.normal(size=2000)
    >>> x[1500:1525] = x[1500]
    >>> detector = NeighborsDetector().fit(x[:1000])
    >>> scores = detector.decision_function(x[1000:])
    >>> bool(480 <= scores.argmax() <= 545)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **TimeSeriesDetector._parameter_constraints,
        "max_references": [integers(1)],
    }

    def __init__(
        self,
        *,
        period: Size = "auto",
        step: Size = "auto",
        max_references: int = 4096,
        references: References = "train",
        channel_aggregation: ChannelAggregation = "rms",
        missing: Missing = "mask",
        contamination: Any = 0.1,
        device: str | torch.device = "auto",
        verbose: int = 0,
    ) -> None:
        # Not PyOD's constructor: it raises here what scikit-learn wants raised in fit.
        self.period = period
        self.step = step
        self.max_references = max_references
        self.references = references
        self.channel_aggregation = channel_aggregation
        self.missing = missing
        self.contamination = contamination
        self.device = device
        self.verbose = verbose

    def _plan(self, X: FloatArray) -> WindowPlan:
        return plan_windows(X, period=self.period, step=self.step)

    def _fit_model(self, X: FloatArray, plan: WindowPlan) -> CoADModel:
        model, _ = CoADModel.fit(
            X,
            plan,
            max_references=int(self.max_references),
            network=None,
            device=resolve_device(self.device),
        )
        return model

    def _scoring_options(self) -> ScoringOptions:
        return ScoringOptions(
            score_by="neighbors",
            smoothing=0.0,  # which is of the network's averages
            channel_aggregation=self.channel_aggregation,
            references=self.references,
        )
