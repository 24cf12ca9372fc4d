"""Labelled time series: readers for the public archives and a generator.

Nothing is downloaded and nothing is bundled: the readers take a path to what
the user has, and `make_series` makes data of its own.
"""

from __future__ import annotations

from skcoad.datasets._archive import Archive
from skcoad.datasets._formats import load_series, open_archive
from skcoad.datasets._nab import load_nab
from skcoad.datasets._series import Series
from skcoad.datasets._synthetic import ANOMALY_KINDS, make_series
from skcoad.datasets._tsb_ad import load_tsb_ad
from skcoad.datasets._ucr import load_ucr

__all__ = [
    "ANOMALY_KINDS",
    "Archive",
    "Series",
    "load_nab",
    "load_series",
    "load_tsb_ad",
    "load_ucr",
    "make_series",
    "open_archive",
]
