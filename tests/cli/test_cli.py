import argparse
import inspect
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import skcoad
from skcoad.cli._detector import PARAMETERS, add_detector_arguments
from skcoad.cli._main import main
from skcoad.thresholds import PeaksOverThreshold

QUICK = ("--max-steps", "3")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return main([str(word) for word in words])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def bumped(wave):
    """A series with an anomaly at 300 to 319."""
    x = wave(400)[:, 0]
    x[300:320] = 2.0
    return x


@pytest.fixture
def ucr(folder, bumped):
    file = folder / "001_UCR_Anomaly_wave_200_301_320.txt"
    file.write_text("\n".join(map(str, bumped)))
    return file


@pytest.fixture
def pump(folder, wave):
    """A CSV file with timestamps and two channels."""
    x = wave(400, n_channels=2)
    x[300:320, 1] = 2.0
    table = pd.DataFrame(x, columns=["flow", "heat"])
    table.insert(0, "time", pd.date_range("2024-01-01", periods=400, freq="h"))
    file = folder / "pump.csv"
    table.to_csv(file, index=False)
    return file


@pytest.mark.parametrize(
    "words",
    [["--version"], ["--help"], ["demo", "--help"], ["detect", "--help"]],
    ids=" ".join,
)
def test_the_module_is_the_command_and_starts_without_torch(words):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "skcoad", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    if words == ["--version"]:
        assert done.stdout == f"skcoad {skcoad.__version__}\n"
    else:
        assert done.stdout.startswith("usage: skcoad ")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "skcoad.cli" in imported
    assert not imported & {"torch", "pyod", "sklearn", "pandas", "matplotlib"}


@pytest.mark.parametrize("command", ["demo", "detect", "benchmark"])
def test_each_command_has_a_help_text(command, capsys):
    for words in ((), (command,)):
        with pytest.raises(SystemExit) as stop:
            run(*words, "--help")
        assert stop.value.code == 0
        assert f"skcoad {command}" in capsys.readouterr().out or not words


def test_wrong_usage_has_status_2(capsys):
    for words in ((), ("detext",), ("detect",)):
        with pytest.raises(SystemExit) as stop:
            run(*words)
        assert stop.value.code == 2
        assert capsys.readouterr().err


@pytest.mark.parametrize("cls", [skcoad.CoADDetector, skcoad.NeighborsDetector])
def test_the_defaults_in_the_help_are_those_of_the_detectors(cls):
    parser = argparse.ArgumentParser()
    add_detector_arguments(parser)
    in_words = {"estimated": "auto", "a GPU if any": "auto"}
    own = inspect.signature(cls).parameters
    named = {
        PARAMETERS[action.dest]: re.search(r"default: ([^)]*)", action.help)[1]
        for action in parser._actions
        if action.dest in PARAMETERS
    }
    assert named.keys() == set(PARAMETERS.values())
    assert named.pop("random_state") == "0"  # the command's own: it can be repeated
    for name, default in named.items():
        if name in own:
            assert in_words.get(default, default) == str(own[name].default)


@pytest.mark.parametrize(
    ("out", "figure"), [((), "skcoad-demo.png"), (("--out", "x.svg"), "x.svg")]
)
def test_demo_prints_its_findings_and_plots_them(folder, capsys, out, figure):
    assert run("demo", *QUICK, *out) == 0
    printed = capsys.readouterr()
    assert "Fitted on 2400" in printed.out
    assert "start  peak  end score channel" in printed.out
    assert "Missed: " in printed.out
    assert "VUS-PR 0." in printed.out
    assert printed.err == ""
    assert names(folder) == [figure]


def test_demo_is_the_same_each_time(capsys):
    results = []
    for _ in range(2):
        assert run("demo", *QUICK) == 0
        results.append(capsys.readouterr().out.split("Missed")[1])
    assert results[0] == results[1]


def test_demo_accepts_a_folder_for_the_figure(folder):
    (folder / "figures").mkdir()
    assert run("demo", *QUICK, "--out", "figures") == 0
    assert names(folder / "figures") == ["skcoad-demo.png"]


def test_detect_reads_the_split_from_the_name_and_finds_the_anomaly(ucr, capsys):
    assert run("detect", ucr, *QUICK, "--scores", "scores.csv") == 0
    printed = capsys.readouterr().out
    assert "Fitted on 200 " in printed
    start, peak, end, _, _, _, labelled = printed.split("labelled\n")[1].split()[:7]
    assert int(start) < 320
    assert int(start) <= int(peak) <= int(end)
    assert int(end) >= 300
    assert labelled == "yes"
    table = pd.read_csv("scores.csv")
    assert list(table) == ["position", "score", "label"]
    assert table["position"].tolist() == list(range(400))
    assert 290 <= table["score"].argmax() < 330


