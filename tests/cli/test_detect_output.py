import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skcoad import CoADDetector, NeighborsDetector
from skcoad.cli import _output
from skcoad.cli._main import main
from skcoad.thresholds import PeaksOverThreshold

QUICK = ("--detector", "neighbors", "--train", 300)
COLUMNS = ["start", "peak", "end", "score", "channel", "component", "reason"]
RATE = PeaksOverThreshold("1 per 1000 rows")
HOURS = pd.date_range("2024-01-01", periods=500, freq="h")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def frame(wave):
    x = wave(500, n_channels=2)
    x[400:412, 1] = 3.0
    return pd.DataFrame(x, columns=["flow", "heat"], index=HOURS)


@pytest.fixture
def pump(folder, frame):
    frame.to_csv("pump.csv", index_label="time")
    return folder / "pump.csv"


@pytest.fixture(scope="module")
def expected(frame):
    """What the command is to find, computed in Python."""
    detector = NeighborsDetector(contamination=RATE).fit(frame[:300])
    return detector.find_segments(frame, start=300, limit=10)


def read(path):
    match path.rpartition(".")[2]:
        case "csv":
            table = pd.read_csv(path)
        case "jsonl":
            lines = Path(path).read_text(encoding="utf-8").splitlines()
            table = pd.DataFrame([json.loads(line) for line in lines])
        case "json":
            table = pd.DataFrame(json.loads(Path(path).read_text(encoding="utf-8")))
        case _:
            return pd.read_parquet(path)
    for column in ("start", "peak", "end"):
        table[column] = pd.to_datetime(table[column])
    return table


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "parquet"])
def test_what_is_found_is_the_table_of_the_detector(pump, expected, suffix):
    if suffix == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    assert run("detect", pump, *QUICK, "--out", f"found.{suffix}") == 0
    table = read(f"found.{suffix}")
    assert list(table) == COLUMNS
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, rtol=1e-12)
    assert table["channel"][0] == "heat"
    assert HOURS[395] <= table["peak"][0] <= HOURS[420]


def test_what_is_found_is_on_the_screen(pump, expected, capsys):
    assert run("detect", pump, *QUICK) == 0
    printed = capsys.readouterr().out
    header, *rows = printed.split("highest first:\n")[1].splitlines()
    assert header.split() == COLUMNS[:-1]
    assert len(rows) == 2 * len(expected)
    for row, reason, found in zip(
        rows[::2], rows[1::2], expected.itertuples(), strict=True
    ):
        assert row.strip().startswith(str(found.start))
        assert row.split()[-2:] == [found.channel, found.component]
        assert reason.strip() == found.reason


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_nothing_unusual_is_an_answer(pump, capsys, suffix):
    out = ("--threshold", 1e6, "--out", f"found.{suffix}", "--plot", "found.svg")
    assert run("detect", pump, *QUICK, *out) == 0
    assert "Nothing unusual: no score is above the threshold" in capsys.readouterr().out
    if suffix == "csv":
        assert Path("found.csv").read_text() == ",".join(COLUMNS) + "\n"
    else:
        assert json.loads(Path("found.json").read_text()) == []


@pytest.mark.parametrize(
    ("empty", "shown", "answer"),
    [
        (
            {"heat": 0},
            "; empty: heat; every 1 h",
            "Nothing of heat was observed in what was searched.\n"
            "Nothing unusual in the others: no score is above the threshold of 1e+06, ",
        ),
        (
            {"flow": 0, "heat": 0},
            "; empty: every column; every 1 h",
            "Nothing was observed: every value that was searched is missing.\n",
        ),
        (
            {"flow": 490, "heat": 250},
            "; missing: 50% of heat, 2% of flow\n",
            "Nothing unusual: no score is above the threshold of 1e+06, ",
        ),
    ],
)
def test_what_was_not_observed_is_not_said_to_be_normal(
    pump, frame, empty, shown, answer, capsys
):
    words = ("--detector", "neighbors", "--save", "pump.safetensors")
    assert run("detect", pump, *words) == 0
    for name, start in empty.items():
        frame = frame.assign(**{name: frame[name].where(frame.index < HOURS[start])})
    frame.to_csv("today.csv", index_label="time")
    capsys.readouterr()
    model = ("--model", "pump.safetensors", "--threshold", 1e6)
    assert run("detect", "today.csv", *model) == 0
    _, recognised, *_ = printed = capsys.readouterr().out.splitlines(keepends=True)
    assert shown in recognised
    assert answer in "".join(printed)


