"""The command as a process: interrupted at any moment, and with a full disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and /dev/full")

# Start the command with a Ctrl-C at the first call of a function, or at an import.
INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupt(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGINT)

where = sys.argv.pop(1)
if where.startswith("import "):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == where.split()[1]:
                interrupt()
    sys.meta_path.insert(0, Finder())
elif where == "swallowed":
    from skcoad.scoring import _chunks
    original = _chunks.chunks
    class Object:
        def __del__(self):
            interrupt()
    def chunks(*args):
        Object()  # in a destructor, the exception is only printed
        return original(*args)
    _chunks.chunks = chunks
elif where == "writing":
    os.replace = interrupt
elif where == "printing":
    from skcoad.cli import _detect
    _detect.print_segments = interrupt
elif where == "scoring":
    from skcoad.detectors import _base
    _base.calibrate_scores = interrupt
from skcoad.__main__ import run
sys.exit(run())
"""


@pytest.fixture
def series(tmp_path):
    file = tmp_path / "x.csv"
    lines = [str((i % 25) ** 2 % 17) for i in range(300)]
    file.write_text("\n".join(["value", *lines]))
    return file


def command(*words, **options):
    # Buffered, as it usually is; and this package, whatever folder it is started in.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        env=env | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize(
    "where",
    [
        *("import skcoad.cli", "import argparse", "import torch", "import pandas"),
        *("scoring", "swallowed", "printing", "writing"),
    ],
)
def test_ctrl_c_ends_with_status_130_at_any_moment(where, series):
    out = series.with_name("scores.csv")
    arguments = ("detect", series, "--max-steps", 2, "--out", out)
    process = command("-c", INTERRUPTED, where, *arguments, stdout=subprocess.DEVNULL)
    assert process.returncode == 130, process.stderr
    if where != "swallowed":
        assert process.stderr == "skcoad: interrupted\n"
        assert [file.name for file in series.parent.iterdir()] == ["x.csv"]


def test_a_signal_that_the_shell_has_ignored_stays_ignored(series):
    process = command(
        *("-c", INTERRUPTED.replace("default_int_handler", "SIG_IGN"), "printing"),
        *("detect", series, "--max-steps", 2),
        stdout=subprocess.DEVNULL,
    )
    assert process.returncode == 0, process.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), ("detect", "x.csv", "--max-steps", "2")]
)
def test_output_that_cannot_be_written_is_an_error_of_one_line(arguments, series):
    with open("/dev/full", "w") as full:
        process = command(*("-m", "skcoad", *arguments), stdout=full, cwd=series.parent)
    assert process.returncode == 2
    assert process.stderr.startswith("skcoad: [Errno 28]")
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize("buffering", [(), ("-u",)])
def test_a_pipe_that_nothing_reads_any_more_is_no_error(buffering, series):
    reader, writer = os.pipe()
    os.close(reader)
    words = (*buffering, "-m", "skcoad", "detect", series, "--max-steps", 2)
    try:
        process = command(*words, stdout=writer)
    finally:
        os.close(writer)
    assert process.returncode == 141
    assert process.stderr == ""


def test_a_name_that_the_output_cannot_encode_is_escaped(series, monkeypatch):
    lines = series.read_text().replace("value", "pump \N{HOT BEVERAGE}\N{FIRE}")
    series.write_text(lines, encoding="utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    out = series.with_name("found.csv")
    process = command(
        *("-m", "skcoad", "detect", series, "--detector", "neighbors", "--out", out),
        stdout=subprocess.PIPE,
    )
    assert process.returncode == 0, process.stderr
    assert r"pump \u2615\U0001f525" in process.stdout
    assert out.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_device_is_no_output_file(series):
    process = command(
        *("-m", "skcoad", "detect", series, "--out", "/dev/full"),
        stdout=subprocess.DEVNULL,
    )
    assert process.returncode == 2
    assert "exists and is not a file" in process.stderr
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("task", ["detect", "benchmark"])
def test_a_pipe_as_a_file_is_refused_and_not_waited_for(task, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    process = command(
        *("-m", "skcoad", task, "pipe.csv"),
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
        timeout=120,
    )
    assert process.returncode == 2
    assert "pipe.csv is no regular file; a pipe is read as a stream" in process.stderr
