"""Labelled time series: readers for the public archives and a generator.

No data are downloaded or bundled: the readers take the path of a local copy, and
`make_series` generates synthetic series.
"""

from __future__ import annotations

from skcoad.datasets._archive import Archive
from skcoad.datasets._formats import load_series, open_archive
from skcoad.datasets._nab import load_nab
from skcoad.datasets._series import Series
from skcoad.datasets._synthetic import ANOMALY_KINDS, make_series
from skcoad.datasets._table import from_frame
from skcoad.datasets._tsb_ad import load_tsb_ad
from skcoad.datasets._ucr import load_ucr

__all__ = [
    "ANOMALY_KINDS",
    "Archive",
    "Series",
    "from_frame",
    "load_nab",
    "load_series",
    "load_tsb_ad",
    "load_ucr",
    "make_series",
    "open_archive",
]
