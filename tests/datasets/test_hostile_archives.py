"""Folders and zip files that are damaged, hostile or merely odd."""

import os
import zipfile

import pytest

from skcoad.datasets import _unpacking, load_nab, load_ucr, open_archive

NAME = "001_UCR_Anomaly_x_2_3_4.txt"
TEXT = "1 2 9 9 1 " * 20


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / NAME).write_text(TEXT)
    return folder


def packed(path, content=TEXT, method=zipfile.ZIP_STORED, name=NAME):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, content)
    return path


def patched(path, local, central, value):
    """Change one byte of both headers of the only member."""
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", local), (b"PK\1\2", central)):
        data[data.find(signature) + offset] = value
    path.write_bytes(data)


def encrypted(path):
    patched(packed(path), 6, 8, 1)


def of_unknown_method(path):
    patched(packed(path), 8, 10, 97)


def with_another_checksum(path):
    data = bytearray(packed(path).read_bytes())
    data[data.find(b"1 2 9")] ^= 1
    path.write_bytes(data)


def with_damaged_data(path, method=zipfile.ZIP_DEFLATED):
    content = " ".join(str(i * 7919 % 1009) for i in range(300))
    data = bytearray(packed(path, content, method).read_bytes())
    data[100:160] = bytes(range(60))
    path.write_bytes(data)


def with_damaged_lzma(path):
    with_damaged_data(path, zipfile.ZIP_LZMA)


def with_damaged_bzip2(path):
    with_damaged_data(path, zipfile.ZIP_BZIP2)


def with_damaged_directory(path):
    data = bytearray(packed(path).read_bytes())
    at = data.find(b"PK\1\2")
    data[at : at + 4] = b"none"
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        encrypted,
        of_unknown_method,
        with_another_checksum,
        with_damaged_data,
        with_damaged_lzma,
        with_damaged_bzip2,
        with_damaged_directory,
    ],
)
@pytest.mark.parametrize("load", [load_ucr, open_archive])
def test_a_zip_file_that_cannot_be_unpacked_is_an_error_that_names_it(
    load, damage, tmp_path
):
    path = tmp_path / "x.zip"
    damage(path)
    with pytest.raises(ValueError, match=r"x\.zip.* cannot be unpacked"):
        load(path)[0]


def test_a_member_that_is_very_large_when_unpacked_is_refused(tmp_path, monkeypatch):
    path = packed(tmp_path / "x.zip", "1 " * 2**20, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**14
    monkeypatch.setattr(_unpacking, "MAX_UNPACKED", 2**20)
    archive = load_ucr(path)
    with pytest.raises(ValueError, match=r"x\.zip.* is more than 1 MiB when unpacked"):
        archive[0]


def test_a_member_is_never_larger_than_it_claims_to_be(tmp_path):
    path = packed(tmp_path / "x.zip", "1 " * 2**16, zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    size = (2**17).to_bytes(4, "little")
    path.write_bytes(data.replace(size, (16).to_bytes(4, "little")))
    with pytest.raises(ValueError, match="cannot be unpacked: Bad CRC"):
        load_ucr(path)[0]


def test_windows_of_nab_are_bounded_as_well(tmp_path, monkeypatch):
    path = tmp_path / "nab.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/group/x.csv", "timestamp,value\n2020-01-01,1\n")
        archive.writestr("data/combined_windows.json", "[" * 2**17)
    with pytest.raises(ValueError, match="is not JSON"):
        load_nab(path)[0]
    monkeypatch.setattr(_unpacking, "MAX_UNPACKED", 2**16)
    with pytest.raises(ValueError, match="when unpacked"):
        load_nab(path)[0]


def test_more_nested_folders_than_python_recurses_are_read(tmp_path):
    path = packed(tmp_path / "x.zip", name="a/" * 1200 + NAME)
    assert len(load_ucr(path)) == 1


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links_to_folders_are_followed_once(folder):
    for name in "ab":  # read in turn, they would make 2**40 paths
        (folder / name).symlink_to(".")
    (folder / "up").symlink_to("..")
    outside = folder.with_name("outside")
    outside.mkdir()
    (outside / NAME.replace("001", "002")).write_text(TEXT)
    (folder / "linked").symlink_to(outside)
    assert [name[:3] for name in load_ucr(folder).names] == ["001", "002"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
def test_what_is_no_regular_file_is_left_out_of_a_folder(folder):
    os.mkfifo(folder / NAME.replace("001", "002"))  # nobody will write to it
    (folder / NAME.replace("001", "003")).symlink_to(NAME.replace("001", "003"))
    assert [name[:3] for name in load_ucr(folder).names] == ["001"]
    os.mkfifo(folder / "pipe")
    with pytest.raises(ValueError, match="neither a folder nor a zip file"):
        load_ucr(folder / "pipe")
    with pytest.raises(ValueError, match="pipe is no regular file"):
        open_archive(folder / "pipe")
