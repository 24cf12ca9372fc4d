"""A PyOD detector with scikit-learn's labels, -1 and +1, and its sign of scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["SklearnOutlierAdapter"]


class SklearnOutlierAdapter(OutlierMixin, BaseEstimator):
    """A PyOD detector with the conventions of scikit-learn's outlier detectors.

    PyOD labels an anomaly 1 and the rest 0, with higher scores for anomalies.
    scikit-learn labels them -1 and +1, with lower scores for anomalies.

    Parameters
    ----------
    detector : BaseDetector or None, default=None
        The detector to wrap; a :class:`skcoad.CoADDetector` by default. It is cloned.

    Attributes
    ----------
    detector_ : BaseDetector
        The fitted clone.
    offset_ : float
        ``-threshold_`` of the detector: what :meth:`score_samples` must exceed for an
        inlier.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, when `fit` saw any.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import CoADDetector, SklearnOutlierAdapter
    >>> X = np.sin(np.arange(400.0) / 4).reshape(-1, 1)
    >>> detector = CoADDetector(max_steps=5, random_state=0)
    >>> labels = SklearnOutlierAdapter(detector).fit_predict(X)
    >>> sorted(set(labels.tolist()))
    [-1, 1]
    """

    def __init__(self, detector: Any = None) -> None:
        self.detector = detector

    def _detector(self) -> Any:
        if self.detector is not None:
            return clone(self.detector)
        from skcoad.detectors import CoADDetector

        return CoADDetector()

    def fit(self, X: Any, y: object = None) -> SklearnOutlierAdapter:
        """Fit a clone of the detector.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            The training series.
        y : ignored

        Returns
        -------
        SklearnOutlierAdapter
            Itself.
        """
        self.detector_ = self._detector().fit(X)
        self.offset_ = -self.detector_.threshold_
        if not hasattr(self.detector_, "n_features_in_"):  # most of PyOD's
            validate_data(self, X, skip_check_array=True)
            return self
        self.n_features_in_ = self.detector_.n_features_in_
        if hasattr(self.detector_, "feature_names_in_"):
            self.feature_names_in_ = self.detector_.feature_names_in_
        elif hasattr(self, "feature_names_in_"):  # of an earlier fit
            del self.feature_names_in_
        return self

    def score_samples(self, X: Any) -> NDArray[np.floating[Any]]:
        """Score each timestamp; lower is more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            A series.

        Returns
        -------
        ndarray of shape (n_timestamps,)
            The negated scores of the detector.
        """
        check_is_fitted(self)
        return np.asarray(-self.detector_.decision_function(X))

    def decision_function(self, X: Any) -> NDArray[np.floating[Any]]:
        """Score each timestamp; negative is an anomaly.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            A series.

        Returns
        -------
        ndarray of shape (n_timestamps,)
            ``score_samples(X) - offset_``.
        """
        check_is_fitted(self)
        detector = self.detector_  # that of one fit, whatever another thread does
        return np.asarray(detector.threshold_ - detector.decision_function(X))

    def predict(self, X: Any) -> NDArray[np.intp]:
        """Label each timestamp.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            A series.

        Returns
        -------
        ndarray of shape (n_timestamps,)
            -1 for anomalies, +1 for the rest.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self._detector()).input_tags.allow_nan
        return tags
