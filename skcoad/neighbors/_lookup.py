"""Excess distances of a few subsequences, fast for a single one.

A join compares a whole series and looks ahead; here the newest subsequences of a stream
are compared alone. As in the join, every few timestamps the index gives candidates, and
in between these are followed along their diagonals. All in numpy, whose calls cost a
fraction of torch's where arrays are small.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from skcoad._typing import BoolArray, FloatArray, IntArray
from skcoad.neighbors._cells import search_cells
from skcoad.neighbors._channel import ChannelNeighbors
from skcoad.neighbors._compiled import compiled
from skcoad.neighbors._distance import (
    MEAN_WEIGHT,
    NOWHERE,
    VARIANCE_FLOOR,
    shrinkage_of,
)
from skcoad.neighbors._inverted_file import N_PROBES, ExclusionZone
from skcoad.neighbors._join import TINY, JoinIndex
from skcoad.neighbors._pairs import compared, pair_distance, sum_squares
from skcoad.neighbors._views import VIEWS

__all__ = ["SubsequenceLookup", "subsequences"]


def subsequences(x: NDArray[Any], length: int) -> NDArray[Any]:
    """All subsequences of a series, as numpy's sliding_window_view but at once.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,)
        At least `length` values.
    length : int
        Of a subsequence.

    Returns
    -------
    ndarray of shape (n_timestamps - length + 1, length)
        A view, not to be written to.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.neighbors import subsequences
    >>> subsequences(np.arange(4), 3)
    array([[0, 1, 2],
           [1, 2, 3]])
    """
    x = np.ascontiguousarray(x)
    stride = x.itemsize
    return np.ndarray(
        (len(x) - length + 1, length), x.dtype, x, strides=(stride, stride)
    )


class SubsequenceLookup:
    """Candidates and excess distances of the subsequences of one channel.

    All arrays have the `VIEWS` as their first axis.

    Parameters
    ----------
    neighbors : ChannelNeighbors
        Of the training series.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skcoad.neighbors import ChannelNeighbors, SubsequenceLookup
    >>> from skcoad.preprocessing import WindowPlan
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> neighbors = ChannelNeighbors.build(series, WindowPlan(25, 48, 4, 12), 100)
    >>> lookup = SubsequenceLookup(neighbors)
    >>> x = np.sin(np.arange(100.0) / 4)
    >>> x[90:] = 0
    >>> points = lookup.points(x)
    >>> excess = lookup.excess(points, lookup.search(points))
    >>> excess.shape, bool((excess[:, -1] > excess[:, 40]).all())
    ((4, 76), True)
    """

    def __init__(self, neighbors: ChannelNeighbors) -> None:
        self._joins = neighbors.joins
        self._length = neighbors.plan.period
        self._difference_scale = neighbors.difference_scale.item()
        self._shift = np.array([join.shift for join in self._joins])[:, None]
        self._files = [_File(join) for join in self._joins]
        sides = [join.side() for join in self._joins]
        self._references = _References(
            np.stack([side.series for side in sides]),
            np.stack([side.moments for side in sides]),
            np.array([join.metric == "znormalized" for join in self._joins]),
            np.array([shrinkage_of(join.metric) for join in self._joins]),
            np.stack([join.incomplete.cpu().numpy() for join in self._joins]),
            neighbors.baselines.cpu().numpy(),
        )

    def points(self, x: FloatArray) -> FloatArray:
        """All subsequences of a series, in every view.

        Parameters
        ----------
        x : ndarray of shape (n_timestamps,)
            In the scale of the training series; at least a subsequence long.

        Returns
        -------
        ndarray of shape (n_views, n_timestamps - length + 1, length)
            A view of the values and of their first differences, of which the first,
            which is not known, is as the second.
        """
        difference = np.zeros_like(x)
        np.subtract(x[1:], x[:-1], out=difference[1:])
        difference[:1] = difference[1:2]
        difference /= self._difference_scale
        kinds = {"values": x, "differences": difference}
        series = np.stack([kinds[kind] for kind, _ in VIEWS]) - self._shift
        shape = len(series), series.shape[1] - self._length + 1, self._length
        return np.ndarray(
            shape, series.dtype, series, strides=(*series.strides, series.itemsize)
        )

    def search(self, points: FloatArray) -> IntArray:
        """Find candidates: the best member of each of the nearest cells.

        Parameters
        ----------
        points : ndarray of shape (n_views, n_subsequences, length)
            From :meth:`points`.

        Returns
        -------
        ndarray of shape (n_views, n_subsequences, n_candidates)
            Where they start in the training series.
        """
        found = [
            file.search(rows) for file, rows in zip(self._files, points, strict=True)
        ]
        return _stacked(found)

    def search_itself(self, starts: IntArray) -> IntArray:
        """Find candidates for subsequences of the training series that don't overlap.

        Parameters
        ----------
        starts : ndarray of shape (n_subsequences,)
            Where they start.

        Returns
        -------
        ndarray of shape (n_views, n_subsequences, n_candidates)
            Where all of a cell overlaps, one that does.
        """
        at = torch.from_numpy(starts).to(self._joins[0].series.device)
        zone = ExclusionZone(self._length)
        return _stacked(
            [
                join.file.search(join.embed_own(at), at, zone).cpu().numpy()
                for join in self._joins
            ]
        )

    def excess(
        self, points: FloatArray, candidates: IntArray, at: IntArray | None = None
    ) -> FloatArray:
        """Distance to the nearest candidate, minus that one's own baseline distance.

        Parameters
        ----------
        points : ndarray of shape (n_views, n_subsequences, length)
            From :meth:`points`.
        candidates : ndarray of shape (n_views, n_subsequences, n_candidates)
            Where they start in the training series; some may be beyond its end.
        at : ndarray of shape (n_subsequences,), default=None
            Where the subsequences themselves start in it; candidates that overlap with
            them do not count.

        Returns
        -------
        ndarray of shape (n_views, n_subsequences)
            0 where no candidate counts.
        """
        if at is None:
            at = np.full(points.shape[1], NOWHERE)
        excess = np.empty(points.shape[:2])
        _nearest_excess(self._references, points, candidates, at, excess)
        return excess


class _References(NamedTuple):
    """The training subsequences in every view, as the compiled function reads them."""

    series: NDArray[np.float32]  # n_views, n_timestamps
    moments: FloatArray  # n_views, n_subsequences, 3: mean, variance and scale
    normalized: BoolArray  # n_views: whether by the scale
    shrinkage: FloatArray  # n_views: of the squared difference of means
    incomplete: BoolArray  # n_views, n_subsequences: which are no neighbours
    baselines: NDArray[np.float32]  # n_views, n_subsequences


@compiled()
def _nearest_excess(
    of: _References,
    points: FloatArray,
    candidates: IntArray,
    at: IntArray,
    excess: FloatArray,
) -> None:
    """Fill in the excess distances; see :meth:`SubsequenceLookup.excess`."""
    n_views, n_queries, length = points.shape
    x = np.empty(length)
    moments = np.empty(3)
    for view in range(n_views):
        incomplete = of.incomplete[view]
        for query in range(n_queries):
            x[:] = points[view, query]
            moments[:] = _moments_of(x, of.normalized[view])
            least, excess[view, query] = np.inf, 0.0
            for j in candidates[view, query]:
                if not 0 <= j < len(incomplete) or incomplete[j]:
                    continue
                if abs(j - at[query]) < length:
                    continue
                total = sum_squares(x, of.series[view, j : j + length])
                squared = pair_distance(
                    moments, of.moments[view, j], total / length, of.shrinkage[view]
                )
                squared = compared(squared)
                if squared < least:
                    least = squared
                    excess[view, query] = np.sqrt(squared) - of.baselines[view, j]


@compiled(fastmath={"reassoc", "contract"})
def _moments_of(x: FloatArray, normalized: bool) -> tuple[float, float, float]:
    """Mean, variance and scale of a subsequence, as in ``Side``."""
    mean = x.mean()
    if not normalized:
        return mean, 0.0, 1.0
    variance = 0.0
    for value in x:
        variance += (value - mean) * (value - mean)
    variance /= len(x)
    return mean, variance, 1 / np.sqrt(variance + VARIANCE_FLOOR)


class _File:
    """The inverted file of a join, to be searched for few subsequences at once."""

    def __init__(self, join: JoinIndex) -> None:
        self._is_euclidean = join.metric == "euclidean"
        self._factor = join.factor
        self._components: FloatArray = join.components.cpu().numpy()
        self._total = self._components.sum(0)
        self._cells = join.file.arrays()

    def search(self, points: FloatArray) -> IntArray:
        embedded = self._embed(points).astype(np.float32)
        at = np.full(len(points), NOWHERE)
        return search_cells(self._cells, embedded, N_PROBES, at, 0, False)

    def _embed(self, points: FloatArray) -> FloatArray:
        """Principal components, as the index has them."""
        mean, variance = _moments(points)
        if self._factor > 1:
            n_points = len(self._components)
            points = points[:, : n_points * self._factor]
            points = points.reshape(len(points), n_points, self._factor).mean(2)
        embedded: FloatArray = points @ self._components
        if self._is_euclidean:
            embedded = embedded - (1 - MEAN_WEIGHT) * mean * self._total
        else:
            embedded = embedded - mean * self._total
            embedded = embedded / np.sqrt(variance + VARIANCE_FLOOR)
        embedded[np.abs(embedded) <= TINY] = 0
        return embedded


def _moments(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of each subsequence, ``(..., 1)``."""
    n = points.shape[-1]
    mean = np.add.reduce(points, -1, keepdims=True) / n
    return mean, np.add.reduce(np.square(points - mean), -1, keepdims=True) / n


def _stacked(found: list[IntArray]) -> IntArray:
    """Candidates of all views; where a view has fewer cells, its last is repeated."""
    most = max(each.shape[1] for each in found)
    return np.stack(
        [
            np.pad(each, ((0, 0), (0, most - each.shape[1])), mode="edge")
            if each.shape[1] < most
            else each
            for each in found
        ]
    )
