"""A device other than the CPU, in software, to test what cannot be run on a GPU here.

Its tensors hold one of the CPU, on which everything is computed. But they are as strict
as those of a GPU: they refuse to be computed with tensors of the CPU, or to be read as
arrays of numpy, and it is counted where the program waits for them.

Setting it up cannot be undone, so it belongs in a process of its own.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from unittest import mock

import torch
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode

NAME = "simulated"
AVAILABLE = hasattr(backend_registration, "_setup_privateuseone_for_python_backend")
aten = torch.ops.aten
# What a value, or the size of a result, is read from the device for.
READING = {aten._local_scalar_dense, aten.equal, aten.nonzero, aten.masked_select}
READING |= {aten._unique2, aten.unique_dim, aten.unique_consecutive}
INDEXING = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}
COPYING = {aten._to_copy, aten.copy_}


class SimulatedTensor(torch.Tensor):
    """A tensor that is on the device, by name."""

    @staticmethod
    def __new__(cls, on_cpu: torch.Tensor) -> SimulatedTensor:
        return torch.Tensor._make_wrapper_subclass(
            cls,
            on_cpu.shape,
            strides=on_cpu.stride(),
            storage_offset=on_cpu.storage_offset(),
            dtype=on_cpu.dtype,
            device=torch.device(NAME, 0),
        )

    def __init__(self, on_cpu: torch.Tensor) -> None:
        self.on_cpu = on_cpu

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, operator, types, args=(), kwargs=None):
        raise AssertionError(f"{operator} outside of the simulation")

    def tolist(self):
        return self.cpu().tolist()

    def numpy(self, *args, **kwargs):
        raise TypeError(f"a tensor on {self.device} cannot be read as an array")


class Simulation(TorchDispatchMode):
    """Compute on the simulated device.

    Attributes
    ----------
    waits : Counter of (str, int)
        How often a line of the package, file and number, waited for the device.
    n_operations : int
        How often the device was told to compute something.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[tuple[str, int]] = Counter()
        self.n_operations = 0

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        tensors = list(_tensors((args, kwargs)))
        simulated = [x for x in tensors if isinstance(x, SimulatedTensor)]
        to_device = bool(simulated)
        if kwargs.get("device") is not None:
            to_device = torch.device(kwargs["device"]).type == NAME
        if not simulated and not to_device:
            return operator(*args, **kwargs)
        kind = operator.overloadpacket
        self.n_operations += not operator.is_view
        if simulated and kind not in COPYING | INDEXING:
            _check_same_device(operator, tensors)
        if simulated and _waits(kind, tensors, to_device):
            self.waits[_line_of_package()] += 1
        args, kwargs = _each(_to_cpu, args), _each(_to_cpu, kwargs)
        result = operator(*args, **kwargs)
        if not to_device:
            return result
        known = {id(x.on_cpu): x for x in simulated}
        return _each(lambda x: _to_device(x, known), result)


@contextlib.contextmanager
def simulation() -> Iterator[Simulation]:
    """Make the device known and compute on it within the context."""
    if not hasattr(torch, NAME):
        backend_registration._setup_privateuseone_for_python_backend(NAME)

    def inference_mode(mode=True):  # knows no tensors like these
        return torch.no_grad() if mode else contextlib.nullcontext()

    with mock.patch("torch.inference_mode", inference_mode), Simulation() as running:
        yield running


def _tensors(arguments) -> Iterator[torch.Tensor]:
    if torch.is_tensor(arguments):
        yield arguments
    elif isinstance(arguments, tuple | list | dict):
        parts = arguments.values() if isinstance(arguments, dict) else arguments
        for part in parts:
            yield from _tensors(part)


def _each(function, arguments):
    """Apply to whatever is nested in tuples, lists and dictionaries."""
    if isinstance(arguments, dict):
        return {name: _each(function, part) for name, part in arguments.items()}
    if isinstance(arguments, tuple | list):
        return type(arguments)(_each(function, part) for part in arguments)
    return function(arguments)


def _check_same_device(operator, tensors) -> None:
    """As on a GPU, only single numbers may come from the CPU."""
    if any(x.dim() and not isinstance(x, SimulatedTensor) for x in tensors):
        raise RuntimeError(f"{operator}: tensors of the CPU and of the device")


def _waits(kind, tensors, to_device: bool) -> bool:
    by_mask = kind in INDEXING and any(x.dtype == torch.bool for x in tensors[1:])
    return kind in READING or by_mask or (kind in COPYING and not to_device)


def _line_of_package() -> tuple[str, int]:
    frame = sys._getframe()
    while frame := frame.f_back:
        name = frame.f_code.co_filename
        if "/skcoad/" in name and "/tests/" not in name:
            return name.rpartition("/skcoad/")[2], frame.f_lineno
    return "", 0


def _to_cpu(x):
    if isinstance(x, SimulatedTensor):
        return x.on_cpu
    return torch.device("cpu") if isinstance(x, torch.device) else x


def _to_device(x, known):
    """Put on the device; what was changed in place stays the same tensor."""
    if not torch.is_tensor(x):
        return x
    return known[id(x)] if id(x) in known else SimulatedTensor(x)
