"""Compilation of loops for the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["compiled"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., object])


def compiled(**options: Any) -> Callable[[FunctionT], FunctionT]:
    """Compile a function when it is first called, and keep it for other processes.

    Parameters
    ----------
    **options
        Of :func:`numba.njit`. While the function runs, other threads may too.

    Returns
    -------
    callable
        Decorator.
    """

    def decorate(function: FunctionT) -> FunctionT:
        try:
            kernel = njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # no folder for the cache can be written to
            kernel = njit(nogil=True, **options)(function)
        return cast("FunctionT", kernel)

    return decorate
