"""Which normal example a timestamp was compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skcoad._typing import FloatArray
from skcoad.model import CoADModel

__all__ = ["nearest_positions"]


def nearest_positions(
    model: CoADModel, X: FloatArray, channel: int, part: slice
) -> NDArray[np.int64]:
    """Find the nearest normal example of each timestamp of a channel.

    It is that of the subsequence in whose middle the timestamp is, or, near the ends of
    the series, of the first or last one.

    Parameters
    ----------
    model : CoADModel
        Fitted, with neighbours.
    X : ndarray of shape (n_timestamps, n_channels)
        A series.
    channel : int
        Which channel.
    part : slice
        Which timestamps, from a start to a stop within the series.

    Returns
    -------
    ndarray of shape (n_views, n_timestamps_of_part)
        For each of :data:`skcoad.neighbors.VIEWS` the position in the training series
        that a timestamp is aligned with, -1 where there is no neighbour.
    """
    if model.neighbors is None:
        raise ValueError("the model has no neighbours")
    period = model.config.plan.period
    start, stop = max(0, part.start - period), min(len(X), part.stop + period)
    x, missing = model.scaled(X[start:stop], channel, model.device)
    times = np.arange(part.start, part.stop)
    begins = np.clip(times - period // 2, start, stop - period)
    positions = []
    for nearest in model.neighbors[channel].nearest(x, missing):
        indices = nearest.indices.cpu().numpy()[begins - start]
        known = np.isfinite(nearest.distances.cpu().numpy()[begins - start])
        positions.append(np.where(known, indices + times - begins, -1))
    return np.stack(positions)
