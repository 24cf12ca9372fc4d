"""Kill ``skcoad benchmark`` at random moments, again and again, and look what is lost.

    python tests/stress/kill_benchmark.py --kills 100

The same command is started on the same results file after every kill, by SIGKILL and
SIGINT in turn. One in ten falls anywhere in the start, the others after the first new
result. After each, every complete line must be a result, none that was there before may
be missing or changed, and none may be there twice. A file that gets finished must hold
what ``python -m skcoad benchmark`` wrote when it was left alone, but for times and
memory, and a new one is begun. The processes that are killed are copies of one that has
imported everything, since imports would take most of their time.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.context import ForkProcess
from pathlib import Path

import pyod.models.pca  # noqa: F401  so that no copy has to

from skcoad.benchmark import read_results
from skcoad.benchmark._results import Result
from skcoad.cli._main import main as skcoad
from skcoad.datasets import make_series

SIGNALS = [signal.SIGKILL, signal.SIGINT]
VARYING = ["fit_seconds", "score_seconds", "started"]
VARYING += ["peak_memory_mib", "base_memory_mib"]
POLL = 0.001  # seconds


def write_archive(folder: Path, n_series: int) -> None:
    """Write synthetic series of one anomaly each, in the format of the UCR archive."""
    folder.mkdir()
    for number in range(n_series):
        one = make_series(600, anomalies=["noise"], random_state=number)
        anomaly = one.labels.nonzero()[0] + 1
        name = f"{one.train_length}_{anomaly[0]}_{anomaly[-1]}.txt"
        path = folder / f"{number:03}_UCR_Anomaly_synthetic_{name}"
        path.write_text("\n".join(map(str, one.values[:, 0])))


def command(data: Path, out: Path) -> list[str]:
    """Return the arguments of ``skcoad``."""
    detectors, seeds = ["KMeans", "PCA"], ["0", "1", "2", "3"]
    files = ["benchmark", str(data), "--out", str(out)]
    return [*files, "--detectors", *detectors, "--seeds", *seeds]


def run(arguments: list[str]) -> None:
    """Be the command, silently."""
    # A process that a shell starts in the background is deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.exit(skcoad(arguments))


def start(data: Path, out: Path) -> ForkProcess:
    """Start a copy of this process that runs the command."""
    process = multiprocessing.get_context("fork").Process(
        target=run, args=[command(data, out)]
    )
    process.start()
    return process


def content(path: Path) -> bytes:
    """Return what is in the file; nothing if it is not there."""
    return path.read_bytes() if path.exists() else b""


def complete(data: bytes) -> bytes:
    """Leave out a line that was cut off."""
    return data[: data.rfind(b"\n") + 1]


def key(result: Result) -> str:
    """Return what makes a result this one and no other."""
    return "{detector} {series} {protocol} {seed}".format(**result)


def fixed(path: Path) -> dict[str, Result]:
    """Return the results of a file without what differs from run to run."""
    return {
        key(result): {name: result[name] for name in result if name not in VARYING}
        for result in read_results(path)
    }


def check(before: bytes, after: bytes) -> list[str]:
    """Say what is wrong with a file after a kill."""
    wrong = []
    if not after.startswith(before):
        wrong.append("results that were there are lost or changed")
    keys: Counter[str] = Counter()
    for line in complete(after).splitlines():
        try:
            keys[key(json.loads(line))] += 1
        except (ValueError, TypeError, KeyError):
            wrong.append(f"no result: {line[:80]!r}")
    wrong += [f"there twice: {name}" for name, count in keys.items() if count > 1]
    return wrong


def main() -> None:
    """Kill, check, and print figures; the status is 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--series", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    found: Counter[str] = Counter()
    failures: list[str] = []

    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder, "data"), Path(folder, "results.jsonl")
        alone = Path(folder, "alone.jsonl")
        write_archive(data, arguments.series)
        subprocess.run(
            [sys.executable, "-m", "skcoad", *command(data, alone)],
            check=True,
            capture_output=True,
        )
        expected = fixed(alone)

        def wait_for_result(process: ForkProcess) -> float:
            """Return how long the first new result took, or the whole run."""
            started, n_before = time.perf_counter(), content(out).count(b"\n")
            while process.is_alive() and content(out).count(b"\n") <= n_before:
                time.sleep(POLL)
            return time.perf_counter() - started

        def finish(process: ForkProcess) -> None:
            """Compare a finished file with that of the run left alone."""
            process.join()
            found["files finished"] += 1
            if process.exitcode != 0 or fixed(out) != expected:
                failures.append("a finished file differs from that of a whole run")
            out.unlink()

        process = start(data, out)
        start_up = wait_for_result(process)
        per_result = wait_for_result(process)
        finish(process)

        started = time.perf_counter()
        while found["kills"] < arguments.kills:
            n_before = content(out).count(b"\n")
            process = start(data, out)
            if chance.random() < 0.1:
                time.sleep(chance.uniform(0, start_up))
            else:
                wait_for_result(process)
                time.sleep(chance.uniform(0, 5 * per_result))
            before = complete(content(out))
            if not process.is_alive():
                finish(process)
                continue
            sent = SIGNALS[found["kills"] % len(SIGNALS)]
            os.kill(process.pid or 0, sent)
            process.join()
            after = content(out)
            n_after = after.count(b"\n")
            for what in check(before, after):
                failures.append(f"kill {found['kills']}, {sent.name}: {what}")
            found["kills"] += 1
            found[sent.name] += 1
            found["results kept"] += n_after - n_before
            found["while results came in"] += n_before < n_after < len(expected)
            found["lines cut off"] += after != complete(after)
            found["clean ends"] += sent is signal.SIGINT and process.exitcode == 130
        finish(start(data, out))
        seconds = time.perf_counter() - started

    print(
        f"{found['kills']} kills ({found['SIGKILL']} SIGKILL; {found['SIGINT']} SIGINT,"
        f" of which {found['clean ends']} ended the run with status 130); "
        f"{found['while results came in']} while results came in, "
        f"{found['lines cut off']} in the middle of a line; "
        f"{found['results kept']} results of killed runs kept, "
        f"{found['files finished']} files of {len(expected)} results finished; "
        f"{len(failures)} failures; {seconds:.0f} s"
    )
    for failure in failures[:20]:
        print(failure)
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()
