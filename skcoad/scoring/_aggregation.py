"""From the scores of the channels to one score."""

from __future__ import annotations

import numpy as np

from skcoad._typing import ChannelAggregation, FloatArray

__all__ = ["ChannelAggregate", "channel_shares", "normalized"]


class ChannelAggregate:
    """Aggregate of the scores of channels, which come one by one.

    Parameters
    ----------
    how : {"rms", "mean", "max"}
        The quadratic mean weighs up many channels that are a little unusual and one
        that is very much so; the mean needs many, the largest is the noisiest.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.scoring._aggregation import ChannelAggregate
    >>> aggregate = ChannelAggregate("rms")
    >>> for scores in ([1.0, 7.0], [1.0, 1.0]):
    ...     aggregate.add(np.array(scores))
    >>> aggregate.result()
    array([1., 5.])
    """

    def __init__(self, how: ChannelAggregation) -> None:
        self.how = how
        self.n_channels = 0
        self.total: FloatArray = np.zeros(())

    def add(self, scores: FloatArray) -> None:
        """Take the scores of the next channel, at least 0; they are not changed."""
        self.n_channels += 1
        if self.how == "max":
            self.total = np.maximum(self.total, scores)
        else:
            self.total = self.total + (
                np.square(scores) if self.how == "rms" else scores
            )

    def result(self) -> FloatArray:
        """Return the aggregate of all channels so far."""
        if self.how == "max":
            return self.total
        mean: FloatArray = self.total / self.n_channels
        return np.sqrt(mean) if self.how == "rms" else mean


def channel_shares(scores: FloatArray, how: ChannelAggregation) -> FloatArray:
    """Share of each channel in the aggregate.

    Parameters
    ----------
    scores : ndarray of shape (n_timestamps, n_channels)
        Of each channel, at least 0.
    how : {"rms", "mean", "max"}
        As for ``ChannelAggregate``. The square of a quadratic mean is shared by
        the squares; a maximum belongs to the channel that has it, or to all that do.

    Returns
    -------
    ndarray of shape (n_timestamps, n_channels)
        At least 0; each row has the sum 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.scoring._aggregation import channel_shares
    >>> channel_shares(np.array([[1.0, 3.0]]), "rms")
    array([[0.1, 0.9]])
    """
    highest = scores.max(1, keepdims=True)
    if how == "max":
        return normalized((scores == highest).astype(np.float64).T).T
    # Relative to the highest, so that no square overflows or vanishes.
    relative = scores / np.where(highest > 0, highest, 1.0)
    return normalized((np.square(relative) if how == "rms" else relative).T).T


def normalized(parts: FloatArray) -> FloatArray:
    """Parts of a whole, with the sum 1 along the first axis; equal if all are 0."""
    total = parts.sum(0)
    shares: FloatArray = np.divide(
        parts, total, out=np.full_like(parts, 1 / len(parts)), where=total > 0
    )
    return shares
