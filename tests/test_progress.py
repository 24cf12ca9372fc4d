"""Long work shows how far it is, if asked; short work and work that isn't, nothing."""

import io
import re
import sys

import pytest
from tqdm import tqdm

from skcoad import NeighborsDetector, _progress
from skcoad._progress import advance, progress
from skcoad.cli import main


@pytest.fixture
def at_once(monkeypatch):
    """Show bars without waiting, and every step of them."""
    monkeypatch.setattr(_progress, "DELAY", 0)


def percentages(text, what):
    return [int(p) for p in re.findall(rf"{what}: +(\d+)%", text)]


@pytest.mark.parametrize("n_channels", [1, 3])
def test_fit_and_scoring_count_every_value(wave, capsys, at_once, n_channels):
    X = wave(600, n_channels)
    detector = NeighborsDetector(verbose=1).fit(X)
    out, err = capsys.readouterr()
    assert not out
    for what in ("Indexing", "Calibrating"):
        assert percentages(err, what)[-1] == 100
    for score in (detector.decision_function, detector.channel_scores):
        score(X)
        err = capsys.readouterr().err
        assert percentages(err, "Scoring")[-1] == 100
        assert f"/{tqdm.format_sizeof(X.size)} [" in err


def test_a_training_has_its_own_bar(wave, tiny, capsys, at_once):
    tiny(verbose=1).fit(wave())
    err = capsys.readouterr().err
    order = [err.index(what) for what in ("Indexing", "CoAD", "Calibrating")]
    assert order == sorted(order)


def test_short_work_and_work_without_a_bar_show_nothing(wave, capsys):
    detector = NeighborsDetector(verbose=1).fit(wave())
    detector.decision_function(wave())
    detector.set_params(verbose=0)
    detector.decision_function(wave())
    assert capsys.readouterr() == ("", "")


def test_values_are_counted_in_the_innermost_bar(capsys, at_once):
    advance(5)  # nobody counts
    with progress("outer", 10, shown=True):
        with progress("inner", 4, shown=True):
            advance(4)
        advance(5)
    err = capsys.readouterr().err
    assert percentages(err, "inner")[-1] == 100
    assert percentages(err, "outer")[-1] == 50
    advance(5)
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("on_terminal", [False, True])
def test_the_command_shows_bars_on_a_terminal(
    wave, tmp_path, monkeypatch, at_once, on_terminal
):
    monkeypatch.chdir(tmp_path)
    text = "\n".join(f"{x:.4f}" for x in wave(500)[:, 0])
    (tmp_path / "pump.csv").write_text(f"flow\n{text}\n")
    error = Terminal() if on_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", error)
    words = ["detect", "pump.csv", "--train", "300", "--detector", "neighbors"]
    assert main([*words, "--save", "pump.safetensors"]) == 0
    assert ("Scoring: 100%" in error.getvalue()) == on_terminal
    assert NeighborsDetector.load("pump.safetensors").verbose == 0


def test_where_nothing_is_shown_there_is_no_bar(monkeypatch):
    # tqdm's lock is a semaphore, of which Python warns where Ctrl-C ends a worker.
    monkeypatch.setattr(_progress, "tqdm", None)
    with progress("hidden", 4, shown=False):
        advance(4)
