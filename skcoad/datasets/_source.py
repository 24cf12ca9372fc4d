"""From a file or a stream to bytes and text: compression and encoding."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Collection
from typing import Any

from skcoad.datasets._archive import AnyPath
from skcoad.datasets._unpacking import read_unpacked, unpack_errors

_SUFFIXES = (".gz", ".bz2", ".xz", ".zip")
_STREAMS: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_BOMS = {  # the longer ones first: UTF-16's is the beginning of UTF-32's
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


def uncompressed_name(name: str) -> str:
    """A file's name without the suffix of a compression.

    Examples
    --------
    >>> from skcoad.datasets._source import uncompressed_name
    >>> uncompressed_name("pump.csv.gz")
    'pump.csv'
    """
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name


def read_bytes(path: AnyPath) -> bytes:
    """Read a file, decompressed.

    gzip, bzip2, xz, and zip files of one member are recognised by their content.

    Raises
    ------
    ValueError
        If the content is damaged, encrypted, or larger than `MAX_UNPACKED`.
    """
    if isinstance(path, zipfile.Path):
        with unpack_errors(path), path.open("rb") as member:
            data = read_unpacked(member, path)
    else:
        data = path.read_bytes()
    return decompress(data, path.name)


def decompress(data: bytes, name: str) -> bytes:
    """Decompress the content of a file, if it is compressed; see `read_bytes`."""
    with unpack_errors(name):
        for magic, stream in _STREAMS.items():
            if data.startswith(magic):
                return read_unpacked(stream(io.BytesIO(data)), name)
        if is_workbook(data) or not zipfile.is_zipfile(io.BytesIO(data)):
            return data
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = member_names(archive)
            if len(members) != 1:
                raise ValueError(
                    f"{name} is a zip file of {len(members)} files, not of one"
                )
            with archive.open(members[0]) as member:
                return read_unpacked(member, name)


def member_names(archive: zipfile.ZipFile) -> list[str]:
    """Names of the files in a zip file, without what macOS adds."""
    return [
        info.filename
        for info in archive.infolist()
        if not info.is_dir() and not info.filename.startswith("__MACOSX/")
    ]


def is_workbook(data: bytes) -> bool:
    """Whether the content is that of an Excel or OpenDocument file."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return True
    if not data.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return False
    return is_workbook_members(names)


def is_workbook_members(names: Collection[str]) -> bool:
    """Whether a zip file of such members is an Excel or OpenDocument file."""
    return "[Content_Types].xml" in names or {"mimetype", "content.xml"} <= {*names}


def decode(data: bytes, name: str) -> tuple[str, str]:
    r"""Decode text, and return it with the name of its encoding.

    A byte order mark decides. Without one, UTF-16 is recognised by its zeros; what is
    not UTF-8 is taken for Windows-1252, of which Latin-1 is a part. Line ends become
    ``"\n"``.

    Raises
    ------
    ValueError
        If it is not text.
    """
    encoding = next((e for bom, e in _BOMS.items() if data.startswith(bom)), None)
    if encoding is None:
        encoding = _without_mark(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not a text file: {error}") from None
    text = text.rstrip("\x1a")  # the end-of-file mark of DOS
    if control := _CONTROL.search(text):
        raise ValueError(
            f"{name} is not a text file: it has the control character "
            f"{control[0]!r} at position {control.start()}"
        )
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, encoding


def _without_mark(data: bytes) -> str:
    sample = data[:4096]
    high, low = sample[::2].count(0), sample[1::2].count(0)
    if max(high, low) > len(sample) / 8:  # a quarter of every second byte
        return "utf-16-be" if high > low else "utf-16-le"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            data.decode("cp1252")
        except UnicodeDecodeError:
            return "latin-1"
        return "cp1252"
    return "utf-8"
