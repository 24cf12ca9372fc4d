"""Excess distances of a few subsequences, fast for a single one.

A join compares a whole series and looks ahead; here the newest subsequences of a stream
are compared alone. As in the join, every few timestamps the index gives candidates, and
in between these are followed along their diagonals. All in numpy, whose calls cost a
fraction of torch's where arrays are small.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skcoad._typing import FloatArray
from skcoad.neighbors._inverted_file import N_PROBES, ExclusionZone
from skcoad.neighbors._join import VARIANCE_FLOOR, JoinIndex

__all__ = ["SubsequenceLookup"]

IntArray = NDArray[np.int64]
POINTS = 2**20  # of the subsequences that are compared at once


class SubsequenceLookup:
    """Candidates and excess distances in one view of a channel.

    Parameters
    ----------
    join : JoinIndex
        Of the training series.
    baselines : Tensor of shape (n_subsequences,)
        Of its subsequences; see :func:`skcoad.neighbors.baseline_distances`.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skcoad.neighbors import JoinIndex, SubsequenceLookup
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> missing = torch.zeros(400, dtype=torch.bool)
    >>> join = JoinIndex(series, missing, length=25, metric="euclidean")
    >>> lookup = SubsequenceLookup(join, torch.zeros(376))
    >>> x = np.sin(np.arange(100.0) / 4)
    >>> x[90:] = 0
    >>> points = np.lib.stride_tricks.sliding_window_view(x, 25)
    >>> excess = lookup.excess(points, lookup.search(points))
    >>> bool(excess[-1] > 5 * excess[40])
    True
    """

    def __init__(self, join: JoinIndex, baselines: Tensor) -> None:
        self._join = join
        self._length, self._shift = join.length, join.shift
        self._mean_weight = join.mean_weight if join.metric == "euclidean" else None
        self._factor = join.factor
        self._series, self._components = _numpy(join.series), _numpy(join.components)
        self._subsequences = np.lib.stride_tricks.sliding_window_view(
            self._series, self._length
        )
        self._mean, self._variance = _numpy(join.mean), _numpy(join.variance)
        self._incomplete = _numpy(join.incomplete)
        self._baselines = _numpy(baselines)
        self._total = self._components.sum(0)
        file = join.file
        self._centers, self._edges = _numpy(file.centers), file.edges
        self._center_norms = np.square(self._centers).sum(1) / 2
        self._members, self._positions = _numpy(file.embeddings), _numpy(file.positions)
        self._half_norms = _numpy(file.half_norms)

    def search(self, points: FloatArray) -> IntArray:
        """Find candidates: the best member of each of the nearest cells.

        Parameters
        ----------
        points : ndarray of shape (n_subsequences, length)
            In the scale of the training series.

        Returns
        -------
        ndarray of shape (n_subsequences, n_probes)
            Where the candidates start in the training series.
        """
        embedded = self._embed(points - self._shift)
        n_probes = min(N_PROBES, len(self._centers))
        similarity = embedded @ self._centers.T - self._center_norms
        cells = np.argpartition(similarity, -n_probes, axis=1)[:, -n_probes:]
        found = np.empty(cells.shape, dtype=np.int64)
        for query, nearest in enumerate(cells.tolist()):
            for probe, cell in enumerate(nearest):
                first, last = self._edges[cell], self._edges[cell + 1]
                members = self._members[first:last] @ embedded[query]
                members -= self._half_norms[first:last]
                found[query, probe] = self._positions[first + members.argmax()]
        return found

    def search_itself(self, starts: IntArray) -> IntArray:
        """Find candidates for subsequences of the training series that don't overlap.

        Parameters
        ----------
        starts : ndarray of shape (n_subsequences,)
            Where they start.

        Returns
        -------
        ndarray of shape (n_subsequences, n_probes)
            Where all of a cell overlaps, one that does.
        """
        at = torch.from_numpy(starts).to(self._join.series.device)
        embedded = self._join.embed_own(at)
        zone = ExclusionZone(self._length)
        return _numpy(self._join.file.search(embedded, at, zone)).astype(np.int64)

    def excess(
        self, points: FloatArray, candidates: IntArray, at: IntArray | None = None
    ) -> FloatArray:
        """Distance to the nearest candidate, minus that one's own baseline distance.

        Parameters
        ----------
        points : ndarray of shape (n_subsequences, length)
            In the scale of the training series.
        candidates : ndarray of shape (n_subsequences, n_candidates)
            Where they start in the training series; some may be beyond its end.
        at : ndarray of shape (n_subsequences,), default=None
            Where the subsequences themselves start in it; candidates that overlap with
            them do not count.

        Returns
        -------
        ndarray of shape (n_subsequences,)
            0 where no candidate counts.
        """
        size = max(1, POINTS // (self._length * candidates.shape[1]))
        excess = np.empty(len(points))
        for first in range(0, len(points), size):
            part = slice(first, first + size)
            excess[part] = self._excess(
                points[part] - self._shift,
                candidates[part],
                None if at is None else at[part],
            )
        return excess

    def _excess(
        self, points: FloatArray, candidates: IntArray, at: IntArray | None
    ) -> FloatArray:
        last = len(self._mean) - 1
        found = np.minimum(candidates, last)
        difference = self._subsequences[found] - points[:, None]
        squared = np.einsum("qcm,qcm->qc", difference, difference) / self._length
        mean = points.mean(1)[:, None]
        between = np.square(mean - self._mean[found])
        if self._mean_weight is not None:
            squared -= (1 - self._mean_weight**2) * between
        else:
            v_x, v_y = points.var(1)[:, None], self._variance[found]
            a_x, a_y = v_x + VARIANCE_FLOOR, v_y + VARIANCE_FLOOR
            twice_covariance = v_x + v_y + between - squared
            squared = v_x / a_x + v_y / a_y - twice_covariance / np.sqrt(a_x * a_y)
        excluded = (candidates > last) | self._incomplete[found]
        if at is not None:
            excluded |= np.abs(found - at[:, None]) < self._length
        squared[excluded] = np.inf
        rows, best = np.arange(len(points)), squared.argmin(1)
        nearest = np.sqrt(squared[rows, best].clip(min=0))
        excess: FloatArray = nearest - self._baselines[found[rows, best]]
        excess[np.isinf(nearest)] = 0
        return excess

    def _embed(self, points: FloatArray) -> FloatArray:
        """Principal components, as the index has them."""
        mean = points.mean(1, keepdims=True)
        reduced = points
        if self._factor > 1:
            n_points = len(self._components)
            reduced = points[:, : n_points * self._factor]
            reduced = reduced.reshape(len(points), n_points, self._factor).mean(2)
        embedded: FloatArray = reduced @ self._components
        if self._mean_weight is not None:
            return embedded - (1 - self._mean_weight) * mean * self._total
        deviation = np.sqrt(points.var(1, keepdims=True) + VARIANCE_FLOOR)
        return (embedded - mean * self._total) / deviation


def _numpy(x: Tensor) -> NDArray[np.generic] | FloatArray:
    return x.cpu().numpy()
