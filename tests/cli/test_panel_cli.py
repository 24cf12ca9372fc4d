import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skcoad import NeighborsDetector
from skcoad.cli._main import main
from skcoad.datasets import Archive
from skcoad.io._results import read_results
from skcoad.panel import detect_panel, read_panel
from skcoad.thresholds import PeaksOverThreshold

QUICK = ("--detector", "neighbors")


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture
def folder(tmp_path, monkeypatch, wave):
    """Three sensors of two sites; the second has an anomaly at 300 to 319."""
    for number, name in enumerate(("north/a", "north/b", "south/a")):
        x = wave(400, n_channels=2, seed=number)
        if number == 1:
            x[300:320] = 2.0
        frame = pd.DataFrame(x, columns=["flow", "heat"])
        frame.insert(0, "time", pd.date_range("2024-01-01", periods=400, freq="h"))
        file = tmp_path / "data" / f"{name}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(file, index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def test_a_folder_is_searched_as_by_detect_panel(folder, capsys):
    words = ("--train", 200, "--threshold", 10, "--out", "found.jsonl")
    (folder / "notes.md").touch()
    assert run("detect", "data", *QUICK, *words) == 0
    printed = capsys.readouterr()
    assert "3 series in data; 1 other file is left out, such as notes.md" in printed.out
    assert "1 segment in 1 series, highest first:" in printed.out
    assert "north/b 2024-01-13" in printed.out
    assert "unlike any in training" in printed.out
    assert "No score is above the threshold in 2 series." in printed.out
    assert printed.err == ""
    # A given threshold needs no calibration.
    detector = NeighborsDetector(contamination=PeaksOverThreshold(held_back=0))
    before = (folder.parent / "found.jsonl").read_bytes()
    found = detect_panel(
        folder, detector, train=200, threshold=10.0, out=folder.parent / "found.jsonl"
    )
    assert found["series"][0] == "north/b"
    assert (folder.parent / "found.jsonl").read_bytes() == before


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_command_resumes(folder, capsys, jobs):
    words = ("detect", "data", *QUICK, "--jobs", jobs, "--out", "found.jsonl")
    assert run(*words) == 0
    printed = capsys.readouterr().out
    before = Path("found.jsonl").read_bytes()
    assert run(*words) == 0
    assert capsys.readouterr().out == printed
    assert Path("found.jsonl").read_bytes() == before


def test_a_table_of_many_series_is_a_panel(folder, capsys):
    frames = [pd.read_csv(path) for path in sorted(folder.rglob("*.csv"))]
    long = pd.concat(frames, keys=["a", "b", "c"], names=["unique_id", None])
    long = long.reset_index("unique_id").rename(columns={"time": "ds"})
    long.to_csv("long.csv", index=False)
    words = (*QUICK, "--train", 200, "--threshold", 10, "--out", "found.jsonl")
    assert run("detect", "long.csv", *words) == 0
    printed = capsys.readouterr().out
    assert "3 series in long.csv, one for each unique_id" in printed
    assert "1 segment in 1 series, highest first" in printed
    assert [result["series"] for result in read_results("found.jsonl")] == [*"abc"]
    long.rename(columns={"unique_id": "host"}).to_csv("long.csv", index=False)
    assert run("detect", "long.csv", *QUICK) == 2
    assert "by column 'host'; with the names unique_id" in capsys.readouterr().err


def test_patterns_and_zip_files_are_panels(folder, capsys):
    assert run("detect", "data/*/a.csv", *QUICK) == 0
    assert "2 series in data/*/a.csv" in capsys.readouterr().out
    with zipfile.ZipFile("all.zip", "w") as opened:
        for name in ("a", "b"):
            opened.write(folder / "north" / f"{name}.csv", f"{name}.csv")
    assert run("detect", "all.zip", *QUICK) == 0
    assert "2 series in all.zip" in capsys.readouterr().out


def test_a_zip_file_of_one_file_is_that_file(folder, capsys):
    with zipfile.ZipFile("one.zip", "w") as opened:
        opened.write(folder / "north" / "b.csv", "b.csv")
        opened.writestr("__MACOSX/._b.csv", "")
    assert run("detect", "one.zip", *QUICK, "--out", "found.csv") == 0
    zipped = capsys.readouterr().out.splitlines()
    assert zipped[0].startswith("b: 400 timestamps of flow, heat")
    assert run("detect", folder / "north" / "b.csv", *QUICK, "--out", "b.csv") == 0
    assert Path("found.csv").read_bytes() == Path("b.csv").read_bytes()


def test_series_with_a_channel_that_was_not_observed_are_counted(folder, capsys):
    words = ("--train", 200, "--threshold", 10)
    assert run("detect", "data", *QUICK, *words) == 0
    assert "observed" not in capsys.readouterr().out
    for file in (folder / "north").glob("*.csv"):
        frame = pd.read_csv(file)
        frame.assign(flow=frame["flow"].where(frame.index < 200)).to_csv(file)
    assert run("detect", "data", *QUICK, *words) == 0
    printed = capsys.readouterr().out
    assert "Of 2 series, such as north/b, nothing of a channel was observed." in printed


