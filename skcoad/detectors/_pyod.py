"""PyOD's part of the contract: labels, probabilities and confidence from scores."""

from __future__ import annotations

from copy import copy
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pyod.models.base import BaseDetector
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skcoad._typing import FloatArray
from skcoad.detectors._contamination import thresholder_limit
from skcoad.detectors._snapshot import on_one_fit
from skcoad.thresholds import ScoreThreshold

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["PyODDetector"]


class PyODDetector(BaseDetector):  # type: ignore[misc]
    """PyOD's detector, with thresholds in the unit of the scores.

    A subclass sets `decision_scores_` and `thresholder_`, and calls
    :meth:`_process_decision_scores`.
    """

    contamination: Any
    decision_scores_: FloatArray
    labels_: NDArray[np.int_]
    rejection_threshold_: float
    thresholder_: ScoreThreshold | None

    # PyOD replaces these with versions that change warning filters and hide
    # parameters; scikit-learn's own are what clone and grid search expect.
    get_params = BaseEstimator.get_params
    set_params = BaseEstimator.set_params
    __repr__ = BaseEstimator.__repr__
    _get_param_names: Any = classmethod(BaseEstimator._get_param_names.__func__)

    @on_one_fit
    def predict(self, X: Any, return_confidence: bool = False) -> Any:
        """Label each timestamp.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.
        return_confidence : bool, default=False
            Also return PyOD's confidence in each label.

        Returns
        -------
        ndarray of shape (n_timestamps,), or a pair of it and the confidence
            1 where the score is above `threshold_`, else 0.
        """
        return BaseDetector.predict(self._as_pyod(), X, return_confidence)

    @on_one_fit
    def predict_confidence(self, X: Any) -> FloatArray:
        """PyOD's confidence in each label.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.

        Returns
        -------
        ndarray of shape (n_timestamps,)
            Probability of the same label had the training series been another.
        """
        confidence: FloatArray = BaseDetector.predict_confidence(self._as_pyod(), X)
        return confidence

    def predict_with_rejection(
        self,
        X: Any,
        T: float = 32,
        return_stats: bool = False,
        delta: float = 0.1,
        c_fp: float = 1,
        c_fn: float = 1,
        c_r: float = -1,
    ) -> Any:
        """Label each timestamp, but for those of which PyOD is not confident.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`.
        T : float, default=32
            A label is rejected where the confidence is at most ``1 - 2 exp(-T)``.
        return_stats : bool, default=False
            Also return what :meth:`compute_rejection_stats` does, as a list.
        delta, c_fp, c_fn, c_r : float
            As for :meth:`compute_rejection_stats`.

        Returns
        -------
        ndarray of shape (n_timestamps,), or a pair of it and the statistics
            0, 1, or -2 where the label is rejected.
        """
        detector = self._as_pyod()
        labels = BaseDetector.predict_with_rejection(
            detector, X, T, return_stats, delta, c_fp, c_fn, c_r
        )
        self.rejection_threshold_ = detector.rejection_threshold_
        return labels

    @on_one_fit
    def compute_rejection_stats(
        self,
        T: float = 32,
        delta: float = 0.1,
        c_fp: float = 1,
        c_fn: float = 1,
        c_r: float = -1,
        verbose: bool = False,
    ) -> Any:
        """PyOD's estimates of how often labels are rejected, and at what cost.

        Parameters
        ----------
        T : float, default=32
            As for :meth:`predict_with_rejection`.
        delta : float, default=0.1
            The upper bound of the rate holds with probability ``1 - delta``.
        c_fp, c_fn, c_r : float
            Costs of a false alarm, a miss and a rejection; a negative `c_r` is the
            contamination.
        verbose : bool, default=False
            Print them too.

        Returns
        -------
        expected_rate, upper_bound_rate, upper_bound_cost : float
        """
        return BaseDetector.compute_rejection_stats(
            self._as_pyod(), T, delta, c_fp, c_fn, c_r, verbose
        )

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

    def _process_decision_scores(self) -> Self:
        """Set PyOD's attributes; `threshold_` is always in the unit of the scores."""
        if isinstance(self.contamination, Real):
            super()._process_decision_scores()
            return self
        scores = self.decision_scores_
        if self.thresholder_ is not None:
            self.threshold_ = self.thresholder_.threshold_
        else:
            self.threshold_ = thresholder_limit(self.contamination, scores)
        self.labels_ = (scores > self.threshold_).astype(int)
        self._mu, self._sigma = scores.mean(), scores.std()
        return self

    def _as_pyod(self) -> Self:
        """Itself, with a number for `contamination`, so that PyOD uses `threshold_`."""
        if isinstance(self.contamination, Real):
            return self
        check_is_fitted(self)
        copied = copy(self)
        # PyOD's estimates need one anomalous row at least.
        copied.contamination = max(1, int(self.labels_.sum())) / len(self.labels_)
        return copied
