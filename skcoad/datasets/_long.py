"""Tables of many series, with the names of Nixtla's libraries.

Long format: the column ``unique_id`` says which series a row belongs to, ``ds`` is the
time, and the others are channels.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from skcoad.datasets._frames import parse_table
from skcoad.datasets._roles import ID, TIME, find_labels
from skcoad.datasets._source import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from skcoad.datasets._table import TableOptions

ENCODINGS = ("ascii", "utf-16-le", "utf-16-be")


def read_long(path: Path, options: TableOptions) -> pd.DataFrame | None:
    """Read a file that is a table of many series.

    Parameters
    ----------
    path : Path
        Of any file.
    options : TableOptions
        How to read it.

    Returns
    -------
    frame : DataFrame or None
        With the channels that were asked for, and labels. None if the file has no
        columns of these names, or is a workbook or another zip file.

    Raises
    ------
    ValueError
        If it has these names somewhere, and is no table, or has no such channel.
    """
    if not path.is_file() or zipfile.is_zipfile(path):  # would wait at a pipe
        return None
    data = read_bytes(path)
    if not any(ID.encode(encoding) in data for encoding in ENCODINGS):  # fast
        return None
    frame, _, _ = parse_table(
        data, path.name, sep=options.sep, decimal=options.decimal, sheet=options.sheet
    )
    if not {ID, TIME} <= set(frame):
        return None
    if options.columns is None:
        return frame
    for column in options.columns:
        if column not in frame:
            names = ", ".join(map(str, frame))
            raise ValueError(f"{path.name} has no column {column!r}, only {names}")
    kept = [ID, TIME, *options.columns]
    _, labels, _ = find_labels(frame.drop(columns=kept))
    return frame[[*kept, *labels]]
