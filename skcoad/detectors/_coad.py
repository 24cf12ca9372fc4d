"""The estimator of the paper, behind ``fit``, ``decision_function``, ``predict``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, get_args

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import Tensor
from tqdm import tqdm

from skcoad._device import resolve_device
from skcoad._typing import (
    Aggregation,
    Branches,
    ChannelAggregation,
    Encoder,
    FloatArray,
    Fusion,
    Masking,
    Missing,
    References,
    ScoreBy,
    Size,
)
from skcoad._validation import StrOptions, integers, reals
from skcoad.detectors._base import TimeSeriesDetector
from skcoad.model import (
    DISTORTIONS,
    PAPER_DISTORTIONS,
    RECORD_EVERY,
    Callback,
    CoADModel,
    CoADNetwork,
    History,
    NetworkConfig,
    TrainingOptions,
)
from skcoad.neighbors import ChannelNeighbors
from skcoad.preprocessing import WindowPlan, plan_windows
from skcoad.scoring import ScoringOptions

__all__ = ["CoADDetector"]


class CoADDetector(TimeSeriesDetector):
    """Cooperative anomaly detection in time series.

    A classifier is trained to find distortions in windows of the training series, and
    tells a masked autoencoder, softly, what to hide; the reconstruction tells the
    classifier what normal looks like. Both score together [1]_. Beyond the paper, each
    window is also compared with its nearest neighbours among the training subsequences
    (see :class:`NeighborsDetector`), so that little training is needed;
    `max_references=0` and :meth:`paper` are the method without neighbours.

    One sample is one timestamp, and rows are in time order. Fit on a series that is
    mostly normal, score any other or the same.

    Parameters
    ----------
    period : int or "auto", default="auto"
        Dominant period in timestamps, at most half of the training series; by default
        from the autocorrelation, or 125 at most where nothing repeats; see
        :func:`skcoad.preprocessing.dominant_period`.
    window_periods : float, default=2.0
        Periods in a window of automatic size.
    window_size, patch_size, step : int or "auto", default="auto"
        Timestamps in a window, in a patch, and between windows at scoring. A step
        longer than a sixteenth of the period is rounded down to a multiple of that.
        See :func:`skcoad.preprocessing.plan_windows`.
    encoder : {"conv", "gru"}, default="conv"
        Encoder of the patches: dilated convolutions, fast on a CPU, or the paper's
        bidirectional GRU.
    hidden_size, n_layers : int, default=32 and 3
        Size of an encoder; at most 1,024 features and 16 layers.
    branches : {"both", "time", "frequency"}, default="both"
        Inputs of the classifier (Eq. 1 to 3).
    fusion : {"max", "mean"}, default="max"
        How the decisions of the branches are combined (Eq. 4).
    masking : {"soft", "hard", "random", "grating"}, default="soft"
        What is masked for the reconstruction: each patch by its probability (Eq. 5),
        the likely anomalous patches, or, unguided, random or alternate halves.
    max_references : int, default=4096
        Largest number of training subsequences, per channel, from which the normal
        reference of a window is retrieved; 0 for the paper's method, without
        neighbours.
    distortions : sequence of str, default=("uniform", "flip", "time_warp", "jitter")
        Kinds of distortion that the classifier is trained to find; names of
        :data:`skcoad.model.DISTORTIONS`.
    distortion_lengths : (float, float), default=(0.1, 1.0)
        Shortest and longest distortion, in periods.
    loss_weight : float, default=1.0
        Weight of the reconstruction in the loss (lambda of Eq. 10), for data of
        standard deviation 1.
    lr : float, default=5e-3
        Highest learning rate.
    batch_size : int, default=32
        Windows in a training step, at most 4,096.
    max_steps : int, default=150
        Training steps. The cost of a step does not depend on the series' length.
    max_seconds : float or None, default=None
        Stop training after this time. Results then depend on the machine.
    score_by : str, default="joint"
        Components of the score: "joint", "classification", "reconstruction" or
        "neighbors". The joint score is that of :class:`NeighborsDetector` times one
        plus the quadratic mean of the rarity of probability and reconstruction error,
        weighted by how far the series repeats itself (see
        :meth:`skcoad.model.CoADModel.network_weight`); without neighbours, the paper's
        sum of these two (Eq. 11). Every score is then expressed as its own rarity on
        the training series. With "neighbors" the
        network is trained but not used: to skip the training, take
        :class:`NeighborsDetector`.
    smoothing : float, default=1.0
        Width of the moving average over probability and error, in periods; 0 for none.
    score_aggregation : {"mean", "max"}, default="mean"
        How the scores of the windows that cover a timestamp are combined.
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
    random_state : int, RandomState or None, default=None
        Source of all randomness. No global generator is used or changed.
    verbose : int, default=0
        Above 0, a progress bar is shown while training, and while the rest of fitting,
        and scoring, take longer than a second.

    Attributes
    ----------
    model_ : CoADModel
        The fitted model: scaler, neighbours and network.
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
    loss_curve_ : list of float
        Mean loss of every 20 steps; the last is of the steps that remain.
    n_iter_ : int
        Training steps done.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, when `fit` saw any.
    channel_names_ : list of length `n_features_in_`
        These names, or what else columns are called, such as integers, or positions.

    See Also
    --------
    NeighborsDetector : The neighbours alone, without training.
    skcoad.SklearnOutlierAdapter : The same with scikit-learn's labels and signs.

    Notes
    -----
    The score of a timestamp depends on the timestamps around it, so the order of rows
    matters, and so does leaving out some of them. Scores of a slice equal those of the
    whole series, away from the cuts by ``model_.receptive_field`` and the averages of
    the network (half of `smoothing` and half a period), when the slice starts at a
    multiple of `step_`.

    References
    ----------
    .. [1] Tang et al., "Bridging Classification and Reconstruction: Cooperative Time
       Series Anomaly Detection", KDD 2026, doi:10.1145/3770855.3818108.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import CoADDetector
    >>> rng = np.random.default_rng(0)
    >>> x = np.sin(2 * np.pi * np.arange(2000) / 50) + 0.1 * rng.normal(size=2000)
    >>> x[1500:1525] = x[1500]
    >>> detector = CoADDetector(max_steps=60, random_state=0).fit(x[:1000])
    >>> scores = detector.decision_function(x[1000:])
    >>> bool(480 <= scores.argmax() <= 545)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **TimeSeriesDetector._parameter_constraints,
        "window_periods": [reals(1)],
        "window_size": [StrOptions({"auto"}), integers(4)],
        "patch_size": [StrOptions({"auto"}), integers(1)],
        "encoder": [StrOptions(set(get_args(Encoder)))],
        "hidden_size": [integers(2, 1024)],
        "n_layers": [integers(1, 16)],
        "branches": [StrOptions(set(get_args(Branches)))],
        "fusion": [StrOptions(set(get_args(Fusion)))],
        "masking": [StrOptions(set(get_args(Masking)))],
        "max_references": [integers(0)],
        "distortions": [tuple, list],
        "distortion_lengths": [tuple, list],
        "loss_weight": [reals(0)],
        "lr": [reals(0, closed="right")],
        "batch_size": [integers(1, 4096)],
        "max_steps": [integers(1)],
        "max_seconds": [reals(0, closed="right"), None],
        "score_by": [StrOptions(set(get_args(ScoreBy)))],
        "smoothing": [reals(0)],
        "score_aggregation": [StrOptions(set(get_args(Aggregation)))],
        "random_state": [integers(0, 2**32 - 1), np.random.RandomState, None],
    }

    def __init__(
        self,
        *,
        period: Size = "auto",
        window_periods: float = 2.0,
        window_size: Size = "auto",
        patch_size: Size = "auto",
        step: Size = "auto",
        encoder: Encoder = "conv",
        hidden_size: int = 32,
        n_layers: int = 3,
        branches: Branches = "both",
        fusion: Fusion = "max",
        masking: Masking = "soft",
        max_references: int = 4096,
        distortions: Sequence[str] = PAPER_DISTORTIONS,
        distortion_lengths: tuple[float, float] = (0.1, 1.0),
        loss_weight: float = 1.0,
        lr: float = 5e-3,
        batch_size: int = 32,
        max_steps: int = 150,
        max_seconds: float | None = None,
        score_by: ScoreBy = "joint",
        smoothing: float = 1.0,
        score_aggregation: Aggregation = "mean",
        references: References = "train",
        channel_aggregation: ChannelAggregation = "rms",
        missing: Missing = "mask",
        contamination: Any = 0.1,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        # Not PyOD's constructor: it raises here what scikit-learn wants raised in fit.
        self.period = period
        self.window_periods = window_periods
        self.window_size = window_size
        self.patch_size = patch_size
        self.step = step
        self.encoder = encoder
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.branches = branches
        self.fusion = fusion
        self.masking = masking
        self.max_references = max_references
        self.distortions = distortions
        self.distortion_lengths = distortion_lengths
        self.loss_weight = loss_weight
        self.lr = lr
        self.batch_size = batch_size
        self.max_steps = max_steps
        self.max_seconds = max_seconds
        self.score_by = score_by
        self.smoothing = smoothing
        self.score_aggregation = score_aggregation
        self.references = references
        self.channel_aggregation = channel_aggregation
        self.missing = missing
        self.contamination = contamination
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def paper(cls, **parameters: Any) -> CoADDetector:
        """Detector with the paper's settings, without neighbours.

        Bidirectional GRU encoders of three layers, windows of four periods in patches
        of 8, 300 epochs' worth of steps for a series of 35,000 points. Slow on a CPU.

        Parameters
        ----------
        **parameters
            Replace any of these settings.

        Returns
        -------
        CoADDetector

        Examples
        --------
        >>> from skcoad import CoADDetector
        >>> CoADDetector.paper(max_steps=100).encoder
        'gru'
        """
        settings: dict[str, Any] = {
            "window_periods": 4.0,
            "patch_size": 8,
            "encoder": "gru",
            "hidden_size": 144,
            "n_layers": 3,
            "max_references": 0,
            "lr": 2e-3,
            "batch_size": 64,
            "max_steps": 30_000,
        }
        return cls(**(settings | parameters))

    def _plan(self, X: FloatArray) -> WindowPlan:
        return plan_windows(
            X,
            period=self.period,
            window_periods=self.window_periods,
            window_size=self.window_size,
            patch_size=self.patch_size,
            step=self.step,
        )

    def _fit_model(self, X: FloatArray, plan: WindowPlan) -> CoADModel:
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        # Python's own numbers: those of numpy may be small, and overflow.
        model, history = CoADModel.fit(
            X,
            plan,
            max_references=int(self.max_references),
            network=NetworkConfig(
                hidden_size=int(self.hidden_size),
                n_layers=int(self.n_layers),
                encoder=self.encoder,
                branches=self.branches,
                fusion=self.fusion,
                masking=self.masking,
            ),
            options=TrainingOptions(
                distortions=self.distortions,
                distortion_lengths=tuple(map(float, self.distortion_lengths)),  # type: ignore[arg-type]
                loss_weight=float(self.loss_weight),
                lr=float(self.lr),
                batch_size=int(self.batch_size),
                max_steps=int(self.max_steps),
                max_seconds=None
                if self.max_seconds is None
                else float(self.max_seconds),
            ),
            generator=torch.Generator().manual_seed(int(seed)),
            device=resolve_device(self.device),
            **self._training_arguments(),
        )
        self.n_iter_, self.loss_curve_ = history
        return model

    def _training_arguments(self) -> Mapping[str, Any]:
        """Further arguments of :meth:`CoADModel.fit`, for subclasses to extend.

        They are `init` (initial weights), `sample`, `schedule` and `callbacks`.
        """
        return {"callbacks": [ProgressBar(int(self.max_steps))] if self.verbose else []}

    def _scoring_options(self) -> ScoringOptions:
        return ScoringOptions(
            self.score_by,
            float(self.smoothing),
            self.score_aggregation,
            self.channel_aggregation,
            self.references,
        )

    @property
    def patch_size_(self) -> int:
        """Timestamps in a patch, given or derived."""
        return self.plan_.patch_size

    @property
    def network_(self) -> CoADNetwork:
        """Classifier and reconstructor."""
        assert self.model_.network is not None
        return self.model_.network

    @property
    def neighbors_(self) -> list[ChannelNeighbors] | None:
        """Nearest-neighbour indexes of each channel, or None without neighbours."""
        neighbors = self.model_.neighbors
        return None if neighbors is None else list(neighbors)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        unknown = [kind for kind in self.distortions if kind not in list(DISTORTIONS)]
        if unknown or not len(self.distortions):
            raise ValueError(
                f"distortions={self.distortions!r} must be some of "
                f"{sorted(DISTORTIONS)}"
            )
        if self.max_references == 0:
            if self.score_by == "neighbors":
                raise ValueError("score_by='neighbors' needs max_references above 0")
            if self.references != "train":
                raise ValueError(
                    f"references={self.references!r} needs max_references above 0"
                )
        lengths = self.distortion_lengths
        above_zero = reals(0, closed="right").is_satisfied_by
        if (
            len(lengths) != 2
            or not all(map(above_zero, lengths))
            or lengths[0] > lengths[1]
        ):
            raise ValueError(
                f"distortion_lengths={lengths!r} must be two numbers of periods, the "
                "first above 0 and not above the second"
            )
        if self.encoder == "gru" and self.hidden_size % 2:
            raise ValueError(
                f"hidden_size={self.hidden_size} must be even for encoder='gru', which "
                "reads in two directions"
            )


class ProgressBar(Callback):
    """Show training steps, and the loss of every twentieth.

    Parameters
    ----------
    max_steps : int
        Steps of the whole training.
    """

    def __init__(self, max_steps: int) -> None:
        self.max_steps = max_steps

    def on_train_begin(self, network: CoADNetwork) -> None:
        """Open the bar."""
        self.bar = tqdm(total=self.max_steps, desc="CoAD", unit="step")

    def on_batch_end(self, network: CoADNetwork, n_steps: int, loss: Tensor) -> None:
        """Advance by one."""
        if n_steps % RECORD_EVERY == 0:
            self.bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
        self.bar.update()

    def on_train_end(self, network: CoADNetwork, history: History) -> None:
        """Close the bar."""
        self.bar.close()
