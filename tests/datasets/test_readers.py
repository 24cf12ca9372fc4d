import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from skcoad.datasets import (
    Archive,
    Series,
    load_nab,
    load_series,
    load_tsb_ad,
    load_ucr,
    open_archive,
)

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the development data are not beside the repository"
)

UCR_NAME = "042_UCR_Anomaly_two_words_3_5_6.txt"
TSB_NAME = "007_Rig_id_2_Sensor_tr_2_1st_3.csv"
WINDOWS = {
    "group/one.csv": [["2020-01-01 00:10:00", "2020-01-01 00:20:00.000000"]],
    "group/none.csv": [],
}


@pytest.fixture
def ucr(tmp_path):
    folder = tmp_path / "ucr"
    (folder / "deeper").mkdir(parents=True)
    numbers = [1.5, -2, 3e2, 4, 9, 9, 1]
    (folder / UCR_NAME).write_text("\n".join(map(str, numbers)) + "\n")
    (folder / "deeper" / UCR_NAME.replace("042", "041")).write_text(
        "  ".join(map(str, numbers)) + " "
    )
    (folder / "readme.txt").write_text("not a series")
    return folder


@pytest.fixture
def tsb(tmp_path):
    folder = tmp_path / "tsb"
    folder.mkdir()
    (folder / TSB_NAME).write_text(
        "a,time,Label\n1,5,0\n2,6,0\n3,7,0\n4,8,1\n", encoding="utf-8-sig"
    )
    return folder


@pytest.fixture(params=["", "labels"])
def nab(tmp_path, request):
    """NAB as the benchmark's repository lays it out, and with all in one folder."""
    root = tmp_path / "nab"
    groups = root / "data" if request.param else root
    (groups / "group").mkdir(parents=True)
    for name in ("one", "none"):
        (groups / "group" / f"{name}.csv").write_text(
            "timestamp,value\n"
            + "".join(
                f"2020-01-01 {minute // 60:02}:{minute % 60:02}:00,{minute}\n"
                for minute in range(0, 500, 5)
            )
        )
    (root / request.param).mkdir(exist_ok=True)
    (root / request.param / "combined_windows.json").write_text(json.dumps(WINDOWS))
    return groups


def zipped(folder):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
        # As added by macOS.
        archive.writestr("__MACOSX/._" + UCR_NAME, b"\0\xff")
    return path


# UCR


def test_ucr_counts_positions_from_one_and_inclusive(ucr):
    series = load_ucr(ucr / UCR_NAME)
    assert series.name == UCR_NAME.removesuffix(".txt")
    assert series.train_length == 3
    np.testing.assert_array_equal(series.values[:, 0], [1.5, -2, 300, 4, 9, 9, 1])
    np.testing.assert_array_equal(series.labels, [0, 0, 0, 0, 1, 1, 0])
    assert series.timestamps is None


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_ucr_folder_and_zip_hold_both_file_styles(ucr, packed):
    archive = load_ucr(zipped(ucr) if packed else ucr)
    assert [name[:3] for name in archive.names] == ["042", "041"]  # by path
    lines, one_line = archive
    np.testing.assert_array_equal(lines.values, one_line.values)
    assert archive[-1].name == archive.names[-1]
    assert archive[1:].names == archive.names[1:]
    assert archive.select("041*").names == archive.names[1:]
    assert len(archive.select("nothing")) == 0
    assert repr(archive) == "Archive(2 series)"
    assert archive.files == (
        ()
        if packed
        else (ucr / UCR_NAME, ucr / "deeper" / UCR_NAME.replace("42", "41"))
    )


def test_an_archive_reads_only_the_series_accessed(ucr):
    (ucr / UCR_NAME.replace("042", "999")).write_text("not a number")
    archive = load_ucr(ucr)
    assert len(archive) == 3
    assert archive[0].train_length == 3
    with pytest.raises(ValueError, match=r"999_UCR.*could not convert.*'not'"):
        archive.select("999*")[0]


