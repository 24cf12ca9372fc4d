"""The results file: one JSON object on each line, added as results come in."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import fcntl

Result = dict[str, Any]
"""One detector on one series; `run_benchmark` lists the keys."""


def read_results(path: str | os.PathLike[str]) -> list[Result]:
    r"""Read a results file.

    Parameters
    ----------
    path : path-like
        The file. A last line that was cut off while it was written is left out.

    Returns
    -------
    results : list of Result
        In the order of the lines; `run_benchmark` lists the keys.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line is not a JSON object.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import read_results
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "results.jsonl")
    ...     _ = file.write_text('{"detector": "CoAD"}\n{"detector": "KN')
    ...     read_results(file)
    [{'detector': 'CoAD'}]
    """
    # Split at \n alone: JSON text may hold other line separators.
    *lines, _ = Path(path).read_bytes().split(b"\n")
    return [_parse(line, number, path) for number, line in enumerate(lines, start=1)]


def _parse(line: bytes, number: int, path: str | os.PathLike[str]) -> Result:
    try:
        result = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{path}, line {number}: {error}") from None
    if not isinstance(result, dict):
        raise ValueError(f"{path}, line {number}: not a JSON object")
    return result


@contextmanager
def only_writer(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keep other runs from writing a results file.

    Parameters
    ----------
    path : path-like
        The file; made if it is not there. The system gives it free however the
        process ends. Where it knows no such locks (Windows, some network drives),
        nothing is guarded.

    Raises
    ------
    BlockingIOError
        If another run, of this process or of another, is writing the file.
    """
    with open(path, "ab") as file:
        if sys.platform != "win32":
            try:
                # Not lockf: its lock would end whenever the file is read and closed.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BlockingIOError(
                    f"another run is writing {path}; let it end, or use another file"
                ) from None
            except OSError:
                pass  # the file system knows no locks
        yield


def drop_cut_off_line(path: str | os.PathLike[str]) -> None:
    """Shorten the file to its last complete line, so that it can be added to."""
    with open(path, "r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def append_result(path: str | os.PathLike[str], result: Result) -> None:
    """Add a line, and return when it is on the disk."""
    line = json.dumps(result, allow_nan=False) + "\n"
    with open(path, "ab") as file:
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())
