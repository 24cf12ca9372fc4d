"""The estimator: CoAD behind ``fit``, ``decision_function`` and ``predict``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pyod.models.base import BaseDetector
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from skcoad._validation import (
    StrOptions,
    at_least,
    between,
    check_parameters,
    validate_series,
    whole,
)
from skcoad.model._distortions import DISTORTIONS, PAPER_DISTORTIONS
from skcoad.model._network import (
    Branches,
    CoADNetwork,
    Encoder,
    Fusion,
    Masking,
    initialise,
)
from skcoad.model._training import train
from skcoad.neighbors._channel import ChannelReference
from skcoad.preprocessing._missing import MAX_MISSING, bridge_gaps
from skcoad.preprocessing._plan import MIN_TIMESTAMPS, Size, plan_windows
from skcoad.scoring import _components as scoring
from skcoad.scoring._components import Aggregation, Score, ScoreComponents

__all__ = ["CoADDetector"]

FloatArray = NDArray[np.floating[Any]]

# Scaled values are cut here, so that no input overflows single precision.
MAX_SCALED = 1e4
BLOCK = 2**20  # timestamps

_CONSTRAINTS: dict[str, list[Any]] = {
    "period": [StrOptions({"auto"}), whole(2)],
    "window_periods": [at_least(1)],
    "window_size": [StrOptions({"auto"}), whole(4)],
    "patch_size": [StrOptions({"auto"}), whole(1)],
    "step": [StrOptions({"auto"}), whole(1)],
    "encoder": [StrOptions({"conv", "gru"})],
    "hidden_size": [whole(2, 1024)],
    "n_layers": [whole(1, 16)],
    "branches": [StrOptions({"both", "time", "frequency"})],
    "fusion": [StrOptions({"max", "mean"})],
    "masking": [StrOptions({"soft", "hard", "random", "grating"})],
    "max_references": [whole(0)],
    "distortions": [tuple, list],
    "distortion_lengths": [tuple, list],
    "loss_weight": [at_least(0)],
    "lr": [at_least(0, above=True)],
    "batch_size": [whole(1, 4096)],
    "max_steps": [whole(1)],
    "max_seconds": [at_least(0, above=True), None],
    "score_by": [StrOptions({"joint", "classification", "reconstruction"})],
    "smoothing": [at_least(0)],
    "score_aggregation": [StrOptions({"mean", "max"})],
    "channel_aggregation": [StrOptions({"mean", "max"})],
    "missing": [StrOptions({"mask", "raise"})],
    # A number, or a thresholder of PyOD or pythresh.
    "contamination": [between(0, 0.5, closed="right"), BaseEstimator, BaseDetector],
    "device": [str, torch.device],
    "random_state": [whole(0, 2**32 - 1), np.random.RandomState, None],
    "verbose": [whole(0), bool],
}


class CoADDetector(BaseDetector):  # type: ignore[misc]
    """Cooperative anomaly detection in time series.

    A classifier is trained to find distortions in windows of the training series, and
    tells a masked autoencoder, softly, what to hide; the reconstruction tells the
    classifier what normal looks like. Both score together [1]_. On top of the paper,
    each window is compared with its nearest normal reference from a bounded pool of
    training subsequences, so that little training is needed; `max_references=0` and
    :meth:`paper` leave that out.

    One sample is one timestamp, and rows are in time order. Fit on a series that is
    mostly normal, score any other or the same.

    Parameters
    ----------
    period : int or "auto", default="auto"
        Dominant period in timestamps; by default from the autocorrelation.
    window_periods : float, default=2.0
        Periods in a window of automatic size.
    window_size, patch_size, step : int or "auto", default="auto"
        Timestamps in a window, in a patch, and between windows at scoring, where the
        look-ups of references are a divisor of the step apart: a prime step is slow.
        See :func:`skcoad.preprocessing.plan_windows`.
    encoder : {"conv", "gru"}, default="conv"
        What makes features of patches: dilated convolutions, quick on a CPU, or the
        paper's bidirectional GRU.
    hidden_size, n_layers : int, default=32 and 3
        Size of an encoder; at most 1,024 features and 16 layers.
    branches : {"both", "time", "frequency"}, default="both"
        What the classifier looks at (Eq. 1 to 3).
    fusion : {"max", "mean"}, default="max"
        How the decisions of the branches become one (Eq. 4).
    masking : {"soft", "hard", "random", "grating"}, default="soft"
        What is hidden from the reconstruction: each patch by its probability (Eq. 5),
        the likely anomalous patches, or, unguided, random or alternate halves.
    max_references : int, default=4096
        Subsequences of the training series, per channel, in each pool of normal
        references (of one period, of two, and of the changes in one); 0 for the paper's
        method, without.
    distortions : sequence of str, default=("uniform", "flip", "time_warp", "jitter")
        What the classifier is trained on; names of
        :data:`skcoad.model.DISTORTIONS`.
    distortion_lengths : (float, float), default=(0.1, 1.0)
        Shortest and longest distortion, in periods.
    loss_weight : float, default=1.0
        Weight of the reconstruction in the loss (lambda of Eq. 10), for data scaled
        to deviation 1.
    lr : float, default=2e-3
        Highest learning rate.
    batch_size : int, default=32
        Windows in a training step, at most 4,096.
    max_steps : int, default=300
        Training steps. What a step costs does not depend on the series' length.
    max_seconds : float or None, default=None
        Stop training after this time. Results then depend on the machine.
    score_by : {"joint", "classification", "reconstruction"}, default="joint"
        What the score is made of (Eq. 11). The joint score is the geometric mean of
        probability, reconstruction error, and how much farther than usual the nearest
        references are, in values and in changes; without a pool, the paper's sum of
        the first two.
    smoothing : float, default=0.5
        Width of the moving average over probability and error, in periods; 0 for none.
    score_aggregation : {"mean", "max"}, default="mean"
        What becomes of the scores of all the windows that cover a timestamp.
    channel_aggregation : {"mean", "max"}, default="mean"
        What becomes of the scores of all channels.
    missing : {"mask", "raise"}, default="mask"
        What to do about NaN: treat the points as masked, or raise an error. Up to half
        of the values of each channel may be missing when fitting, any number later.
    contamination : float or thresholder, default=0.1
        Share of the training series above `threshold_`, in (0, 0.5], or an object of
        ``pyod.models.thresholds``.
    device : str or torch.device, default="auto"
        Where to compute; by default a GPU if there is one.
    random_state : int, RandomState or None, default=None
        Source of all randomness. No global generator is used or changed.
    verbose : int, default=0
        Above 0, a progress bar is shown while fitting.

    Attributes
    ----------
    decision_scores_ : ndarray of shape (n_timestamps,)
        Scores of the training series, the same as ``decision_function`` gives.
    threshold_ : float
        Scores above are anomalies.
    labels_ : ndarray of shape (n_timestamps,)
        1 for anomalies of the training series, else 0.
    period_, window_size_, patch_size_, step_ : int
        What was given or derived.
    plan_ : WindowPlan
        The four together.
    network_ : torch.nn.Module
        Classifier and reconstructor.
    references_ : list of ChannelReference or None
        For each channel, pools of training subsequences.
    center_, scale_ : ndarray of shape (n_channels,)
        What was subtracted from each channel, and divided by.
    loss_curve_ : list of float
        Mean loss of every 20 steps.
    n_iter_ : int
        Training steps done.
    device_ : torch.device
        Where the network is.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the channels, when `fit` saw any.

    See Also
    --------
    SklearnOutlierAdapter : The same with scikit-learn's labels and signs.

    Notes
    -----
    A score of a timestamp depends on the window around it, so neither the order of
    rows nor a subset of them is without effect. Scores of a slice equal those of the
    whole series, away from the cuts by a window, two periods and the smoothing, when
    the slice starts at a multiple of `step_`.

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
        lr: float = 2e-3,
        batch_size: int = 32,
        max_steps: int = 300,
        max_seconds: float | None = None,
        score_by: Score = "joint",
        smoothing: float = 0.5,
        score_aggregation: Aggregation = "mean",
        channel_aggregation: Aggregation = "mean",
        missing: Literal["mask", "raise"] = "mask",
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
        self.channel_aggregation = channel_aggregation
        self.missing = missing
        self.contamination = contamination
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    # PyOD replaces these with versions that change warning filters and hide
    # parameters; scikit-learn's own are what clone and grid search expect.
    get_params = BaseEstimator.get_params
    set_params = BaseEstimator.set_params
    __repr__ = BaseEstimator.__repr__
    _get_param_names: Any = classmethod(BaseEstimator._get_param_names.__func__)

    @classmethod
    def paper(cls, **parameters: Any) -> CoADDetector:
        """Detector with the paper's settings, and without what was added to it.

        Bidirectional GRU encoders of three layers, windows of four periods in patches
        of 8, no reference pool, 300 epochs' worth of steps for a series of 35,000
        points, smoothing over one period. Slow on a CPU.

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
            "batch_size": 64,
            "max_steps": 30_000,
            "smoothing": 1.0,
        }
        return cls(**(settings | parameters))

    def fit(self, X: Any, y: object = None) -> CoADDetector:
        """Learn what is normal.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            The training series, rows in time order, at least 4 of them (32 for a 1-D
            array).
        y : ignored

        Returns
        -------
        CoADDetector
            Itself.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or `X` is no finite numeric series that
            is long enough.
        FloatingPointError
            If training diverges.
        """
        before = self.__dict__.copy()
        try:
            return self._fit(X)
        except BaseException:
            # A fit that fails or is interrupted leaves no mixture of old and new.
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, X: Any) -> CoADDetector:
        check_parameters(self, _CONSTRAINTS)
        self._check_parameters()
        X = validate_series(
            self,
            X,
            reset=True,
            allow_1d=True,
            allow_nan=self.missing == "mask",
            min_timestamps=MIN_TIMESTAMPS,
        )
        _check_missing_share(X)
        plan = plan_windows(
            X,
            period=self.period,
            window_periods=self.window_periods,
            window_size=self.window_size,
            patch_size=self.patch_size,
            step=self.step,
        )
        device = _resolve_device(self.device)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        generator = torch.Generator().manual_seed(int(seed))

        self.center_, self.scale_ = _center_and_scale(X)
        channels, missing = zip(
            *(self._scaled(X, i, device) for i in range(X.shape[1])), strict=True
        )
        references = None
        if self.max_references > 0:
            references = [
                ChannelReference.build(channel, plan, self.max_references, gaps)
                for channel, gaps in zip(channels, missing, strict=True)
            ]
        network = self._network_on_meta(plan.patch_size).to_empty(device="cpu")
        initialise(network, generator)
        network = network.to(device)
        # A constant channel has nothing to teach, unless it is all there is.
        varied = [i for i, channel in enumerate(channels) if channel.std() > 0]
        learn_from = varied or list(range(X.shape[1]))
        # On one thread: a step is many small operations, and the threads of several
        # would mostly wait for one another.
        with (
            threadpool_limits(1, user_api="openmp"),
            tqdm(
                total=self.max_steps, desc="CoAD", unit="step", disable=not self.verbose
            ) as bar,
        ):

            def show(loss: float) -> None:
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update()

            record = train(
                network,
                [channels[i] for i in learn_from],
                [missing[i] for i in learn_from],
                None if references is None else [references[i] for i in learn_from],
                plan,
                distortions=self.distortions,
                distortion_lengths=tuple(self.distortion_lengths),  # type: ignore[arg-type]
                loss_weight=self.loss_weight,
                lr=self.lr,
                batch_size=self.batch_size,
                max_steps=self.max_steps,
                max_seconds=self.max_seconds,
                generator=generator,
                on_step=show,
            )

        self.plan_ = plan
        self.period_, self.window_size_, self.patch_size_, self.step_ = plan
        self.device_ = device
        self.network_ = network
        self.references_ = references
        self.n_iter_, self.loss_curve_ = record
        self.decision_scores_ = self._aggregate_channels(
            self._channel_score(X, i) for i in range(X.shape[1])
        )
        # PyOD's predict_proba needs this; its _set_n_classes would look at y.
        self._classes = 2
        self._process_decision_scores()
        return self

    def decision_function(self, X: Any) -> FloatArray:
        """Score each timestamp; higher is more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            A series with the channels of the training series, at least a window long.

        Returns
        -------
        ndarray of shape (n_timestamps,)
            All finite and at least 0.

        Raises
        ------
        ValueError
            If `X` is no such series.
        """
        X = self._validated(X)
        return self._aggregate_channels(
            self._channel_score(X, i) for i in range(X.shape[1])
        )

    def channel_scores(self, X: Any) -> FloatArray:
        """Score each timestamp of each channel.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.

        Returns
        -------
        ndarray of shape (n_timestamps, n_channels)
            What :meth:`decision_function` aggregates.

        Raises
        ------
        ValueError
            As in :meth:`decision_function`.
        """
        X = self._validated(X)
        scores = np.empty(X.shape)
        for i in range(X.shape[1]):
            scores[:, i] = self._channel_score(X, i)
        return scores

    def explain(self, X: Any) -> list[ScoreComponents]:
        """Tell what classifier, reconstruction and reference say of each channel.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.

        Returns
        -------
        list of ScoreComponents
            One for each channel: probability, mask, reconstruction, error, excess of
            values and of changes, not smoothed; the reconstruction in the units of `X`.

        Raises
        ------
        ValueError
            As in :meth:`decision_function`.
        """
        X = self._validated(X)
        explained = []
        for i in range(X.shape[1]):
            parts = self._parts(X, i)
            with np.errstate(over="ignore"):
                values = parts.reconstruction * self.scale_[i] + self.center_[i]
            values = np.nan_to_num(values)  # the largest number instead of infinity
            explained.append(parts._replace(reconstruction=values))
        return explained

    def predict_proba(
        self, X: Any, method: str = "linear", return_confidence: bool = False
    ) -> Any:
        """Probability of each timestamp to be normal and to be anomalous.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.
        method : {"linear", "unify"}, default="linear"
            How PyOD turns scores into probabilities.
        return_confidence : bool, default=False
            Also return PyOD's confidence in each prediction.

        Returns
        -------
        ndarray of shape (n_timestamps, 2), or a pair of it and the confidence
        """
        # PyOD reads X.shape before anything has made an array of a list.
        X = X if hasattr(X, "shape") else np.asarray(X)
        return super().predict_proba(X, method, return_confidence)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save to one file, without pickle.

        The file appears whole or not at all. See
        :func:`skcoad.io.save_detector`.

        Parameters
        ----------
        path : str or path-like
            File to write; one that exists is replaced.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If `contamination` or `random_state` is an object, or parameters were
            changed since `fit` so that the file could not be loaded.
        OSError
            If the file cannot be written.
        """
        from skcoad.io._container import save_detector

        save_detector(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CoADDetector:
        """Load what :meth:`save` wrote; no code of the file is run.

        See :func:`skcoad.io.load_detector`.

        Parameters
        ----------
        path : str or path-like
            File to read.

        Returns
        -------
        CoADDetector
            Fitted; on the CPU if the device that was asked for is not there.

        Raises
        ------
        InvalidDetectorError
            A ValueError: if the file is damaged, is no such file, or needs a later
            version of skcoad.
        OSError
            If there is no such file, or it cannot be read.
        """
        from skcoad.io._container import load_detector

        return load_detector(path, cls)

    def _check_parameters(self) -> None:
        """Check what no interval or set of options can say."""
        if isinstance(self.contamination, Real) and not isinstance(
            self.contamination, (float, int)
        ):
            raise ValueError(
                f"contamination={self.contamination!r} must be a Python number; PyOD "
                "takes any other object for a thresholder"
            )
        unknown = [kind for kind in self.distortions if kind not in list(DISTORTIONS)]
        if unknown or not len(self.distortions):
            raise ValueError(
                f"distortions={self.distortions!r} must be some of "
                f"{sorted(DISTORTIONS)}"
            )
        lengths = self.distortion_lengths
        if (
            len(lengths) != 2
            or not all(map(at_least(0, above=True).is_satisfied_by, lengths))
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

    def _network_on_meta(self, patch_size: int) -> CoADNetwork:
        """Shapes without memory, drawn from no generator; to be filled."""
        with torch.device("meta"):
            return CoADNetwork(
                patch_size,
                int(self.hidden_size),  # torch's GRU takes no integers of numpy
                int(self.n_layers),
                self.encoder,
                self.branches,
                self.fusion,
                self.masking,
                self.max_references > 0,
            )

    def _validated(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        series = validate_series(
            self, X, reset=False, allow_1d=True, allow_nan=self.missing == "mask"
        )
        if len(series) < self.window_size_:
            raise ValueError(
                f"a series of {len(series)} timestamps is shorter than a window, "
                f"window_size_={self.window_size_}; score more timestamps at once or "
                "fit with a smaller window_size"
            )
        return series

    def _scaled(
        self, X: FloatArray, channel: int, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One channel on its common scale, gaps bridged, and where the gaps are."""
        missing = torch.from_numpy(np.isnan(X[:, channel])).to(device)
        x = bridge_gaps(X[:, channel])
        with np.errstate(over="ignore"):  # what overflows is cut
            x -= self.center_[channel]
            x /= self.scale_[channel]
        x.clip(-MAX_SCALED, MAX_SCALED, out=x)
        return torch.tensor(x, dtype=torch.float32, device=device), missing

    def _parts(self, X: FloatArray, channel: int) -> ScoreComponents:
        return scoring.score_parts(
            self.network_,
            *self._scaled(X, channel, self.device_),
            None if self.references_ is None else self.references_[channel],
            self.plan_,
            self.score_aggregation,
        )

    def _channel_score(self, X: FloatArray, channel: int) -> FloatArray:
        """Score one channel, piece by piece."""
        scores = np.empty(len(X))
        # Wider than twice the series is the mean of everything.
        width = max(1, min(round(self.smoothing * self.period_), 2 * len(X) + 1))
        margin = 2 * self.window_size_ + 2 * self.period_ + width
        for piece, kept in scoring.pieces(len(X), self.step_, margin):
            x = X[piece]
            score = scoring.combine(
                self._parts(x, channel),
                np.isnan(x[:, channel]),
                self.score_by,
                self.references_ is not None,
                width,
            )
            scores[kept] = score[kept.start - piece.start : kept.stop - piece.start]
        return scores

    def _aggregate_channels(self, scores: Iterable[FloatArray]) -> FloatArray:
        """Mean or maximum of the scores of all channels, which come one by one."""
        scores = iter(scores)
        total = next(scores)
        for score in scores:
            if self.channel_aggregation == "max":
                np.maximum(total, score, out=total)
            else:
                total += score
        if self.channel_aggregation == "mean":
            total /= self.n_features_in_
        return total

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "decision_scores_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "outlier_detector"
        tags.input_tags.allow_nan = self.missing == "mask"
        return tags


def _center_and_scale(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation of each channel; no value overflows on the way."""
    center, scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
    for i in range(X.shape[1]):
        x = X[:, i]
        largest = float(max(np.nanmax(x), -np.nanmin(x)))
        if largest > 0:
            mean, deviation = _mean_and_deviation(x, largest)
            center[i] = mean * largest
            # Rounding in a mean of equal values is no variation.
            scale[i] = largest * (deviation if deviation > 1e-12 else 1.0)
    # Nothing smaller can be divided by.
    scale = scale.clip(min=np.finfo(np.float64).tiny)
    return center, scale


def _mean_and_deviation(x: FloatArray, unit: float) -> tuple[float, float]:
    """Of the values that are there, in a unit of theirs; nothing is copied whole."""
    blocks = np.array_split(x, -(-len(x) // BLOCK))
    n_known = sum(np.count_nonzero(~np.isnan(block)) for block in blocks)
    mean = sum(np.nansum(block.astype(np.float64) / unit) for block in blocks) / n_known
    squares = sum(
        np.nansum((block.astype(np.float64) / unit - mean) ** 2) for block in blocks
    )
    return float(mean), float(np.sqrt(squares / n_known))


def _check_missing_share(X: FloatArray) -> None:
    share = np.isnan(X).mean(axis=0)
    if (share > MAX_MISSING).any():
        worst = int(share.argmax())
        raise ValueError(
            f"{share[worst]:.0%} of the values of channel {worst} are missing; at most "
            f"{MAX_MISSING:.0%} of a training series may be"
        )


def _resolve_device(device: str | torch.device) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(1, device=resolved).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"device={device!r} cannot be used here: {error}") from error
    return resolved
