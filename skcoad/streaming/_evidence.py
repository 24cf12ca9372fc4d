"""Evidence of the newest timestamps of a stream, before anything comes after them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skcoad._rolling import MIN_WEIGHT, SUBSEQUENCE_POWER
from skcoad._typing import BoolArray, FloatArray, IntArray
from skcoad.model import CoADModel
from skcoad.model._scaler import MAX_SCALED
from skcoad.model._statistics import (
    MAX_DIFFERENCE,
    MIN_VOLATILITY,
    WIDTHS_PER_PERIOD,
)
from skcoad.neighbors import VIEWS, SubsequenceLookup
from skcoad.preprocessing._plan import QUERIES_PER_PERIOD
from skcoad.streaming._causal import carry_forward, trailing_mean

__all__ = ["CausalEvidence", "Rows", "Statistics"]


class Rows(NamedTuple):
    """A piece of a stream, scaled, as it was known at each timestamp.

    Attributes
    ----------
    x : ndarray of shape (n_channels, n_timestamps)
        Values; where they are missing, the last one, which fades.
    missing : ndarray of shape (n_channels, n_timestamps)
        Where they are, bool.
    first : int
        Position of the first in the stream.
    n_last : int
        Evidence is of so many last ones; the others are what they are compared with.
    """

    x: FloatArray
    missing: BoolArray
    first: int
    n_last: int


class Statistics(NamedTuple):
    """Statistics of the last timestamps.

    Attributes
    ----------
    values : ndarray of shape (n_statistics, n_last)
        Not compared with anything.
    observed : ndarray of shape (n_statistics, n_last)
        Where they are defined, bool.
    """

    values: FloatArray
    observed: BoolArray


class CausalEvidence:
    """Excess distances and local statistics of the newest timestamps.

    Parameters
    ----------
    model : CoADModel
        Fitted, with neighbours.

    Attributes
    ----------
    history : int
        Timestamps before the last ones that influence their evidence.
    newest : dict
        By channel, the newest subsequence that was searched for and its
        candidates, for the timestamps until the next search.
    """

    def __init__(self, model: CoADModel) -> None:
        assert model.neighbors is not None
        plan = model.config.plan
        self._period = plan.period
        self._stride = plan.query_stride(QUERIES_PER_PERIOD)
        self._width = max(1, plan.period // WIDTHS_PER_PERIOD)
        self.history = 2 * self._period + self._stride
        self._center = model.scaler.center.cpu().numpy()[:, None]
        self._scale = model.scaler.scale.cpu().numpy()[:, None]
        self._rounding = model.scaler.rounding.cpu().numpy()[:, None]
        self._any_constant = bool(self._rounding.any())
        self._difference_scales = [
            channel.difference_scale.item() for channel in model.neighbors
        ]
        self._lookups = [SubsequenceLookup(channel) for channel in model.neighbors]
        self._predictors: IntArray | None = None
        if model.regression is not None:
            self._predictors = model.regression.predictors.cpu().numpy()
            self._weights = model.regression.weights.cpu().numpy()
        self.newest: dict[int, tuple[int, IntArray]] = {}

    def rows(self, X: FloatArray, first: int, n_last: int) -> Rows:
        """Scale a piece of a stream.

        Parameters
        ----------
        X : ndarray of shape (n_timestamps, n_channels)
            In the units of the training series; NaN is missing.
        first, n_last : int
            See :class:`Rows`.

        Returns
        -------
        Rows
        """
        with np.errstate(over="ignore"):  # clipped
            x = (X.T - self._center) / self._scale
        # numpy's clip costs several times as much for a few values.
        x = np.minimum(np.maximum(x, -MAX_SCALED), MAX_SCALED)
        if self._any_constant:
            x[np.abs(x) <= self._rounding] = 0
        return self.filled(x, np.isnan(x), first, n_last)

    def filled(
        self, x: FloatArray, missing: BoolArray, first: int, n_last: int
    ) -> Rows:
        """Fill what is missing in a scaled piece of a stream; see :meth:`rows`."""
        if missing.any():
            x = np.stack(
                [
                    carry_forward(values, absent, self._period)
                    for values, absent in zip(x, missing, strict=True)
                ]
            )
        return Rows(x, missing, first, n_last)

    def excess(self, rows: Rows, channel: int) -> FloatArray:
        """Excess distances of the subsequences that end at the last timestamps.

        Parameters
        ----------
        rows : Rows
            The newest ones.
        channel : int
            Which channel.

        Returns
        -------
        ndarray of shape (n_views, n_last)
            0 before a subsequence is complete.
        """
        found = np.zeros((len(VIEWS), rows.n_last))
        n_rows = rows.x.shape[1]
        start = max(0, rows.first + n_rows - rows.n_last - self._period + 1)
        n_complete = rows.first + n_rows - self._period + 1 - start
        if n_complete <= 0:
            return found
        query = start - start % self._stride
        points = self._points(rows, channel, query - rows.first)
        candidates = self._candidates(channel, query, points)
        ahead = np.arange(start - query, points.shape[1])
        found[:, -n_complete:] = self._lookups[channel].excess(
            points[:, start - query :], self._followed(candidates, ahead)
        )
        return found

    def _followed(self, candidates: IntArray, ahead: IntArray) -> IntArray:
        """Candidates of subsequences so far after the first that was searched for."""
        return candidates[:, ahead // self._stride] + (ahead % self._stride)[:, None]

    def _candidates(self, channel: int, query: int, points: FloatArray) -> IntArray:
        """Candidates of every `stride`-th subsequence, the first of which is known."""
        newest, known = self.newest.get(channel, (-1, None))
        search = self._lookups[channel].search
        if known is None or newest != query:
            candidates = search(points[:, :: self._stride])
        elif points.shape[1] <= self._stride:
            return known
        else:
            later = search(points[:, self._stride :: self._stride])
            candidates = np.concatenate([known, later], 1)
        at = query + (candidates.shape[1] - 1) * self._stride
        self.newest[channel] = at, candidates[:, -1:]
        return candidates

    def normal_excess(self, rows: Rows, channel: int) -> FloatArray:
        """Excess distances of the training series to other parts of itself.

        Parameters
        ----------
        rows : Rows
            The whole training series.
        channel : int
            Which channel.

        Returns
        -------
        ndarray of shape (n_views, n_timestamps)
            0 before a subsequence is complete.
        """
        starts = np.arange(rows.n_last - self._period + 1)
        lookup = self._lookups[channel]
        candidates = lookup.search_itself(starts[:: self._stride])
        found = np.zeros((len(VIEWS), rows.n_last))
        found[:, self._period - 1 :] = lookup.excess(
            self._points(rows, channel, 0), self._followed(candidates, starts), starts
        )
        return found

    def _points(self, rows: Rows, channel: int, first: int) -> FloatArray:
        """Subsequences of a channel from a timestamp on, in all views."""
        # One more before, whose difference to the first is not the first difference.
        before = min(first, 1)
        points = self._lookups[channel].points(rows.x[channel, first - before :])
        return points[:, before:]

    def coverage(self, rows: Rows, channel: int) -> FloatArray:
        """Weight of each view by what was observed of the subsequence that ends now.

        Parameters
        ----------
        rows, channel : Rows, int
            As for :meth:`excess`.

        Returns
        -------
        ndarray of shape (n_views, n_last)
            1 where nothing is missing.
        """
        missing = rows.missing[channel]
        if not missing.any():
            return np.ones((len(VIEWS), rows.n_last))
        absent = {"values": missing, "differences": _diff_missing(missing)}
        weights = {}
        for kind, gone in absent.items():
            none = np.zeros(len(gone), dtype=bool)
            observed = trailing_mean(1.0 - gone, none, self._period, rows.n_last)
            weights[kind] = (observed**SUBSEQUENCE_POWER).clip(min=MIN_WEIGHT)
        return np.stack([weights[kind] for kind, _ in VIEWS])

    def statistics(self, rows: Rows, channel: int) -> Statistics:
        """Value, level, difference and volatility up to now.

        Parameters
        ----------
        rows, channel : Rows, int
            As for :meth:`excess`.

        Returns
        -------
        Statistics
        """
        x, missing, n = rows.x[channel], rows.missing[channel], rows.n_last
        first = max(0, len(x) - n - self._width)
        x, missing = x[first:], missing[first:]
        difference = np.zeros_like(x)
        np.subtract(x[1:], x[:-1], out=difference[1:])
        difference /= self._difference_scales[channel]
        unknown = _diff_missing(missing)
        if rows.first + first == 0:  # what came before it is not known
            unknown[0] = True
        square = np.square(np.minimum(np.abs(difference), MAX_DIFFERENCE))
        level = _level(x, missing, self._width, n)
        power = _level(square, unknown, self._width, n)
        volatility = 0.5 * np.log(power + MIN_VOLATILITY**2)
        return _statistics(
            np.where(missing[-n:], np.nan, x[-n:]),
            level,
            np.where(unknown[-n:], np.nan, difference[-n:]),
            volatility,
        )

    def residuals(self, rows: Rows, channel: int) -> Statistics:
        """Deviation from what other channels predict, and its mean up to now.

        Parameters
        ----------
        rows, channel : Rows, int
            As for :meth:`excess`; of several channels.

        Returns
        -------
        Statistics
        """
        assert self._predictors is not None
        others = self._predictors[channel]
        last = slice(-(rows.n_last + self._width), None)
        residual = rows.x[channel, last] - self._weights[channel] @ rows.x[others, last]
        missing = rows.missing[channel, last] | rows.missing[others, last].any(0)
        return self.residual_statistics(residual, missing, rows.n_last)

    def residual_statistics(
        self, residual: FloatArray, missing: BoolArray, n_last: int
    ) -> Statistics:
        """Residual and its mean up to now; see :meth:`residuals`."""
        level = _level(residual, missing, self._width, n_last)
        newest = np.where(missing[-n_last:], np.nan, residual[-n_last:])
        return _statistics(newest, level)


def _level(x: FloatArray, missing: BoolArray, width: int, n_last: int) -> FloatArray:
    """Mean up to now; NaN where more than half is missing."""
    mean = trailing_mean(x, missing, width, n_last)
    if missing.any():
        none = np.zeros(len(missing), dtype=bool)
        mean[trailing_mean(1.0 * missing, none, width, n_last) > 0.5] = np.nan
    return mean


def _statistics(*each: FloatArray) -> Statistics:
    """Of each statistic at the last timestamps, NaN where it is not defined."""
    values = np.array(each)
    observed = ~np.isnan(values)
    return Statistics(np.where(observed, values, 0), observed)


def _diff_missing(missing: BoolArray) -> BoolArray:
    """Which differences are missing: those of a missing value on either side."""
    unknown: BoolArray = missing.copy()
    unknown[1:] |= missing[:-1]
    return unknown
