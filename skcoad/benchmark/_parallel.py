"""Run tasks with joblib; one whose process dies is a failed run, not the end of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import islice
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from skcoad.benchmark._results import Key, Result, key
from skcoad.benchmark._task import Task, failure, run_task

__all__ = ["run_tasks"]


def run_tasks(tasks: Iterable[Task], n_jobs: int | None) -> Iterator[Result]:
    """Run tasks side by side.

    When a backend breaks, because a worker was killed for instance, what it was working
    on is run again, one task after the other; one that breaks it again has failed.

    Parameters
    ----------
    tasks : iterable of Task
        Taken as workers become free.
    n_jobs : int or None
        As in :func:`skcoad.benchmark.run_benchmark`.

    Yields
    ------
    Result
        As they come.
    """
    waiting = iter(tasks)
    unfinished: dict[Key, Task] = {}

    def started() -> Iterator[Task]:
        for task in waiting:
            unfinished[task.key] = task
            yield task

    while True:
        try:
            for result in _parallel(started(), n_jobs):
                del unfinished[key(result)]
                yield result
        except Exception:  # of the backend: a task raises none
            for task in list(unfinished.values()):
                yield _run_alone(task, n_jobs)
                del unfinished[task.key]
        else:
            return


def _run_alone(task: Task, n_jobs: int | None) -> Result:
    try:
        (result,) = _parallel(iter([task]), n_jobs)
    except Exception as error:
        return failure(task, error)
    return result


def _parallel(tasks: Iterator[Task], n_jobs: int | None) -> Iterator[Result]:
    backend, _ = get_active_backend()
    if hasattr(backend, "client"):
        yield from _with_dask(backend.client, tasks)
        return
    calls: Iterator[Any] = (delayed(run_task)(task) for task in tasks)
    # One task a batch, so that no finished result waits for another; and no more tasks
    # than workers, so that few are to be run again when one breaks.
    options = {"n_jobs": n_jobs, "batch_size": 1, "pre_dispatch": "n_jobs"}
    if n_jobs == 1:
        # In a process of its own: joblib would run a single job in this one.
        options |= {"n_jobs": 2, "pre_dispatch": 1}
    if backend.supports_return_generator:
        yield from Parallel(return_as="generator_unordered", **options)(calls)
        return
    # Such as ray: what is finished comes at the end of a batch.
    while batch := list(islice(calls, effective_n_jobs(n_jobs))):
        yield from Parallel(**options)(batch)


def _with_dask(client: Any, tasks: Iterator[Task]) -> Iterator[Result]:
    """Run tasks on a cluster; joblib waits for ever for one that killed its workers."""
    distributed: Any = import_module("distributed")

    running = {}
    # With results, which would be lost with the worker that holds them.
    completed = distributed.as_completed(with_results=True, raise_errors=False)

    def start(n_tasks: int) -> None:
        for task in islice(tasks, n_tasks):
            future = client.submit(run_task, task, pure=False)
            running[future] = task
            completed.add(future)

    start(max(1, sum(client.ncores().values())))
    for future, result in completed:
        task = running.pop(future)
        start(1)
        if future.status == "error":  # Dask itself has tried other workers
            result = failure(task, future.exception())
        yield result