def test_detect_scores_as_the_detector_does(folder, bumped, tiny):
    np.savetxt(folder / "wave.csv", bumped)
    assert run("detect", "wave.csv", *QUICK, "--train", 250, "--scores", "s.csv") == 0
    threshold = PeaksOverThreshold("1 per 1000 rows")
    detector = tiny(contamination=threshold).fit(bumped[:250])
    table = pd.read_csv("s.csv")
    expected = detector.decision_function(bumped)
    assert np.allclose(table["score"], expected, rtol=1e-12, atol=0)
    assert np.array_equal(table["label"], detector.predict(bumped))


@pytest.mark.parametrize(
    ("words", "contamination"),
    [
        (("--contamination", 0.05), 0.05),
        (("--false-alarms", "2 per 300 rows"), PeaksOverThreshold("1 per 150 rows")),
        (("--false-alarms", "1 per week"), PeaksOverThreshold("1 per 168 rows")),
        (
            ("--train", 0),
            PeaksOverThreshold("1 per 1000 rows", held_back=0),
        ),
    ],
    ids=str,
)
def test_the_threshold_is_that_of_the_words(pump, tiny, words, contamination):
    out = ("--train", 300, "--scores", "s.csv")
    assert run("detect", pump, *QUICK, *out, *words) == 0
    X = pd.read_csv(pump)[["flow", "heat"]].to_numpy()
    fitted_on = X if words == ("--train", 0) else X[:300]
    detector = tiny(contamination=contamination).fit(fitted_on)
    table = pd.read_csv("s.csv")
    np.testing.assert_array_equal(table["label"], detector.predict(X))


def test_train_0_fits_on_all(ucr, capsys):
    assert run("detect", ucr, *QUICK, "--train", 0) == 0
    assert "Fitted on 400 " in capsys.readouterr().out


