"""Files of format 1, brought to the layout of format 2 as far as they go.

Format 1 had a row for each channel in its tensors, other names, and no calibration:
what is missing is computed again from the training series, which the file holds.
"""

from __future__ import annotations

import torch
from torch import Tensor

from skcoad.io._schema import Json, get, require, take

__all__ = ["upgrade"]

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
        In the layout of format 2; see :mod:`skcoad.detectors._persistence`. Of the
        neighbours only the training series and its missing values are there.

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
    require(
        max_references > 0,
        "a detector of format 1 without neighbours has no training series to compute "
        "its calibration from; fit it again",
    )
    require(len(center) > 0 and len(scores) > 0, "there are no channels")
    for name, dtype in (("series", torch.float32), ("missing", torch.bool)):
        rows = take(tensors, f"references.{name}", dtype, len(center), len(scores))
        for channel, row in enumerate(rows):
            state[f"neighbors.{channel}.{name}"] = row.clone()
    for name in [name for name in tensors if name.startswith("references.")]:
        del tensors[name]

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
        "segment_threshold": get(content, "threshold", float),
        "model": model,
    }
    return content, tensors
