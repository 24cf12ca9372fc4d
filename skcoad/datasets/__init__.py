"""Labelled time series: readers for the public archives and generators.

No data are downloaded or bundled: the readers take the path of a local copy,
`make_series` generates synthetic series, and `make_scenario` those of the scenario
suite.
"""

from __future__ import annotations

from skcoad.datasets._archive import Archive
from skcoad.datasets._formats import load_series, open_archive
from skcoad.datasets._nab import load_nab
from skcoad.datasets._series import Series
from skcoad.datasets._synthetic import ANOMALY_KINDS, make_series
from skcoad.datasets._table import from_frame
from skcoad.datasets._training import n_training_rows
from skcoad.datasets._tsb_ad import load_tsb_ad
from skcoad.datasets._ucr import load_ucr
from skcoad.datasets.scenarios import SCENARIOS, make_scenario

__all__ = [
    "ANOMALY_KINDS",
    "SCENARIOS",
    "Archive",
    "Series",
    "from_frame",
    "load_nab",
    "load_series",
    "load_tsb_ad",
    "load_ucr",
    "make_scenario",
    "make_series",
    "n_training_rows",
    "open_archive",
]
