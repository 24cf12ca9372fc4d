"""Kill ``skcoad benchmark`` at random moments, and check that no result is lost.

    python tests/stress/kill_benchmark.py --kills 100

After every kill, by SIGKILL and SIGINT in turn, the same command is started again on
the same results file. One kill in ten falls anywhere in the start-up, the others after
the first new result. After each, every complete line must be a result, every earlier
result must be unchanged, and none may be duplicated. A finished file must equal that of
an undisturbed ``python -m skcoad benchmark``, except for times and memory; then a new
file is started. The killed processes are forks of one that has imported all modules,
because imports would take most of their time.
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

import pyod.models.pca  # noqa: F401  so that the forks need not

from skcoad.benchmark import read_results
from skcoad.cli import main as skcoad
from skcoad.datasets import make_series
from skcoad.io._results import Result

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
    detectors, seeds = ["KMeansAD", "PCA"], ["0", "1", "2", "3"]
    files = ["benchmark", str(data), "--out", str(out)]
    return [*files, "--detectors", *detectors, "--seeds", *seeds]


def run(arguments: list[str]) -> None:
    """Run the command without output."""
    # A process that a shell starts in the background ignores Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    sys.exit(skcoad(arguments))


def start(data: Path, out: Path) -> ForkProcess:
    """Fork a process that runs the command."""
    process = multiprocessing.get_context("fork").Process(
        target=run, args=[command(data, out)]
    )
    process.start()
    return process


def content(path: Path) -> bytes:
    """Return the content of the file; empty if there is no file."""
    return path.read_bytes() if path.exists() else b""


def complete(data: bytes) -> bytes:
    """Remove an incomplete last line."""
    return data[: data.rfind(b"\n") + 1]


def key(result: Result) -> str:
    """Return the identity of a result."""
    return "{detector} {series} {protocol} {seed}".format(**result)


def fixed(path: Path) -> dict[str, Result]:
    """Return the results of a file without the keys that vary between runs."""
    return {
        key(result): {name: result[name] for name in result if name not in VARYING}
        for result in read_results(path)
    }


def check(before: bytes, after: bytes) -> list[str]:
    """Return the faults of a file after a kill."""
    faults = []
    if not after.startswith(before):
        faults.append("earlier results are lost or changed")
    keys: Counter[str] = Counter()
    for line in complete(after).splitlines():
        try:
            keys[key(json.loads(line))] += 1
        except (ValueError, TypeError, KeyError):
            faults.append(f"not a result: {line[:80]!r}")
    faults += [f"duplicate: {name}" for name, count in keys.items() if count > 1]
    return faults


def main() -> None:
    """Kill, check, and print counts; the status is 1 after any fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--series", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    counts: Counter[str] = Counter()
    failures: list[str] = []

    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder, "data"), Path(folder, "results.jsonl")
        undisturbed = Path(folder, "undisturbed.jsonl")
        write_archive(data, arguments.series)
        subprocess.run(
            [sys.executable, "-m", "skcoad", *command(data, undisturbed)],
            check=True,
            capture_output=True,
        )
        expected = fixed(undisturbed)

        def wait_for_result(process: ForkProcess) -> float:
            """Return the seconds until the first new result, or the end."""
            started, n_before = time.perf_counter(), content(out).count(b"\n")
            while process.is_alive() and content(out).count(b"\n") <= n_before:
                time.sleep(POLL)
            return time.perf_counter() - started

        def finish(process: ForkProcess) -> None:
            """Compare a finished file with that of the undisturbed run."""
            process.join()
            counts["files finished"] += 1
            if process.exitcode != 0 or fixed(out) != expected:
                failures.append(
                    "a finished file differs from that of an undisturbed run"
                )
            out.unlink()

        process = start(data, out)
        start_up = wait_for_result(process)
        per_result = wait_for_result(process)
        finish(process)

        started = time.perf_counter()
        while counts["kills"] < arguments.kills:
            n_before = content(out).count(b"\n")
            process = start(data, out)
            if rng.random() < 0.1:
                time.sleep(rng.uniform(0, start_up))
            else:
                wait_for_result(process)
                time.sleep(rng.uniform(0, 5 * per_result))
            before = complete(content(out))
            if not process.is_alive():
                finish(process)
                continue
            sent = SIGNALS[counts["kills"] % len(SIGNALS)]
            os.kill(process.pid or 0, sent)
            process.join()
            after = content(out)
            n_after = after.count(b"\n")
            for fault in check(before, after):
                failures.append(f"kill {counts['kills']}, {sent.name}: {fault}")
            counts["kills"] += 1
            counts[sent.name] += 1
            counts["results kept"] += n_after - n_before
            counts["while results came in"] += n_before < n_after < len(expected)
            counts["lines cut off"] += after != complete(after)
            counts["clean ends"] += sent is signal.SIGINT and process.exitcode == 130
        finish(start(data, out))
        seconds = time.perf_counter() - started

    print(
        f"{counts['kills']} kills ({counts['SIGKILL']} SIGKILL; {counts['SIGINT']} "
        f"SIGINT, of which {counts['clean ends']} ended the run with status 130); "
        f"{counts['while results came in']} while results came in, "
        f"{counts['lines cut off']} in the middle of a line; "
        f"{counts['results kept']} results of killed runs kept, "
        f"{counts['files finished']} files of {len(expected)} results finished; "
        f"{len(failures)} failures; {seconds:.0f} s"
    )
    for failure in failures[:20]:
        print(failure)
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()
