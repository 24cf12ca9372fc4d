"""What the tensors of a fitted model must be, whoever wrote the file."""

from __future__ import annotations

from torch import Tensor

from skcoad.calibration._tail import MIN_TAIL_SCALE
from skcoad.model._scaler import MAX_SCALED

__all__ = ["check_tensor"]


def check_tensor(name: str, tensor: Tensor, expected: Tensor) -> None:
    """Refuse a tensor that a fitted model cannot have.

    Parameters
    ----------
    name : str
        In the ``state_dict``; its ending says what it must be.
    tensor : Tensor
        From a file.
    expected : Tensor
        Of the right shape and dtype; may be on the meta device.

    Raises
    ------
    ValueError
        If shape or dtype are others, or a value is impossible.
    """
    if tensor.shape != expected.shape or tensor.dtype != expected.dtype:
        raise ValueError(
            f"tensor {name} is {tensor.dtype} of shape {tuple(tensor.shape)}, not "
            f"{expected.dtype} of shape {tuple(expected.shape)}"
        )
    if not tensor.isfinite().all():
        raise ValueError(f"tensor {name} has NaN or infinity")
    positive = (".scale", "difference_scale")
    if name.endswith(positive) and not (tensor > 0).all():
        raise ValueError(f"tensor {name} has a scale that is not above 0")
    if name.endswith("tail_scale") and (tensor < MIN_TAIL_SCALE / 2).any():
        raise ValueError(f"tensor {name} has a scale below {MIN_TAIL_SCALE}")
    if name.endswith("n_normal") and tensor < 1:
        raise ValueError(f"tensor {name} counts fewer than one timestamp")
    if name.endswith("quantiles") and (tensor.diff(dim=-1) < -1e-6).any():
        raise ValueError(f"tensor {name} has quantiles that fall")
    largest = {"index.components": 1.001, ".series": MAX_SCALED}
    for ending, limit in largest.items():
        if name.endswith(ending) and (tensor.abs() > limit).any():
            raise ValueError(f"tensor {name} has a value above {limit}")
    if (
        name.endswith("predictors")
        and not ((tensor >= 0) & (tensor < len(tensor))).all()
    ):
        raise ValueError(f"tensor {name} has a channel that does not exist")
    if name.endswith("explained") and not ((tensor >= 0) & (tensor <= 1)).all():
        raise ValueError(f"tensor {name} has a fraction outside [0, 1]")
    if name.endswith("baselines") and (tensor < 0).any():
        raise ValueError(f"tensor {name} has a negative distance")
