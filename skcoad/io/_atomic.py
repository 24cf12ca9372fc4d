"""Output files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic_write", "check_writable"]


def check_writable(path: Path, source: Path | None = None) -> None:
    """Fail before the work is done rather than after.

    Parameters
    ----------
    path : Path
        A file to be written; an earlier one of that name may exist. Of a link, what it
        points to is to be written.
    source : Path or None, default=None
        A file that must not be replaced.

    Raises
    ------
    OSError
        If there is no folder for it or the folder is not writable, or it exists and is
        no regular file.
    ValueError
        If it is the source.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skcoad.io._atomic import check_writable
    >>> check_writable(Path("no-such-folder/scores.csv"))
    Traceback (most recent call last):
        ...
    FileNotFoundError: there is no folder no-such-folder to write scores.csv into
    """
    if _is_special(path):
        raise OSError(f"{path} exists and is not a file")
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    folder = target.parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no folder {folder} to write {path.name} into"
        )
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            f"the folder {folder} to write {path.name} into is not writable"
        )
    if source is None or not source.exists() or not path.exists():
        return
    if path.samefile(source):
        raise ValueError(f"{path} is the input and must not be replaced")


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary file beside `path` that replaces it once it is complete.

    Parameters
    ----------
    path : str or path-like
        The file to be written or replaced; of a link, what it points to. The
        permissions of an earlier file are kept.

    Yields
    ------
    Path
        To write to. It is flushed to the disk before it replaces `path`; after an
        exception it is removed, and `path` is as it was.

    Raises
    ------
    OSError
        If the file cannot be written, or `path` exists and is no regular file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.io._atomic import atomic_write
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "scores.csv")
    ...     with atomic_write(path) as partial:
    ...         _ = partial.write_text("score")
    ...     path.read_text()
    'score'
    """
    check_writable(Path(path))
    target = Path(os.path.realpath(path))
    # In the same folder, hence on the same disk, where replacing is one operation.
    partial = target.with_name(f".skcoad-{secrets.token_hex(8)}.tmp")
    try:
        yield partial
        with open(partial, "r+b") as file:  # Windows flushes only what can be written
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, partial)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _is_special(path: Path) -> bool:
    """Whether a path is a folder, a pipe, a device, or a link to itself."""
    return os.path.lexists(os.path.realpath(path)) and not path.is_file()
