"""Distance from the median, channel by channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skcoad._series import check_series
from skcoad.benchmark.baselines._common import LEAST_DEVIATION, check_channels

# Standard deviation of a normal distribution over its median absolute deviation.
NORMAL_FACTOR = 1.4826


class RobustZScore(BaseEstimator):  # type: ignore[misc]
    """Distance from the training median in robust standard deviations [1]_.

    The deviation of a channel is 1.4826 times the median absolute deviation of its
    training part, at least 1e-10 times the median's magnitude or 1e-10, whichever is
    larger, so that a channel that was constant has a high score when it moves. The
    score of a timestamp is the largest over the channels; missing values count as 0.

    Attributes
    ----------
    median_, deviation_ : ndarray of shape (n_channels,)
        Of the training series.

    References
    ----------
    .. [1] B. Iglewicz and D. C. Hoaglin, "How to detect and handle outliers", ASQC
       Quality Press, 1993.

    Examples
    --------
    >>> from skcoad.benchmark.baselines import RobustZScore
    >>> detector = RobustZScore().fit([1.0, 2.0, 3.0, 4.0, 65535.0])
    >>> detector.decision_function([3.0, 6.0]).round(2)
    array([0.  , 2.02])
    """

    def fit(self, X: ArrayLike, y: object = None) -> RobustZScore:
        """Store median and deviation of each channel."""
        x = check_series(X, "X")
        self.median_ = np.nanmedian(x, axis=0)
        deviation = NORMAL_FACTOR * np.nanmedian(np.abs(x - self.median_), axis=0)
        least = LEAST_DEVIATION * np.maximum(1.0, np.abs(self.median_))
        self.deviation_ = np.maximum(deviation, least)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score every timestamp; higher is more anomalous."""
        check_is_fitted(self)
        x = check_series(X, "X")
        check_channels(x, len(self.median_))
        scores = np.abs(x - self.median_) / self.deviation_
        largest: NDArray[np.float64] = np.nan_to_num(scores).max(axis=1)
        return largest
