"""What all detectors share: the contract of scikit-learn and of PyOD.

A detector is a face of a fitted :class:`~skcoad.model.CoADModel`: it validates
parameters and input, and computes nothing itself.
"""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from collections.abc import Callable
from copy import copy
from functools import wraps
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pyod.models.base import BaseDetector
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skcoad._torch_state import own_torch_state
from skcoad._typing import FloatArray
from skcoad._validation import (
    StrOptions,
    check_parameters,
    integers,
    reals,
    validate_series,
)
from skcoad.detectors._persistence import load_detector, save_detector
from skcoad.model import CoADModel, InterruptedFitWarning, ScoreComponents
from skcoad.preprocessing import WindowPlan
from skcoad.preprocessing._missing import check_missing_fraction
from skcoad.preprocessing._plan import MIN_TIMESTAMPS
from skcoad.scoring import (
    ScoringOptions,
    calibrate_scores,
    explain_series,
    score_channels,
    score_series,
)

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["TimeSeriesDetector"]

# What is known once the training series has been scored.
SCORED = ("decision_scores_", "threshold_", "labels_", "_mu", "_sigma", "_classes")

Method = TypeVar("Method", bound=Callable[..., Any])


def on_one_fit(method: Method) -> Method:
    """Compute with the detector as it is now, whatever other threads and libraries do.

    The method gets a shallow copy, so that a fit in another thread does not change the
    model between two of its steps; and it runs in torch's own state.
    """

    @wraps(method)
    def compute(self: TimeSeriesDetector, *args: Any, **kwargs: Any) -> Any:
        self._score_training_series()
        with own_torch_state():
            return method(copy(self), *args, **kwargs)

    return cast(Method, compute)


class TimeSeriesDetector(BaseDetector):  # type: ignore[misc]
    """Base of the detectors; see :class:`skcoad.CoADDetector`.

    A subclass has a constructor that only assigns, ``_parameter_constraints``, and
    :meth:`_fit_model` and :meth:`_scoring_options`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "period": [StrOptions({"auto"}), integers(2)],
        "step": [StrOptions({"auto"}), integers(1)],
        "channel_aggregation": [StrOptions({"mean", "max"})],
        "missing": [StrOptions({"mask", "raise"})],
        # A number, or a thresholder of PyOD or pythresh.
        "contamination": [reals(0, 0.5, closed="right"), BaseEstimator, BaseDetector],
        "device": [str, torch.device],
    }

    contamination: Any
    missing: str

    # PyOD replaces these with versions that change warning filters and hide
    # parameters; scikit-learn's own are what clone and grid search expect.
    get_params = BaseEstimator.get_params
    set_params = BaseEstimator.set_params
    __repr__ = BaseEstimator.__repr__
    _get_param_names: Any = classmethod(BaseEstimator._get_param_names.__func__)

    predict = on_one_fit(BaseDetector.predict)
    predict_confidence = on_one_fit(BaseDetector.predict_confidence)

    @abstractmethod
    def _fit_model(self, X: FloatArray) -> CoADModel:
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
            is long enough.
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
        return self._score(self._validated(X))

    @on_one_fit
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
        each = score_channels(self.model_, X, self._scoring_options())
        for channel, score in enumerate(each):
            scores[:, channel] = score
        return scores

    @on_one_fit
    def explain(self, X: Any) -> list[ScoreComponents]:
        """Compute the components of the score of each channel.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.

        Returns
        -------
        list of ScoreComponents
            One for each channel: probability, mask, reconstruction and error, not
            smoothed, the reconstruction in the units of `X`; and how rare the four
            distances to the nearest neighbours are, in decades.

        Raises
        ------
        ValueError
            As in :meth:`decision_function`.
        """
        X = self._validated(X)
        return explain_series(self.model_, X, self._scoring_options())

    @on_one_fit
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
            If a parameter is an object (a thresholder as `contamination`, a
            `RandomState` as `random_state`), or parameters were changed since `fit` so
            that the file could not be loaded.
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
        with own_torch_state():
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
        center: NDArray[np.float64] = self.model_.scaler.center.numpy()
        return center

    @property
    def scale_(self) -> NDArray[np.float64]:
        """Standard deviation of each channel, of shape (n_channels,)."""
        scale: NDArray[np.float64] = self.model_.scaler.scale.numpy()
        return scale

    @property
    def device_(self) -> torch.device:
        """Where the model computes."""
        return self.model_.device

    def _check_parameters(self) -> None:
        """Check all parameters; subclasses add what no interval can say."""
        check_parameters(self)
        if isinstance(self.contamination, Real) and not isinstance(
            self.contamination, (float, int)
        ):
            raise ValueError(
                f"contamination={self.contamination!r} must be a Python number; PyOD "
                "takes any other object for a thresholder"
            )

    def _fit(self, X: Any) -> None:
        self._check_parameters()
        X = validate_series(
            self,
            X,
            reset=True,
            allow_1d=True,
            allow_nan=self.missing == "mask",
            min_timestamps=MIN_TIMESTAMPS,
        )
        check_missing_fraction(X)
        self.model_ = self._fit_model(X)
        try:
            self._set_scores(X)
        except KeyboardInterrupt:
            warnings.warn(
                "fit was interrupted while it scored the training series; what was "
                "learned is kept, and the scoring is done when it is first needed",
                InterruptedFitWarning,
                stacklevel=3,
            )
            for name in SCORED:  # of an earlier fit
                self.__dict__.pop(name, None)
            self._unscored = X.copy()  # the caller may change it

    def _score_training_series(self) -> None:
        """Do what an interrupted fit left undone."""
        X = self.__dict__.get("_unscored")
        if X is None:
            return
        scored = copy(self)
        with own_torch_state():
            scored._set_scores(X)
        del scored._unscored
        self.__dict__ = scored.__dict__

    def __getattr__(self, name: str) -> Any:
        if name in SCORED and "_unscored" in self.__dict__:
            self._score_training_series()
            return getattr(self, name)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def _set_scores(self, X: FloatArray) -> None:
        """Calibrate on the training series, and set PyOD's attributes."""
        self.decision_scores_ = calibrate_scores(
            self.model_, X, self._scoring_options()
        )
        # PyOD's predict_proba needs this; its _set_n_classes would look at y.
        self._classes = 2
        self._process_decision_scores()

    def _score(self, X: FloatArray) -> FloatArray:
        return score_series(self.model_, X, self._scoring_options())

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

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "decision_scores_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "outlier_detector"
        tags.input_tags.allow_nan = self.missing == "mask"
        return tags