def test_lines_that_are_left_out_of_files_are_mentioned(folder, capsys):
    file = folder / "north" / "b.csv"
    file.write_text(file.read_text() + "Mean,0,0\n")
    words = ("--train", 200, "--threshold", 10, "--out", "found.jsonl")
    said = "Of 1 series, such as north/b: lines left out, footer: 'Mean,0,0'.\n"
    for _ in ("computed", "resumed"):
        assert run("detect", "data", *QUICK, *words) == 0
        assert said in capsys.readouterr().out
    notes = {found["series"]: found["notes"] for found in read_results("found.jsonl")}
    assert notes["north/a"] == ["every 1 h"]
    assert notes["north/b"] == ["every 1 h", "lines left out, footer: 'Mean,0,0'"]
    long = pd.read_csv(folder / "north" / "a.csv").rename(columns={"time": "ds"})
    long.assign(unique_id="a").to_csv("long.csv", index=False)
    with open("long.csv", "a") as opened:
        opened.write("2024-01-17")
    assert run("detect", "long.csv", *QUICK, *words[:4]) == 0
    said = "Of 1 series, such as a: lines left out, cut off: '2024-01-17'.\n"
    assert said in capsys.readouterr().out


def test_where_each_series_has_a_segment_no_other_is_mentioned(folder, capsys):
    assert run("detect", "data", *QUICK, "--train", 200, "--threshold", 1) == 0
    printed = capsys.readouterr().out
    assert "segments in 3 series, highest first:" in printed
    assert "No score" not in printed


def test_columns_training_time_and_steps_are_used(folder):
    words = ("--column", "heat", "--train", "2024-01-09T08:00", "--max-steps", 2)
    assert run("detect", "data", *words, "--out", "found.jsonl", "--top", 2) == 0
    for result in read_results("found.jsonl"):
        assert (result["n_channels"], result["n_train"]) == (1, 200)
        assert result["settings"]["detector"] == "CoADDetector"
        assert result["settings"]["parameters"]["max_steps"] == 2
        assert len(result["segments"]) <= 2


@pytest.mark.parametrize("words", [("--column", "flow"), ("--drop-non-numeric",)])
def test_columns_of_text_are_skipped_as_in_a_single_file(folder, capsys, words):
    for file in folder.rglob("*.csv"):
        frame = pd.read_csv(file).drop(columns="heat")
        frame.assign(state="on").to_csv(file, index=False)
    assert run("detect", folder, *QUICK) == 2
    assert "column 'state' must be numeric, got 'on'" in capsys.readouterr().err
    words = (*QUICK, *words, "--train", 200, "--threshold", 3.0)
    assert run("detect", folder, *words, "--out", "found.jsonl") == 0
    assert run("detect", folder / "north" / "b.csv", *words, "--out", "one.csv") == 0
    panel = read_panel("found.jsonl")
    alone = pd.read_csv("one.csv", parse_dates=["start", "peak", "end"])
    of_one = panel[panel["series"] == "north/b"].reset_index(drop=True)
    assert set(alone["channel"]) == {"flow"}
    pd.testing.assert_frame_equal(of_one[list(alone)], alone, check_dtype=False)


CLOCKS = {
    "regular": np.arange(400),
    "rows missing": np.delete(np.arange(420), np.arange(210, 230)),
    "set back": np.r_[:250, 230:380],  # after the rows that are fitted on
    "repeated": np.r_[:250, 249:399],
}


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_labelled_series_has_one_result_as_a_file_and_in_a_folder(
    tmp_path, monkeypatch, wave, capsys, clock
):
    monkeypatch.chdir(tmp_path)
    x = wave(400)[:, 0]
    x[300:320] = 2.0
    start = pd.Timestamp("2024-01-01")
    times = start + pd.to_timedelta(5 * CLOCKS[clock], unit="min")
    file = tmp_path / "nab" / "group" / "pump.csv"
    file.parent.mkdir(parents=True)
    pd.DataFrame({"timestamp": times, "value": x}).to_csv(file, index=False)
    windows = {"group/pump.csv": [[str(times[300]), str(times[319])]]}
    (file.parents[1] / "combined_windows.json").write_text(json.dumps(windows))
    words = (*QUICK, "--train", 200, "--threshold", 3.0, "--out")
    others = ("--scores", "s.csv", "--plot", "p.png", "--report", "r.html")
    assert run("detect", "nab", *words, "found.jsonl") == 0
    assert run("detect", file, *words, "one.csv", *others) == 0
    panel = read_panel("found.jsonl")
    alone = pd.read_csv("one.csv", parse_dates=["start", "peak", "end"])
    assert alone.pop("labelled")[0] == "yes"
    pd.testing.assert_frame_equal(panel[list(alone)], alone, check_dtype=False)
    assert times[295] < panel["peak"][0] < times[325]
    scores = pd.read_csv("s.csv", parse_dates=["timestamp"])
    assert scores["timestamp"].tolist() == times.tolist()
    assert panel["score"][0] == pytest.approx(scores["score"][200:].max())


