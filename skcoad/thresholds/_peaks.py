"""Extreme value theory: the tail of the events' peaks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from skcoad.thresholds._base import ScoreThreshold
from skcoad.thresholds._events import event_peaks, lowest_threshold

__all__ = ["PeaksOverThreshold"]

N_PEAKS = 20  # of events that the tail is fitted to
# Shapes lie within plus and minus this, by the prior of Martins and Stedinger.
MAX_SHAPE = 0.5
PRIOR = stats.beta(9, 6, loc=-MAX_SHAPE, scale=2 * MAX_SHAPE)
N_SHAPES, N_SCALES = 49, 61
CHUNK = 256  # scores
SCALES = math.e**2  # the scale lies within this factor of the mean excess


class PeaksOverThreshold(ScoreThreshold):
    """The score that new events exceed at the asked rate, by extreme value theory.

    A generalised Pareto distribution describes by how much the peaks of the 20 highest
    events exceed the level that separates them from the rest. Its shape and scale are
    not estimated but integrated over: the threshold is the quantile of the predictive
    distribution, which is higher the fewer peaks there are, so that the mean rate of
    false alarms over many series is what was asked for. The prior of the shape is that
    of Martins and Stedinger, with mean 0.1; that of the scale is uniform in the
    logarithm. This extrapolates beyond the highest score; rates for which the
    calibration scores have more than 20 events are counted, as by
    :class:`QuantileThreshold`. So are `p_values` up to the highest score; beyond it
    they fall as the distribution does.

    Parameters
    ----------
    false_alarms : str, default="1 per 1000 rows"
        Events above the threshold on normal data, in rows ("1 per 10000 rows") or in
        time ("1 per week", "2 per 12 hours"); see
        :func:`skcoad.thresholds.events_per_row`.
    held_back : float, default=0.5
        Share of the training series, at each end, that a detector calibrates on as
        well: it is fitted again without it, and scores it as new; `threshold_` is the
        higher of this and that of the scores of the training series itself. By default,
        each half is scored by a detector fitted to the other. The first knows how far
        the series drifts, the second has more to compare with. Two more fits; with 0
        there is only the second, and no cost. At most 0.5.

    Attributes
    ----------
    threshold_ : float
        Scores above are alarms.
    rate_ : float
        Events per row that were asked for.
    scores_ : ndarray of shape (n_timestamps,)
        What it was fitted to; in missing rows, the lowest of the others.
    missing_ : ndarray of shape (n_timestamps,)
        Which rows were missing.
    level_ : float
        Where the tail begins.
    peaks_ : ndarray of shape (n_events,)
        Of the events above that level.

    References
    ----------
    Davison and Smith, "Models for Exceedances over High Thresholds", JRSS B 52, 1990
    (peaks of clusters).

    Martins and Stedinger, "Generalized maximum-likelihood generalized extreme-value
    quantile estimators for hydrologic data", Water Resources Research 36, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.thresholds import PeaksOverThreshold
    >>> scores = np.random.default_rng(0).exponential(size=5000)
    >>> threshold = PeaksOverThreshold("1 per 100000 rows").fit(scores)
    >>> bool(scores.max() < threshold.threshold_ < 2 * np.log(100000))
    True
    >>> threshold.p_values([0.7, 10.0]).round(2)
    array([0.5, 0. ])
    """

    def _limit(self) -> float:
        scores, separation = self.scores_, self.separation_
        self.level_ = lowest_threshold(scores, N_PEAKS, separation=separation)
        self.peaks_ = event_peaks(scores, self.level_, separation=separation)
        if len(self.peaks_) == 0:  # nothing is above the others
            return self.level_
        self._fit_tail(self.peaks_ - self.level_)
        events = self.rate_ * len(self._sorted)
        if events >= len(self.peaks_):
            return lowest_threshold(scores, self._n_asked(), separation=separation)
        wanted = events / len(self.peaks_)
        unit = float((self.peaks_ - self.level_).mean())  # brentq's tolerance has none

        def too_many(excess: float) -> float:
            return float(self._survival(np.array([excess * unit]))[0] - wanted)

        high = 1.0
        while too_many(high) > 0:
            high *= 2
        return self.level_ + unit * float(brentq(too_many, 0, high))

    def _fit_tail(self, excess: NDArray[np.float64]) -> None:
        """Posterior weights of shapes and scales on a grid."""
        shapes = np.linspace(-MAX_SHAPE, MAX_SHAPE, N_SHAPES + 2)[1:-1]
        scales = np.geomspace(1 / SCALES, SCALES, N_SCALES) * excess.mean()
        shape, scale = (a.ravel() for a in np.meshgrid(shapes, scales))
        log_density = stats.genpareto.logpdf(excess[:, None], shape, scale=scale)
        log_weight = log_density.sum(0) + PRIOR.logpdf(shape)
        weight = np.exp(log_weight - log_weight.max())
        matters = weight > 1e-6
        self._weight = weight[matters] / weight[matters].sum()
        self._shape, self._scale = shape[matters], scale[matters]

    def _survival(self, excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predictive probability that a new peak exceeds the level by more."""
        survival = np.empty(len(excess))
        for start in range(0, len(excess), CHUNK):  # each needs a copy of the grid
            part = excess[start : start + CHUNK, None]
            each = stats.genpareto.sf(part, self._shape, scale=self._scale)
            survival[start : start + CHUNK] = each @ self._weight
        return survival

    def _tail_probability(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        p_values = super()._tail_probability(scores)
        highest = self._sorted[-1]
        beyond = scores > highest
        if len(self.peaks_) and beyond.any():
            # The tail is one of peaks, of which an event has one, but many rows: it
            # tells how fast the share of rows falls, not where it begins.
            known = self._survival(np.array([highest - self.level_]))
            p_values[beyond] *= self._survival(scores[beyond] - self.level_) / known
        return p_values
