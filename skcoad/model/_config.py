"""What determines the shapes of a model, and the checks of what a file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

import numpy as np

from skcoad._arguments import check_integer
from skcoad._typing import Branches, Encoder, Fusion, Masking
from skcoad.preprocessing import WindowPlan, plan_windows

__all__ = ["ModelConfig", "NetworkConfig"]


@dataclass(frozen=True)
class NetworkConfig:
    """Architecture of the network; see :class:`CoADNetwork`."""

    hidden_size: int = 32
    n_layers: int = 3
    encoder: Encoder = "conv"
    branches: Branches = "both"
    fusion: Fusion = "max"
    masking: Masking = "soft"


@dataclass(frozen=True)
class ModelConfig:
    """What determines the shapes of a model.

    Attributes
    ----------
    plan : WindowPlan
        Sizes of period, window, patch and step.
    n_timestamps, n_channels : int
        Shape of the training series.
    max_references : int
        Largest number of subsequences in an index; 0 for a model without neighbours.
    network : NetworkConfig or None
        None for a model without network, which needs no training.
    """

    plan: WindowPlan
    n_timestamps: int
    n_channels: int
    max_references: int
    network: NetworkConfig | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and names, which JSON knows."""
        return asdict(self) | {"plan": self.plan._asdict()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ModelConfig:
        """Make a configuration of what :meth:`to_dict` returned.

        Parameters
        ----------
        content : mapping
            May be anything: every value is checked.

        Returns
        -------
        ModelConfig

        Raises
        ------
        LookupError, TypeError, ValueError
            If a key is missing or unknown, or a value is none that a fit gives.
        """
        values = dict(content)
        plan, network = WindowPlan(**values.pop("plan")), values.pop("network")
        config = cls(
            plan=plan,
            network=None if network is None else NetworkConfig(**network),
            **values,
        )
        check_integer("n_timestamps", config.n_timestamps, 1)
        check_integer("n_channels", config.n_channels, 1)
        check_integer("max_references", config.max_references, 0)
        for name, size in plan._asdict().items():
            check_integer(name, size, 1)
        # The plan of a series of this length, without a series.
        series = np.broadcast_to(np.float64(0), (config.n_timestamps, 1))
        made = plan_windows(series, **plan._asdict())
        if plan != made:
            raise ValueError(f"{plan} is no plan that a fit makes, as {made} is")
        if config.network is not None:
            _check_network(config.network)
        return config


def _check_network(config: NetworkConfig) -> None:
    check_integer("hidden_size", config.hidden_size, 1)
    check_integer("n_layers", config.n_layers, 1)
    for name, options in {
        "encoder": Encoder,
        "branches": Branches,
        "fusion": Fusion,
        "masking": Masking,
    }.items():
        if getattr(config, name) not in get_args(options):
            raise ValueError(
                f"{name} is {getattr(config, name)!r}, none of {get_args(options)}"
            )