def test_another_rate_than_that_of_a_file_is_named(folder, capsys):
    words = ("detect", "data", *QUICK, "--train", 200, "--out", "found.jsonl")
    assert run(*words) == 0
    assert run(*words, "--false-alarms", "1 per 100 rows") == 2
    said = "contamination PeaksOverThreshold() instead of "
    assert said in (error := capsys.readouterr().err)
    assert (
        "PeaksOverThreshold(false_alarms='1 per 100 rows'): use another file" in error
    )


def test_a_folder_keeps_the_reasons_and_a_rate_by_time(folder, capsys):
    words = ("--train", 200, "--false-alarms", "1 per week", "--out", "found.jsonl")
    assert run("detect", "data", *QUICK, *words) == 0
    printed = capsys.readouterr().out
    found = read_panel("found.jsonl")
    assert "component" in printed
    assert f"\n    {found['reason'][0]}\n" in printed
    one = ("--train", 200, "--false-alarms", "1 per week", "--out", "one.csv")
    assert run("detect", folder / "north" / "b.csv", *QUICK, *one) == 0
    limit = f"Segments with a score above {found['threshold'][0]:.3g}"
    assert limit in capsys.readouterr().out
    assert found["reason"][0] == pd.read_csv("one.csv")["reason"][0]


def test_the_training_time_is_used_for_one_file_too(folder, capsys):
    file = folder / "north" / "a.csv"
    assert run("detect", file, *QUICK, "--train", "2024-01-09T08:00") == 0
    assert "Fitted on 200 " in capsys.readouterr().out
    assert run("detect", file, "--train", "yesterday") == 2
    assert "2024-03-01T12:00, got 'yesterday'" in capsys.readouterr().err


def test_failures_are_reported_and_give_status_1(folder, capsys):
    for number in range(4):
        (folder / f"bad{number}.csv").write_text("a\n1\nx\n")
    assert run("detect", "data", *QUICK) == 1
    errors = capsys.readouterr().err.splitlines()
    assert errors[0].startswith("skcoad: bad0: ValueError: bad0.csv: column 'a' must")
    assert errors[3:] == ["skcoad: 1 more series failed"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("data", "--plot", "x.png"), "--plot is for one series, and data may have"),
        (("data", "--time-column", "t"), "a.csv has no column 't' for the time"),
        (("none", "--false-alarms", "soon"), "false_alarms='soon' is no rate; write"),
        (("data", "--seed", 1), "neighbors has no --seed"),
        (("data", "--out", "nowhere/x.jsonl"), "there is no folder nowhere"),
        (("data", "--train", 400), "every series failed, the first with ValueError: f"),
        (("data", "--column", "x"), "has no column 'x'"),
        (("empty",), "no series of any supported format"),
        (("no*.csv",), "no file matches no*.csv"),
        (("data", "--out", "a.jsonl"), "line 1: Expecting value"),
        (("data", "--out", "found.csv"), "ends in .jsonl, got found.csv"),
        (("data", "--out", "found.parquet"), "ends in .jsonl, got found.parquet"),
        (("data", "--out", "data/north/a.csv"), "ends in .jsonl, got data/north/a.csv"),
    ],
)
def test_unusable_arguments_are_reported_in_one_line(folder, capsys, words, message):
    (folder.parent / "empty").mkdir()
    (folder.parent / "a.jsonl").write_text("flow,heat\n")
    assert run("detect", *words, *QUICK) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("skcoad: ")
    assert printed.count("\n") == 1
    assert message in printed


def test_ctrl_c_says_how_to_resume(folder, capsys, monkeypatch):
    def interrupted(archive, index):  # in this process, as Ctrl-C is
        raise KeyboardInterrupt

    monkeypatch.setattr(Archive, "__getitem__", interrupted)
    assert run("detect", "data", *QUICK) == 130
    assert capsys.readouterr().err == "skcoad: interrupted\n"
    assert run("detect", "data", *QUICK, "--out", "found.jsonl") == 130
    assert "repeat the command to resume" in capsys.readouterr().err
    assert os.path.getsize("found.jsonl") == 0
    assert np.ndim(read_results("found.jsonl")) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--top", 0), "--top must be at least 1, got 0"),
        (("--threshold", "nan"), "--threshold must be finite, got nan"),
    ],
)
def test_a_wrong_option_is_named_before_the_folder_is_read(
    folder, words, message, capsys
):
    assert run("detect", "data", *QUICK, *words) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""


def test_a_table_of_one_series_does_not_replace_the_results_of_many(folder, capsys):
    out = folder.parent / "found.jsonl"
    assert run("detect", folder, *QUICK, "--out", out) == 0
    results = out.read_bytes()
    series = folder / "north" / "a.csv"
    assert run("detect", series, *QUICK, "--out", out) == 2
    assert "holds the results of many series" in capsys.readouterr().err
    assert out.read_bytes() == results
