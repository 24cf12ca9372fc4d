"""What all detectors share: the contract of scikit-learn and of PyOD.

A detector is a face of a fitted :class:`~skcoad.model.CoADModel`: it validates
parameters and input, and computes nothing itself.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from copy import copy
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args, overload

import numpy as np
import torch
from numpy.typing import NDArray
from pyod.models.base import BaseDetector
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skcoad._grid import insert_missing_rows, regular_grid
from skcoad._progress import progress
from skcoad._spacing import Grid
from skcoad._torch_state import own_torch_state
from skcoad._typing import ChannelAggregation, FloatArray, Missing, References
from skcoad._validation import (
    StrOptions,
    check_parameters,
    integers,
    reals,
    validate_series,
)
from skcoad._warnings import warn_of_other_spacing, warn_of_text_for_times, warn_user
from skcoad.detectors._contamination import (
    check_contamination,
    held_back_threshold,
    higher_threshold,
)
from skcoad.detectors._gross import without_gross_outliers
from skcoad.detectors._persistence import load_detector, save_detector
from skcoad.detectors._pyod import PyODDetector
from skcoad.detectors._reporting import ReportMixin
from skcoad.detectors._snapshot import on_one_fit
from skcoad.model import CoADModel, InterruptedFitWarning
from skcoad.preprocessing import WindowPlan
from skcoad.preprocessing._missing import in_break
from skcoad.preprocessing._plan import MIN_TIMESTAMPS
from skcoad.scoring import (
    ScoringOptions,
    aggregate_channels,
    calibrate_scores,
    score_and_expect,
    score_series,
)
from skcoad.thresholds import PeaksOverThreshold, ScoreThreshold

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["TimeSeriesDetector"]

# What is known once the training series has been scored.
SCORED = (
    *("decision_scores_", "threshold_", "segment_threshold_", "labels_"),
    *("_mu", "_sigma", "_classes"),
)


class TimeSeriesDetector(ReportMixin, PyODDetector):
    """Base of the detectors; see :class:`skcoad.CoADDetector`.

    A subclass has a constructor that only assigns, ``_parameter_constraints``, and
    ``_plan``, ``_fit_model`` and ``_scoring_options``.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "period": [StrOptions({"auto"}), integers(2)],
        "step": [StrOptions({"auto"}), integers(1)],
        "references": [StrOptions(set(get_args(References)))],
        "channel_aggregation": [StrOptions(set(get_args(ChannelAggregation)))],
        "missing": [StrOptions(set(get_args(Missing)))],
        # A number, one of our thresholds, or a thresholder of PyOD or pythresh.
        "contamination": [reals(0, 0.5, closed="right"), BaseEstimator, BaseDetector],
        "device": [str, torch.device],
        "verbose": [integers(0), bool],
    }

    contamination: Any
    missing: str
    period: Any
    verbose: int
    thresholder_: ScoreThreshold | None

    @abstractmethod
    def _plan(self, X: FloatArray) -> WindowPlan:
        """Sizes for a training series."""

    @abstractmethod
    def _fit_model(self, X: FloatArray, plan: WindowPlan) -> CoADModel:
        """Learn a model of a validated series; other fitted attributes may be set."""

    @abstractmethod
    def _scoring_options(self) -> ScoringOptions:
        """How to score, from the parameters."""

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            The training series, rows in time order, at least 4 of them (32 for a 1-D
            array).
        y : ignored

        Returns
        -------
        object
            Itself.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or `X` is no finite numeric series that
            is long enough, for the threshold as well.
        FloatingPointError
            If training diverges.
        """
        fitted = copy(self)
        with own_torch_state():
            fitted._fit(X)
        # At once: a fit that fails or is interrupted leaves no mixture of old and new,
        # and threads that score meanwhile see the one or the other.
        self.__dict__ = fitted.__dict__
        return self

    @on_one_fit
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
        series, rows = self._regular(X, self._validated(X))
        scores: FloatArray = self._score(series)[rows]
        return scores

    @overload
    def channel_scores(
        self, X: Any, *, return_expected: Literal[False] = False
    ) -> FloatArray: ...

    @overload
    def channel_scores(
        self, X: Any, *, return_expected: Literal[True]
    ) -> tuple[FloatArray, FloatArray]: ...

    @on_one_fit
    def channel_scores(
        self, X: Any, *, return_expected: bool = False
    ) -> FloatArray | tuple[FloatArray, FloatArray]:
        """Score each timestamp of each channel.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.
        return_expected : bool, default=False
            Also return the expected values, which are known then at no further cost.

        Returns
        -------
        scores : ndarray of shape (n_timestamps, n_channels)
            What :meth:`decision_function` aggregates.
        expected : ndarray of shape (n_timestamps, n_channels)
            Expected values in the units of `X`; only if `return_expected`.

        Raises
        ------
        ValueError
            As in :meth:`decision_function`.
        """
        series, rows = self._regular(X, self._validated(X))
        scores, expected = self._score_channels(series)
        return (scores[rows], expected[rows]) if return_expected else scores[rows]

    @on_one_fit
    def aggregate(self, channel_scores: FloatArray) -> FloatArray:
        """Combine the scores of the channels into one.

        Parameters
        ----------
        channel_scores : ndarray of shape (n_timestamps, n_channels)
            From :meth:`channel_scores`.

        Returns
        -------
        ndarray of shape (n_timestamps,)
            What :meth:`decision_function` gives.

        Raises
        ------
        ValueError
            If there are not the scores of as many channels as in the training series.
        """
        check_is_fitted(self)
        scores = np.asarray(channel_scores, dtype=np.float64)
        if scores.ndim != 2 or scores.shape[1] != self.n_features_in_:
            raise ValueError(
                f"channel_scores must be of shape (n_timestamps, {self.n_features_in_})"
                f", got {scores.shape}"
            )
        return aggregate_channels(self.model_, scores.T, self._scoring_options())

    @on_one_fit
    def save(self, path: str | os.PathLike[str]) -> None:
        """Save to one file, without pickle.

        The file appears whole or not at all: an interrupt or a crash leaves what was
        there before.

        Parameters
        ----------
        path : str or path-like
            File to write; one that exists is replaced, with its permissions kept.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If a parameter is a foreign object (a thresholder of PyOD as
            `contamination`, a `RandomState` as `random_state`), or parameters were
            changed since `fit` so that the file could not be loaded.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from skcoad import NeighborsDetector
        >>> X = np.sin(np.arange(400.0) / 4)
        >>> detector = NeighborsDetector().fit(X)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     detector.save(Path(folder, "detector.safetensors"))
        ...     loaded = NeighborsDetector.load(Path(folder, "detector.safetensors"))
        >>> bool((loaded.decision_function(X) == detector.decision_function(X)).all())
        True
        """
        save_detector(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load what :meth:`save` wrote; no code of the file is run.

        Parameters
        ----------
        path : str or path-like
            File to read.

        Returns
        -------
        object
            A fitted detector. On the machine that saved it, its scores are the same to
            the last bit. It is on the device that was asked for in the constructor,
            ``"auto"`` resolved anew, or on the CPU where there is no such device.
            Parameters that were lists are tuples, a `torch.device` is its name.

        Raises
        ------
        InvalidDetectorError
            A ValueError: if the file is damaged, is no such file, holds another
            detector, or needs a later version of skcoad.
        OSError
            If there is no such file, or it cannot be read.
        """
        detector: Self = load_detector(path, cls)
        return detector

    @property
    def plan_(self) -> WindowPlan:
        """Sizes of period, window, patch and step."""
        return self.model_.config.plan

    @property
    def period_(self) -> int:
        """Dominant period, given or derived."""
        return self.plan_.period

    @property
    def window_size_(self) -> int:
        """Timestamps in a window, given or derived."""
        return self.plan_.window_size

    @property
    def step_(self) -> int:
        """Timestamps between windows at scoring, given or derived."""
        return self.plan_.step

    @property
    def center_(self) -> NDArray[np.float64]:
        """Mean of each channel of the training series, of shape (n_channels,)."""
        center: NDArray[np.float64] = self.model_.scaler.center.cpu().numpy()
        return center

    @property
    def scale_(self) -> NDArray[np.float64]:
        """Standard deviation of each channel, of shape (n_channels,)."""
        scale: NDArray[np.float64] = self.model_.scaler.scale.cpu().numpy()
        return scale

    @property
    def device_(self) -> torch.device:
        """Where the model computes."""
        return self.model_.device

    def _check_parameters(self) -> None:
        """Check all parameters; subclasses add what no interval can say."""
        check_contamination(self.contamination)
        check_parameters(self)

    def _fit(self, X: Any) -> None:
        self._check_parameters()
        series = validate_series(
            self,
            X,
            reset=True,
            allow_1d=True,
            allow_nan=self.missing == "mask",
            min_timestamps=MIN_TIMESTAMPS,
        )
        warn_of_text_for_times(X)
        grid = regular_grid(X)
        series, rows = self._with_missing_rows(series, grid)
        self.__dict__.pop("_unscored", None)  # of an earlier fit
        self.training_times_ = None if grid is None else grid.times
        interval = None if grid is None else grid.interval
        normal = without_gross_outliers(series, self.channel_names_, interval)
        plan = self._plan(normal)
        self.thresholder_ = held_back_threshold(self, normal, plan.period, interval)
        with progress("Indexing", normal.size, shown=self.verbose):
            self.model_ = self._fit_model(normal, plan)
        try:
            self._set_scores(normal, series, rows, interval)
        except KeyboardInterrupt:
            warn_user(
                "fit was interrupted while it scored the training series; what was "
                "learned is kept, and the scoring is done when it is first needed",
                InterruptedFitWarning,
            )
            for name in SCORED:  # of an earlier fit
                self.__dict__.pop(name, None)
            # Copies, since the caller may change the series.
            self._unscored = normal.copy(), series.copy(), rows, interval

    def _score_training_series(self) -> None:
        """Do what an interrupted fit left undone."""
        unscored = self.__dict__.get("_unscored")
        if unscored is None:
            return
        scored = copy(self)
        with own_torch_state():
            scored._set_scores(*unscored)
        del scored._unscored
        self.__dict__ = scored.__dict__

    def __getattr__(self, name: str) -> Any:
        if name in SCORED and "_unscored" in self.__dict__:
            self._score_training_series()
            return getattr(self, name)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def _set_scores(
        self,
        normal: FloatArray,
        X: FloatArray,
        rows: Any = slice(None),
        interval: float | None = None,
    ) -> None:
        """Calibrate, and set PyOD's attributes.

        Parameters
        ----------
        normal, X : ndarray of shape (n_timestamps, n_channels)
            The training series without and with gross outliers.
        rows : index, default=slice(None)
            Which timestamps have a row in the input.
        interval : float or None, default=None
            Seconds from one row to the next, for a threshold that needs it.
        """
        options = self._scoring_options()
        with progress("Calibrating", normal.size, shown=self.verbose):
            normal_scores = calibrate_scores(self.model_, normal, options)
        how: dict[str, Any] = {
            "separation": self.period_,
            "interval": interval,
            "missing": in_break(normal, self.period_),
        }
        if self.thresholder_ is not None:
            self.thresholder_ = higher_threshold(
                self.thresholder_, normal_scores, **how
            )
        scores = normal_scores
        if normal is not X or options.references != "train":
            scores = self._score(X)
        self.decision_scores_ = scores[rows]
        # PyOD's predict_proba needs this; its _set_n_classes would look at y.
        self._classes = 2
        self._process_decision_scores()
        self.segment_threshold_ = self.threshold_
        if isinstance(self.contamination, Real):  # a share of rows, not of alarms
            of_alarms = PeaksOverThreshold(held_back=0).fit(normal_scores, **how)
            self.segment_threshold_ = of_alarms.threshold_

    def _score(self, X: FloatArray) -> FloatArray:
        with progress("Scoring", X.size, shown=self.verbose):
            return score_series(self.model_, X, self._scoring_options())

    def _score_channels(self, X: FloatArray) -> tuple[FloatArray, FloatArray]:
        scores, expected = np.empty(X.shape), np.empty(X.shape)
        with progress("Scoring", X.size, shown=self.verbose):
            scored = score_and_expect(self.model_, X, self._scoring_options())
            for channel, both in enumerate(scored):
                scores[:, channel], expected[:, channel] = both
        return scores, expected

    def _regular(self, X: Any, series: FloatArray) -> tuple[FloatArray, Any]:
        """Insert the rows that are missing in time; and where the others are then."""
        grid = regular_grid(X)
        interval = None if grid is None else grid.interval
        warn_of_other_spacing(interval, self.training_times_)
        return self._with_missing_rows(series, grid)

    def _with_missing_rows(
        self, series: FloatArray, grid: Grid | None
    ) -> tuple[FloatArray, Any]:
        regular, rows = insert_missing_rows(series, grid)
        if len(regular) > len(series) and self.missing == "raise":
            raise ValueError(
                f"{len(regular) - len(series)} rows are missing by their times, and "
                'missing="raise" takes no missing values'
            )
        return regular, rows

    def _validated(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        series = validate_series(
            self, X, reset=False, allow_1d=True, allow_nan=self.missing == "mask"
        )
        if len(series) < self.window_size_:
            raise ValueError(
                f"a series of {len(series)} timestamps is shorter than a window, "
                f"window_size_={self.window_size_}; score more timestamps at once or "
                "fit with a smaller window or period"
            )
        return series

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "decision_scores_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "outlier_detector"
        tags.input_tags.allow_nan = self.missing == "mask"
        return tags
