import io
import re
import sys

import numpy as np
import pandas as pd
import pytest

from skcoad.cli._main import main

QUICK = ("--max-steps", "3")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def export(folder, wave):
    """A German export of 120 quarter hours, with a gap, a state and labels."""
    frame = pd.DataFrame(
        {
            "Zeit": pd.date_range("2024-02-01", periods=120, freq="15min"),
            "Druck": wave(120)[:, 0] * 1000,
            "Zustand": "ein",
            "anomaly": 0,
        }
    ).drop(index=[50, 51])
    return frame.to_csv(
        sep=";",
        decimal=",",
        index=False,
        date_format="%d/%m/%Y %H:%M",
        float_format="%.2f",
    )


def run(*words):
    return main([str(word) for word in words])


def test_what_was_recognised_is_said_in_one_line(folder, export, capsys):
    (folder / "pump.csv").write_text(export)
    options = ("--dayfirst", "--drop-non-numeric")
    assert run("detect", "pump.csv", *QUICK, *options) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "pump: 120 timestamps of Druck; from 2024-02-01 00:00 to 2024-02-02 05:45; "
        "every 15 min; 2 missing rows are missing values; labels: anomaly; not "
        "numeric, left out: Zustand"
    )


def test_a_refusal_names_the_option_that_helps(folder, export, capsys):
    (folder / "pump.csv").write_text(export.replace("/02/", "/03/"))
    words = ["detect", "pump.csv", *QUICK]
    for advice, *more in (
        ("--drop-non-numeric", "--dayfirst"),
        ("--dayfirst", "--column", "Druck"),
        (None, "--dayfirst", "--column", "Druck"),
        ("no column 'Zustand' of values", "--dayfirst", "--column", "Zustand"),
    ):
        status = run(*words, *more)
        printed = capsys.readouterr()
        assert status == (0 if advice is None else 2)
        assert advice is None or advice in printed.err
        assert len(printed.err.splitlines()) == (advice is not None)


def test_an_empty_column_is_left_out_unless_it_is_asked_for(folder, wave, capsys):
    frame = pd.DataFrame({"v": wave(400)[:, 0], "Comment": "", "w": 1.0})
    frame.loc[:250, "w"] = np.nan
    frame.to_csv("t.csv", index=False)
    words = ("detect", "t.csv", "--detector", "neighbors")
    assert run(*words, "--column", "v", "--column", "Comment") == 2
    assert "; --column NAME (columns) says which others to" in capsys.readouterr().err
    assert run(*words) == 2
    assert "63% of the values of channel 'w'" in capsys.readouterr().err
    assert run(*words, "--column", "v") == 0
    assert capsys.readouterr().out.startswith("t: 400 timestamps of v\n")
    frame.drop(columns="w").to_csv("t.csv", index=False)
    assert run(*words) == 0
    first = "t: 400 timestamps of v; empty, left out: Comment\n"
    assert capsys.readouterr().out.startswith(first)
    frame[["Comment"]].to_csv("t.csv", index=False)
    assert run(*words) == 2


def test_every_option_reaches_the_reader(folder, wave, capsys):
    rows = "".join(
        f"{minute // 60:02}:{minute % 60:02}/{minute}/{value:,.0f}\n"
        for minute, value in enumerate(1000 + 100 * wave(120)[:, 0])
    )
    (folder / "t.csv").write_text("from/to/v\n" + rows)
    options = ("--sep", "/", "--decimal", ".", "--time-column", "from")
    options += ("--resample", "2min", "--scores", "s.csv")
    assert run("detect", "t.csv", *QUICK, "--column", "v", *options) == 0
    scores = pd.read_csv("s.csv")
    assert scores["timestamp"].tolist() == (120.0 * np.arange(60)).tolist()


