"""Read text; errors name the file."""

from __future__ import annotations

from skcoad.datasets._archive import AnyPath
from skcoad.datasets._source import read_bytes


def read_text(path: AnyPath) -> str:
    """Read a UTF-8 file, with or without a byte order mark, perhaps compressed.

    Raises
    ------
    ValueError
        If the file is not text, or as from `read_bytes`.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file: {error}") from None
