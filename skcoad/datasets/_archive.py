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
from skcoad.datasets._unpacking import unpack_errors

# zipfile.Path has the methods of pathlib.Path that are used here.
AnyPath = Path | zipfile.Path
Reader = Callable[[AnyPath], Series]


@dataclass(frozen=True)
class ArchiveEntry:
    """A series not yet read: its name, its file, and the function that reads it."""

    name: str
    path: AnyPath
    reader: Reader

    def read(self) -> Series:
        """Read the file.

        Raises
        ------
        ValueError
            If it is not of its format, or cannot be unpacked.
        """
        return self.reader(self.path)


class Archive(Sequence[Series]):
    """The series of a folder or a zip file, each read on access.

    A read-only sequence with a length, indexing, slicing (which returns an `Archive`)
    and iteration. Series are not cached: each access reads the file. Returned by
    `load_ucr`, `load_tsb_ad`, `load_nab` and `open_archive`.

    Parameters
    ----------
    entries : sequence of ArchiveEntry
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

    def __init__(self, entries: Sequence[ArchiveEntry]) -> None:
        self._entries = tuple(entries)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the series, known without reading them."""
        return tuple(entry.name for entry in self._entries)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the series; those in a zip file are left out."""
        return tuple(e.path for e in self._entries if isinstance(e.path, Path))

    def select(self, pattern: str) -> Archive:
        """Select the series whose name matches a shell pattern.

        Parameters
        ----------
        pattern : str
            As in `fnmatch`: ``*`` matches anything, ``?`` one character, ``[ab]`` one
            of these characters. Case-sensitive.

        Returns
        -------
        archive : Archive
            Possibly empty.
        """
        return Archive([e for e in self._entries if fnmatchcase(e.name, pattern)])

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Series: ...

    @overload
    def __getitem__(self, index: slice) -> Archive: ...

    def __getitem__(self, index: int | slice) -> Series | Archive:
        if isinstance(index, slice):
            return Archive(self._entries[index])
        return self._entries[index].read()

    def __repr__(self) -> str:
        return f"Archive({len(self)} series)"


def find_entries(
    path: str | os.PathLike[str],
    match: Callable[[AnyPath], ArchiveEntry | None],
    description: str,
) -> Archive:
    """Collect the files of a folder or zip file that have a given format.

    Parameters
    ----------
    path : path-like
        A folder, searched with its subfolders, or a zip file.
    match : callable
        Returns the entry for a file, or None for a file of another format.
    description : str
        The format, for the error message.

    Returns
    -------
    archive : Archive
        Sorted by path.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If no file has the format, or a zip file is damaged.
    """
    root: AnyPath = Path(path)
    if not root.exists():
        raise FileNotFoundError(f"no such file or folder: {root}")
    if not root.is_dir():
        if not (root.is_file() and zipfile.is_zipfile(path)):
            raise ValueError(f"{root} is neither a folder nor a zip file")
        with unpack_errors(root):
            root = zipfile.Path(os.fspath(path))
    entries = [entry for file in walk_files(root) if (entry := match(file))]
    if not entries:
        raise ValueError(f"no {description} in {path}")
    return Archive(sorted(entries, key=lambda entry: str(entry.path)))


def is_single_file(path: str | os.PathLike[str]) -> bool:
    """Whether the path is a file other than a zip file."""
    return os.path.isfile(path) and not zipfile.is_zipfile(path)


def walk_files(root: AnyPath) -> Iterator[AnyPath]:
    """Yield every regular file below a folder; links to folders are followed once."""
    folders, seen = [root], set()
    while folders:
        folder = folders.pop()
        if isinstance(folder, Path):
            real = folder.resolve()
            if real in seen:  # a link, perhaps to a folder that it is in
                continue
            seen.add(real)
        for entry in folder.iterdir():
            if entry.is_dir():
                is_link = isinstance(entry, Path) and entry.is_symlink()
                folders.insert(0 if is_link else len(folders), entry)  # links last
            elif entry.is_file():  # not a pipe, which may have no writer
                yield entry
