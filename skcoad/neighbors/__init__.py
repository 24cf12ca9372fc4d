"""Nearest normal subsequences: an approximate index, and profiles of a series.

Follow the files: ``_index.py`` finds neighbours of subsequences, ``_profile.py`` turns
them into values for each timestamp, ``_channel.py`` does so for a channel's values and
first differences.
"""

from __future__ import annotations

from skcoad.neighbors._channel import (
    ChannelNeighbors,
    Profile,
    diff_missing,
    first_differences,
)
from skcoad.neighbors._index import Neighbors, SubsequenceIndex
from skcoad.neighbors._profile import (
    WindowNeighbors,
    excess_distance,
    impute,
    query_windows,
    retrieve,
)

__all__ = [
    "ChannelNeighbors",
    "Neighbors",
    "Profile",
    "SubsequenceIndex",
    "WindowNeighbors",
    "diff_missing",
    "excess_distance",
    "first_differences",
    "impute",
    "query_windows",
    "retrieve",
]
