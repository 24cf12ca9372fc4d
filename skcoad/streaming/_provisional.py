"""Provisional scores: what can be said of a timestamp before anything follows it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from skcoad._typing import BoolArray, FloatArray, IntArray
from skcoad.model import RESIDUALS, CoADModel
from skcoad.scoring import ScoringOptions
from skcoad.scoring._aggregation import ChannelAggregate
from skcoad.streaming._calibration import ProvisionalCalibration, Rarity
from skcoad.streaming._evidence import CausalEvidence, Rows, Statistics

__all__ = ["ProvisionalScorer"]


class ProvisionalScorer:
    """Scores of the newest timestamps of a stream.

    They are made as the final ones are, of the same kinds of evidence with the same
    weights, but of causal evidence: the one subsequence that ends now takes the place
    of all that cover a timestamp, and means are over what came before. The network has
    no part in them. Everything has calibrations of its own, so that the unit is the
    same: 2 is exceeded by one of 100 normal timestamps.

    Parameters
    ----------
    model : CoADModel
        Fitted, with neighbours.
    options : ScoringOptions
        How its final scores are made.
    calibration : ProvisionalCalibration, default=None
        From an earlier scorer; by default, it is fitted to the training series, which
        the neighbours hold.
    """

    def __init__(
        self,
        model: CoADModel,
        options: ScoringOptions,
        calibration: ProvisionalCalibration | None = None,
    ) -> None:
        self._n_channels = model.config.n_channels
        self._how = options.channel_aggregation
        self._evidence = CausalEvidence(model)
        # Without residuals where there is a single channel; they come last.
        kinds = slice(None, None if self._n_channels > 1 else -len(RESIDUALS))
        self._weights = [
            model.evidence_weights(channel)[kinds]
            for channel in range(self._n_channels)
        ]
        if calibration is None:
            calibration = self._fit(model)
        self.calibration = calibration
        self._parts = []
        for channel in calibration.channels:
            deviations = [channel.statistics]
            if channel.residuals is not None:
                deviations.append(channel.residuals)
            center, scale = (
                torch.cat([getattr(deviation, name) for deviation in deviations])
                .cpu()
                .numpy()[:, None]
                for name in ("center", "scale")
            )
            rarity = Rarity([channel.views, *(each.calibration for each in deviations)])
            self._parts.append((center, scale, rarity, Rarity([channel.score])))
        self._aggregate = Rarity([calibration.aggregate])

    @property
    def history(self) -> int:
        """Timestamps before the scored ones that influence them."""
        return self._evidence.history

    @property
    def newest(self) -> dict[int, tuple[int, IntArray]]:
        """What the search knows of the timestamps scored last; {} before the first."""
        return dict(self._evidence.newest)

    @newest.setter
    def newest(self, newest: dict[int, tuple[int, IntArray]]) -> None:
        self._evidence.newest = newest

    def score(self, X: FloatArray, first: int, n_last: int) -> FloatArray:
        """Score the newest timestamps.

        Parameters
        ----------
        X : ndarray of shape (n_timestamps, n_channels)
            The end of the stream: the timestamps to score, and :attr:`history` before
            them or all that there is.
        first : int
            Position of its first timestamp in the stream.
        n_last : int
            How many timestamps to score.

        Returns
        -------
        ndarray of shape (n_last,)
            In decades; finite and at least 0.
        """
        rows = self._evidence.rows(X, first, n_last)
        aggregate = ChannelAggregate(self._how)
        for channel in range(self._n_channels):
            aggregate.add(self._score_channel(rows, channel))
        scores = aggregate.result()
        return scores if self._n_channels == 1 else self._aggregate(scores[None])[0]

    def peek(self, X: FloatArray, first: int, n_last: int) -> FloatArray:
        """Score timestamps that may not be those that come; see :meth:`score`."""
        newest = self.newest
        scores = self.score(X, first, n_last)
        self.newest = newest
        return scores

    def _score_channel(self, rows: Rows, channel: int) -> FloatArray:
        center, scale, rarity, score_rarity = self._parts[channel]
        values, observed = self._statistics(rows, channel)
        deviation = np.abs(values.astype(np.float32) - center) / scale
        excess = self._evidence.excess(rows, channel)
        evidence = rarity(np.concatenate([excess, deviation]))
        evidence[: len(excess)] *= self._evidence.coverage(rows, channel)
        evidence[len(excess) :][~observed] = 0
        combined = np.sqrt(self._weights[channel] @ np.square(evidence))
        scores: FloatArray = score_rarity(combined[None])[0]
        scores[rows.missing[channel, -rows.n_last :]] = 0  # a hole is no alarm
        return scores

    def _statistics(self, rows: Rows, channel: int) -> Statistics:
        local = self._evidence.statistics(rows, channel)
        if self._n_channels == 1:
            return local
        pairs = zip(local, self._evidence.residuals(rows, channel), strict=True)
        return Statistics(*(np.concatenate(pair) for pair in pairs))

    def _fit(self, model: CoADModel) -> ProvisionalCalibration:
        """Calibrate on the training series, as if each part of it were new."""
        assert model.neighbors is not None
        x = np.stack([channel.series.cpu().numpy() for channel in model.neighbors])
        missing = np.stack([c.missing.cpu().numpy() for c in model.neighbors])
        n = x.shape[1]
        rows = self._evidence.filled(x, missing, first=0, n_last=n)
        complete = slice(min(model.config.plan.period, n) - 1, None)
        calibration = ProvisionalCalibration(self._n_channels)
        normal = ChannelAggregate(self._how)
        for channel, fitted in enumerate(calibration.channels):
            excess = _tensor(self._evidence.normal_excess(rows, channel))
            coverage = _tensor(self._evidence.coverage(rows, channel))
            whole = (coverage == 1).all(0)
            whole[: complete.start] = False
            fitted.views.fit(excess[:, whole] if whole.any() else excess)
            evidence = [fitted.views(excess) * coverage]
            local = _tensors(self._evidence.statistics(rows, channel))
            evidence.append(fitted.statistics.fit(*local).normal(*local))
            if fitted.residuals is not None:
                others = _tensors(self._normal_residuals(model, rows, channel))
                evidence.append(fitted.residuals.fit(*others).normal(*others))
            squares = torch.cat(evidence).double().square().numpy()
            combined = _tensor(np.sqrt(self._weights[channel] @ squares))[None]
            observed = torch.from_numpy(~missing[channel])
            observed[: complete.start] = False
            kept = combined[:, observed] if observed.any() else combined
            scores = fitted.score.fit(kept)(combined)[0]
            normal.add(torch.where(observed, scores, 0).double().numpy())
        if self._n_channels > 1:
            calibration.aggregate.fit(_tensor(normal.result()[None, complete]))
        return calibration

    def _normal_residuals(
        self, model: CoADModel, rows: Rows, channel: int
    ) -> Statistics:
        """Residuals of each half of the training series by weights of the other."""
        assert model.regression is not None

        def scaled(i: int) -> tuple[Tensor, Tensor]:
            device = model.device
            return (
                _tensor(rows.x[i]).to(device),
                torch.from_numpy(rows.missing[i]).to(device),
            )

        residual, missing = model.regression.cross_fitted(scaled, channel)
        return self._evidence.residual_statistics(
            residual.cpu().numpy().astype(np.float64),
            missing.cpu().numpy(),
            rows.n_last,
        )


def _tensor(x: FloatArray) -> Tensor:
    return torch.tensor(x, dtype=torch.float32)


def _tensors(statistics: Statistics) -> tuple[Tensor, Tensor]:
    observed: BoolArray = statistics.observed
    return _tensor(statistics.values), torch.from_numpy(observed)