def test_a_channel_that_ends_with_the_training_part_is_not_observed(
    frame, folder, capsys
):
    frame = frame.assign(heat=frame["heat"].where(frame.index < HOURS[300]))
    frame.to_csv("pump.csv", index_label="time")
    said = "Nothing of heat was observed in what was searched.\n"
    for threshold, answer in ((1e6, "Nothing unusual in the"), (0.1, "Segments with")):
        assert run("detect", "pump.csv", *QUICK, "--threshold", threshold) == 0
        assert said + answer in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "120 rows fitted on are too few for 1 false alarm in 1,000 rows; --cont"),
        (("--false-alarms", "1 per 120 rows"), "Segments with a score above"),
        (("--threshold", "9"), "Nothing unusual: no score is above the threshold"),
        (("--train", "110"), "110 rows fitted on are too few for 1 false alarm in 1,0"),
        (("--contamination", "0.02"), "Segments with a score above"),
    ],
)
def test_too_few_rows_for_the_rate_are_not_said_to_be_normal(
    folder, options, said, capsys
):
    x = np.sin(np.arange(120) / 2) + 0.1 * np.random.default_rng(0).normal(size=120)
    x[100] += 1
    pd.DataFrame({"v": x}).to_csv(folder / "short.csv", index=False)
    short = ("detect", folder / "short.csv", "--detector", "neighbors")
    assert run(*short, *options) == 0
    assert said in capsys.readouterr().out


