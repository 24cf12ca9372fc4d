"""The fitted model: one module that holds all that a detector learned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn

from skcoad._typing import (
    Aggregation,
    Branches,
    Encoder,
    FloatArray,
    Fusion,
    Masking,
    ScoreBy,
)
from skcoad.model._inference import ScoreComponents, score_components
from skcoad.model._network import CoADNetwork, initialise
from skcoad.model._training import (
    History,
    TrainingData,
    TrainingOptions,
    train,
)
from skcoad.neighbors import ChannelNeighbors
from skcoad.preprocessing import WindowPlan, plan_windows
from skcoad.preprocessing._calibration import MIN_TAIL_SCALE, TailCalibration
from skcoad.preprocessing._scaler import MAX_SCALED, Scaler

__all__ = ["SCORES", "CoADModel", "ModelConfig", "NetworkConfig", "ScoreCalibration"]

SCORES: tuple[ScoreBy, ...] = get_args(ScoreBy)


class ScoreCalibration(nn.Module):
    """What scores of one channel look like on normal data.

    Attributes
    ----------
    network : TailCalibration
        Of the smoothed probability and of the smoothed error.
    scores : TailCalibration
        Of the channel's score, one for each kind of :data:`SCORES`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = TailCalibration(2)
        self.scores = TailCalibration(len(SCORES))


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
        _check_integer("n_timestamps", config.n_timestamps, 1)
        _check_integer("n_channels", config.n_channels, 1)
        _check_integer("max_references", config.max_references, 0)
        for name, size in plan._asdict().items():
            _check_integer(name, size, 1)
        # The plan of a series of this length, without a series.
        series = np.broadcast_to(np.float64(0), (config.n_timestamps, 1))
        if plan != plan_windows(series, **plan._asdict()):
            raise ValueError(f"{plan} has a period longer than the window")
        if config.network is not None:
            _check_network(config.network)
        return config


