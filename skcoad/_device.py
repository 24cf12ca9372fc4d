"""The device to compute on, and how much to give it at once."""

from __future__ import annotations

from typing import NamedTuple

import torch

__all__ = ["ChunkSizes", "channel_groups", "chunk_sizes", "resolve_device"]


class ChunkSizes(NamedTuple):
    """How much is computed at once; results do not depend on it.

    Attributes
    ----------
    queries : int
        Subsequences in one nearest-neighbour query.
    points : int
        Points of the windows in one forward pass of a network of hidden size 32.
    timestamps : int
        Least length of the parts in which a long series is scored.
    joined : int
        Timestamps, of all channels together, that are joined with others at once.
    """

    queries: int
    points: int
    timestamps: int
    joined: int


# The distances of a chunk of queries to a whole index should stay in the CPU's cache.
CPU_CHUNKS = ChunkSizes(queries=2**8, points=2**15, timestamps=2**16, joined=1)
# An accelerator needs large batches to be busy. Not tuned: bounded by memory only.
ACCELERATOR_CHUNKS = ChunkSizes(
    queries=2**13, points=2**20, timestamps=2**21, joined=2**21
)


def chunk_sizes(device: torch.device) -> ChunkSizes:
    """Sizes that suit a device.

    Parameters
    ----------
    device : torch.device
        Where to compute.

    Returns
    -------
    ChunkSizes

    Examples
    --------
    >>> import torch
    >>> from skcoad._device import chunk_sizes
    >>> chunk_sizes(torch.device("cpu")).queries
    256
    """
    return CPU_CHUNKS if device.type in ("cpu", "meta") else ACCELERATOR_CHUNKS


def channel_groups(
    n_channels: int, n_timestamps: int, device: torch.device
) -> list[range]:
    """Channels that are compared with their neighbours at once.

    Parameters
    ----------
    n_channels, n_timestamps : int
        Of a series.
    device : torch.device
        Where to compute.

    Returns
    -------
    list of range
        Of one channel each on a CPU, where they are given to threads instead.

    Examples
    --------
    >>> import torch
    >>> from skcoad._device import channel_groups
    >>> channel_groups(3, 1000, torch.device("cpu"))
    [range(0, 1), range(1, 2), range(2, 3)]
    >>> channel_groups(3, 1000, torch.device("cuda"))
    [range(0, 3)]
    """
    size = max(1, chunk_sizes(device).joined // n_timestamps)
    channels = range(n_channels)
    return [channels[first : first + size] for first in range(0, n_channels, size)]


def resolve_device(device: str | torch.device) -> torch.device:
    """Find the device that a parameter asks for.

    Parameters
    ----------
    device : str or torch.device
        ``"auto"`` is a GPU if there is one, else the CPU.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If there is no such device, it does not work here, or it has no double
        precision, which distances need.

    Examples
    --------
    >>> from skcoad._device import resolve_device
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(1, dtype=torch.float64, device=resolved).cpu()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise ValueError(f"device={device!r} cannot be used here: {error}") from error
    return resolved
