"""Checks of the contents of a file, before anything is made of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

__all__ = ["InvalidDetectorError", "Json", "get", "parse", "require", "take"]

Json = dict[str, Any]


class InvalidDetectorError(ValueError):
    """The file holds no detector that this version can load."""


def require(condition: bool, message: str) -> None:
    """Raise InvalidDetectorError with a message unless a condition holds."""
    if not condition:
        raise InvalidDetectorError(message)


def parse(text: str | bytes, what: str) -> Json:
    """Read a JSON object.

    Parameters
    ----------
    text : str or bytes
        In UTF-8.
    what : str
        What to call it in an error.

    Returns
    -------
    dict

    Raises
    ------
    InvalidDetectorError
        If it is none.
    """
    try:
        value = json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidDetectorError(f"{what} is no JSON: {error}") from error
    require(isinstance(value, dict), f"{what} is no JSON object")
    return dict(value)


def get(content: Mapping[str, Any], name: str, kind: type) -> Any:
    """Return a value of exactly one type.

    Parameters
    ----------
    content : mapping
        A JSON object.
    name : str
        The key.
    kind : type
        The type; True is no int.

    Returns
    -------
    object

    Raises
    ------
    InvalidDetectorError
        If the key is missing, the value is of another type, or a float is not finite.
    """
    value = content.get(name)
    require(type(value) is kind, f"{name} is missing, or no {kind.__name__}")
    if isinstance(value, float):
        require(math.isfinite(value), f"{name} is not finite")
    return value


def take(
    tensors: dict[str, Tensor], name: str, dtype: torch.dtype, *shape: int | None
) -> Tensor:
    """Remove a tensor from the others and check it.

    Parameters
    ----------
    tensors : dict of str to Tensor
        Those of the file.
    name : str
        Which one.
    dtype : torch.dtype
        What it must be.
    *shape : int or None
        What it must have; None for any size.

    Returns
    -------
    Tensor

    Raises
    ------
    InvalidDetectorError
        If it is missing, different, or not finite.
    """
    require(name in tensors, f"tensor {name} is missing")
    tensor = tensors.pop(name)
    fits = len(tensor.shape) == len(shape) and all(
        wanted in (None, size) for size, wanted in zip(tensor.shape, shape, strict=True)
    )
    require(
        fits and tensor.dtype == dtype,
        f"tensor {name} is {tensor.dtype} of shape {tuple(tensor.shape)}, not {dtype} "
        f"of shape {shape}",
    )
    if dtype.is_floating_point:
        require(bool(tensor.isfinite().all()), f"tensor {name} has NaN or infinity")
    return tensor
