"""Independent parts of a computation, each on a thread of its own.

Series of the usual length make small tensors, on which torch's own threads mostly wait
for one another. So the threads that torch may use (``torch.get_num_threads()``, by
default one for each core) are given to channels and views instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

import torch

__all__ = ["in_threads", "one_thread"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(
    function: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[Result]:
    """Apply a function to each item, on as many threads as torch may use.

    These threads are shared among the items, so that what is nested in one of few
    still has several. Results and errors are those of ``map(function, items)``.

    Parameters
    ----------
    function : callable
        Computes with torch or without the interpreter's lock; safe to call at once.
    items : sequence
        Its arguments.

    Yields
    ------
    object
        Results in the order of the items. Few more are computed ahead than threads.

    Examples
    --------
    >>> from skcoad._threads import in_threads
    >>> list(in_threads(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    n_threads = torch.get_num_threads()
    n_workers = min(n_threads, len(items))
    if n_workers < 2:
        yield from map(function, items)
        return
    remaining = iter(items)
    running: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(
        n_workers, initializer=torch.set_num_threads, initargs=(n_threads // n_workers,)
    )

    def start(n_items: int) -> None:
        for item in islice(remaining, n_items):
            running.append(pool.submit(copy_context().run, function, item))

    try:
        start(n_workers)
        while running:
            result = running.popleft().result()
            start(1)
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(n_threads)  # also what threads to come begin with


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch, and the libraries it calls, compute on this thread alone.

    Examples
    --------
    >>> import torch
    >>> from skcoad._threads import one_thread
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
