"""Torch's state that other code of the process may have changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

__all__ = ["own_torch_state"]

if hasattr(os, "register_at_fork"):
    # A forked child has none of its parent's OpenMP threads, and would wait for them
    # for ever: it computes on one thread.
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


@contextmanager
def own_torch_state() -> Iterator[None]:
    """Compute as in a process in which nobody has changed torch's settings.

    Within, gradients are recorded, autocast is off, and new tensors are on the CPU.
    All of this belongs to the thread alone. The default dtype belongs to the whole
    process and is not touched: tensors of the package are made with a dtype.

    Examples
    --------
    >>> import torch
    >>> from skcoad._torch_state import own_torch_state
    >>> with torch.inference_mode(), torch.device("meta"), own_torch_state():
    ...     torch.is_grad_enabled(), torch.zeros(1).device
    (True, device(type='cpu'))
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        # Not always: torch then asks Python about each operation.
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield
