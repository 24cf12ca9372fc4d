"""Tables of many series, with the names of Nixtla's libraries.

Long format: the column ``unique_id`` says which series a row belongs to, ``ds`` is the
time, and the others are channels.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from skcoad.datasets._frames import parse_table
from skcoad.datasets._roles import ID, TIME
from skcoad.datasets._source import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from skcoad.datasets._table import TableOptions

ENCODINGS = ("ascii", "utf-16-le", "utf-16-be")


def read_long(
    path: Path, options: TableOptions
) -> tuple[pd.DataFrame, list[str]] | None:
    """Read a file that is a table of many series.

    Parameters
    ----------
    path : Path
        Of any file.
    options : TableOptions
        How to read it.

    Returns
    -------
    found : tuple of DataFrame and list of str, or None
        Its columns, and what was recognised. None if the file has none of these names,
        or is a workbook or another zip file.

    Raises
    ------
    ValueError
        If it has the name of the series somewhere, and is no table.
    """
    if not path.is_file() or zipfile.is_zipfile(path):  # would wait at a pipe
        return None
    data = read_bytes(path)
    if not any(ID.encode(encoding) in data for encoding in ENCODINGS):  # fast
        return None
    frame, _, notes = parse_table(
        data, path.name, sep=options.sep, decimal=options.decimal, sheet=options.sheet
    )
    given = options.time_column or TIME
    times = [given] if isinstance(given, str) else given
    return (frame, notes) if {ID, *times} <= set(frame) else None
