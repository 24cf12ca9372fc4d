"""Read text; errors name the file."""

from __future__ import annotations

from skcoad.datasets._archive import AnyPath


def read_text(path: AnyPath) -> str:
    """Read a UTF-8 file, with or without a byte order mark.

    Raises
    ------
    ValueError
        If the file is not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file: {error}") from None
