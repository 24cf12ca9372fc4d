"""An approximate nearest-neighbour index over the subsequences of one series.

The paper compares a window with its reconstruction because an index over normal
windows was considered too large. A few thousand subsequences suffice: the index holds
the principal components of evenly spaced ones, and the best candidates are refined on
the series itself. The search is approximate: see ``benchmarks/recall.py`` for its
recall and distance ratio against brute force.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad._device import chunk_sizes
from skcoad._rolling import rolling_sum
from skcoad.neighbors._distance import MEAN_WEIGHT

__all__ = ["Neighbors", "SubsequenceIndex"]

MAX_POINTS = 2048  # of a subsequence in the first stage; longer ones are downsampled
MAX_COMPONENTS = 24  # of these points
N_CANDIDATES = 4  # from the first stage, compared on the series
MAX_GROUPS = 128  # of consecutive subsequences; each gives one candidate at most
# Fraction of the mean square below which a squared distance is a trivial match.
TRIVIAL_MATCH = 1e-5


class Neighbors(NamedTuple):
    """Nearest neighbours of some subsequences.

    Attributes
    ----------
    indices : Tensor of shape (Q,)
        Where they start in the indexed series.
    distances : Tensor of shape (Q,)
        Root mean squared difference after shrinking the mean of both.
    """

    indices: Tensor
    distances: Tensor


class SubsequenceIndex(nn.Module):
    """Subsequences of a normal series, of one length, that can be searched.

    The distance is Euclidean, divided by the root of the length, after shrinking each
    subsequence's mean to a fifth of it: a shift in level costs little, and a
    change in amplitude costs its full size.

    The search has two stages. At most `max_references` evenly spaced subsequences are
    stored by their principal components; the best few of them are compared in full, and
    the best of these with the subsequences around it. It is approximate: the true
    nearest neighbour may be missed, and no distance is below the true one.

    :meth:`build` makes an index of a series; the constructor makes an empty one, to be
    filled by ``load_state_dict`` and :meth:`attach`.

    Parameters
    ----------
    n_timestamps : int
        Length of the series.
    length : int
        Length of a subsequence, at most `n_timestamps`.
    max_references : int
        Largest number of subsequences in the first stage.

    Attributes
    ----------
    series : Tensor of shape (n_timestamps,)
        Normal data of standard deviation 1.
    missing : Tensor of shape (n_timestamps,)
        Which of its values are imputed, bool.
    incomplete : Tensor of shape (n_timestamps - length + 1,)
        Which subsequences hold an imputed value, bool; none if all do.
    index_stride : int
        Distance between the subsequences of the first stage.
    components : Tensor of shape (n_points, n_components)
        Principal components of these subsequences.
    embeddings : Tensor of shape (n_components, n_indexed)
        The subsequences in terms of the components.

    Raises
    ------
    ValueError
        If the series is shorter than a subsequence.

    Examples
    --------
    >>> import torch
    >>> from skcoad.neighbors import SubsequenceIndex
    >>> series = torch.sin(torch.arange(400.0) / 4)
    >>> index = SubsequenceIndex.build(series, length=25, max_references=100)
    >>> neighbors = index.query(series[None, 30:55] + 0.5)
    >>> bool(neighbors.distances[0] < 0.2)  # a shift in level costs a fifth
    True
    """

    series: Tensor
    missing: Tensor
    incomplete: Tensor
    components: Tensor
    embeddings: Tensor
    _sq_norms: Tensor

    def __init__(
        self,
        n_timestamps: int,
        length: int,
        max_references: int,
    ) -> None:
        super().__init__()
        n_subsequences = n_timestamps - length + 1
        if n_subsequences < 1:
            raise ValueError(
                f"an index of subsequences of length {length} needs a series at least "
                f"as long, got {n_timestamps} timestamps"
            )
        self.length = length
        self.index_stride = math.ceil(n_subsequences / max_references)
        n_indexed = math.ceil(n_subsequences / self.index_stride)
        n_points = downsampled_length(length)
        n_components = min(MAX_COMPONENTS, n_points)
        for name, shape in {
            "components": (n_points, n_components),
            "embeddings": (n_components, n_indexed),
        }.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float32))
        # Derived from what the owner of the index saves; see `attach`.
        for name in ("series", "missing", "incomplete", "_sq_norms"):
            self.register_buffer(name, None, persistent=False)

    @classmethod
    def build(
        cls,
        series: Tensor,
        length: int,
        max_references: int,
        missing: Tensor | None = None,
    ) -> SubsequenceIndex:
        """Index a series.

        Parameters
        ----------
        series : Tensor of shape (n_timestamps,)
            Normal data of standard deviation 1.
        length, max_references : int
            As for the class.
        missing : Tensor of shape (n_timestamps,), default=None
            Which values are imputed, bool; a subsequence with one of them is never a
            neighbour, unless all have one. By default none is.

        Returns
        -------
        SubsequenceIndex

        Raises
        ------
        ValueError
            If the series is shorter than a subsequence.
        """
        with torch.device("meta"):
            index = cls(len(series), length, max_references)
        if missing is None:
            missing = torch.zeros_like(series, dtype=torch.bool)
        subsequences = series.unfold(0, length, 1)
        batches = torch.split(
            torch.arange(
                0, len(subsequences), index.index_stride, device=series.device
            ),
            chunk_sizes(series.device).queries,
        )
        centred = torch.cat(
            [_downsampled(_shrink_mean(subsequences[batch])) for batch in batches]
        )
        index.components = _principal_components(centred)
        index.embeddings = (centred @ index.components).T.contiguous()
        index.attach(series, missing)
        return index

    def attach(self, series: Tensor, missing: Tensor) -> None:
        """Set the series that is indexed, and what follows from it.

        Parameters
        ----------
        series, missing : Tensor of shape (n_timestamps,)
            As for the class.
        """
        self.series, self.missing = series, missing
        n_missing = rolling_sum(missing, self.length)
        self.incomplete = (n_missing > 0) & (n_missing == 0).any()
        self._sq_norms = self.embeddings.square().sum(0)
        self._sq_norms[self.incomplete[:: self.index_stride]] = torch.inf

    def __len__(self) -> int:
        """Count the subsequences of the first stage."""
        return self.embeddings.shape[1]

    def query(self, queries: Tensor, exclude_at: Tensor | None = None) -> Neighbors:
        """Find the nearest subsequence of the series, approximately.

        Parameters
        ----------
        queries : Tensor of shape (Q, length)
            Subsequences to find neighbours of.
        exclude_at : Tensor of shape (Q,), default=None
            Where the queries stand in the indexed series: subsequences that overlap
            with them are excluded (the exclusion zone of a self-join). Without it, a
            query that is found in the series itself, a trivial match, is treated the
            same way.

        Returns
        -------
        Neighbors
        """
        centred = _shrink_mean(queries)
        squared, indices = self._search(centred, exclude_at)
        if exclude_at is None:
            trivial = squared < TRIVIAL_MATCH * centred.square().mean(1)
            if trivial.any():
                squared[trivial], indices[trivial] = self._search(
                    centred[trivial], indices[trivial]
                )
        return Neighbors(indices, squared.sqrt())

    def _search(
        self, centred: Tensor, exclude_at: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Squared distance ``(Q,)`` and index ``(Q,)`` of the nearest subsequence."""
        similarity = torch.addmm(
            self._sq_norms,
            _downsampled(centred) @ self.components,
            self.embeddings,
            beta=-1,
            alpha=2,
        )  # Q, n_indexed: minus the squared distance, but for a constant in each row
        if exclude_at is not None:
            # The indexed subsequences less than `length` away follow each other.
            first = (exclude_at - self.length) // self.index_stride + 1
            most = math.ceil((2 * self.length - 1) / self.index_stride)
            near = first[:, None] + torch.arange(most, device=centred.device)
            near = near.clamp(0, len(self) - 1)
            distance = (near * self.index_stride - exclude_at[:, None]).abs()
            limit = torch.where(distance < self.length, -torch.inf, torch.inf)
            similarity.scatter_reduce_(1, near, limit.to(similarity.dtype), "amin")
        candidates = _best_of_groups(similarity) * self.index_stride
        squared, indices = self._compare(centred, candidates, exclude_at)
        # The stride left out the subsequences in between: search ever closer.
        radius = self.index_stride // 2
        while radius:
            stride = max(1, radius // 4)
            ahead = torch.arange(0, radius + 1, stride, device=centred.device)
            around = torch.cat([-ahead, ahead[1:]])
            squared, indices = self._compare(
                centred, indices[:, None] + around, exclude_at
            )
            radius = stride // 2
        return squared, indices

    def _compare(
        self, centred: Tensor, indices: Tensor, exclude_at: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Nearest of the subsequences at some indices ``(Q, C)`` for each query."""
        indices = indices.clamp(0, len(self.incomplete) - 1)
        candidates = self.series.unfold(0, self.length, 1)[indices]  # Q, C, length
        squared = (_shrink_mean(candidates) - centred[:, None]).square().mean(-1)
        excluded = self.incomplete[indices]
        if exclude_at is not None:
            excluded = excluded | ((indices - exclude_at[:, None]).abs() < self.length)
        # In a very short series everything would be excluded; then nothing is.
        excluded = excluded & ~excluded.all(1, keepdim=True)
        squared = squared.masked_fill(excluded, torch.inf)
        best = squared.argmin(1, keepdim=True)
        return (
            squared.gather(1, best)[:, 0].clamp_min(0),
            indices.gather(1, best)[:, 0],
        )


def _shrink_mean(subsequences: Tensor) -> Tensor:
    """Subsequences ``(..., length)`` of which little of the mean is left."""
    mean = subsequences.mean(-1, keepdim=True)
    return subsequences - (1 - MEAN_WEIGHT) * mean


def downsampled_length(length: int) -> int:
    """Number of points that the first stage sees of a subsequence."""
    return length // math.ceil(length / MAX_POINTS)


def _downsampled(subsequences: Tensor) -> Tensor:
    """Means of consecutive points where there are many."""
    factor = math.ceil(subsequences.shape[1] / MAX_POINTS)
    if factor == 1:
        return subsequences
    return F.avg_pool1d(subsequences[:, None], factor)[:, 0]


def _best_of_groups(similarity: Tensor) -> Tensor:
    """Columns of the largest values of each row, at most one of each group.

    Faster than a full top-k, and the candidates are more diverse.
    """
    n = similarity.shape[1]
    size = math.ceil(n / MAX_GROUPS)
    groups = F.max_pool1d(similarity, size, ceil_mode=True)
    best = groups.topk(min(N_CANDIDATES, groups.shape[1])).indices
    members = best[..., None] * size + torch.arange(size, device=similarity.device)
    members = members.clamp_max(n - 1)  # Q, candidates, size
    values = similarity.gather(1, members.flatten(1)).view_as(members)
    return members.gather(2, values.argmax(2, keepdim=True))[..., 0]


def _principal_components(subsequences: Tensor) -> Tensor:
    covariance = subsequences.T.double() @ subsequences.double()
    components: Tensor = torch.linalg.eigh(covariance).eigenvectors
    return components[:, -MAX_COMPONENTS:].to(subsequences).contiguous()
