"""Make an unfitted detector for each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone

from skcoad._validation import check_high_scores
from skcoad.io._parameters import parameters_of


@dataclass(frozen=True)
class FitPredictOnly:
    """Mark a detector that scores only the data it was fitted on.

    Such a detector is transductive. The benchmark fits it on the part of the series
    to be scored and reads ``decision_scores_``; it never receives the training part.

    Parameters
    ----------
    detector : object or callable
        An object with ``fit``, or a function that takes the period and returns one.

    Examples
    --------
    >>> from skcoad.benchmark import FitPredictOnly
    >>> def matrix_profile(period):
    ...     from pyod.models.ts_matrix_profile import MatrixProfile
    ...
    ...     return MatrixProfile(window_size=period)
    >>> detectors = {"MatrixProfile": FitPredictOnly(matrix_profile)}
    """

    detector: Any


def check_detectors(detectors: Mapping[str, Any]) -> None:
    """Raise TypeError for anything that `make_detector` cannot use."""
    for name, detector in detectors.items():
        if isinstance(detector, FitPredictOnly):
            detector = detector.detector
        if isinstance(detector, type):
            raise TypeError(
                f"{name}: got the class {detector.__name__}; pass an instance, "
                f"{detector.__name__}()"
            )
        if not hasattr(detector, "fit") and not callable(detector):
            raise TypeError(
                f"{name}: a detector must have a method fit, or be a function that "
                f"returns one, got {detector!r}"
            )
        check_high_scores(detector)


def make_detector(detector: Any, period: int, seed: int | None = None) -> Any:
    """Make an unfitted detector.

    Parameters
    ----------
    detector : object, callable or FitPredictOnly
        An object with ``fit``, which is cloned, or a function that is called with
        the period.
    period : int
        Dominant period of the data to fit on.
    seed : int, default=None
        Value for ``random_state`` of the detector and of nested detectors, where
        that parameter exists; None leaves it unchanged.

    Returns
    -------
    estimator : object
        Unfitted.

    Raises
    ------
    TypeError
        If it has scikit-learn's interface.
    """
    if isinstance(detector, FitPredictOnly):
        detector = detector.detector
    # safe=False: an object without get_params is deep-copied.
    estimator = (
        clone(detector, safe=False) if hasattr(detector, "fit") else detector(period)
    )
    check_high_scores(estimator)  # of a function it is not known before
    if seed is not None and hasattr(estimator, "get_params"):
        seeds = {
            name: seed
            for name in parameters_of(estimator, deep=True)
            if name == "random_state" or name.endswith("__random_state")
        }
        if seeds:
            estimator.set_params(**seeds)
    return estimator
