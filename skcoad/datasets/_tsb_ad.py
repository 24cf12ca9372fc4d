"""TSB-AD, univariate and multivariate, and the older TSB-UAD."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from skcoad.datasets._archive import (
    AnyPath,
    Archive,
    ArchiveEntry,
    find_entries,
    is_single_file,
)
from skcoad.datasets._series import Series
from skcoad.datasets._source import uncompressed_name
from skcoad.datasets._text import read_text

if TYPE_CHECKING:
    import pandas as pd

_FILE_NAME = re.compile(r"(\d+_.+_tr_(\d+)_1st_\d+)\.csv")


def load_tsb_ad(path: str | os.PathLike[str]) -> Series | Archive:
    r"""Read series of TSB-AD, both TSB-AD-U and TSB-AD-M.

    A file is named ``ID_SOURCE_id_N_DOMAIN_tr_TRAIN_1st_FIRST.csv``, where TRAIN
    is the number of training points and FIRST the position, counted from 0, of
    the first anomaly. Its last column is ``Label``, the others are channels.

    Parameters
    ----------
    path : path-like
        A file, a folder (searched recursively) or a zip file.

    Returns
    -------
    series : Series or Archive
        A `Series` from a file; an `Archive`, which reads each series on access, from
        a folder or a zip file.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the file name or its content is not as above, or a folder or zip file
        holds no such file.

    References
    ----------
    Q. Liu and J. Paparrizos, "The elephant in the room: towards a reliable
    time-series anomaly detection benchmark", NeurIPS 2024.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.datasets import load_tsb_ad
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "001_Rig_id_1_Sensor_tr_2_1st_2.csv")
    ...     _ = file.write_text("speed,Label\n1.0,0\n1.1,0\n9.9,1\n")
    ...     series = load_tsb_ad(file)
    >>> series.channel_names, series.test_labels
    (('speed',), array([1]))
    """
    if is_single_file(path):
        return read_tsb_ad(Path(path))
    return find_entries(path, match_tsb_ad, "TSB-AD series (*_tr_N_1st_N.csv)")


def match_tsb_ad(path: AnyPath) -> ArchiveEntry | None:
    """Return the entry for a file whose name has TSB-AD's form."""
    match = _FILE_NAME.fullmatch(uncompressed_name(path.name))
    return ArchiveEntry(match[1], path, read_tsb_ad) if match else None


def read_tsb_ad(path: AnyPath) -> Series:
    """Read one file of TSB-AD."""
    match = _FILE_NAME.fullmatch(uncompressed_name(path.name))
    if match is None:
        raise ValueError(
            "a TSB-AD file is named ID_SOURCE_id_N_DOMAIN_tr_TRAIN_1st_FIRST.csv, "
            f"got {path.name!r}"
        )
    frame = _read_csv(path, header=0)
    channels = [str(column) for column in frame.columns[:-1]]
    if frame.columns[-1] != "Label" or not channels:
        raise ValueError(
            f"{path.name}: the last column of a TSB-AD file is 'Label' and the "
            f"others are channels, got {list(frame.columns)}"
        )
    try:
        values = frame[channels].to_numpy(dtype=float)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return Series(
        values, frame["Label"].to_numpy(), int(match[2]), match[1], tuple(channels)
    )


def match_tsb_uad(path: AnyPath) -> ArchiveEntry | None:
    """Return the entry for a file with the suffix of TSB-UAD, ``.out``."""
    name = uncompressed_name(path.name)
    return (
        ArchiveEntry(name[:-4], path, read_tsb_uad)
        if name.lower().endswith(".out")
        else None
    )


def read_tsb_uad(path: AnyPath) -> Series:
    """Read a file of TSB-UAD: lines of ``value,label``, without a header.

    The training part is empty.
    """
    frame = _read_csv(path, header=None)
    if frame.shape[1] != 2:
        raise ValueError(
            f"{path.name}: a TSB-UAD file has the columns value and label, "
            f"got {frame.shape[1]} columns"
        )
    try:
        values, labels = frame.to_numpy(dtype=float).T
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return Series(values, labels, 0, uncompressed_name(path.name)[:-4])


def _read_csv(path: AnyPath, header: int | None) -> pd.DataFrame:
    import pandas as pd

    text = read_text(path)
    try:
        return pd.read_csv(io.StringIO(text), header=header)
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise ValueError(f"{path.name}: {error}") from None
