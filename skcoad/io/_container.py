"""A sealed file of tensors and one JSON object, without pickle: reading runs no code.

The file is of the safetensors format. The JSON object stands in its metadata, under the
key ``skcoad``, with three entries of the container's own:

===========  =========================================================================
format       number of the layout, 2
skcoad       version of the package that wrote the file
sha256       digest of the whole file, with 64 zeros in the place of the digest
===========  =========================================================================

File contents are untrusted: every size is validated against the file's own before
anything is allocated. The digest detects accidents; it does not tell who wrote the
file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

import safetensors.torch
import torch
from torch import Tensor

from skcoad._version import __version__
from skcoad.io._schema import InvalidDetectorError, Json, get, parse, require

__all__ = ["pack", "read_container", "unpack"]

FORMAT = 2
MAX_HEADER = 2**24  # bytes; a detector of 1,000 channels has 2 million
KEY = "skcoad"  # in the metadata
UNSEALED = "0" * 64  # where the digest will stand


def pack(content: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> bytes:
    """Make the bytes of a file.

    Parameters
    ----------
    content : mapping
        What JSON knows.
    tensors : mapping of str to Tensor
        Contiguous, on the CPU.

    Returns
    -------
    bytes
    """
    own = {"format": FORMAT, "skcoad": __version__, "sha256": UNSEALED}
    metadata = {KEY: json.dumps({**own, **content}, allow_nan=False)}
    return _seal(safetensors.torch.save(dict(tensors), metadata))


def read_container(path: str | os.PathLike[str]) -> tuple[Json, dict[str, Tensor]]:
    """Read a file that :func:`pack` made.

    Parameters
    ----------
    path : str or path-like
        A regular file.

    Returns
    -------
    content : dict
        The JSON object.
    tensors : dict of str to Tensor
        On the CPU.

    Raises
    ------
    InvalidDetectorError
        If the file is damaged, is no such file, or needs a later version of skcoad.
    OSError
        If there is no such file, or it cannot be read.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise InvalidDetectorError("is no regular file")
    with open(path, "rb") as file:
        return unpack(file, os.fstat(file.fileno()).st_size)


def unpack(file: BinaryIO, size: int) -> tuple[Json, dict[str, Tensor]]:
    """Read an open file; see :func:`read_container`.

    Parameters
    ----------
    file : binary file
        At its beginning.
    size : int
        Of the file, in bytes.

    Returns
    -------
    content, tensors : dict, dict of str to Tensor
    """
    header, content = _read_header(file, size)
    try:
        body = file.read(size - len(header))
    except MemoryError as error:
        raise InvalidDetectorError(f"{size} bytes do not fit into memory") from error
    digest = hashlib.sha256(_unsealed(header, content))
    digest.update(body)
    require(
        digest.hexdigest() == content["sha256"],
        "the checksum does not match: the file is damaged",
    )
    try:
        tensors = safetensors.torch.load(header + body)
    except Exception as error:  # whatever the parser stumbles over
        raise InvalidDetectorError(f"no tensors can be read: {error}") from error
    for name, tensor in tensors.items():
        if tensor.dtype == torch.bool:
            valid = bool((tensor.view(torch.uint8) <= 1).all())
            require(valid, f"tensor {name} has a byte that is no bool")
    # A file's bytes are read-only and not aligned as torch aligns its own.
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    return content, tensors


def _read_header(file: BinaryIO, size: int) -> tuple[bytes, Json]:
    """Header of a file, with its length in front, and our JSON object in it."""
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    # Of text or of other data, the first bytes are hardly ever such a number.
    require(
        len(prefix) == 8 and length <= MAX_HEADER,
        "no file of a detector, as save() and --save write it",
    )
    require(
        length <= size - 8,
        f"{size} bytes are too few for a header of {length}: truncated, or no file of "
        "a detector",
    )
    header = file.read(length)
    table = parse(header, "the header")
    metadata = table.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(KEY), str):
        raise InvalidDetectorError("no detector of skcoad is in this file")
    content = parse(metadata[KEY], "the metadata")
    _check_format(content)
    # Before the rest is read: a file that is longer than its tensors may be very long.
    try:
        end = max(entry["data_offsets"][1] for entry in table.values())
    except (LookupError, TypeError, ValueError) as error:
        raise InvalidDetectorError("the header has no table of tensors") from error
    require(
        end == size - 8 - length,
        f"{size - 8 - length} bytes of data where the header says {end}",
    )
    return prefix + header, content


def _check_format(content: Json) -> None:
    number = get(content, "format", int)
    if number > FORMAT:
        writer = get(content, "skcoad", str)[:40]
        raise InvalidDetectorError(
            f"format {number}, written by skcoad {writer}, is newer than what this "
            f"version, skcoad {__version__}, reads (up to format {FORMAT}); it needs "
            f"skcoad {writer} or later"
        )
    require(number in (1, FORMAT), f"there is no format {number}")


def _seal(data: bytes) -> bytes:
    """Put the digest of a file into it."""
    digest = hashlib.sha256(data).hexdigest()
    return data.replace(UNSEALED.encode(), digest.encode(), 1)


def _unsealed(header: bytes, content: Json) -> bytes:
    """Header as it was when the digest was computed."""
    digest = get(content, "sha256", str)
    sealed = re.fullmatch("[0-9a-f]{64}", digest) is not None
    require(sealed and header.count(digest.encode()) == 1, "there is no checksum")
    return header.replace(digest.encode(), UNSEALED.encode())
