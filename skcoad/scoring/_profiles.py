"""Channels beside their nearest neighbours, several at once where that pays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from skcoad._device import channel_groups
from skcoad._threads import in_threads
from skcoad._typing import FloatArray, References
from skcoad.model import CoADModel
from skcoad.neighbors import Profile, profile_all

__all__ = ["each_channel"]

Result = TypeVar("Result")


def each_channel(
    function: Callable[[int, Profile | None], Result],
    model: CoADModel,
    X: FloatArray,
    references: References,
) -> Iterator[Result]:
    """Apply a function to each channel of a series.

    An accelerator is busy only if it is given much at once, so there the profiles of
    many short channels are computed together, and before the function is called.

    Parameters
    ----------
    function : callable
        Takes a channel and its profile; None where it is to compute itself what it
        needs of that.
    model : CoADModel
        Fitted.
    X : ndarray of shape (n_timestamps, n_channels)
        In the units of the training series; NaN is missing.
    references : {"train", "past", "all"}
        Where neighbours may be.

    Yields
    ------
    object
        Results, channel by channel.
    """
    n_timestamps, n_channels = X.shape
    groups = channel_groups(n_channels, n_timestamps, model.device)
    if model.neighbors is None or len(groups) == n_channels:
        yield from in_threads(lambda each: function(each, None), range(n_channels))
        return
    for group in groups:
        profiles = profile_all(
            [model.neighbors[channel] for channel in group],
            [model.scaled(X, channel, model.device) for channel in group],
            references,
        )
        yield from map(function, group, profiles)
