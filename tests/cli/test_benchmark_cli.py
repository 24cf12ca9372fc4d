import argparse
from argparse import ArgumentTypeError

import numpy as np
import pytest

from skcoad.benchmark import BASELINES, FitPredictOnly, read_results
from skcoad.cli._benchmark import add_arguments, detector_argument, execute


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        x = np.sin(np.arange(400) / 4) + 0.05 * rng.standard_normal(400)
        x[300:310] += 2
        name = f"00{number}_UCR_Anomaly_x_200_301_310.txt"
        (folder / name).write_text("\n".join(map(str, x)))
    return folder


def run(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return execute(parser.parse_args(list(map(str, words))))


def test_a_run_leaves_results_a_report_and_a_picture(data, tmp_path, capsys):
    out, text, picture = (tmp_path / name for name in ("r.jsonl", "r.md", "r.png"))
    status = run(
        *(data, "--out", out, "--report", text, "--plot", picture),
        *("--detectors", "KMeans", 'short=KMeans:{"window_size": 5}'),
        *("--seeds", "0", "1", "--limit", "2", "--against", "KMeans"),
    )
    assert status == 0
    assert len(read_results(out)) == 8
    printed = capsys.readouterr().out
    assert printed.strip() == text.read_text().strip()
    assert "2 of 2 series" in printed
    assert "seeds [0, 1]" in printed
    assert picture.stat().st_size > 0
    settings = {
        result["detector"]: result["settings"]["window_size"]
        for result in read_results(out)
    }
    assert settings["short"] == 5
    assert settings["KMeans"] == 25


def test_series_are_selected_by_name(data, tmp_path):
    out = tmp_path / "r.jsonl"
    run(data, "--out", out, "--detectors", "KMeans", "--select", "002*")
    assert [result["series"][:3] for result in read_results(out)] == ["002"]
    with pytest.raises(ValueError, match=r"no series in .* is named like 'x\*'"):
        run(data, "--out", out, "--select", "x*")


def test_published_results_are_shown_beside(data, tmp_path, capsys):
    published = tmp_path / "published.csv"
    name = "000_UCR_Anomaly_x_200_301_310"
    published.write_text(f"file,Theirs\n{name}.csv,0.25\n")
    run(
        *(data, "--out", tmp_path / "r.jsonl", "--detectors", "KMeans"),
        *("--protocol", "tsb-ad", "--published", published),
    )
    assert "| Theirs | True | 0.250 | 0.250 | 1 |" in capsys.readouterr().out


def test_a_detector_may_be_any_class_with_parameters():
    name, make = detector_argument(
        "LOF=pyod.models.ts_od.TimeSeriesOD:"
        '{"detector": "LOF", "window_size": "@period"}'
    )
    made = make(33)
    assert name == "LOF"
    assert (made.detector, made.window_size) == ("LOF", 33)


def test_a_named_detector_may_get_other_parameters():
    name, make = detector_argument('SR9=SpectralResidual:{"score_window": 9}')
    assert name == "SR9"
    assert isinstance(make, FitPredictOnly)
    assert make.detector(50).score_window == 9
    assert detector_argument("PCA") == ("PCA", BASELINES["PCA"])
    assert detector_argument("mine=PCA") == ("mine", BASELINES["PCA"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Nothing", "'Nothing' is neither a known detector .* nor an import path"),
        ("x=no.such.Thing", "No module named 'no'"),
        ("x=skcoad.datasets.Missing", "has no attribute 'Missing'"),
        ("x=PCA:{", "'{' is not JSON"),
        ("x=PCA:[1]", "is not a JSON object"),
    ],
)
def test_what_cannot_be_a_detector_is_an_error(text, message):
    with pytest.raises(ArgumentTypeError, match=message):
        detector_argument(text)
