"""Many series in one folder or zip file, read one at a time."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import overload

from skcoad.datasets._series import Series

# A member of a zip file has the methods of a pathlib path that are used here.
AnyPath = Path | zipfile.Path
Reader = Callable[[AnyPath], Series]


@dataclass(frozen=True)
class ArchiveEntry:
    """A series that has not been read yet: its name, its file, how to read it."""

    name: str
    path: AnyPath
    reader: Reader

    def read(self) -> Series:
        """Read the file."""
        return self.reader(self.path)


class Archive(Sequence[Series]):
    """The series of a folder or a zip file, each read when it is asked for.

    A read-only sequence: it has a length, can be indexed, sliced (which gives
    an archive again) and iterated over. Nothing is kept: asking twice reads
    twice. Made by `load_ucr`, `load_tsb_ad`, `load_nab` and `open_archive`.

    Parameters
    ----------
    members : sequence of ArchiveEntry
        The files and their readers.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.datasets import load_ucr
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("001_UCR_Anomaly_a_2_3_3.txt", "002_UCR_Anomaly_b_2_4_4.txt"):
    ...         _ = Path(folder, name).write_text("1 2 3 4")
    ...     archive = load_ucr(folder)
    ...     print(archive.names)
    ...     print(archive.select("*_b_*")[0].labels)
    ('001_UCR_Anomaly_a_2_3_3', '002_UCR_Anomaly_b_2_4_4')
    [0 0 0 1]
    """

    def __init__(self, members: Sequence[ArchiveEntry]) -> None:
        self._members = tuple(members)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the series, known without reading them."""
        return tuple(member.name for member in self._members)

    def select(self, pattern: str) -> Archive:
        """Keep the series whose name matches a shell pattern.

        Parameters
        ----------
        pattern : str
            As `fnmatch` understands it: ``*`` stands for anything, ``?`` for one
            character, ``[ab]`` for one of these. Case matters.

        Returns
        -------
        archive : Archive
            It may be empty.
        """
        return Archive([m for m in self._members if fnmatchcase(m.name, pattern)])

    def __len__(self) -> int:
        return len(self._members)

    @overload
    def __getitem__(self, index: int) -> Series: ...

    @overload
    def __getitem__(self, index: slice) -> Archive: ...

    def __getitem__(self, index: int | slice) -> Series | Archive:
        if isinstance(index, slice):
            return Archive(self._members[index])
        return self._members[index].read()

    def __repr__(self) -> str:
        return f"Archive({len(self)} series)"


def find_entries(
    path: str | os.PathLike[str],
    recognise: Callable[[AnyPath], ArchiveEntry | None],
    description: str,
) -> Archive:
    """Collect the files of a folder or zip file that a format recognises.

    Parameters
    ----------
    path : path-like
        A folder, searched with its subfolders, or a zip file.
    recognise : callable
        Gives the member for a file, or None for a file to leave out.
    description : str
        What was looked for, for the error message.

    Returns
    -------
    archive : Archive
        In the order of the files' paths.

    Raises
    ------
    FileNotFoundError
        If there is nothing at the path.
    ValueError
        If no file is recognised.
    """
    root: AnyPath = Path(path)
    if not root.exists():
        raise FileNotFoundError(f"no such file or folder: {root}")
    if root.is_file():
        if not zipfile.is_zipfile(path):
            raise ValueError(f"{root} is neither a folder nor a zip file")
        root = zipfile.Path(os.fspath(path))
    members = [member for file in _walk(root) if (member := recognise(file))]
    if not members:
        raise ValueError(f"no {description} in {path}")
    return Archive(sorted(members, key=lambda member: str(member.path)))


def is_single_file(path: str | os.PathLike[str]) -> bool:
    """Tell a file that holds one series from a folder or a zip file."""
    return os.path.isfile(path) and not zipfile.is_zipfile(path)


def _walk(folder: AnyPath) -> Iterator[AnyPath]:
    """Yield every file below a folder; zip paths have no ``rglob`` in Python 3.10."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry)
        else:
            yield entry
