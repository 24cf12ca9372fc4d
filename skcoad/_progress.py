"""A bar for long work, advanced wherever the work is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

from tqdm import tqdm

__all__ = ["advance", "progress"]

DELAY = 1.0  # seconds after which a bar is worth showing

_bar: ContextVar[Any] = ContextVar("bar", default=None)
_advancing = Lock()


@contextmanager
def progress(what: str, total: int, *, shown: Any) -> Iterator[None]:
    """Show how much is done of what follows, and how long the rest takes.

    On standard error, and only if it takes longer than a second.

    Parameters
    ----------
    what : str
        What is done.
    total : int
        How many values it is done to; :func:`advance` counts them.
    shown : bool or int
        Whether to show anything at all.
    """
    bar = None
    if shown:  # tqdm makes a semaphore, which a worker that Ctrl-C ends leaves behind
        bar = tqdm(total=total, desc=what, unit="value", unit_scale=True, delay=DELAY)
    token = _bar.set(bar)
    try:
        yield
    finally:
        _bar.reset(token)
        if bar is not None:
            bar.close()


def advance(n_values: int) -> None:
    """Count values that are done, in the innermost :func:`progress` if there is one."""
    bar = _bar.get()
    if bar is None:
        return
    with _advancing:  # channels are computed at once
        bar.update(n_values)
        if bar.n >= bar.total:
            bar.close()  # whatever shows its own bar next begins on a line of its own
