"""Run tasks with joblib, on any of its backends, and have each result as it arrives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, Protocol, TypeVar

from joblib import Parallel, delayed, effective_n_jobs

__all__ = ["Task", "run_tasks"]

Key = TypeVar("Key", bound=Hashable)

TASKS_PER_JOB = 4  # of a chunk, where the backend returns whole lists


class Task(Protocol):
    """A unit of work that can be sent to another process."""

    def run(self) -> Any:
        """Do the work, and return the result; an error is a result too."""

    def failure(self, error: Exception) -> Any:
        """Return the result if the process died in `run`."""


def run_tasks(
    make_task: Callable[[Key], Task], keys: Iterable[Key], n_jobs: int | None
) -> Iterator[Any]:
    """Run tasks, and yield each result as it arrives.

    When a worker process dies, the tasks that were running are run again, one after the
    other, each in a process of its own; one whose process dies again has failed.

    Parameters
    ----------
    make_task : callable
        Makes the task of a key: when a job is soon free, so that few exist at once, and
        again if its process may have died.
    keys : iterable of hashable
        Of all tasks, each different.
    n_jobs : int or None
        Number of jobs; None means 1 unless `joblib.parallel_config` says otherwise,
        which also selects the backend. A single job runs in this process. A backend
        that cannot yield single results, such as ray's, gets chunks of a few tasks for
        each job.

    Yields
    ------
    object
        The results, in the order in which they arrive.
    """
    remaining = iter(keys)
    running: dict[Key, None] = {}

    def started() -> Iterator[tuple[Key, Task]]:
        for key in remaining:
            running[key] = None
            yield key, make_task(key)

    complete = False
    while not complete:
        try:
            for key, result in _parallel(started(), n_jobs):
                del running[key]
                yield result
            complete = True
        except BrokenProcessPool:  # by which task, nobody knows
            for key in running:
                yield _run_alone(make_task(key))
            running.clear()


def _run_alone(task: Task) -> Any:
    try:
        # A single job would run in this process.
        ((_, result),) = _parallel([(None, task)], n_jobs=2)
    except BrokenProcessPool as error:
        return task.failure(error)
    return result


def _parallel(
    tasks: Iterable[tuple[Key | None, Task]], n_jobs: int | None
) -> Iterator[tuple[Key, Any]]:
    calls = (delayed(_run)(key, task) for key, task in tasks)
    # One task a batch, so that no finished result waits for another; no array in shared
    # memory, since each is used by one task, and would stay there until the last.
    options: dict[str, Any] = {"n_jobs": n_jobs, "batch_size": 1, "max_nbytes": None}
    try:
        parallel = Parallel(**options, return_as="generator_unordered")
    except ValueError:  # from the backend
        parallel = Parallel(**options)
        size = TASKS_PER_JOB * effective_n_jobs(n_jobs)
        while chunk := list(islice(calls, size)):
            yield from parallel(chunk)
    else:
        yield from parallel(calls)


def _run(key: Hashable, task: Task) -> tuple[Hashable, Any]:
    return key, task.run()
