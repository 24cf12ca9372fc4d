import argparse
from argparse import ArgumentTypeError
from itertools import chain

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


def test_a_run_writes_results_report_and_figure(data, tmp_path, capsys):
    out, text, figure = (tmp_path / name for name in ("r.jsonl", "r.md", "r.png"))
    status = run(
        *(data, "--out", out, "--report", text, "--plot", figure),
        *("--detectors", "KMeansAD", 'short=KMeansAD:{"window_size": 5}'),
        *("--seeds", "0", "1", "--limit", "2", "--against", "KMeansAD"),
    )
    assert status == 0
    assert len(read_results(out)) == 8
    printed = capsys.readouterr().out
    assert printed.strip() == text.read_text().strip()
    assert "2 of 2 series" in printed
    assert "seeds [0, 1]" in printed
    assert figure.stat().st_size > 0
    window_sizes = {
        result["detector"]: result["parameters"]["window_size"]
        for result in read_results(out)
    }
    assert window_sizes["short"] == 5
    assert window_sizes["KMeansAD"] == 25


def test_a_second_run_says_what_it_took_from_the_results_file(data, tmp_path, capsys):
    out = tmp_path / "r.jsonl"
    words = (data, "--out", out, "--detectors", "KMeansAD")
    run(*words)
    assert "results were in" not in capsys.readouterr().err
    file = min(data.iterdir())
    file.write_text(file.read_text().replace("0.", "0.5", 1))
    run(*words)
    assert f"skcoad: 2 of 3 results were in {out}" in capsys.readouterr().err


def test_two_detectors_of_one_name_are_an_error(data, tmp_path):
    out = tmp_path / "r.jsonl"
    with pytest.raises(ValueError, match="the name 'A' more than once"):
        run(data, "--out", out, "--detectors", "A=RobustZScore", "A=KMeansAD")
    assert not out.exists()


def test_series_are_selected_by_name(data, tmp_path):
    out = tmp_path / "r.jsonl"
    run(data, "--out", out, "--detectors", "KMeansAD", "--select", "002*")
    assert [result["series"][:3] for result in read_results(out)] == ["002"]
    with pytest.raises(
        ValueError, match=r"no series in .* has a name that matches 'x\*'"
    ):
        run(data, "--out", out, "--select", "x*")


def test_scenarios_take_the_place_of_data_and_are_reported_one_by_one(tmp_path, capsys):
    out, text = tmp_path / "r.jsonl", tmp_path / "r.md"
    words = ("--out", out, "--report", text, "--detectors", "RobustZScore")
    assert run("--scenarios", "2", "--select", "spike_in_*-[01]", *words) == 0
    assert [result["series"] for result in read_results(out)] == [
        "spike_in_noise-0",
        "spike_in_noise-1",
        "spike_in_random_walk-0",
        "spike_in_random_walk-1",
        "spike_in_periodic_signal-0",
        "spike_in_periodic_signal-1",
    ]
    printed = capsys.readouterr().out
    assert printed.strip() == text.read_text().strip()
    assert "| spike_in_noise | 1.000 |" in printed
    with pytest.raises(ValueError, match="no scenario has a name that matches 'x'"):
        run("--scenarios", "--select", "x", *words)


@pytest.mark.parametrize("words", [(), ("data", "--scenarios")])
def test_data_or_scenarios_are_required_and_not_both(words, capsys):
    with pytest.raises(SystemExit):
        run(*words)
    assert "--scenarios" in capsys.readouterr().err


