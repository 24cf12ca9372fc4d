import bz2
import gzip
import io
import lzma
import os
import zipfile

import numpy as np
import pandas as pd
import polars
import pytest
import xarray

from skcoad.datasets import Series, open_archive
from skcoad.panel import Panel, detect_panel, open_panel


def values(panel):
    return {
        name: panel.read(index).values.ravel().tolist()
        for index, name in enumerate(panel.names)
    }


@pytest.fixture
def folder(tmp_path):
    """Three files in two folders, two of one name, and one that is no series."""
    for number, name in enumerate(("a/pump.csv", "a/fan.1.csv", "b/pump.csv")):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"time,flow\n2024-01-01,{number}\n2024-01-02,{number}\n")
    (tmp_path / "a" / "notes.md").write_text("no series")
    return tmp_path


def test_series_of_a_folder_are_named_by_their_paths(folder):
    panel = open_panel(folder)
    assert panel.names == ("a/fan.1", "a/pump", "b/pump")
    one = panel.read(2)
    assert one.values.tolist() == [[2.0], [2.0]]
    assert one.timestamps[0] == np.datetime64("2024-01-01")


@pytest.mark.parametrize(
    "suffix",
    [
        ".CSV",
        ".tsv",
        ".TXT",
        ".tab",
        ".dat",
        ".Json",
        ".parquet",
        ".PQ",
        ".csv.gz",
        ".tsv.BZ2",
        ".TXT.xz",
        ".csv.zip",
        ".parquet.gz",
    ],
)
def test_every_table_of_a_folder_is_taken_by_its_suffix(tmp_path, suffix):
    kind, _, packing = suffix.lower().lstrip(".").partition(".")
    frame = pd.DataFrame({"flow": [1.0, 2.5]})
    if kind in ("parquet", "pq"):
        data = frame.to_parquet()
    elif kind == "json":
        data = frame.to_json().encode()
    else:
        data = b"time\tflow\n2024-01-01\t1\n2024-01-02\t2.5\n"
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as opened:
        opened.writestr("pump", data)
    packed = {
        "": data,
        "gz": gzip.compress(data),
        "bz2": bz2.compress(data),
        "xz": lzma.compress(data),
        "zip": zipped.getvalue(),
    }
    (tmp_path / f"pump{suffix}").write_bytes(packed[packing])
    for hidden in (".pump.csv", ".cache/pump.csv"):
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / hidden).write_text("flow\n7\n")
    panel = open_panel(tmp_path)
    assert list(values(panel).values()) == [[1.0, 2.5]]
    assert panel.names == ("pump",)
    assert panel.read(0).name == "pump"
    assert open_panel(str(tmp_path / "*")).names == panel.names
    assert panel.left_out == []


def test_files_of_a_folder_that_are_left_out_are_named(folder):
    for name in ("README.txt", "b/README", ".DS_Store", "b/image.png"):
        (folder / name).write_text("no series")
    panel = open_panel(folder)
    assert panel.left_out == ["README.txt", "a/notes.md", "b/README", "b/image.png"]


def test_results_in_the_folder_are_no_series(folder):
    out = folder / "found.jsonl"
    out.touch()
    names = open_panel(folder).names
    assert names == ("a/fan.1", "a/pump", "b/pump")
    detect_panel(folder, train=1, out=out)
    assert open_panel(folder).names == names
    assert open_panel(str(folder / "**" / "*")).names == (
        "a/fan.1",
        "a/notes",
        *names[1:],
    )
    out.write_text('{"series": 1, "flow": 2.0}\n{"series": 2, "flow": 3.0}\n')
    assert open_panel(folder).names == (*names, "found")