def test_the_sheet_of_a_workbook_can_be_told(folder, wave, capsys):
    with pd.ExcelWriter("t.xlsx") as writer:
        for title in ("May", "June"):
            frame = pd.DataFrame({title: wave(120)[:, 0]})
            frame.to_excel(writer, sheet_name=title, index=False)
    assert run("detect", "t.xlsx", *QUICK, "--sheet", "June") == 0
    assert "of June; sheet June, not May" in capsys.readouterr().out


def test_a_hyphen_reads_standard_input(export, monkeypatch, capsys):
    stream = io.TextIOWrapper(io.BytesIO(export.encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    options = ("--dayfirst", "--column", "Druck", "--scores", "s.csv")
    assert run("detect", "-", *QUICK, *options) == 0
    assert capsys.readouterr().out.startswith("stream: 120 timestamps of Druck")
    assert len(pd.read_csv("s.csv")) == 120


@pytest.mark.parametrize(
    ("part", "n_fitted"),
    [("60", 60), ("0.5", 60), ("50%", 60), ("2024-01-03", 48), ("2024-01-03T12:00", 60),
     ("2024-01-03T12:00+02:00", 58), ("0", 120), ("0%", 120), ("03.01.2024", 48),
     ("03.01.2024 12:00", 60), ("1/3/2024 12:00 PM --no-dayfirst", 60),
     ("03/01/2024 12:00 --dayfirst", 60)],
)  # fmt: skip
def test_the_training_part_is_a_count_a_share_or_a_time(
    folder, wave, capsys, part, n_fitted
):
    hours = pd.date_range("2024-01-01", periods=120, freq="h", name="time")
    pd.DataFrame({"v": wave(120)[:, 0]}, index=hours).to_csv("t.csv")
    part, *option = part.split(" --")
    option = [f"--{word}" for word in option]
    assert run("detect", "t.csv", *QUICK, "--train", part, *option) == 0
    assert f"Fitted on {n_fitted} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("part", "message"),
    [("2025-01-01", "is not between 2024-01-01 00:00 and 2024-01-05 23:00"),
     ("100%", "leaves none to search"), ("121", "first 121 of 120 timestamps")],
)  # fmt: skip
def test_a_training_part_that_cannot_be_is_an_error(
    folder, wave, capsys, part, message
):
    hours = pd.date_range("2024-01-01", periods=120, freq="h", name="time")
    pd.DataFrame({"v": wave(120)[:, 0]}, index=hours).to_csv("t.csv")
    assert run("detect", "t.csv", *QUICK, "--train", part) == 2
    assert message in capsys.readouterr().err


def test_a_training_part_by_time_needs_dates(folder, wave, capsys):
    np.savetxt("t.csv", wave(120))
    assert run("detect", "t.csv", *QUICK, "--train", "2024-01-01") == 2
    assert (
        "train=2024-01-01 00:00:00 needs dates, and t has none"
        in capsys.readouterr().err
    )
    for part, message in (
        ("1.5", "--train: a share is between 0 and 1, got 1.5"),
        ("120%", "--train: a share is between 0 and 1, got 120%"),
        ("soon", "--train is a number of timestamps, a share .*, got 'soon'"),
        ("12:00", "--train: '12:00' has no date"),
        ("31.02.2024", "--train: '31.02.2024' is not a date"),
        ("03/04/2024", "--train: '03/04/2024' can be read in .*; --dayfirst or"),
    ):
        assert run("detect", "t.csv", "--train", part) == 2
        assert re.fullmatch(f"skcoad: {message}.*\n", capsys.readouterr().err)


def test_the_anomaly_of_a_file_with_newest_rows_first_is_found(folder, wave, capsys):
    x = wave(400)[:, 0]
    x[300:310] = 2
    hours = pd.date_range("2024-01-01", periods=400, freq="h", name="time")
    pd.DataFrame({"v": x}, index=hours)[::-1].to_csv("t.csv")
    assert run("detect", "t.csv", *QUICK, "--train", 200, "--top", 1) == 0
    found = capsys.readouterr().out
    assert "newest first, turned around" in found
    assert "2024-01-13 " in found
