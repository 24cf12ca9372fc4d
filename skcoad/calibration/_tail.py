"""One unit for evidence of every kind: how rare it is on normal data."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["TailCalibration"]

N_QUANTILES = 512
TAIL = 0.05  # fraction of the normal data that the tail is fitted to
# Least scale of the tail, in the unit of the evidence (standard deviations,
# probability, decades): where normal data repeat exactly, any difference would be
# infinitely rare.
MIN_TAIL_SCALE = 0.02


class TailCalibration(nn.Module):
    """Survival function of several kinds of evidence on normal data.

    Evidence becomes ``-log10`` of the fraction of normal timestamps with at least as
    much of it: 1 is reached by a tenth of them, 2 by a hundredth. Up to the 95 %
    quantile the fraction is counted; beyond, the tail is exponential, with the mean
    excess of the normal data (the maximum-likelihood fit of the generalised Pareto tail
    of shape 0). That reaches to the rarest that `n_normal` timestamps can show, their
    logarithm in decades; what is rarer than all of them grows only with the logarithm
    of its decades, as by a heavy tail, since nothing was seen there.

    Parameters
    ----------
    n_kinds : int
        How many kinds of evidence.
    extrapolate : bool, default=False
        Whether the exponential goes on beyond what was seen, as it does for a score,
        whose height is compared with its surroundings.

    Attributes
    ----------
    quantiles : Tensor of shape (n_kinds, 512)
        From the least up to the 95 % quantile of the normal data.
    tail_scale : Tensor of shape (n_kinds,)
        Mean excess over that quantile.
    n_normal : Tensor of shape ()
        Number of normal timestamps.

    Examples
    --------
    >>> import torch
    >>> from skcoad.calibration._tail import TailCalibration
    >>> normal = torch.arange(1000.0)[None]
    >>> calibration = TailCalibration(1).fit(normal)
    >>> calibration(torch.tensor([[900.0, 2000.0]])).round(decimals=1)
    tensor([[1.0000, 8.6000]])
    """

    quantiles: Tensor
    tail_scale: Tensor
    n_normal: Tensor

    def __init__(self, n_kinds: int, extrapolate: bool = False) -> None:
        super().__init__()
        self.extrapolate = extrapolate
        quantiles = torch.zeros(n_kinds, N_QUANTILES, dtype=torch.float32)
        self.register_buffer("quantiles", quantiles)
        self.register_buffer("tail_scale", torch.ones(n_kinds, dtype=torch.float32))
        self.register_buffer("n_normal", torch.ones((), dtype=torch.float32))

    def fit(self, normal: Tensor) -> TailCalibration:
        """Estimate the survival function.

        Parameters
        ----------
        normal : Tensor of shape (n_kinds, n_timestamps)
            Evidence on normal data that is as unseen as what will be scored.

        Returns
        -------
        TailCalibration
            Itself.
        """
        ordered = normal.sort(-1).values + 0  # -0 is 0: steps of it have a sign
        n = ordered.shape[-1]
        levels = torch.linspace(0, 1 - TAIL, N_QUANTILES, dtype=torch.float64)
        position = levels * (n - 1)
        below = position.long().to(ordered.device)
        above = (below + 1).clamp_max(n - 1)
        part = (position - position.floor()).to(ordered)
        self.quantiles = torch.lerp(ordered[:, below], ordered[:, above], part)
        excess = (ordered - self.quantiles[:, -1:]).clamp_min(0)
        n_above = (excess > 0).sum(-1).clamp_min(1)
        self.tail_scale = excess.sum(-1) / n_above + MIN_TAIL_SCALE
        self.n_normal = torch.full_like(self.n_normal, n, device=normal.device)
        return self

    def forward(self, evidence: Tensor, kinds: slice = slice(None)) -> Tensor:
        """Express evidence in decades of rarity.

        Parameters
        ----------
        evidence : Tensor of shape (n_kinds, n_timestamps)
            In the units of what was fitted.
        kinds : slice, default=slice(None)
            Which of the fitted kinds they are; all by default.

        Returns
        -------
        Tensor of shape (n_kinds, n_timestamps)
            At least 0.
        """
        evidence = evidence.contiguous()
        quantiles = self.quantiles[kinds].contiguous()
        last = quantiles.shape[-1] - 1
        right = torch.searchsorted(quantiles, evidence).clamp(1, last)
        low = quantiles.gather(-1, right - 1)
        high = quantiles.gather(-1, right)
        within = ((evidence - low) / (high - low)).nan_to_num(0.0).clamp(0, 1)
        fraction = (right - 1 + within) / last * (1 - TAIL)
        excess = (evidence - quantiles[:, -1:]) / self.tail_scale[kinds, None]
        counted = 0 - torch.log10(1 - fraction)
        beyond = -math.log10(TAIL) + excess / math.log(10)
        if not self.extrapolate:
            limit = self.n_normal.log10().clamp_min(-math.log10(TAIL))
            slower = limit * (1 + (beyond.clamp_min(limit) / limit).log())
            beyond = torch.minimum(beyond, slower)
        return torch.where(excess > 0, beyond, counted)