def test_a_warning_is_one_line_without_code(folder, capsys):
    x = np.sin(np.arange(400) / 2) + 0.1 * np.random.default_rng(0).normal(size=400)
    x[[100, 200]] = -999
    pd.DataFrame({"v": x}).to_csv(folder / "coded.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert run("detect", folder / "coded.csv", "--detector", "neighbors") == 0
    assert capsys.readouterr().err == (
        "skcoad: warning: 2 training rows of channel v are exactly -999, far from all "
        "other values: taken as missing. In what is scored they are anomalies, unless "
        "replaced by NaN\n"
    )


def test_times_are_written_to_the_nanosecond(folder, frame):
    index = pd.DatetimeIndex(
        np.datetime64("2024-01-01T00:00:00.000000001") + 125 * np.arange(500)
    )
    frame.assign(time=[t.isoformat() for t in index]).to_csv("fast.csv", index=False)
    for suffix in ("csv", "json"):
        assert run("detect", "fast.csv", *QUICK, "--out", f"found.{suffix}") == 0
        assert read(f"found.{suffix}")["peak"].isin(index).all()


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
@pytest.mark.parametrize(("offset", "shown"), [("+02:00", "+02:00"), ("Z", "+00:00")])
def test_times_have_the_zone_of_the_file(folder, frame, capsys, suffix, offset, shown):
    if suffix == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    texts = [f"{time.isoformat()}{offset}" for time in HOURS]
    frame.assign(time=texts).to_csv("local.csv", index=False)
    names = {name: f"{name}.{suffix}" for name in ("out", "scores")}
    outputs = [word for name in names for word in (f"--{name}", names[name])]
    plots = ("--plot", "local.png", "--save", "d.safetensors")
    train = ("--detector", "neighbors", "--train", HOURS[300].isoformat())
    assert run("detect", "local.csv", *train, *outputs, *plots) == 0
    printed = capsys.readouterr().out
    assert f"from 2024-01-01 00:00{shown} to" in printed
    assert "Fitted on 300 " in printed
    zoned = HOURS.tz_localize(shown)
    found, scores = (
        pd.read_parquet(name) if suffix == "parquet" else read_text(name)
        for name in names.values()
    )
    assert zoned[395] <= pd.Timestamp(found["peak"][0]) <= zoned[420]
    assert str(found["peak"][0]).endswith(shown)
    assert str(found["peak"][0])[:10] + "T" in printed.replace(" ", "T")
    assert pd.DatetimeIndex(scores["timestamp"]).tolist() == zoned.tolist()
    assert run("detect", "local.csv", "--model", "d.safetensors") == 0


def read_text(name):
    return pd.read_json(name, dtype=False) if "json" in name else pd.read_csv(name)


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_scores_are_written_for_every_timestamp(pump, frame, suffix):
    assert run("detect", pump, *QUICK, "--scores", f"scores.{suffix}") == 0
    read_scores = pd.read_csv if suffix == "csv" else pd.read_json
    table = read_scores(f"scores.{suffix}")
    detector = NeighborsDetector(contamination=RATE).fit(frame[:300])
    assert pd.to_datetime(table["timestamp"]).tolist() == HOURS.tolist()
    assert np.allclose(table["score"], detector.decision_function(frame))
    assert table["label"].tolist() == detector.predict(frame).tolist()
    assert np.allclose(
        table[["score of flow", "score of heat"]], detector.channel_scores(frame)
    )


def test_a_saved_detector_keeps_the_threshold_that_was_given(pump, capsys):
    words = ("--train", 300, "--threshold", 1.5, "--save", "d.st", "--out", "a.csv")
    assert run("detect", pump, "--detector", "neighbors", *words) == 0
    capsys.readouterr()
    assert run("detect", pump, "--model", "d.st", "--top", 99, "--out", "b.csv") == 0
    assert "score above 1.5" in capsys.readouterr().out
    detector = NeighborsDetector.load("d.st")
    assert (detector.threshold_, detector.thresholder_) == (1.5, None)
    np.testing.assert_array_equal(detector.labels_, detector.decision_scores_ > 1.5)
    a, b = read("a.csv"), read("b.csv")
    assert len(a)
    pd.testing.assert_frame_equal(
        a, b[b["start"] >= HOURS[300]].head(len(a)).reset_index(drop=True)
    )


def test_a_saved_detector_finds_the_same_again(pump, capsys):
    assert run("detect", pump, *QUICK, "--save", "d.safetensors", "--out", "a.csv") == 0
    first = capsys.readouterr().out
    assert "Wrote d.safetensors" in first
    assert (
        run(
            "detect",
            pump,
            "--model",
            "d.safetensors",
            "--out",
            "b.csv",
            "--plot",
            "b.png",
        )
        == 0
    )
    again = capsys.readouterr().out
    detector = NeighborsDetector(contamination=RATE)
    assert f"d.safetensors: {detector} (period 25)." in again
    assert "Fitted on" not in again
    a, b = pd.read_csv("a.csv"), pd.read_csv("b.csv")
    pd.testing.assert_frame_equal(a, b[b["start"] >= a["start"].min()].head(len(a)))
    assert NeighborsDetector.load("d.safetensors").feature_names_in_.tolist() == [
        "flow",
        "heat",
    ]


def test_a_model_takes_its_own_columns_and_says_which_are_missing(
    pump, folder, frame, capsys
):
    run("detect", pump, *QUICK, "--save", "d.safetensors", "--scores", "a.csv")
    frame.assign(rain=0)[["heat", "rain", "flow"]].to_csv(
        "other.csv", index_label="time"
    )
    assert (
        run("detect", "other.csv", "--model", "d.safetensors", "--scores", "b.csv") == 0
    )
    pd.testing.assert_frame_equal(pd.read_csv("a.csv"), pd.read_csv("b.csv"))
    frame[["heat"]].to_csv("less.csv", index_label="time")
    assert run("detect", "less.csv", "--model", "d.safetensors") == 2
    assert "less has no column 'flow'" in capsys.readouterr().err


def test_a_model_of_one_column_takes_another_that_is_chosen(pump, capsys):
    words = ("detect", pump, *QUICK, "--column", "flow", "--save", "d.safetensors")
    assert run(*words) == 0
    chosen = ("--column", "heat", "--scores", "s.csv", "--report", "r.html")
    assert run("detect", pump, "--model", "d.safetensors", *chosen) == 0
    detector = NeighborsDetector.load("d.safetensors")
    heat = pd.read_csv(pump)[["heat"]].set_axis(["flow"], axis=1)
    scores = detector.decision_function(heat)
    np.testing.assert_allclose(pd.read_csv("s.csv")["score"], scores)


def test_a_detector_saved_in_python_is_a_model(pump, frame, tiny):
    tiny().fit(frame.to_numpy()[:300]).save("coad.safetensors")
    assert run("detect", pump, "--model", "coad.safetensors", "--scores", "s.csv") == 0
    detector = CoADDetector.load("coad.safetensors")
    scores = detector.decision_function(frame.to_numpy())
    assert np.allclose(pd.read_csv("s.csv")["score"], scores)


def test_the_parameters_of_the_detector_are_those_of_the_options(pump):
    options = {
        "--period": 24,
        "--channel-aggregation": "max",
        "--max-references": 500,
        "--references": "past",
        "--score-by": "neighbors",
        "--smoothing": 0.25,
        "--contamination": 0.02,
        "--device": "cpu",
        "--seed": 3,
        "--max-steps": 2,
    }
    words = [word for pair in options.items() for word in pair]
    assert run("detect", pump, *words, "--save", "d.safetensors") == 0
    detector = CoADDetector.load("d.safetensors")
    assert (
        detector.get_params()
        == CoADDetector(
            period=24,
            channel_aggregation="max",
            max_references=500,
            references="past",
            score_by="neighbors",
            smoothing=0.25,
            contamination=0.02,
            device="cpu",
            random_state=3,
            max_steps=2,
        ).get_params()
    )


def test_a_period_that_was_not_found_is_said_to_be_a_fallback(folder, pump, capsys):
    np.savetxt("noise.csv", np.random.default_rng(0).normal(size=400))
    words = ("--detector", "neighbors", "--train", 200)
    assert run("detect", "noise.csv", *words) == 0
    assert "(period 25, a fallback: none was found" in capsys.readouterr().out
    assert run("detect", "noise.csv", *words, "--period", 30) == 0
    assert "(period 30)" in capsys.readouterr().out
    assert run("detect", pump, *QUICK) == 0
    assert "(period 25)" in capsys.readouterr().out


@pytest.mark.parametrize(("n_rows", "few"), [(99, True), (100, False)])
def test_few_training_rows_are_said_to_say_little(n_rows, few, folder, pump, capsys):
    words = ("--detector", "neighbors", "--train", n_rows, "--threshold", 5)
    assert run("detect", pump, *words) == 0
    assert ("say little of what is normal" in capsys.readouterr().out) == few


def test_a_period_is_no_fallback_for_an_error_code_in_training(folder, frame, capsys):
    flow = frame["flow"].copy()
    flow.iloc[100] = -9999
    flow.to_csv("code.csv", index_label="time")
    assert run("detect", "code.csv", *QUICK) == 0
    assert "(period 25)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["$^$", "a$b^$c", "cost $/h, $/day", "温度", "a" * 200]
)
def test_any_name_can_be_plotted(folder, frame, name, capfd):
    table = frame.set_axis([name, "heat"], axis="columns")
    table.to_csv("names.csv", index_label="time")
    assert run("detect", "names.csv", *QUICK, "--plot", "p.png", "--out", "f.csv") == 0
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")
    assert capfd.readouterr().err == ""