def test_files_of_one_name_are_refused_by_their_names(folder):
    (folder / "b" / "pump.tsv").write_text("flow\n1\n")
    message = r"pump\.csv and pump\.tsv would both be named 'b/pump'.* pattern, such as"
    with pytest.raises(ValueError, match=message):
        open_panel(folder)
    with pytest.raises(ValueError, match="would both be named 'pump'"):
        open_panel(str(folder / "b" / "*"))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*/pump.csv", ("a/pump", "b/pump")),
        ("b/*.csv", ("pump",)),
        ("**/*.csv", ("a/fan.1", "a/pump", "b/pump")),
        ("?/[f-p]*.csv", ("a/fan.1", "a/pump", "b/pump")),
    ],
)
def test_series_of_a_pattern_are_named_by_what_is_below_its_fixed_part(
    folder, monkeypatch, pattern, names
):
    assert open_panel(str(folder / pattern)).names == names
    monkeypatch.chdir(folder)
    relative = open_panel(pattern)
    assert relative.names == names
    assert len(relative.read(0).values) == 2


@pytest.mark.parametrize("pattern", ["*.csv", "b/*.csv", "*/pump.csv", "b/pump.*"])
def test_a_folder_whose_name_has_wildcards_is_no_pattern(folder, monkeypatch, pattern):
    outer, folder = folder, folder / "run[1]"
    folder.mkdir()
    for part in "ab":
        (outer / part).rename(folder / part)
    (folder / "top.csv").write_text("flow\n1\n2\n")
    names = open_panel(str(folder / pattern)).names
    monkeypatch.chdir(folder)
    assert open_panel(pattern).names == names
    monkeypatch.chdir(outer)
    assert open_panel(f"run[1]/{pattern}").names == names
    with pytest.raises(FileNotFoundError, match=r"no file matches run\[1\]/no\.csv"):
        open_panel("run[1]/no.csv")


def test_one_file_an_archive_and_a_zip_file_are_panels(folder):
    assert open_panel(folder / "b" / "pump.csv").names == ("pump",)
    assert open_panel(open_archive(folder / "b")).names == ("pump",)
    packed = folder / "all.zip"
    with zipfile.ZipFile(packed, "w") as opened:
        opened.write(folder / "a" / "fan.1.csv", "fan.csv")
    assert values(open_panel(packed)) == {"fan": [1.0, 1.0]}


def test_files_are_read_only_when_their_series_is(folder):
    panel = open_panel(folder)
    (folder / "a" / "pump.csv").write_text("flow\n1\nx\n")
    assert len(panel.read(2).values) == 2
    with pytest.raises(ValueError, match="must be numeric, got 'x'"):
        panel.read(1)


@pytest.mark.parametrize("source", ["folder", "pattern", "file", "zip"])
def test_files_are_read_as_asked(tmp_path, source):
    file = tmp_path / "data" / "pump.csv"
    file.parent.mkdir()
    file.write_text("when,state,flow\n01/02/2024,on,1\n02/02/2024,off,2\n")
    packed = tmp_path / "two.zip"
    with zipfile.ZipFile(packed, "w") as opened:
        for name in ("a.csv", "pump.csv"):
            opened.write(file, name)
    pattern = str(file.parent / "*.csv")
    sources = {"folder": file.parent, "pattern": pattern, "file": file, "zip": packed}
    panel = open_panel(sources[source], columns=["flow"], dayfirst=True)
    one = panel.read(len(panel.names) - 1)
    assert one.channel_names == ("flow",)
    assert one.timestamps.astype("M8[D]").astype(str).tolist() == [
        "2024-02-01",
        "2024-02-02",
    ]


def test_options_of_files_are_for_files():
    with pytest.raises(TypeError, match="columns, sep are for files and frames"):
        open_panel({"a": [1.0]}, columns=["a"], sep=",")
    for path in (os.curdir, "*.csv"):
        known = "'colums'; those of files are columns, sep, decimal, sheet"
        with pytest.raises(TypeError, match=known):
            open_panel(path, colums=["flow"])
        with pytest.raises(ValueError, match="must be a sequence of names, got 'flow'"):
            open_panel(path, columns="flow")


