"""Output files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["check_target", "replacing"]


def check_target(path: Path, source: Path | None = None) -> None:
    """Fail before the work is done rather than after.

    Parameters
    ----------
    path : Path
        A file to be written; an earlier one of that name may be there.
    source : Path or None, default=None
        A file that must not be replaced.

    Raises
    ------
    ValueError
        If the file cannot be written or is the source.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skcoad.io._atomic import check_target
    >>> check_target(Path("no-such-folder/scores.csv"))
    Traceback (most recent call last):
        ...
    ValueError: there is no folder no-such-folder to write scores.csv into
    """
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to write {path.name} into")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"the folder {path.parent} is not writable")
    if path.exists():
        if not path.is_file():
            raise ValueError(f"{path} is there and is not a file")
        if source is not None and source.exists() and path.samefile(source):
            raise ValueError(f"{path} is the input and must not be replaced")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` that takes its place once it is complete.

    Parameters
    ----------
    path : Path
        The file to be written or replaced; of a link, what it points to.

    Yields
    ------
    Path
        To write to. After an exception it is gone, and `path` is as it was.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.io._atomic import replacing
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "scores.csv")
    ...     with replacing(path) as partial:
    ...         _ = partial.write_text("score")
    ...     path.read_text()
    'score'
    """
    target = path.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
