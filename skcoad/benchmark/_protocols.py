"""Which part of a series is for training, which is scored, and by which metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import argrelmax

from skcoad import metrics
from skcoad.datasets import Series
from skcoad.preprocessing import autocorrelation


class Split(NamedTuple):
    """The parts of a series under a protocol."""

    train: NDArray[np.float64]
    scored: NDArray[np.float64]
    labels: NDArray[np.int64]


def _kdd21(series: Series) -> Split:
    return Split(series.train, series.test, series.test_labels)


def _tsb_ad(series: Series) -> Split:
    return Split(series.train, series.values, series.labels)


PROTOCOLS: dict[str, Callable[[Series], Split]] = {"kdd21": _kdd21, "tsb-ad": _tsb_ad}
"""Fit on the training part; then score the test part, or the whole series."""

HITS = {"hit_at_1": 1, "hit_at_3": 3, "hit_at_5": 5}
"""Metrics by KDD21's rule, and how many peaks each considers."""

METRICS = (
    "vus_pr",
    "auc_pr",
    "best_f1",
    "range_auc_pr",
    "vus_roc",
    "affiliation_f1",
    *HITS,
)
"""The metrics that `evaluate` computes."""


def evaluate(
    labels: NDArray[np.int64], scores: NDArray[np.float64], window: int
) -> dict[str, float]:
    """Compute every metric of the benchmark; for each, higher is better.

    Parameters
    ----------
    labels, scores : ndarray of shape (n_timestamps,)
        True labels, and the detector's scores.
    window : int
        Largest buffer of the range-based metrics, see `vus_window`.

    Returns
    -------
    values : dict of str to float
        By the names in `METRICS`. ``hit_at_1``, ``hit_at_3`` and ``hit_at_5``
        (KDD21's rule) are defined only for a series with exactly one anomaly.
    """
    affiliation = metrics.affiliation_scores(labels, scores)
    values = {
        "vus_pr": metrics.vus_pr(labels, scores, window=window),
        "auc_pr": metrics.auc_pr(labels, scores),
        "best_f1": metrics.best_f1(labels, scores),
        "range_auc_pr": metrics.range_auc_pr(labels, scores, window=window),
        "vus_roc": metrics.vus_roc(labels, scores, window=window),
        "affiliation_f1": affiliation.f1,
    }
    n_events = len(metrics.events(labels))
    for name, k in HITS.items():
        if is_defined(name, n_events):
            values[name] = metrics.kdd21_hit(labels, scores, k=k)
    return {name: float(value) for name, value in values.items()}


def is_defined(metric: str, n_events: int) -> bool:
    """Whether a metric is defined for a series with so many anomalies."""
    return metric not in HITS or n_events == 1


def vus_window(x: ArrayLike) -> int:
    """Window of VUS by TSB-AD's rule.

    The lag of the highest peak of the autocorrelation of the first 20,000 points,
    among the lags 3 to 400; 125 if there is no peak, or if it lies before lag 6 or
    after lag 303. The rule is TSB-AD's [1]_ unchanged, so that results are comparable
    with the published ones; the windows of detectors come from
    `skcoad.preprocessing.dominant_period`.

    Parameters
    ----------
    x : array-like of shape (n_timestamps,)
        The series; of a multivariate one, TSB-AD uses the first channel.

    Returns
    -------
    window : int
        Between 6 and 303.

    References
    ----------
    .. [1] Q. Liu and J. Paparrizos, "The elephant in the room: towards a reliable
       time-series anomaly detection benchmark", NeurIPS 2024; ``find_length_rank``
       of its code.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.benchmark import vus_window
    >>> vus_window(np.sin(2 * np.pi * np.arange(1000) / 40))
    40
    >>> vus_window(np.zeros(1000))
    125
    """
    x = np.asarray(x, dtype=np.float64)[:20_000]
    lags = np.arange(min(400, len(x) - 1) + 1)
    # TSB-AD divides by the number of points, `autocorrelation` by the number of pairs.
    correlation = (autocorrelation(x, int(lags[-1])) * (1 - lags / len(x)))[3:]
    (peaks,) = argrelmax(correlation)
    if len(peaks) == 0:
        return 125
    best = int(peaks[correlation[peaks].argmax()])
    return best + 3 if 3 <= best <= 300 else 125
