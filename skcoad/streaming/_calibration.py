"""What provisional scores look like on normal data: the calibrations of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import nn

from skcoad._typing import FloatArray
from skcoad.calibration import Deviation
from skcoad.calibration._tail import TAIL, TailCalibration
from skcoad.model import RESIDUALS, STATISTICS
from skcoad.neighbors import VIEWS

__all__ = ["ChannelCalibration", "ProvisionalCalibration", "Rarity"]

LARGEST = np.finfo(np.float64).max


class ChannelCalibration(nn.Module):
    """Of one channel.

    Parameters
    ----------
    with_residuals : bool
        Whether other channels predict this one.

    Attributes
    ----------
    views : TailCalibration
        Of the excess distance of the subsequence that ends now, in each view.
    statistics : Deviation
        Of the local statistics up to now.
    residuals : Deviation or None
        Of the residual and its mean up to now.
    score : TailCalibration
        Of the weighted quadratic mean of these.
    """

    def __init__(self, with_residuals: bool) -> None:
        super().__init__()
        self.views = TailCalibration(len(VIEWS))
        self.statistics = Deviation(len(STATISTICS))
        self.residuals = Deviation(len(RESIDUALS)) if with_residuals else None
        self.score = TailCalibration(1, extrapolate=True)


class ProvisionalCalibration(nn.Module):
    """Of all channels and of their aggregate.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.channels = cast(
            "Sequence[ChannelCalibration]",
            nn.ModuleList(
                ChannelCalibration(n_channels > 1) for _ in range(n_channels)
            ),
        )
        self.aggregate = TailCalibration(1, extrapolate=True)


class Rarity:
    """Some calibrations in numpy, whose calls cost a fraction of torch's.

    Parameters
    ----------
    calibrations : sequence of TailCalibration
        Their kinds are stacked.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skcoad.calibration import TailCalibration
    >>> from skcoad.streaming._calibration import Rarity
    >>> calibration = TailCalibration(1).fit(torch.arange(1000.0)[None])
    >>> Rarity([calibration])(np.array([[900.0, 2000.0]])).round(1)
    array([[1. , 8.6]])
    """

    def __init__(self, calibrations: Sequence[TailCalibration]) -> None:
        self._quantiles = torch.cat([c.quantiles for c in calibrations]).cpu().numpy()
        self._widths: FloatArray = np.diff(self._quantiles)
        self._widths[self._widths == 0] = np.inf
        self._kinds = np.arange(len(self._quantiles))[:, None]
        tail = torch.cat([c.tail_scale for c in calibrations]).cpu().numpy()
        self._decade = (tail * np.log(10))[:, None]
        limits = [
            np.full(
                len(c.quantiles),
                LARGEST if c.extrapolate else c.n_normal.log10().item(),
            )
            for c in calibrations
        ]
        self._limit = np.maximum(np.concatenate(limits), -np.log10(TAIL))[:, None]

    def __call__(self, evidence: FloatArray) -> FloatArray:
        """Express evidence in decades, as :class:`TailCalibration` does.

        Parameters
        ----------
        evidence : ndarray of shape (n_kinds, n_timestamps)
            No NaN. It is rounded to float32, as what it is compared with was.

        Returns
        -------
        ndarray of shape (n_kinds, n_timestamps)
            At least 0.
        """
        evidence = evidence.astype(np.float32)
        last = self._quantiles.shape[1] - 1
        right = np.array(
            [q.searchsorted(e) for q, e in zip(self._quantiles, evidence, strict=True)]
        )
        # numpy's clip costs several times as much.
        left = np.minimum(np.maximum(right - 1, 0), last - 1)
        at = self._kinds, left
        within = (evidence - self._quantiles[at]) / self._widths[at]
        within = np.minimum(np.maximum(within, 0), 1)
        excess = np.maximum(evidence - self._quantiles[:, -1:], 0) / self._decade
        counted = np.where(excess > 0, last, left + within)
        fraction = counted * ((1 - TAIL) / last)
        decades: FloatArray = excess - np.log10(1 - fraction)
        limit = self._limit
        if (decades > limit).any():
            slower = limit * (1 + np.log(np.maximum(decades, limit) / limit))
            decades = np.minimum(decades, slower)
        return decades