def test_a_missing_timestamp_is_refused_on_reading(folder, frame, capsys):
    times = [*HOURS.astype(str)[:-1], ""]
    frame.assign(time=times).to_csv("gap.csv", index=False)
    assert run("detect", "gap.csv", *QUICK, "--plot", "p.png") == 2
    printed = capsys.readouterr()
    assert "the time of line 501 is missing" in printed.err
    assert "Fitted" not in printed.out


def test_parquet_without_pyarrow_is_refused_before_the_work(pump, capsys, monkeypatch):
    monkeypatch.setattr(_output, "find_spec", lambda name: None)
    assert run("detect", pump, *QUICK, "--out", "found.parquet") == 2
    printed = capsys.readouterr()
    assert "found.parquet needs pyarrow" in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--out", "found.xlsx"),
            "a table ends in .csv, .json, .jsonl, .parquet, got found.xlsx",
        ),
        (
            ("--scores", "scores"),
            "a table ends in .csv, .json, .jsonl, .parquet, got scores",
        ),
        (
            ("--out", "a.csv", "--scores", "a.csv"),
            "--out and --scores are the same file",
        ),
        (("--save", "pump.csv"), "pump.csv is the input and must not be replaced"),
        (("--out", "x.png", "--plot", "x.png"), "--out and --plot are the same file"),
        (("--jobs", 2), "--jobs is for many series, and "),
        (("--max-steps", -1), "The 'max_steps' parameter of CoADDetector must be"),
        (("--contamination", 0.7), "The 'contamination' parameter of CoADDetector"),
        (("--threshold", "nan"), "--threshold must be finite, got nan"),
        (("--detector", "neighbors", "--seed", 1), "neighbors has no --seed"),
        (("--detector", "neighbors", "--max-steps", 9), "neighbors has no --max-steps"),
        (("--model", "none.safetensors"), "none.safetensors"),
        (("--model", "pump.csv"), "pump.csv"),
        (
            ("--model", "m", "--period", 3),
            "--period is for fitting, and the detector of",
        ),
        (("--model", "m", "--train", 9), "--train is for fitting, and the detector of"),
        (("--model", "m", "--save", "n"), "--save is for fitting, and the detector of"),
        (("--model", "m", "--contamination", 0.1), "--contamination is for fitting"),
    ],
)
def test_options_that_contradict_are_refused_before_the_work(
    pump, folder, capsys, words, message
):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run("detect", pump, *words) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert printed.out == ""
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_report_shows_the_segments_with_their_times(pump):
    pytest.importorskip("plotly", reason="plotly is not installed")
    out = ("--report", "report.html", "--out", "found.csv")
    assert run("detect", pump, *QUICK, *out) == 0
    found = read("found.csv")
    page = Path("report.html").read_text(encoding="utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert [channel["name"] for channel in data["channels"]] == ["flow", "heat"]
    for segment, row in zip(data["segments"], found.itertuples(), strict=True):
        assert HOURS[segment["start"]] == row.start
        assert segment["score"] == pytest.approx(row.score)
    # The nearest normal example has a date, since the detector saw the times.
    assert f"around {HOURS[0].year}-" in data["segments"][0]["summary"]


def test_a_report_searches_numbered_rows_after_the_training_part(wave):
    pytest.importorskip("plotly", reason="plotly is not installed")
    x = wave(900)[:, 0]
    x[700:704] = 3
    frame = pd.DataFrame({"time": 5 * np.arange(900) + 250, "flow": x})
    frame.to_csv("steps.csv", index=False)
    out = ("--threshold", "1", "--report", "report.html")
    assert run("detect", "steps.csv", *QUICK, "--train", "500", *out) == 0
    page = Path("report.html").read_text(encoding="utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    starts = [segment["start"] for segment in data["segments"]]
    assert starts
    assert min(starts) >= 500


def test_the_series_is_scored_once(pump, monkeypatch):
    pytest.importorskip("plotly", reason="plotly is not installed")
    scored = []
    compute = NeighborsDetector._score_channels

    def counted(self, X):
        scored.append(len(X))
        return compute(self, X)

    monkeypatch.setattr(NeighborsDetector, "_score_channels", counted)
    out = ("--report", "report.html", "--plot", "found.png", "--scores", "scores.csv")
    assert run("detect", pump, *QUICK, *out, "--out", "found.csv") == 0
    assert scored == [500]


def test_a_report_is_a_page(pump, capsys):
    assert run("detect", pump, *QUICK, "--report", "report.pdf") == 2
    assert "the name of a report ends in .html" in capsys.readouterr().err
