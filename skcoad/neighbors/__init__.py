"""Nearest normal subsequences: an approximate index, and profiles of a series.

Follow the files: ``_index.py`` retrieves normal subsequences for windows, ``_join.py``
finds the nearest neighbour of every subsequence of a series, ``_profile.py`` turns both
into values for each timestamp, ``_channel.py`` does so for a channel's values and first
differences, and says how rare they are on normal data. ``_lookup.py`` does so for the
newest subsequences of a stream.
"""

from __future__ import annotations

from skcoad.neighbors._channel import (
    VIEWS,
    ChannelNeighbors,
    Profile,
    diff_missing,
    difference_scale,
    first_differences,
)
from skcoad.neighbors._index import Neighbors, SubsequenceIndex
from skcoad.neighbors._join import JoinIndex
from skcoad.neighbors._lookup import SubsequenceLookup, subsequences
from skcoad.neighbors._profile import (
    WindowNeighbors,
    baseline_distances,
    excess_distance,
    impute,
    query_windows,
    retrieve,
)

__all__ = [
    "VIEWS",
    "ChannelNeighbors",
    "JoinIndex",
    "Neighbors",
    "Profile",
    "SubsequenceIndex",
    "SubsequenceLookup",
    "WindowNeighbors",
    "baseline_distances",
    "diff_missing",
    "difference_scale",
    "excess_distance",
    "first_differences",
    "impute",
    "query_windows",
    "retrieve",
    "subsequences",
]
