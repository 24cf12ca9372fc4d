"""A results file: one JSON object a line, appended as results arrive."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import lock_descriptor, unlock_descriptor

Result = dict[str, Any]
"""One unit of work; the function that writes the file lists the keys."""

# Where locks are advisory, the results file itself is locked. Windows denies all other
# handles the locked bytes, so that there the lock is on a file of its own.
LOCK_RESULTS_FILE = os.name == "posix"


# How every results file begins.
BEGINNING = re.compile(
    rb'\{"(series|detector)": "(?:[^"\\]|\\.)*", "(settings|series)": '
)


def error_text(error: BaseException) -> str:
    """How a result has an exception: its type and message."""
    return f"{type(error).__name__}: {error}"


def read_results(path: str | os.PathLike[str]) -> list[Result]:
    r"""Read a results file.

    Parameters
    ----------
    path : path-like
        The file. An incomplete last line, left by an interrupted write, is skipped.

    Returns
    -------
    results : list of Result
        In the order of the lines; the function that wrote the file lists the keys.

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


def is_results(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds results, of a panel or of a benchmark.

    Parameters
    ----------
    path : path-like
        Any file.

    Returns
    -------
    bool

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with open(path, "rb") as file:
        return BEGINNING.match(file.read(4096)) is not None


def _parse(line: bytes, number: int, path: str | os.PathLike[str]) -> Result:
    try:
        result = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}, line {number}: {error}") from None
    if not isinstance(result, dict):
        raise ValueError(f"{path}, line {number}: not a JSON object")
    return result


@contextmanager
def only_writer(path: str | os.PathLike[str]) -> Iterator[None]:
    """Lock a results file against other runs.

    Parameters
    ----------
    path : path-like
        The file; created if missing. The operating system releases the lock when the
        process ends, however it ends. File systems without locks (some network
        drives) give no protection.

    Raises
    ------
    BlockingIOError
        If another run, of this process or another, is writing the file.
    """
    with open(path, "ab"):
        pass
    locked_path = Path(path) if LOCK_RESULTS_FILE else Path(f"{path}.lock")
    with open(locked_path, "ab") as file:
        try:
            locked = lock_descriptor(file.fileno(), blocking=False)
            available = True
        except OSError:
            locked = available = False  # the file system has no locks
        if available and not locked:
            raise BlockingIOError(
                f"another run is writing {path}; wait for it, or use another file"
            )
        try:
            yield
        finally:
            if locked:
                unlock_descriptor(file.fileno())
    if not LOCK_RESULTS_FILE:
        # Windows refuses while another run has it open; that run then removes it.
        with suppress(OSError):
            locked_path.unlink()


def drop_cut_off_line(path: str | os.PathLike[str], first_key: str = "") -> None:
    """Remove an incomplete last line, so that results can be appended.

    Parameters
    ----------
    path : path-like
        A results file.
    first_key : str, default=""
        The first key of each result, if it is the same for all.

    Raises
    ------
    ValueError
        If the text after the last line end is not the beginning of a result. The file
        is then unchanged.
    """
    start = (f'{{"{first_key}": ' if first_key else "{").encode()
    with open(path, "r+b") as file:
        content = file.read()
        complete = content.rfind(b"\n") + 1
        rest = content[complete:]
        if rest[: len(start)] != start[: len(rest)]:
            raise ValueError(
                f"{path} is not a results file, it ends with {rest[:40]!r}: use "
                "another file"
            )
        file.truncate(complete)


def append_result(path: str | os.PathLike[str], result: Result) -> None:
    """Append a line; return when it is on the disk."""
    line = json.dumps(result, allow_nan=False) + "\n"
    with open(path, "ab") as file:
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())
