"""Methods that compute with one state of a detector, whatever else goes on."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any, TypeVar, cast

from skcoad._torch_state import own_torch_state

__all__ = ["on_one_fit"]

Method = TypeVar("Method", bound=Callable[..., Any])


def on_one_fit(method: Method) -> Method:
    """Compute with the detector as it is now, whatever other threads and libraries do.

    The method gets a shallow copy, so that a fit in another thread does not change the
    model between two of its steps; and it runs in torch's own state.
    """

    @wraps(method)
    def compute(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._score_training_series()
        with own_torch_state():
            return method(copy(self), *args, **kwargs)

    return cast(Method, compute)
