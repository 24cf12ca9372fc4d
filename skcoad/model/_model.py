"""The fitted model: one module that holds all that a detector learned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any, TypeVar, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn

from skcoad._device import channel_groups
from skcoad._progress import advance
from skcoad._threads import in_threads
from skcoad._typing import (
    Aggregation,
    ChannelAggregation,
    FloatArray,
    References,
    ScoreBy,
)
from skcoad.calibration import TailCalibration
from skcoad.model._config import ModelConfig, NetworkConfig
from skcoad.model._inference import EVIDENCE, ScoreComponents, score_components
from skcoad.model._network import CoADNetwork, initialise
from skcoad.model._regression import RESIDUALS, ChannelRegression
from skcoad.model._scaler import Scaler
from skcoad.model._statistics import STATISTICS, ChannelStatistics
from skcoad.model._tensors import check_tensor
from skcoad.model._training import History, TrainingData, TrainingOptions, train
from skcoad.neighbors import VIEWS, ChannelNeighbors, Profile, build_all
from skcoad.preprocessing import WindowPlan

__all__ = [
    "AGGREGATIONS",
    "SCORES",
    "CoADModel",
    "ModelConfig",
    "NetworkConfig",
    "ScoreCalibration",
]

SCORES: tuple[ScoreBy, ...] = get_args(ScoreBy)
AGGREGATIONS: tuple[ChannelAggregation, ...] = get_args(ChannelAggregation)
N_AGGREGATES = len(AGGREGATIONS) * len(SCORES)

# Rows of the evidence beside those of VIEWS.
_STATISTICS = slice(len(VIEWS), len(VIEWS) + len(STATISTICS))
_RESIDUALS = slice(len(EVIDENCE) - len(RESIDUALS), len(EVIDENCE))

ModuleT = TypeVar("ModuleT", bound=nn.Module)


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
        self.scores = TailCalibration(len(SCORES), extrapolate=True)


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
    statistics : ModuleList of ChannelStatistics, or None
        One for each channel; None without neighbours.
    regression : ChannelRegression or None
        Of each channel on others; None without neighbours or with a single channel.
    network : CoADNetwork or None
        Classifier and reconstructor, shared by all channels.
    calibrations : ModuleList of ScoreCalibration
        One for each channel; fitted by :func:`skcoad.scoring.calibrate_scores`.
    aggregate : TailCalibration
        Of the score of all channels, for each of :data:`AGGREGATIONS` one for each of
        :data:`SCORES`; fitted likewise, unless there is one channel only.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.model import CoADModel
    >>> from skcoad.preprocessing import plan_windows
    >>> X = np.sin(np.arange(400.0) / 4)[:, None]
    >>> model, _ = CoADModel.fit(X, plan_windows(X), network=None)
    >>> profile = model.profile(X, channel=0)
    >>> components = model.components(X, channel=0, profile=profile)
    >>> components.value_distance.shape, model.receptive_field
    ((400,), 148)
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.scaler = Scaler(config.n_channels)
        channels = range(config.n_channels)
        self.neighbors: Sequence[ChannelNeighbors] | None = None
        self.statistics: Sequence[ChannelStatistics] | None = None
        self.regression: ChannelRegression | None = None
        if config.max_references > 0:
            size = config.n_timestamps, config.max_references
            self.neighbors = _module_list(
                ChannelNeighbors(config.plan, *size) for _ in channels
            )
            self.statistics = _module_list(
                ChannelStatistics(config.plan) for _ in channels
            )
            if config.n_channels > 1:
                self.regression = ChannelRegression(config.plan, config.n_channels)
        self.calibrations = _module_list(ScoreCalibration() for _ in channels)
        self.aggregate = TailCalibration(N_AGGREGATES, extrapolate=True)
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
        scaled = [model.scaled(X, channel, device) for channel in range(n_channels)]
        model.learn_normal(scaled)
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

    def learn_normal(self, scaled: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Learn all but scaler and network, in place; calibrations remain to be fitted.

        Parameters
        ----------
        scaled : sequence of (Tensor, Tensor)
            Each channel of the training series, of shape (n_timestamps,): scaled, its
            missing values interpolated, and where they were.
        """
        plan, device = self.config.plan, scaled[0][0].device
        if self.neighbors is not None:
            groups = channel_groups(len(scaled), len(scaled[0][0]), device)
            together = [[scaled[channel] for channel in group] for group in groups]
            learned = in_threads(self._learn_channels, together)
            neighbors, statistics = zip(*chain.from_iterable(learned), strict=True)
            self.neighbors = _module_list(neighbors)
            self.statistics = _module_list(statistics)
        if self.regression is not None:
            self.regression = ChannelRegression(plan, len(scaled)).to(device)
            self.regression.fit(scaled.__getitem__)
        self.calibrations = _module_list(ScoreCalibration().to(device) for _ in scaled)
        self.aggregate = TailCalibration(N_AGGREGATES, extrapolate=True).to(device)

    def _learn_channels(
        self, scaled: Sequence[tuple[Tensor, Tensor]]
    ) -> list[tuple[ChannelNeighbors, ChannelStatistics]]:
        plan, device = self.config.plan, scaled[0][0].device
        neighbors = build_all(scaled, plan, self.config.max_references)
        statistics = [ChannelStatistics(plan).to(device).fit(*each) for each in scaled]
        advance(len(scaled) * len(scaled[0][0]))
        return list(zip(neighbors, statistics, strict=True))

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
            check_tensor(name, tensor, expected[name])
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
        reach = self.config.plan.period
        scaled, missing = self.scaler.transform(X[:, channel], channel, reach)
        return scaled.to(device), missing.to(device)

    def profile(
        self, X: FloatArray, channel: int, references: References = "train"
    ) -> Profile | None:
        """Compare one channel with its nearest neighbours; None without neighbours.

        Parameters
        ----------
        X : ndarray of shape (n_timestamps, n_channels)
            In the units of the training series; NaN is missing.
        channel : int
            Which channel.
        references : {"train", "past", "all"}, default="train"
            Where neighbours may be; see :meth:`ChannelNeighbors.profile`.

        Returns
        -------
        Profile or None
        """
        if self.neighbors is None:
            return None
        x, missing = self.scaled(X, channel, self.device)
        return self.neighbors[channel].profile(x, missing, references)

    def components(
        self,
        X: FloatArray,
        channel: int,
        profile: Profile | None,
        aggregation: Aggregation = "mean",
    ) -> ScoreComponents:
        """Compute the components of the score of one channel.

        Parameters
        ----------
        X : ndarray of shape (n_timestamps, n_channels)
            In the units of the training series, at least a window long; NaN is missing.
        channel : int
            Which channel.
        profile : Profile or None
            From :meth:`profile`.
        aggregation : {"mean", "max"}, default="mean"
            How the scores of the windows that cover a timestamp are combined.

        Returns
        -------
        ScoreComponents
            Not smoothed; the reconstruction in the units of `X`.
        """
        x, missing = self.scaled(X, channel, self.device)
        parts = score_components(
            self.network,
            x,
            missing,
            None if profile is None else profile.retrieved,
            self.config.plan,
            aggregation,
        )
        evidence = x.new_zeros(len(EVIDENCE), len(x))
        if profile is not None:
            evidence[: len(VIEWS)] = profile.evidence
        if self.statistics is not None:
            evidence[_STATISTICS] = self.statistics[channel](x, missing)
        if self.regression is not None:
            evidence[_RESIDUALS] = self.regression(self._scaled_channel(X), channel)
        components = ScoreComponents(*torch.cat([parts, evidence]).cpu().numpy())
        return components._replace(
            reconstruction=self.scaler.inverse_transform(
                components.reconstruction, channel
            )
        )

    def normal_components(
        self, X: FloatArray, channel: int, components: ScoreComponents
    ) -> ScoreComponents:
        """Components of the training series as if each part of it were new.

        Neighbours are never of the same timestamps, so their part is so already;
        statistics and residuals are cross-fitted. The network has seen it all.

        Parameters
        ----------
        X, channel : ndarray, int
            The training series, as for :meth:`components`.
        components : ScoreComponents
            What :meth:`components` gives for it.

        Returns
        -------
        ScoreComponents
        """
        evidence = np.stack(components[-len(EVIDENCE) :])
        if self.statistics is not None:
            normal = self.statistics[channel].normal(
                *self.scaled(X, channel, self.device)
            )
            evidence[_STATISTICS] = normal.cpu().numpy()
        if self.regression is not None:
            normal = self.regression.normal(self._scaled_channel(X), channel)
            evidence[_RESIDUALS] = normal.cpu().numpy()
        return ScoreComponents(*components[: -len(EVIDENCE)], *evidence)

    def evidence_weights(self, channel: int) -> FloatArray:
        """Weights of the :data:`EVIDENCE` of one channel, which sum to 1.

        Of values, and likewise of first differences, the mean correlation of a training
        subsequence with its nearest neighbour is the weight of the distances, and what
        it lacks of 1 that of the local statistics. The fraction of variance that other
        channels explain is the weight of the residuals.

        Parameters
        ----------
        channel : int
            Which channel.

        Returns
        -------
        ndarray of shape (n_evidence,)
            All 0 without neighbours.
        """
        weights = np.zeros(len(EVIDENCE))
        if self.neighbors is None:
            return weights
        explained = self.neighbors[channel].explained.cpu().numpy()
        by_kind = np.repeat(explained, len(VIEWS) // 2)
        weights[: len(VIEWS)], weights[_STATISTICS] = by_kind, 1 - by_kind
        if self.regression is not None:
            weights[_RESIDUALS] = self.regression.explained[channel].item()
        weights /= weights.sum()
        return weights

    def network_weight(self, channel: int) -> float:
        """Weight of the network's evidence in the joint score of one channel.

        The fraction of the variance of first differences that the nearest neighbours
        explain: where each timestamp brings something new, as in noise, no network can
        know it, and that it is surprised says less.

        Parameters
        ----------
        channel : int
            Which channel.

        Returns
        -------
        float
            From 0 to 1; 1 without neighbours.
        """
        if self.neighbors is None:
            return 1.0
        _, of_differences = self.neighbors[channel].explained.tolist()
        return float(of_differences) ** 2

    def _scaled_channel(self, X: FloatArray) -> Callable[[int], tuple[Tensor, Tensor]]:
        return lambda channel: self.scaled(X, channel, self.device)


def _module_list(modules: Iterable[ModuleT]) -> Sequence[ModuleT]:
    return cast("Sequence[ModuleT]", nn.ModuleList(modules))
