"""Run tasks with joblib, on any of its backends, and have each result as it arrives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from importlib import import_module
from itertools import islice
from typing import Any, Protocol, TypeVar

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

__all__ = ["Task", "run_tasks"]

Key = TypeVar("Key", bound=Hashable)

TASKS_PER_JOB = 4  # of a chunk, where the backend returns whole lists


class Task(Protocol):
    """A unit of work that can be sent to another process."""

    def run(self) -> Any:
        """Do the work, and return the result; an error is a result too."""

    def failure(self, error: BaseException) -> Any:
        """Return the result if the process died in `run`."""


def run_tasks(
    make_task: Callable[[Key], Task], keys: Iterable[Key], n_jobs: int | None
) -> Iterator[Any]:
    """Run tasks, and yield each result as it arrives.

    When a worker is killed, the tasks that may have done it are run again, one after
    the other; one that does it again has failed.

    Parameters
    ----------
    make_task : callable
        Makes the task of a key: when a job is soon free, so that few exist at once, and
        again if its process may have died.
    keys : iterable of hashable
        Of all tasks, each different.
    n_jobs : int or None
        Number of worker processes; None means this process, unless
        `joblib.parallel_config` says otherwise, which also selects the backend. A
        backend that cannot yield single results, such as ray's, gets chunks of a few
        tasks for each job.

    Yields
    ------
    object
        The results, in the order in which they arrive.

    Raises
    ------
    Exception
        If the backend cannot run tasks at all: a dask cluster that is gone, or has been
        without workers for longer than it allows.
    """
    backend, _ = get_active_backend()
    if hasattr(backend, "client"):
        yield from _with_dask(backend.client, map(make_task, keys))
        return
    remaining = iter(keys)
    running: dict[Key, None] = {}

    def started() -> Iterator[tuple[Key, Task]]:
        for key in remaining:
            running[key] = None
            yield key, make_task(key)

    while True:
        try:
            for key, result in _parallel(started(), n_jobs):
                del running[key]
                yield result
        except Exception:  # of the backend: a task raises none
            if not running:
                raise
            for key in list(running):
                yield _run_alone(key, make_task(key), n_jobs)
                del running[key]
        else:
            return


def _run_alone(key: Key, task: Task, n_jobs: int | None) -> Any:
    try:
        ((_, result),) = _parallel(iter([(key, task)]), n_jobs)
    except Exception as error:
        return task.failure(error)
    return result


def _parallel(
    tasks: Iterator[tuple[Key, Task]], n_jobs: int | None
) -> Iterator[tuple[Key, Any]]:
    backend, _ = get_active_backend()
    calls = (delayed(_run)(key, task) for key, task in tasks)
    # One task a batch, so that no finished result waits for another; no array in shared
    # memory, since each is used by one task, and would stay there until the last.
    options: dict[str, Any] = {"n_jobs": n_jobs, "batch_size": 1, "max_nbytes": None}
    size = TASKS_PER_JOB * effective_n_jobs(n_jobs)
    if n_jobs == 1:
        # One after the other in another process: joblib would run one job in this one.
        options["n_jobs"], size = 2, 1
    elif backend.supports_return_generator:
        yield from Parallel(**options, return_as="generator_unordered")(calls)
        return
    while chunk := list(islice(calls, size)):
        yield from Parallel(**options)(chunk)


def _with_dask(client: Any, tasks: Iterator[Task]) -> Iterator[Any]:
    """Run tasks on a cluster; joblib waits for ever for one that killed its workers."""
    distributed: Any = import_module("distributed")
    scheduler: Any = import_module("distributed.scheduler")
    no_workers = scheduler.NoWorkerError, scheduler.NoValidWorkerError

    running: dict[Any, Task] = {}
    # With results, which would be lost with the worker that holds them.
    completed = distributed.as_completed(with_results=True, raise_errors=False)

    def start(task: Task) -> None:
        future = client.submit(task.run, pure=False)
        running[future] = task
        completed.add(future)

    def finished() -> Iterator[tuple[Task, Any, Exception | None]]:
        for future, result in completed:
            task = running.pop(future)
            if future.status == "finished":
                yield task, result, None
                continue
            error = future.exception()  # raises if the cluster is gone
            if isinstance(error, no_workers):
                raise error
            yield task, None, error

    n_threads = sum(client.ncores().values())
    for task in islice(tasks, max(1, n_threads)):
        start(task)
    suspects = []
    for task, result, error in finished():
        for following in islice(tasks, 1):
            start(following)
        if isinstance(error, distributed.KilledWorker):
            suspects.append(task)  # or another on the same worker was the cause
        else:
            yield result if error is None else task.failure(error)
    for suspect in suspects:
        start(suspect)
        ((task, result, error),) = finished()
        yield result if error is None else task.failure(error)


def _run(key: Key, task: Task) -> tuple[Key, Any]:
    return key, task.run()
