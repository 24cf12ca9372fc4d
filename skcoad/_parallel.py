"""Run tasks with joblib, on any of its backends, and have each result as it arrives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from joblib import Parallel, effective_n_jobs

__all__ = ["run_tasks"]

TASKS_PER_JOB = 4  # of a chunk, where the backend returns whole lists


def run_tasks(tasks: Iterable[Any], n_jobs: int | None) -> Iterator[Any]:
    """Run tasks, and yield each result as it arrives.

    Parameters
    ----------
    tasks : iterable
        Made by ``joblib.delayed``; taken from the iterable when a job is soon free,
        so that few exist at once.
    n_jobs : int or None
        Number of jobs; None means 1 unless `joblib.parallel_config` says otherwise,
        which also selects the backend. A backend that cannot yield single results,
        such as ray's, gets chunks of a few tasks for each job.

    Yields
    ------
    object
        The results, in the order in which they arrive.

    Examples
    --------
    >>> from joblib import delayed
    >>> from skcoad._parallel import run_tasks
    >>> sorted(run_tasks((delayed(abs)(x) for x in (-2, 1)), n_jobs=1))
    [1, 2]
    """
    # One task a batch, so that no finished result waits for another; no array in shared
    # memory, since each is used by one task, and would stay there until the last.
    options: dict[str, Any] = {"n_jobs": n_jobs, "batch_size": 1, "max_nbytes": None}
    try:
        parallel = Parallel(**options, return_as="generator_unordered")
    except ValueError:  # from the backend
        parallel = Parallel(**options)
        remaining = iter(tasks)
        while chunk := list(
            islice(remaining, TASKS_PER_JOB * effective_n_jobs(n_jobs))
        ):
            yield from parallel(chunk)
    else:
        yield from parallel(tasks)