def test_a_long_frame_is_cut_by_id_and_sorted_by_time():
    days = pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin")
    frame = pd.DataFrame(
        {
            "ds": [days[1], days[0], days[0], days[2]],
            "y": [2.0, 5.0, 1.0, 3.0],
            "unique_id": [7, "b", 7, 7],
            "load": [20.0, 50.0, 10.0, 30.0],
        }
    )
    panel = open_panel(frame)
    assert panel.names == ("7", "b")
    one = panel.read(0)
    assert one.name == "7"
    assert one.channel_names == ("y", "load")
    assert one.values.tolist() == [[1, 10], [2, 20], [3, 30]]
    # In UTC.
    assert one.timestamps[0] == np.datetime64("2023-12-31T23:00")
    assert open_panel(frame.astype({"unique_id": "category"})).names == ("7", "b")


@pytest.fixture
def long_frame():
    days = pd.date_range("2024-01-01", periods=3).repeat(2)
    ids = ["b", "a"] * 3
    return pd.DataFrame({"unique_id": ids, "ds": days, "y": range(6), "load": 1.5})


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "jsonl"])
def test_a_file_may_be_a_long_frame(long_frame, tmp_path, suffix):
    path = tmp_path / f"long.{suffix}"
    if suffix == "jsonl":
        long_frame.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        long_frame.to_csv(path, index=False)
    assert values(open_panel(path, columns=["y"])) == {"b": [0, 2, 4], "a": [1, 3, 5]}
    both = open_panel(path).read(1)
    assert both.channel_names == ("y", "load")
    assert both.timestamps[1] == np.datetime64("2024-01-02")
    averaged = open_panel(path, columns=["y"], resample="2D").read(0)
    assert averaged.values.ravel().tolist() == [1, 4]
    with pytest.raises(ValueError, match="there is no column 'x', only y, load"):
        open_panel(path, columns=["x"])


def test_columns_of_one_name_in_a_long_frame_are_kept_apart(long_frame):
    frame = long_frame.set_axis(["unique_id", "ds", "y", "y"], axis=1)
    one = open_panel(frame).read(0)
    assert one.channel_names == ("y", "y.1")
    assert one.values.tolist() == [[0, 1.5], [2, 1.5], [4, 1.5]]
    with pytest.raises(ValueError, match="the column 'y' is asked for twice"):
        open_panel(frame, columns=["y", "y"])


def test_a_long_frame_takes_the_options_of_a_file(long_frame):
    frame = long_frame.assign(site="north")
    with pytest.raises(ValueError, match="'site' must be numeric"):
        open_panel(frame).read(0)
    without = open_panel(frame, drop_non_numeric=True).read(0)
    assert without.channel_names == ("y", "load")
    assert values(open_panel(frame, columns=["y"], resample="3D")) == {
        "b": [2],
        "a": [3],
    }
    with pytest.raises(TypeError, match="there is no option 'column'"):
        open_panel(frame, column="y")


def test_the_times_of_a_long_frame_may_be_in_another_column(long_frame, tmp_path):
    path = tmp_path / "long.csv"
    long_frame.rename(columns={"ds": "when"}).to_csv(path, index=False)
    one = open_panel(path, time_column="when").read(0)
    assert one.channel_names == ("y", "load")
    assert one.timestamps[1] == np.datetime64("2024-01-02")


@pytest.mark.parametrize("in_index", [True, False])
def test_a_long_frame_of_other_names_is_an_error_that_names_them(long_frame, in_index):
    frame = long_frame.rename(columns={"unique_id": "host", "ds": "time"})
    if in_index:
        frame = frame.set_index("time")
    with pytest.raises(ValueError, match="by column 'host'; with the names unique_id"):
        open_panel(frame)


@pytest.mark.parametrize(
    "index", [["unique_id"], ["unique_id", "ds"], ["ds", "unique_id"], ["ds"]]
)
def test_id_and_time_of_a_long_frame_may_be_its_index(index):
    frame = pd.DataFrame(
        {"unique_id": ["b", "a", "b"], "ds": [2, 1, 1], "y": [1.0, 2.0, 3.0]}
    )
    panel = open_panel(frame.set_index(index))
    assert values(panel) == {"b": [3.0, 1.0], "a": [2.0]}