def test_an_archive_can_be_pickled(ucr):
    archive = pickle.loads(pickle.dumps(load_ucr(ucr)))
    assert archive[0].train_length == 3


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("series.txt", "1 2", r"ID_UCR_Anomaly_NAME.*got 'series.txt'"),
        ("1_UCR_Anomaly_x_1_2_9.txt", "1 2 3", "2 to 9, is not within the 3 values"),
        ("1_UCR_Anomaly_x_1_0_2.txt", "1 2 3", "0 to 2"),
        ("1_UCR_Anomaly_x_1_3_2.txt", "1 2 3", "3 to 2"),
        ("1_UCR_Anomaly_x_4_2_2.txt", "1 2 3", "train_length must be .* got 4"),
    ],
)
def test_ucr_contradictions_are_errors(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        load_ucr(tmp_path / name)


# TSB-AD


@pytest.mark.parametrize("form", ["file", "folder", "zip"])
def test_tsb_ad_takes_every_column_but_the_last_as_a_channel(tsb, form):
    if form == "file":
        series = load_tsb_ad(tsb / TSB_NAME)
    else:
        (series,) = load_tsb_ad(zipped(tsb) if form == "zip" else tsb)
    assert series.channel_names == ("a", "time")
    np.testing.assert_array_equal(series.values, [[1, 5], [2, 6], [3, 7], [4, 8]])
    np.testing.assert_array_equal(series.labels, [0, 0, 0, 1])
    assert (series.train_length, series.name) == (2, TSB_NAME.removesuffix(".csv"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("series.csv", "Data,Label\n1,0\n", "got 'series.csv'"),
        (TSB_NAME, "Data,Other\n1,0\n", r"got \['Data', 'Other'\]"),
        (TSB_NAME, "Label\n1\n", r"got \['Label'\]"),
        (TSB_NAME, "Data,Label\nx,0\n", "could not convert string to float: 'x'"),
    ],
)
def test_tsb_ad_contradictions_are_errors(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        load_tsb_ad(tmp_path / name)


# NAB


@pytest.mark.parametrize("form", ["file", "folder", "zip"])
def test_nab_joins_values_and_windows(nab, form, tmp_path):
    if form == "file":
        series = load_nab(nab / "group" / "one.csv")
    elif form == "zip":
        series = load_nab(zipped(tmp_path / "nab"))[1]
    else:
        series = load_nab(nab)[1]
    assert series.name == "group/one"
    np.testing.assert_array_equal(np.flatnonzero(series.labels), [2, 3, 4])
    assert series.timestamps[1] == np.datetime64("2020-01-01T00:05:00")
    assert series.train_length == 15


def test_nab_series_may_have_no_anomaly(nab):
    assert load_nab(nab)[0].labels.sum() == 0


def test_nab_without_windows_is_an_error(tmp_path):
    (tmp_path / "load.csv").write_text("timestamp,value\n2020-01-01,1\n")
    with pytest.raises(ValueError, match=r"found no combined_windows\.json for"):
        load_nab(tmp_path / "load.csv")


def test_nab_file_without_windows_is_an_error(nab):
    file = nab / "group" / "extra.csv"
    file.write_text("timestamp,value\n2020-01-01,1\n")
    with pytest.raises(ValueError, match=r"has no windows for 'group/extra\.csv'"):
        load_nab(file)


def test_nab_file_without_timestamps_is_an_error(nab):
    file = nab / "group" / "one.csv"
    file.write_text("value\n1\n")
    with pytest.raises(ValueError, match="has the columns timestamp and value"):
        load_nab(file)


def test_nab_file_with_numbers_for_timestamps_is_an_error(nab):
    file = nab / "group" / "one.csv"
    file.write_text("timestamp,value\n1,1\n2,5\n3,4\n")
    with pytest.raises(ValueError, match=r"one\.csv: .* must be dates, got 1"):
        load_nab(file)


@pytest.mark.parametrize(
    ("windows", "shown"),
    [
        ([["2020-01-01", "2020-01-02", "2020-01-03"]], r"\['2020-01-01', '2020-01-02'"),
        ([["2020-01-01", "soon"]], r"\['2020-01-01', 'soon'\]"),
        ([["2020-01-01", ""]], r"\['2020-01-01', ''\]"),
        ([[2020, 2021]], r"\[2020, 2021\]"),
        (["20"], "'20'"),
        (None, "None"),
    ],
)
def test_nab_windows_that_are_no_pairs_of_times_are_an_error(nab, windows, shown):
    (file,) = nab.parent.rglob("combined_windows.json")
    file.write_text(json.dumps({"group/one.csv": windows}))
    message = rf"combined_windows\.json: a window of 'group/one\.csv' .*, got {shown}"
    with pytest.raises(ValueError, match=message):
        load_nab(nab / "group" / "one.csv")


def test_nab_path_may_be_relative(nab, monkeypatch):
    monkeypatch.chdir(nab / "group")
    assert load_nab("one.csv").name == "group/one"


# Plain CSV


def load_text(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_text(text)
    return load_series(path)


def test_csv_header_names_the_channels(tmp_path):
    series = load_text(tmp_path, "flow, heat\n1,2\n3,\n")
    assert series.channel_names == ("flow", "heat")
    np.testing.assert_array_equal(series.values, [[1, 2], [3, np.nan]])
    np.testing.assert_array_equal(series.labels, [0, 0])
    assert (series.name, series.train_length) == ("data", 0)
    assert series.timestamps is None


def test_csv_needs_no_header(tmp_path):
    series = load_text(tmp_path, "1\n2\n3\n")
    np.testing.assert_array_equal(series.values[:, 0], [1, 2, 3])


@pytest.mark.parametrize("label", ["label", "Label", "is_anomaly", "ANOMALY"])
def test_csv_label_column_is_known_by_its_name(tmp_path, label):
    series = load_text(tmp_path, f"{label},x\n0,5\n1,6\n")
    np.testing.assert_array_equal(series.labels, [0, 1])
    np.testing.assert_array_equal(series.values[:, 0], [5, 6])


@pytest.mark.parametrize("header", ["when,x\n", "Timestamp,x\n", ",x\n", ""])
def test_csv_dates_become_timestamps(tmp_path, header):
    series = load_text(tmp_path, header + "2020-01-01 00:00,5\n2020-01-02 12:30,6\n")
    np.testing.assert_array_equal(
        series.timestamps,
        np.array(["2020-01-01T00:00", "2020-01-02T12:30"], dtype="datetime64[ns]"),
    )
    np.testing.assert_array_equal(series.values[:, 0], [5, 6])


def test_csv_timestamps_with_a_zone_are_converted_to_utc(tmp_path):
    series = load_text(tmp_path, "time,x\n2020-01-01T02:00+02:00,5\n")
    np.testing.assert_array_equal(
        series.timestamps, np.array(["2020-01-01T00:00"], dtype="datetime64[ns]")
    )


def test_csv_numeric_timestamps_stay_numbers(tmp_path):
    series = load_text(tmp_path, "time,x\n10,5\n20,6\n")
    np.testing.assert_array_equal(series.timestamps, [10, 20])
    assert series.channel_names == ("x",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("time,label\n1,0\n", r"no column of values, only \['time', 'label'\]"),
        ("x,y\n1,low\n2,high\n", "column 'y' must be numeric, got 'low' in line 2"),
        ("x\n1\n2;3\n", "column 'x' must be numeric, got '2;3' in line 3"),
        ("x,label\n1,7\n", "labels must be 0 or 1, got 7"),
        ("x,label\n1,\n", "labels must be 0 or 1, got nan"),
        ("x\n", "is not a CSV file"),
        ("x,y\n1\n", "2 names for 1 columns"),
        ("x\n1\n1,2,3\n", "is not a CSV file"),
        ("time,x\n2020-01-01,1\nlater,2\n", "data.csv.*later"),
    ],
)
def test_csv_contradictions_are_errors(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        load_text(tmp_path, text)


def test_a_file_that_is_not_text_is_an_error(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"data\.csv is not a text file"):
        load_series(path)


# Any format


def test_load_series_detects_each_format(ucr, tsb, nab, tmp_path):
    assert load_series(ucr / UCR_NAME).train_length == 3
    assert load_series(tsb / TSB_NAME).train_length == 2
    assert load_series(nab / "group" / "one.csv").name == "group/one"
    (tmp_path / "beat.out").write_text("0.5,0\n0.6,1\n")
    series = load_series(tmp_path / "beat.out")
    assert (series.name, series.train_length) == ("beat", 0)
    np.testing.assert_array_equal(series.labels, [0, 1])
    (tmp_path / "plain.txt").write_text("1\n2\n")
    assert load_series(tmp_path / "plain.txt").name == "plain"


def test_load_series_refers_folders_and_zips_to_open_archive(ucr):
    for path in (ucr, zipped(ucr)):
        with pytest.raises(ValueError, match="open_archive"):
            load_series(path)


def test_open_archive_collects_every_format(ucr, tsb, nab, tmp_path):
    assert sorted(open_archive(tmp_path).names) == [
        TSB_NAME.removesuffix(".csv"),
        UCR_NAME.replace("042", "041").removesuffix(".txt"),
        UCR_NAME.removesuffix(".txt"),
        "group/none",
        "group/one",
    ]


def test_open_archive_takes_one_file(ucr, tmp_path):
    assert open_archive(ucr / UCR_NAME)[0].train_length == 3
    (tmp_path / "plain.dat").write_text("1\n2\n")
    assert open_archive(tmp_path / "plain.dat").names == ("plain",)


def as_zip(data):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("series", data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress),
     (".zip", as_zip)],
)  # fmt: skip
def test_a_compressed_file_is_read_as_what_it_is(ucr, tsb, nab, tmp_path, suffix, pack):
    (tmp_path / "tsb" / "uad.out").write_text("1,0\n2,1\n")
    files = [ucr / UCR_NAME, tsb / TSB_NAME, tsb / "uad.out", nab / "group" / "one.csv"]
    for file in files:
        expected = load_series(file)
        file.with_name(file.name + suffix).write_bytes(pack(file.read_bytes()))
        file.unlink()
        (series,) = open_archive(file.parent).select(expected.name)
        assert series.train_length == expected.train_length
        np.testing.assert_array_equal(series.values, expected.values)
        np.testing.assert_array_equal(series.labels, expected.labels)
        assert series.labels.any()


def test_tsb_uad_needs_two_columns(tmp_path):
    (tmp_path / "beat.out").write_text("1,2,3\n")
    with pytest.raises(ValueError, match="got 3 columns"):
        load_series(tmp_path / "beat.out")


@pytest.mark.parametrize("name", ["uad.out", "uad.out.gz", TSB_NAME])
@pytest.mark.parametrize("text", ["time,label\n1,0\nx,1\n", "", "1,0\n2,1,0\n"])
def test_an_error_of_tsb_names_the_file(tmp_path, name, text):
    data = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=f"^{name}: "):
        load_series(tmp_path / name)


