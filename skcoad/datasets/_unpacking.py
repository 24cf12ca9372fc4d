"""Reading what is compressed: how much at most, and what goes wrong."""

from __future__ import annotations

import errno
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

# Bytes; a few kilobytes can become terabytes. A file that needs more is unpacked by its
# owner first, on disk.
MAX_UNPACKED = 2**29
# What is raised for data that are damaged, encrypted or compressed in a way that is not
# known.
_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


@contextmanager
def unpack_errors(name: object) -> Iterator[None]:
    """Turn what unpacking raises into a ValueError that names the file."""
    try:
        yield
    except _ERRORS as error:
        # Others with a number are errors of the system; this one comes of a place that
        # a damaged file names.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise ValueError(f"{name} cannot be unpacked: {error}") from error


def read_unpacked(stream: IO[bytes], name: object) -> bytes:
    """Read a stream that unpacks; raise ValueError if it is longer than allowed."""
    data = stream.read(MAX_UNPACKED + 1)
    if len(data) > MAX_UNPACKED:
        raise ValueError(
            f"{name} is more than {MAX_UNPACKED // 2**20} MiB when unpacked; unpack it "
            "first"
        )
    return data
