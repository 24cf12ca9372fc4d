"""Files of format 1, brought to the layout of format 2.

Format 1 had a row for each channel in its tensors, and other names; nothing else
changed, so that a detector from such a file scores as it did.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from skcoad.io._schema import Json, get, require, take

__all__ = ["upgrade"]

INDEX_TENSORS = {
    "components": "components",
    "held": "embeddings",
    "own": "baseline_distances",
}
NETWORK = ("hidden_size", "n_layers", "encoder", "branches", "fusion", "masking")


def upgrade(
    content: Json, tensors: dict[str, Tensor]
) -> tuple[Json, dict[str, Tensor]]:
    """Translate content and tensors.

    Parameters
    ----------
    content : dict
        The JSON object of a file of format 1.
    tensors : dict of str to Tensor
        Its tensors.

    Returns
    -------
    content, tensors : dict, dict of str to Tensor
        In the layout of format 2; see :mod:`skcoad.detectors._persistence`.

    Raises
    ------
    InvalidDetectorError
        If something is missing or does not fit.
    """
    parameters = dict(get(content, "parameters", dict))
    max_references = get(parameters, "reference_size", int)
    parameters["max_references"] = parameters.pop("reference_size")
    kinds = get(parameters, "distortions", list)
    parameters["distortions"] = ["time_warp" if k == "scale" else k for k in kinds]
    sizes = get(content, "plan", list)
    require(len(sizes) == 4, "the plan is not four sizes")

    tensors = dict(tensors)
    scores = take(tensors, "decision_scores", torch.float64, None)
    center = take(tensors, "center", torch.float64, None)
    state = {
        "scaler.center": center,
        "scaler.scale": take(tensors, "scale", torch.float64, len(center)),
    }
    for name in [name for name in tensors if name.startswith("network.")]:
        state[name] = tensors.pop(name)
    if max_references > 0:
        strides = get(content, "spacings", list)
        state |= _neighbors(tensors, sizes, strides, len(center), len(scores))
        for stride, length in zip(strides, [*_lengths(sizes), sizes[0]], strict=True):
            wanted = math.ceil((len(scores) - length + 1) / max_references)
            require(stride == wanted, f"there is no spacing of {stride}")

    model = {
        "plan": dict(
            zip(("period", "window_size", "patch_size", "step"), sizes, strict=True)
        ),
        "n_timestamps": len(scores),
        "n_channels": len(center),
        "max_references": max_references,
        "network": {name: parameters.get(name) for name in NETWORK},
    }
    tensors |= {f"model.{name}": tensor for name, tensor in state.items()}
    tensors["decision_scores"] = scores
    content = {
        **content,
        "class": "CoADDetector",
        "parameters": parameters,
        "model": model,
    }
    return content, tensors


def _lengths(sizes: list[int]) -> list[int]:
    """Lengths of the subsequences of values."""
    require(
        all(type(size) is int and size > 0 for size in sizes), "no sizes in the plan"
    )
    period, window_size = sizes[:2]
    return list(dict.fromkeys([period, min(2 * period, window_size)]))


def _neighbors(
    tensors: dict[str, Tensor],
    sizes: list[int],
    strides: list[int],
    n_channels: int,
    n_timestamps: int,
) -> dict[str, Tensor]:
    """State of the neighbours of all channels."""
    require(n_channels > 0 and n_timestamps > 0, "there are no channels")
    n_indexes = len(_lengths(sizes)) + 1
    require(len(strides) == n_indexes, f"{n_indexes} spacings are needed")
    shape = (n_channels, n_timestamps)
    scale = take(tensors, "references.change_scale", torch.float64, n_channels)
    rows = {
        "series": take(tensors, "references.series", torch.float32, *shape),
        "missing": take(tensors, "references.missing", torch.bool, *shape),
        "difference_scale": scale.float(),
    }
    for number in range(n_indexes):
        last = number == n_indexes - 1
        index = "differences" if last else f"values.{number}"
        for old, new in INDEX_TENSORS.items():
            inner = (None,) if old == "own" else (None, None)
            name = f"references.{number}.{old}"
            rows[f"{index}.{new}"] = take(
                tensors, name, torch.float32, n_channels, *inner
            )
    return {
        f"neighbors.{channel}.{name}": row[channel].clone()
        for name, row in rows.items()
        for channel in range(n_channels)
    }
