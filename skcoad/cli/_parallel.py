"""Worker processes of the commands that run many series."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import joblib

__all__ = ["interrupted", "worker_processes"]


@contextmanager
def worker_processes(n_threads: int = 1) -> Iterator[None]:
    """Let joblib start processes of some threads each, of which Ctrl-C ends none."""
    with joblib.parallel_config(
        "loky", inner_max_num_threads=n_threads, initializer=_ignore_ctrl_c
    ):
        yield


def _ignore_ctrl_c() -> None:
    # In a worker: the parent process handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def interrupted(out: Path) -> int:
    """Say how to resume a run that writes results; return the status of Ctrl-C."""
    print(
        f"\ninterrupted; the results so far are in {out}; repeat the command to resume",
        file=sys.stderr,
    )
    return 130