@pytest.mark.parametrize("load", [load_ucr, load_tsb_ad, load_nab, open_archive])
def test_a_folder_without_series_is_an_error(load, tmp_path):
    with pytest.raises(ValueError, match=r"no .*series.* in .*"):
        load(tmp_path)


@pytest.mark.parametrize(
    "load", [load_ucr, load_tsb_ad, load_nab, open_archive, load_series]
)
def test_a_missing_path_is_an_error(load, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        load(tmp_path / "missing")


# The real files


@needs_shared
def test_every_ucr_file_holds_the_anomaly_that_its_name_says():
    archive = load_ucr(SHARED / "ucr")
    assert len(archive) >= 99
    for series in archive.select("20[1-5]*"):  # both file styles
        *_, train_end, start, end = series.name.split("_")
        assert series.train_length == int(train_end)
        assert series.labels.sum() == int(end) - int(start) + 1
        assert series.labels.argmax() == int(start) - 1
        assert np.isfinite(series.values).all()


@needs_shared
@pytest.mark.parametrize("folder", ["tsb_ad", "mgab"])
def test_first_anomaly_of_tsb_ad_is_where_the_name_says(folder):
    for series in load_tsb_ad(SHARED / folder):
        assert series.labels.argmax() == int(series.name.rsplit("_", 1)[1])
        assert series.train_length < series.labels.argmax()


@needs_shared
def test_nab_windows_cover_a_tenth_of_the_points():
    # NAB sizes its windows so that together they are 10 % of the file.
    for series in load_nab(SHARED / "nab"):
        assert 0.07 < series.labels.mean() < 0.11


@needs_shared
def test_the_format_of_a_real_record_is_detected():
    series = load_series(SHARED / "ecg" / "MBA_ECG805_data.out")
    assert isinstance(series, Series)
    assert series.values.shape == (230_400, 1)
    assert isinstance(open_archive(SHARED), Archive)