def test_levels_of_an_index_that_are_something_else_are_an_error():
    frame = pd.DataFrame({"pump": ["b", "a"], "ds": [2, 1], "y": [1.0, 2.0]})
    message = r"has 'unique_id' and 'ds' among them, got \['pump', 'ds'\]; rename"
    with pytest.raises(ValueError, match=message):
        open_panel(frame.set_index(["pump", "ds"]))
    panel = open_panel({"a": frame.set_index(["pump", "ds"])})
    with pytest.raises(ValueError, match=r"levels \['pump', 'ds'\]; take one series"):
        panel.read(0)


def test_columns_of_a_wide_frame_are_series():
    time = pd.period_range("2024-01", periods=2, freq="M")
    frame = pd.DataFrame({"a": [1, 2], 3: [4, np.nan]}, index=time)
    panel = open_panel(frame)
    assert panel.names == ("a", "3")
    one = panel.read(1)
    assert one.values[0, 0] == 4
    assert np.isnan(one.values[1, 0])
    assert one.channel_names == ("3",)
    assert one.timestamps.tolist() == time.to_timestamp().to_numpy().tolist()


def test_a_mapping_may_hold_arrays_frames_and_series():
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]}, index=[10, 20])
    labelled = Series([1.0, 2.0], [0, 1], 1, "other name")
    panel = open_panel({"list": [1, 2], 5: frame, "column": frame["x"], "s": labelled})
    assert panel.names == ("list", "5", "column", "s")
    assert panel.read(0).timestamps is None
    assert panel.read(1).values.shape == (2, 2)
    assert panel.read(1).timestamps.tolist() == [10, 20]
    assert panel.read(2).values.shape == (2, 1)
    assert (panel.read(3).name, panel.read(3).train_length) == ("s", 1)
    assert open_panel({"x": frame.reset_index(drop=True)}).read(0).timestamps is None
    assert open_panel({"x": frame[["y"]][1:]}).read(0).timestamps.tolist() == [20]
    later = frame.reset_index(drop=True)[1:]
    assert open_panel({"x": later}).read(0).timestamps.tolist() == [1]


@pytest.mark.parametrize("value", [None, "pump.csv", 3.0])
def test_what_is_no_series_in_a_mapping_is_an_error_of_that_series(value):
    panel = open_panel({"a": value, "b": np.arange(5.0)})
    message = f"a series is an array, .* got {type(value).__name__}$"
    with pytest.raises(TypeError, match=message):
        panel.read(0)
    assert len(panel.read(1).values) == 5


def test_a_panel_is_itself():
    panel = Panel(("a",), lambda index: Series([1.0], [0], 0, "a"))
    assert open_panel(panel) is panel