def test_published_results_are_added_to_the_report(data, tmp_path, capsys):
    published = tmp_path / "published.csv"
    name = "000_UCR_Anomaly_x_200_301_310"
    published.write_text(f"file,Theirs\n{name}.csv,0.25\n")
    run(
        *(data, "--out", tmp_path / "r.jsonl", "--detectors", "KMeansAD"),
        *("--protocol", "tsb-ad", "--published", published),
    )
    assert "| Theirs | True | 0.250 | 0.250 | 1 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--report", "no/r.md"), "there is no folder no to write r.md into"),
        (("--report", "data"), "data exists and is not a file"),
        (("--report", "data/{series}"), "is the input and must not be replaced"),
        (("--report", "published.csv"), "is the input and must not be replaced"),
        (("--report", "r.jsonl"), "--out and --report are the same file, r.jsonl"),
        (("--report", "data/../r.jsonl"), "--out and --report are the same file"),
        (("--plot", "r.xyz"), "a figure ends in .pdf, .png, .svg, got r.xyz"),
        (("--plot", "no/r.png"), "there is no folder no"),
        (("--plot", "r.png", "--report", "r.png"), "--report and --plot are the same"),
        (("--out", "no/r.jsonl"), "there is no folder no"),
        (("--out", "data/{series}"), "is the input and must not be replaced"),
        (("--against", "Other"), r"one of \['KMeansAD'\], got 'Other'"),
        (("--published", "no.csv"), "--published no.csv: No such file"),
        (("--published", "text.csv"), "text.csv has no column of numbers"),
    ],
)
def test_impossible_outputs_are_refused_before_the_first_run(
    data, tmp_path, monkeypatch, words, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "published.csv").write_text("file,LOF\n1,0.5\n")
    (tmp_path / "text.csv").write_text("file,LOF\n1,high\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    words = [word.format(series=next(data.iterdir()).name) for word in words]
    options = {"--out": "r.jsonl", "--published": "published.csv"}
    options |= dict(zip(words[::2], words[1::2], strict=True))
    with pytest.raises((ValueError, OSError), match=message):
        run("data", "--detectors", "KMeansAD", *chain.from_iterable(options.items()))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


@pytest.mark.parametrize(
    ("option", "name"), [("--report", "r.md"), ("--plot", "r.png")]
)
def test_an_interrupted_write_leaves_the_old_file(
    data, tmp_path, monkeypatch, option, name
):
    def interrupted(target, *arguments, **options):
        raise KeyboardInterrupt

    file = tmp_path / name
    file.write_text("old")
    words = (data, "--out", tmp_path / "r.jsonl", "--detectors", "KMeansAD")
    run(*words)  # later calls compute nothing
    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(*words, option, file)
    assert file.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["data", "r.jsonl", name]
    )


def test_failures_alone_give_a_report(data, tmp_path, capsys):
    detector = 'A=KMeansAD:{"window_size": 100000}'
    words = (data, "--out", tmp_path / "r.jsonl", "--limit", "1")
    assert run(*words, "--detectors", detector) == 1
    assert "- A on 000_UCR" in capsys.readouterr().out


def test_failures_give_status_1_and_the_first_error(data, tmp_path, capsys):
    words = (data, "--out", tmp_path / "r.jsonl", "--limit", "2")
    assert run(*words, "--detectors", "PCA", 'X=KMeansAD:{"nope": 1}') == 1
    printed = capsys.readouterr()
    assert "| PCA |" in printed.out
    assert "skcoad: 2 of 4 runs failed; the first error, of X on 000_" in printed.err
    assert "is ValueError: Invalid parameter 'nope'" in printed.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("value,site,label\n1,north,0\n2,south,1\n", "column 'site' must"),
        ("value\n1\n2\n", "the scored part has no anomaly"),
    ],
)
def test_why_no_series_can_be_compared_is_said(tmp_path, text, message):
    (tmp_path / "pump.csv").write_text(text)
    words = (tmp_path, "--out", tmp_path / "r.jsonl", "--detectors", "PCA")
    with pytest.raises(
        ValueError, match="results of every detector; the first error, of PCA on pump"
    ) as caught:
        run(*words)
    assert message in str(caught.value)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_an_error(data, tmp_path, limit):
    out = tmp_path / "r.jsonl"
    with pytest.raises(ValueError, match=f"--limit must be at least 1, got {limit}"):
        run(data, "--out", out, "--limit", limit)
    assert not out.exists()


def test_a_detector_may_be_any_class_with_parameters():
    name, factory = detector_argument(
        "LOF=pyod.models.ts_od.TimeSeriesOD:"
        '{"detector": "LOF", "window_size": "@period"}'
    )
    estimator = factory(33)
    assert name == "LOF"
    assert (estimator.detector, estimator.window_size) == ("LOF", 33)


def test_a_baseline_may_get_other_parameters():
    name, factory = detector_argument('SR9=SpectralResidual:{"score_window": 9}')
    assert name == "SR9"
    assert isinstance(factory, FitPredictOnly)
    assert factory.detector(50).score_window == 9
    assert detector_argument("PCA") == ("PCA", BASELINES["PCA"])
    assert detector_argument("mine=PCA") == ("mine", BASELINES["PCA"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sklearn.svm.OneClassSVM", "and <class .*OneClassSVM'> has scikit-learn's"),
        ("Nothing", "'Nothing' is neither a known detector .* nor an import path"),
        ("x=no.such.Thing", "No module named 'no'"),
        ("x=skcoad.datasets.Missing", "has no attribute 'Missing'"),
        ("x=PCA:{", "'{' is not JSON"),
        ("x=PCA:[1]", "is not a JSON object"),
    ],
)
def test_an_invalid_detector_argument_is_an_error(text, message):
    with pytest.raises(ArgumentTypeError, match=message):
        detector_argument(text)
