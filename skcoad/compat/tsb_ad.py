"""The detectors in the form of TSB-AD's runner."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from skcoad._typing import FloatArray

__all__ = ["register", "run_CoAD", "run_CoADNeighbors"]


def run_CoAD(  # noqa: N802
    data_train: FloatArray, data_test: FloatArray, **parameters: Any
) -> FloatArray:
    """Fit :class:`skcoad.CoADDetector` and score another series.

    Parameters
    ----------
    data_train : ndarray of shape (n_timestamps, n_channels)
        The training part; TSB-AD's semi-supervised detectors get it apart.
    data_test : ndarray of shape (n_timestamps, n_channels)
        The series to be scored; TSB-AD passes the whole one, the training part in it.
    **parameters
        Of the detector.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        Higher is more anomalous.
    """
    from skcoad.detectors import CoADDetector

    return _scores(CoADDetector(**parameters), data_train, data_test)


def run_CoADNeighbors(  # noqa: N802
    data_train: FloatArray, data_test: FloatArray, **parameters: Any
) -> FloatArray:
    """Fit :class:`skcoad.NeighborsDetector` and score another series.

    Parameters
    ----------
    data_train, data_test : ndarray of shape (n_timestamps, n_channels)
        As for :func:`run_CoAD`.
    **parameters
        Of the detector.

    Returns
    -------
    ndarray of shape (n_timestamps,)
        Higher is more anomalous.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.compat.tsb_ad import run_CoADNeighbors
    >>> X = np.sin(np.arange(400.0) / 4)[:, None]
    >>> run_CoADNeighbors(X[:200], X, period=25).shape
    (400,)
    """
    from skcoad.detectors import NeighborsDetector

    return _scores(NeighborsDetector(**parameters), data_train, data_test)


def register(model_wrapper: ModuleType) -> None:
    """Add the detectors to those that TSB-AD's runner finds by name.

    Parameters
    ----------
    model_wrapper : module
        ``TSB_AD.model_wrapper``; its ``run_Semisupervise_AD("CoAD", ...)`` and
        ``run_Semisupervise_AD("CoADNeighbors", ...)`` then work.
    """
    functions = {"CoAD": run_CoAD, "CoADNeighbors": run_CoADNeighbors}
    for name, function in functions.items():
        setattr(model_wrapper, f"run_{name}", function)
        if name not in model_wrapper.Semisupervise_AD_Pool:
            model_wrapper.Semisupervise_AD_Pool.append(name)


def _scores(detector: Any, data_train: FloatArray, data_test: FloatArray) -> FloatArray:
    scores: FloatArray = detector.fit(data_train).decision_function(data_test)
    return np.ravel(scores)