FRAME = pd.DataFrame({"unique_id": ["a", "a"], "ds": [1, 1], "y": [1.0, 2.0]})


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ({}, ValueError, "the panel has no series"),
        ({1: [1.0], "1": [1.0]}, ValueError, "2 series are named '1'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError, "2 series are named"),
        (FRAME.drop(columns="ds"), ValueError, "has the columns 'unique_id', 'ds'"),
        (FRAME.drop(columns="y"), ValueError, "and one for each channel, got"),
        (
            FRAME.assign(unique_id=pd.Series(["a", None])),
            ValueError,
            "1 rows have no unique_id",
        ),
        ([[1.0, 2.0]], TypeError, "mapping of names to series, got list"),
        (os.path.join("nowhere", "*.csv"), FileNotFoundError, "no file matches"),
        ("nowhere", FileNotFoundError, "nowhere"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_panel_is_an_error_that_says_why(source, error, message):
    with pytest.raises(error, match=message):
        open_panel(source)


@pytest.mark.parametrize(
    ("time", "message"),
    [
        (
            ["2024-01-01", "2024-01-01"],
            "a: the time 2024-01-01 00:00 has more than one",
        ),
        (["NaT", "2024-01-01"], "a: index: the time of row 0 is missing"),
    ],
)
def test_times_that_are_no_order_are_errors_of_that_series(time, message):
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.DatetimeIndex(time))
    panel = open_panel(frame)
    with pytest.raises(ValueError, match=message):
        panel.read(0)


HOURS = pd.date_range("2024-01-01", periods=4, freq="h")
X = [1.0, np.nan, 3.0, 4.0]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"v": X}, index=HOURS),
        pd.DataFrame({"v": X[::-1]}, index=HOURS[::-1]),
        pd.DataFrame({"v": [1.0, 3.0, 4.0]}, index=HOURS[[0, 2, 3]]),
        pd.DataFrame({"time": HOURS, "v": X, "label": [0, 0, 1, 0]}),
        pd.DataFrame({"v": pd.array([1, None, 3, 4], dtype="Int64")}, index=HOURS),
        pd.DataFrame({"v": np.array([1, pd.NA, 3, 4], dtype=object)}, index=HOURS),
        pd.Series(X, index=HOURS, name="v"),
        polars.DataFrame({"time": HOURS.to_numpy(), "v": [1.0, None, 3.0, 4.0]}),
        xarray.DataArray(X, dims="time", coords={"time": HOURS}, name="v"),
    ],
    ids=lambda frame: type(frame).__module__.partition(".")[0],
)
def test_frames_in_a_mapping_are_read_as_tables_are(frame):
    one = open_panel({"pump": frame}).read(0)
    assert (one.name, one.channel_names) == ("pump", ("v",))
    np.testing.assert_array_equal(one.values[:, 0], X)
    np.testing.assert_array_equal(one.timestamps, HOURS)


def test_masked_values_are_missing():
    masked = np.ma.masked_array([1.0, 99.0, 3.0, 4.0], mask=[0, 1, 0, 0])
    np.testing.assert_array_equal(open_panel({"a": masked}).read(0).values[:, 0], X)


def test_the_times_of_a_wide_frame_may_be_a_column():
    frame = pd.DataFrame({"time": HOURS, "a": X, "label": [5.0, 6.0, 7.0, 8.0]})
    panel = open_panel(frame)
    assert panel.names == ("a", "label")
    one = panel.read(1)
    assert one.channel_names == ("label",)
    assert one.values[:, 0].tolist() == [5, 6, 7, 8]
    np.testing.assert_array_equal(one.timestamps, HOURS)


def test_a_long_frame_may_be_of_polars():
    frame = polars.DataFrame(
        {"unique_id": ["b", "a", "b"], "ds": [2, 1, 1], "y": [1.0, 2.0, 3.0]}
    )
    assert values(open_panel(frame)) == {"b": [3.0, 1.0], "a": [2.0]}


def test_labels_of_a_long_file_are_kept_beside_the_columns_asked_for(tmp_path):
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(["a", "b"], 50),
            "ds": [*pd.date_range("2024", periods=50, freq="h")] * 2,
            "y": np.arange(100.0),
            "note": "text",
            "label": np.arange(100) % 10 == 0,
        }
    )
    frame["label"] = frame["label"].astype(int)
    frame.to_csv(tmp_path / "long.csv", index=False)
    frame.to_csv(tmp_path / "utf16.csv", index=False, encoding="utf-16")
    for name in ("long.csv", "utf16.csv"):
        panel = open_panel(tmp_path / name, columns=["y"])
        assert panel.names == ("a", "b")
        assert panel.read(1).channel_names == ("y",)
        assert panel.read(1).labels.sum() == 5


def test_a_long_file_among_others_is_told_to_be_given_by_itself(tmp_path):
    frame = pd.DataFrame(
        {
            "unique_id": ["a", "b"] * 20,
            "ds": np.repeat(pd.date_range("2024", periods=20), 2),
        }
    ).assign(y=np.arange(40.0))
    frame.to_csv(tmp_path / "long.csv", index=False)
    with pytest.raises(ValueError, match="is one file, given by its own name"):
        open_panel(tmp_path).read(0)