class CoADModel(nn.Module):
    """Scaler, neighbours and network of a fitted detector.

    :meth:`fit` makes one of a training series, :meth:`from_state` of a saved state.
    Without network it is the training-free model of :class:`skcoad.NeighborsDetector`.

    Parameters
    ----------
    config : ModelConfig
        Determines all shapes; the values are not initialised.

    Attributes
    ----------
    scaler : Scaler
        Mean and standard deviation of each channel.
    neighbors : ModuleList of ChannelNeighbors, or None
        One for each channel.
    network : CoADNetwork or None
        Classifier and reconstructor, shared by all channels.
    calibrations : ModuleList of ScoreCalibration
        One for each channel; fitted by :func:`skcoad.scoring.calibrate_scores`.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.model import CoADModel
    >>> from skcoad.preprocessing import plan_windows
    >>> X = np.sin(np.arange(400.0) / 4)[:, None]
    >>> model, _ = CoADModel.fit(X, plan_windows(X), network=None)
    >>> components = model.components(X, channel=0)
    >>> components.value_distance.shape, model.receptive_field
    ((400,), 146)
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.scaler = Scaler(config.n_channels)
        self.neighbors: Sequence[ChannelNeighbors] | None = None
        if config.max_references > 0:
            self.neighbors = _channels(
                ChannelNeighbors(
                    config.plan, config.n_timestamps, config.max_references
                )
                for _ in range(config.n_channels)
            )
        self.calibrations = cast(
            "Sequence[ScoreCalibration]",
            nn.ModuleList(ScoreCalibration() for _ in range(config.n_channels)),
        )
        self.network: CoADNetwork | None = None
        if config.network is not None:
            self.network = CoADNetwork(
                config.plan.patch_size,
                **asdict(config.network),
                with_reference=config.max_references > 0,
            )

    @classmethod
    def fit(
        cls,
        X: FloatArray,
        plan: WindowPlan,
        *,
        max_references: int = 4096,
        network: NetworkConfig | None,
        options: TrainingOptions | None = None,
        generator: torch.Generator | None = None,
        device: torch.device | None = None,
        init: Callable[[CoADNetwork, torch.Generator], object] = initialise,
        **how: Any,
    ) -> tuple[CoADModel, History]:
        """Learn a model of a training series.

        Parameters
        ----------
        X : ndarray of shape (n_timestamps, n_channels)
            Mostly normal; NaN is missing.
        plan : WindowPlan
            Sizes.
        max_references : int, default=4096
            Largest number of subsequences in an index; 0 for no neighbours.
        network : NetworkConfig or None
            Architecture; None for no network.
        options : TrainingOptions, default=None
            How to train the network; the defaults if None.
        generator : torch.Generator, default=None
            On the CPU; the source of all randomness. A new one, seeded with 0, if None.
        device : torch.device, default=None
            Where to compute; the CPU if None.
        init : callable, default=initialise
            Sets the initial weights of the network, by the generator.
        **how
            `sample`, `schedule` and `callbacks` of :func:`train`.

        Returns
        -------
        model : CoADModel
            On the device, in evaluation mode.
        history : History
            Of the training.

        Raises
        ------
        FloatingPointError
            If the training diverges.
        """
        if generator is None:
            generator = torch.Generator().manual_seed(0)
        n_timestamps, n_channels = X.shape
        config = ModelConfig(plan, n_timestamps, n_channels, max_references, network)
        with torch.device("meta"):  # nothing is drawn from torch's global generator
            model = cls(config)
        model.scaler = Scaler(n_channels).fit(X)
        model.calibrations = cast(
            "Sequence[ScoreCalibration]",
            nn.ModuleList(ScoreCalibration() for _ in range(n_channels)).to(device),
        )
        scaled = [model.scaled(X, channel, device) for channel in range(n_channels)]
        if model.neighbors is not None:
            model.neighbors = _channels(
                ChannelNeighbors.build(x, plan, max_references, missing)
                for x, missing in scaled
            )
        history = History(0, [])
        if model.network is not None:
            model.network.to_empty(device="cpu")
            init(model.network, generator)
            model.network.to(device)
            # Skip constant channels in training, unless every channel is constant.
            varied = [i for i, (x, _) in enumerate(scaled) if x.std() > 0]
            chosen = varied or list(range(len(scaled)))
            data = TrainingData(
                plan,
                [scaled[i][0] for i in chosen],
                [scaled[i][1] for i in chosen],
                None
                if model.neighbors is None
                else [model.neighbors[i] for i in chosen],
            )
            history = train(
                model.network, data, options or TrainingOptions(), generator, **how
            )
        return model.eval(), history

    @classmethod
    def from_state(cls, config: ModelConfig, state: Mapping[str, Tensor]) -> CoADModel:
        """Make a model of its configuration and ``state_dict``.

        Nothing is allocated beside the tensors of the state: the shapes come from a
        model on the meta device, and must agree.

        Parameters
        ----------
        config : ModelConfig
            Of the saved model.
        state : mapping of str to Tensor
            Its ``state_dict``, on the CPU; the tensors become the model's.

        Returns
        -------
        CoADModel
            On the CPU, in evaluation mode.

        Raises
        ------
        ValueError
            If a tensor is missing or unknown, has another shape or dtype than the
            configuration says, or is not finite.
        """
        # Each channel and each layer has tensors of its own, so that the loops that
        # make the modules are bounded by the size of the state.
        layers = 0 if config.network is None else config.network.n_layers
        if max(layers, config.n_channels) > len(state):
            raise ValueError(
                f"{len(state)} tensors are too few for {config.n_channels} channels "
                f"and {layers} layers"
            )
        try:
            with torch.device("meta"):
                model = cls(config)
        except (RuntimeError, OverflowError, TypeError) as error:  # beyond 64 bits
            raise ValueError(f"no model has these sizes: {error}") from error
        expected = model.state_dict()
        wrong = sorted(expected.keys() ^ state.keys())
        if wrong:
            raise ValueError(f"there are missing or unknown tensors: {wrong[:3]}")
        for name, tensor in state.items():
            _check_tensor(name, tensor, expected[name])
        model.load_state_dict(dict(state), assign=True)
        for channel in model.neighbors or ():
            channel.attach()
        return model.eval()

    @property
    def receptive_field(self) -> int:
        """How far before or after it a value can influence an unsmoothed component."""
        return self.config.plan.receptive_field

    @property
    def device(self) -> torch.device:
        """Where the neighbours and the network are."""
        if self.network is not None:
            return self.network.mask_embedding.device
        if self.neighbors is not None:
            return self.neighbors[0].series.device
        return torch.device("cpu")

    def scaled(
        self, X: FloatArray, channel: int, device: torch.device | None = None
    ) -> tuple[Tensor, Tensor]:
        """Scale one channel; see :meth:`Scaler.transform`.

        Parameters
        ----------
        X : ndarray of shape (n_timestamps, n_channels)
            In the units of the training series.
        channel : int
            Which channel.
        device : torch.device, default=None
            Where the result is to be; the CPU if None.

        Returns
        -------
        scaled, missing : Tensor of shape (n_timestamps,)
        """
        scaled, missing = self.scaler.transform(X[:, channel], channel)
        return scaled.to(device), missing.to(device)

    def components(
        self, X: FloatArray, channel: int, aggregation: Aggregation = "mean"
    ) -> ScoreComponents:
        """Compute the components of the score of one channel.

        Parameters
        ----------
        X : ndarray of shape (n_timestamps, n_channels)
            In the units of the training series, at least a window long; NaN is missing.
        channel : int
            Which channel.
        aggregation : {"mean", "max"}, default="mean"
            How the scores of the windows that cover a timestamp are combined.

        Returns
        -------
        ScoreComponents
            Not smoothed; the reconstruction in the units of `X`.
        """
        x, missing = self.scaled(X, channel, self.device)
        profile = None
        if self.neighbors is not None:
            profile = self.neighbors[channel].profile(x, missing)
        components = score_components(
            self.network, x, missing, profile, self.config.plan, aggregation
        )
        return components._replace(
            reconstruction=self.scaler.inverse_transform(
                components.reconstruction, channel
            )
        )


def _check_integer(name: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:  # True is no number
        raise ValueError(f"{name} is {value!r}, no integer of at least {least}")


def _check_network(config: NetworkConfig) -> None:
    _check_integer("hidden_size", config.hidden_size, 1)
    _check_integer("n_layers", config.n_layers, 1)
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


def _channels(neighbors: Iterable[ChannelNeighbors]) -> Sequence[ChannelNeighbors]:
    return cast("Sequence[ChannelNeighbors]", nn.ModuleList(neighbors))


def _check_tensor(name: str, tensor: Tensor, expected: Tensor) -> None:
    if tensor.shape != expected.shape or tensor.dtype != expected.dtype:
        raise ValueError(
            f"tensor {name} is {tensor.dtype} of shape {tuple(tensor.shape)}, not "
            f"{expected.dtype} of shape {tuple(expected.shape)}"
        )
    if not tensor.isfinite().all():
        raise ValueError(f"tensor {name} has NaN or infinity")
    positive = ("scaler.scale", "difference_scale")
    if name.endswith(positive) and not (tensor > 0).all():
        raise ValueError(f"tensor {name} has a scale that is not above 0")
    if name.endswith("tail_scale") and (tensor < MIN_TAIL_SCALE / 2).any():
        raise ValueError(f"tensor {name} has a scale below {MIN_TAIL_SCALE}")
    if name.endswith("quantiles") and (tensor.diff(dim=-1) < -1e-6).any():
        raise ValueError(f"tensor {name} has quantiles that fall")
    largest = {"index.components": 1.001, ".series": MAX_SCALED}
    for ending, limit in largest.items():
        if name.endswith(ending) and (tensor.abs() > limit).any():
            raise ValueError(f"tensor {name} has a value above {limit}")
    if name.endswith("baselines") and (tensor < 0).any():
        raise ValueError(f"tensor {name} has a negative distance")
