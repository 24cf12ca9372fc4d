"""From the scores of the channels to one score."""

from __future__ import annotations

import numpy as np

from skcoad._typing import ChannelAggregation, FloatArray

__all__ = ["ChannelAggregate"]


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
