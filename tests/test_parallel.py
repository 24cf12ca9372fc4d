import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from joblib import parallel_config

from skcoad._parallel import run_tasks

needs_signals = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@dataclass
class Square:
    number: int
    deadly: bool = False

    def run(self):
        if self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.number**2

    def failure(self, error):
        return f"{self.number}: {type(error).__name__}"


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_every_task_gives_its_result(n_jobs):
    results = run_tasks(Square, range(20), n_jobs)
    assert sorted(results) == [n**2 for n in range(20)]


def test_tasks_are_made_when_they_are_needed():
    made = []

    def make(number):
        made.append(number)
        return Square(number)

    results = run_tasks(make, range(10**9), n_jobs=1)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert len(made) <= 4
    results.close()


def test_what_making_a_task_raises_ends_the_run():
    def make(number):
        raise KeyError(number)

    with pytest.raises(KeyError, match="3"):
        list(run_tasks(make, [3], n_jobs=1))


@needs_signals
def test_tasks_that_kill_their_process_have_failed_and_no_other():
    def make(number):
        return Square(number, deadly=number in (3, 7))

    with parallel_config(n_jobs=2):
        results = list(run_tasks(make, range(12), n_jobs=None))
    failed = [result for result in results if isinstance(result, str)]
    assert sorted(failed) == ["3: TerminatedWorkerError", "7: TerminatedWorkerError"]
    squares = [result for result in results if result not in failed]
    assert sorted(squares) == [n**2 for n in range(12) if n not in (3, 7)]


@dataclass
class Shared:
    """A task on a worker with another, which kills the worker as soon as both run."""

    path: str
    deadly: bool

    def run(self):
        marker = Path(self.path, "running")
        if self.deadly:
            end = time.monotonic() + 60
            while not marker.exists():
                if time.monotonic() > end:
                    raise TimeoutError("the other task has not begun")
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        if not marker.exists():
            marker.touch()
            time.sleep(10)  # it is killed before
        return "done"

    def failure(self, error):
        return type(error).__name__


@contextmanager
def cluster_of_one_worker(**settings):
    """A dask cluster that gives a task up the first time its worker is killed."""
    distributed = pytest.importorskip("distributed", reason="needs skcoad[dask]")
    dask = pytest.importorskip("dask")
    settings = {f"distributed.scheduler.{key}": v for key, v in settings.items()}
    settings |= {
        "distributed.scheduler.allowed-failures": 0,
        # On a busy machine, a worker takes long to be back.
        "distributed.deploy.lost-worker-timeout": "10 minutes",
    }
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster),
        parallel_config("dask"),
    ):
        yield cluster


@needs_signals
def test_a_task_that_kills_every_dask_worker_has_failed_and_its_neighbour_has_not(
    tmp_path,
):
    with cluster_of_one_worker():
        results = run_tasks(lambda deadly: Shared(str(tmp_path), deadly), (0, 1), None)
        assert sorted(results) == ["KilledWorker", "done"]


@needs_signals
def test_a_dask_cluster_without_workers_ends_the_run_when_it_is_told_to(monkeypatch):
    pytest.importorskip("distributed")
    from distributed.scheduler import NoWorkerError

    async def replace_nothing():
        pass

    with cluster_of_one_worker(**{"no-workers-timeout": "500ms"}) as cluster:
        for nanny in cluster.workers.values():
            monkeypatch.setattr(nanny, "instantiate", replace_nothing)
        tasks = run_tasks(lambda n: Square(n, deadly=n == 0), range(9), None)
        with pytest.raises(NoWorkerError):
            list(tasks)


def test_a_dask_cluster_that_is_closed_ends_the_run():
    with cluster_of_one_worker() as cluster:
        results = run_tasks(Square, range(100), None)
        assert next(results) in (0, 1)
        cluster.close()
        with pytest.raises(Exception, match=r"ancel|clos"):
            list(results)
