"""Columns of labels: which they are, and where one says that a row is anomalous."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skcoad.datasets._numbers import Marks, to_floats
from skcoad.datasets._time_names import words

if TYPE_CHECKING:
    import pandas as pd

# Any column with one of these words holds labels; it must be of 0 and 1.
_LABEL_WORDS = {
    *("label", "labels", "anomaly", "anomalies", "anomalous", "outlier", "outliers"),
    *("changepoint", "changepoints", "groundtruth"),
}
# Columns with one of these may hold labels or measurements: their values decide.
_MAYBE_LABEL_WORDS = {"attack", "attacks", "fault", "faults"}
_LABEL_TEXTS = {
    "normal": 0,
    "false": 0,
    "no": 0,
    "attack": 1,
    "a ttack": 1,  # as SWaT writes it
    "anomaly": 1,
    "anomalous": 1,
    "abnormal": 1,
    "fault": 1,
    "outlier": 1,
    "true": 1,
    "yes": 1,
}


def find_labels(
    frame: pd.DataFrame,
) -> tuple[NDArray[np.int64], list[str], dict[str, object]]:
    """1 where any column of labels is, and the names of these columns.

    Those that have the name of labels alone come with a cell that is none.
    """
    found: dict[str, NDArray[np.float64]] = {}
    wrong: dict[str, object] = {}
    for column in map(str, frame):
        own = words(column)
        certain = bool(own & _LABEL_WORDS)
        if not certain and not own & _MAYBE_LABEL_WORDS:
            continue
        values = _label_values(frame[column])
        invalid = ~np.isin(values, (0, 1))
        if not invalid.any():
            found[column] = values
        elif certain:
            wrong[column] = frame[column].to_numpy(dtype=object)[invalid][0]
    # The points where something changes are not the anomalies themselves.
    changes = [c for c in found if words(c) & {"changepoint", "changepoints"}]
    used = [column for column in found if column not in changes] or list(found)
    labels = np.zeros(len(frame), dtype=np.int64)
    for column in used:
        labels |= found[column].astype(np.int64)
    return labels, list(found), wrong


def _label_values(column: pd.Series) -> NDArray[np.float64]:
    if column.dtype.kind in "biuf":
        return column.to_numpy(dtype=float, na_value=np.nan)
    texts = column.astype(str).str.strip().str.lower()
    known = texts.map(lambda text: _LABEL_TEXTS.get(text, text))
    known = known.reset_index(drop=True)
    values, invalid = to_floats(known, Marks())
    values[invalid.index.to_numpy(dtype=int)] = np.nan
    return values