def test_timestamps_and_channels_are_in_the_output(pump, folder, capsys):
    out = ("--scores", "scores.csv", "--plot", "scores.png")
    assert run("detect", pump, *QUICK, "--train", 250, *out) == 0
    printed = capsys.readouterr().out
    assert "400 timestamps of flow, heat" in printed
    assert "2024-01-13 " in printed
    table = pd.read_csv("scores.csv", parse_dates=["timestamp"])
    assert list(table) == [
        "timestamp",
        "score",
        "label",
        "score of flow",
        "score of heat",
    ]
    assert table["timestamp"][24] == pd.Timestamp("2024-01-02")
    channel_scores = table[["score of flow", "score of heat"]]
    rms = np.sqrt(channel_scores.pow(2).mean(axis=1))
    # In decades of its own, so in the same order.
    assert (np.diff(table["score"][rms.argsort()]) >= -1e-9).all()
    assert channel_scores.max().idxmax() == "score of heat"
    assert names(folder) == ["pump.csv", "scores.csv", "scores.png"]
    assert (folder / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_columns_can_be_chosen(pump, capsys):
    words = ("detect", pump, *QUICK, "--column", "heat", "--scores", "scores.csv")
    assert run(*words) == 0
    assert "400 timestamps of heat; from " in capsys.readouterr().out
    assert list(pd.read_csv("scores.csv")) == ["timestamp", "score", "label"]


def test_threshold_top_and_period_are_used(ucr, capsys):
    assert run("detect", ucr, *QUICK, "--threshold", "1e9", "--period", 20) == 0
    printed = capsys.readouterr().out
    assert "(period 20)" in printed
    assert "Nothing unusual: no score is above the threshold of 1e+09, " in printed
    for top in (1, 2):
        words = ("--contamination", 0.3, "--top", top)
        assert run("detect", ucr, *QUICK, *words) == 0
        table = capsys.readouterr().out.split("labelled\n")[1]
        assert len(table.splitlines()) == 2 * top  # each with its reason


def test_a_training_part_with_a_long_hole_needs_a_stated_threshold(folder, capsys):
    days = np.delete(np.arange(700), np.arange(50, 250))
    times = (np.datetime64("2024-01-01") + days).astype(str)
    rows = [f"{time},{day % 9}" for time, day in zip(times, days, strict=True)]
    (folder / "gap.csv").write_text("\n".join(["time,flow", *rows]))
    words = ("detect", "gap.csv", "--train", 500, "--detector", "neighbors")
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert "% of the values of channel 'flow' are missing: of " in error
    assert "rows at a spacing of 1 d, " in error
    assert "--resample" in error
    assert "the command has --threshold SCORE" in error
    assert run(*words, "--threshold", 4) == 0


def test_files_are_replaced(ucr, folder):
    (folder / "scores.csv").write_text("old")
    assert run("detect", ucr, *QUICK, "--out", "scores.csv") == 0
    assert (folder / "scores.csv").read_text().startswith("start,peak,end,score,")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing.csv",), "no such file: nothing.csv"),
        (("empty.csv",), "empty.csv is empty"),
        (("text.csv",), "column 'a' must be numeric, got 'x' in line 3"),
        (("short.csv",), "a minimum of 4 is required"),
        (("pump.csv", "--column", "speed"), "pump has no column 'speed' of values, "),
        (("pump.csv", "--train", "-1"), "train must be at least 0, got -1"),
        (("pump.csv", "--train", "400"), "leaves none to search"),
        (("pump.csv", "--top", "0"), "--top must be at least 1, got 0"),
        (("pump.csv", "--max-steps", "-1"), "max_steps"),
        (("pump.csv", "--contamination", "0.7"), "contamination"),
        # Before anything is read.
        (("none.csv", "--false-alarms", "often"), "is no rate; write '1 per 10000"),
        (("none.csv", "--false-alarms", "1 per fortnight"), "units: row, second, mi"),
        (("none.csv", "--false-alarms", "-1 per day"), "'-1 per day' is no rate; wr"),
        (("none.csv", "--false-alarms", "0 per day"), "at least one in 1e+12; it is"),
        (("none.csv", "--false-alarms", "3 per 2 rows"), "must be less than one a r"),
        (
            ("untimed.csv", "--false-alarms", "1 per week"),
            "needs the times of the rows",
        ),
        (("pump.csv", "--period", "0"), "period"),
        (("pump.csv", "--out", "no/scores.csv"), "there is no folder no to write"),
        (("pump.csv", "--out", "."), ". exists and is not a file"),
        (("pump.csv", "--out", "pump.csv"), "is the input and must not be replaced"),
        (("pump.csv", "--plot", "pump.csv"), "is the input and must not be replaced"),
        (("pump.csv", "--plot", "plot.csv"), "ends in .pdf, .png, .svg, got plot.csv"),
        (
            ("pump.csv", "--out", "s.png", "--plot", "s.png"),
            "--out and --plot are the same file, s.png",
        ),
    ],
)
def test_invalid_input_is_reported_in_one_line(folder, pump, capsys, words, message):
    (folder / "empty.csv").write_text("")
    (folder / "text.csv").write_text("a\n1\nx\n")
    (folder / "short.csv").write_text("a\n1\n2\n3\n")
    (folder / "untimed.csv").write_text("a\n" + "1\n2\n4\n" * 20)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run("detect", *words) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("skcoad: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("steps_done", [0, 25])
def test_ctrl_c_while_training_stops_the_command(
    ucr, folder, capsys, monkeypatch, steps_done
):
    from skcoad.model import _training as training

    calls = iter(range(1000))
    distort = training.distort

    def interrupted(*arguments):
        if next(calls) == steps_done:
            raise KeyboardInterrupt
        return distort(*arguments)

    monkeypatch.setattr(training, "distort", interrupted)
    assert run("detect", ucr, "--max-steps", 40, "--out", "scores.csv") == 130
    assert capsys.readouterr().err == "skcoad: interrupted\n"
    assert names(folder) == [ucr.name]


def test_ctrl_c_while_writing_leaves_the_old_file(ucr, folder, monkeypatch):
    def interrupted(table, path, **options):
        path.write_text("half")
        raise KeyboardInterrupt

    (folder / "scores.csv").write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", interrupted)
    assert run("detect", ucr, *QUICK, "--out", "scores.csv") == 130
    assert (folder / "scores.csv").read_text() == "old"
    assert names(folder) == [ucr.name, "scores.csv"]


def test_progress_is_shown_on_a_terminal_only(ucr, capsys, monkeypatch):
    run("detect", ucr, *QUICK)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run("detect", ucr, *QUICK)
    assert "3/3" in capsys.readouterr().err


def test_benchmark_runs_the_benchmark(ucr, folder, capsys):
    words = ("benchmark", ucr, "--detectors", "KMeansAD", "--out", "results.jsonl")
    assert run(*words) == 0
    assert "KMeansAD" in capsys.readouterr().out
    assert (folder / "results.jsonl").exists()
    assert run("benchmark", "nothing") == 2
    assert "skcoad: no such file or folder" in capsys.readouterr().err
