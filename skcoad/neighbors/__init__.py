"""Nearest normal subsequences: an approximate index, and profiles of a series.

Follow the files: ``_index.py`` retrieves normal subsequences for windows, ``_join.py``
finds the nearest neighbour of every subsequence of a series; ``_profile.py`` turns what
was retrieved, ``_excess.py`` distances into values for each timestamp, and says how
rare these are on normal data; ``_channel.py`` does all of it for the views of a
channel, in ``_views.py``. ``_lookup.py`` does so for the newest subsequences of a
stream.
"""

from __future__ import annotations

from skcoad.neighbors._channel import (
    ChannelNeighbors,
    Profile,
    build_all,
    profile_all,
)
from skcoad.neighbors._excess import (
    ExcessCalibration,
    baseline_distances,
    excess_distance,
    subsequence_excess,
    subsequence_weight,
)
from skcoad.neighbors._index import Neighbors, SubsequenceIndex
from skcoad.neighbors._join import JoinIndex
from skcoad.neighbors._lookup import SubsequenceLookup, subsequences
from skcoad.neighbors._profile import (
    WindowNeighbors,
    impute,
    query_windows,
    retrieve,
)
from skcoad.neighbors._views import (
    VIEWS,
    diff_missing,
    difference_scale,
    first_differences,
    known_neighbors,
)

__all__ = [
    "VIEWS",
    "ChannelNeighbors",
    "ExcessCalibration",
    "JoinIndex",
    "Neighbors",
    "Profile",
    "SubsequenceIndex",
    "SubsequenceLookup",
    "WindowNeighbors",
    "baseline_distances",
    "build_all",
    "diff_missing",
    "difference_scale",
    "excess_distance",
    "first_differences",
    "impute",
    "known_neighbors",
    "profile_all",
    "query_windows",
    "retrieve",
    "subsequence_excess",
    "subsequence_weight",
    "subsequences",
]
