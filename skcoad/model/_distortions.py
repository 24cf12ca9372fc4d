"""Distortions of normal windows that the classifier is trained on (appendix A).

A distortion replaces one segment of a window. Each is a plain function of the windows,
their segments and a generator that returns the replacement; outside of the segment its
result is not used. :data:`DISTORTIONS` names them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from skcoad._arguments import check_sequence

__all__ = ["DISTORTIONS", "PAPER_DISTORTIONS", "Segment", "distort"]

# A segment that changed by less than this, in standard deviations of the batch, is no
# anomaly: a constant segment that was mirrored, for instance.
MIN_CHANGE = 0.05


class Segment(NamedTuple):
    """One segment of each window.

    Attributes
    ----------
    start, length : Tensor of shape (B, 1)
        In points.
    offset : Tensor of shape (B, T)
        Position of each point of the window, counted from the start of the segment.
    """

    start: Tensor
    length: Tensor
    offset: Tensor

    @property
    def inside(self) -> Tensor:
        """Which points belong to the segment, bool of shape (B, T)."""
        return (self.offset >= 0) & (self.offset < self.length)

    def of(self, rows: Tensor) -> Segment:
        """Segments of some of the windows."""
        return Segment(self.start[rows], self.length[rows], self.offset[rows])


Distortion = Callable[[Tensor, Segment, torch.Generator], Tensor]


def distort(
    windows: Tensor,
    period: int,
    kinds: Sequence[str],
    lengths: tuple[float, float],
    generator: torch.Generator,
    fraction: float = 0.9,
) -> tuple[Tensor, Tensor]:
    """Distort a segment of each window, of random kind, position and length.

    Parameters
    ----------
    windows : Tensor of shape (B, T)
        Normal windows.
    period : int
        Dominant period in points.
    kinds : sequence of str
        Names from :data:`DISTORTIONS`; each window gets one of them.
    lengths : (float, float)
        Shortest and longest segment, in periods.
    generator : torch.Generator
        On the CPU; the source of all randomness.
    fraction : float, default=0.9
        Fraction of the windows that are distorted; the others are left unchanged.

    Returns
    -------
    distorted : Tensor of shape (B, T)
        The windows with their segments replaced.
    distortion_mask : Tensor of shape (B, T)
        Which points belong to a distorted segment, bool.

    Raises
    ------
    ValueError
        If `kinds` is text.

    References
    ----------
    Tang et al., "Bridging Classification and Reconstruction: Cooperative Time Series
    Anomaly Detection", KDD 2026, appendix A.

    Examples
    --------
    >>> import torch
    >>> from skcoad.model import distort
    >>> windows = torch.sin(torch.arange(40.0)).repeat(8, 1)
    >>> distorted, distortion_mask = distort(
    ...     windows,
    ...     period=10,
    ...     kinds=["flip", "jitter"],
    ...     lengths=(0.2, 1.0),
    ...     generator=torch.Generator().manual_seed(0),
    ... )
    >>> bool((distorted == windows)[~distortion_mask].all())
    True
    """
    check_sequence("kinds", kinds)
    b, t = windows.shape
    shortest = min(max(2, int(lengths[0] * period)), t)
    longest = min(max(shortest, int(lengths[1] * period)), t)
    length = torch.randint(shortest, longest + 1, (b, 1), generator=generator)
    start = (_uniform((b, 1), generator) * (t - length + 1)).long()
    kind = torch.randint(len(kinds), (b,), generator=generator)
    kind[_uniform((b,), generator) >= fraction] = -1
    device = windows.device
    segment = Segment(
        start.to(device),
        length.to(device),
        torch.arange(t, device=device) - start.to(device),
    )
    distorted = windows.clone()
    for number, name in enumerate(kinds):
        rows = (kind == number).nonzero()[:, 0].to(device)
        if len(rows):
            distorted[rows] = DISTORTIONS[name](
                windows[rows], segment.of(rows), generator
            )
    distorted = torch.where(segment.inside, distorted, windows)
    change = (distorted - windows).abs().amax(1, keepdim=True)
    return distorted, segment.inside & (change > MIN_CHANGE * windows.std())


def uniform(windows: Tensor, segment: Segment, generator: torch.Generator) -> Tensor:
    """Replace the segment by a constant within its range."""
    low, high = _range(windows, segment)
    return (low + (high - low) * _random(windows, generator)).expand_as(windows)


def flip(windows: Tensor, segment: Segment, generator: torch.Generator) -> Tensor:
    """Mirror the segment, at random in time (y axis) or in value (x axis)."""
    low, high = _range(windows, segment)
    backwards = _interpolate(
        windows, segment.start + segment.length - 1 - segment.offset.to(windows)
    )
    in_time = _random(windows, generator) < 0.5
    return torch.where(in_time, backwards, low + high - windows)


def time_warp(windows: Tensor, segment: Segment, generator: torch.Generator) -> Tensor:
    """Slow down or speed up the segment, at random, by a factor of 1.25 to 4."""
    factor = 1.25 + 2.75 * _random(windows, generator)
    longer = _random(windows, generator) < 0.5
    speed = torch.where(longer, 1 / factor, factor)
    return _interpolate(windows, segment.start + segment.offset * speed)


def jitter(windows: Tensor, segment: Segment, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise of 5 % of the window's range."""
    spread = 0.05 * (windows.amax(1, keepdim=True) - windows.amin(1, keepdim=True))
    noise = torch.randn(windows.shape, generator=generator, dtype=torch.float32)
    return windows + spread * noise.to(windows.device)


def amplitude(windows: Tensor, segment: Segment, generator: torch.Generator) -> Tensor:
    """Scale the segment about its mean by 0.2 to 0.8 or by 1.25 to 2.25."""
    smaller = 0.2 + 0.6 * _random(windows, generator)
    larger = 1.25 + _random(windows, generator)
    factor = torch.where(_random(windows, generator) < 0.5, smaller, larger)
    mean = _mean(windows, segment)
    return mean + (windows - mean) * factor


def bump(windows: Tensor, segment: Segment, generator: torch.Generator) -> Tensor:
    """Add a half sine of up to 30 % of the window's range, up or down."""
    spread = windows.amax(1, keepdim=True) - windows.amin(1, keepdim=True)
    height = 0.6 * (_random(windows, generator) - 0.5) * spread
    arch = torch.sin(math.pi * (segment.offset.to(windows) + 0.5) / segment.length)
    return windows + height * arch


def swap(windows: Tensor, segment: Segment, generator: torch.Generator) -> Tensor:
    """Insert the same segment of another window, at the mean of this one."""
    other = windows[torch.randperm(len(windows), generator=generator)]
    return other - _mean(other, segment) + _mean(windows, segment)


def smooth(windows: Tensor, segment: Segment, generator: torch.Generator) -> Tensor:
    """Average each point with its neighbours, a tenth of the mean segment each side."""
    radius = max(1, int(segment.length.float().mean()) // 10)
    padded = F.pad(windows, (radius, radius), mode="replicate")
    return F.avg_pool1d(padded[:, None], 2 * radius + 1, stride=1)[:, 0]


PAPER_DISTORTIONS: tuple[str, ...] = ("uniform", "flip", "time_warp", "jitter")

DISTORTIONS: dict[str, Distortion] = {
    "uniform": uniform,
    "flip": flip,
    "time_warp": time_warp,
    "jitter": jitter,
    "amplitude": amplitude,
    "bump": bump,
    "swap": swap,
    "smooth": smooth,
}


def _random(windows: Tensor, generator: torch.Generator) -> Tensor:
    """One number in [0, 1) for each window, ``(B, 1)``."""
    return _uniform((len(windows), 1), generator).to(windows.device)


def _uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=torch.float32)


def _range(windows: Tensor, segment: Segment) -> tuple[Tensor, Tensor]:
    outside = ~segment.inside
    low = windows.masked_fill(outside, torch.inf).amin(1, keepdim=True)
    high = windows.masked_fill(outside, -torch.inf).amax(1, keepdim=True)
    return low, high


def _mean(windows: Tensor, segment: Segment) -> Tensor:
    return (windows * segment.inside).sum(1, keepdim=True) / segment.length


def _interpolate(windows: Tensor, position: Tensor) -> Tensor:
    """Values of the windows at fractional positions, linearly interpolated.

    Positions beyond an end of the window are mirrored there, and clipped where the
    mirror image ends as well.
    """
    last = windows.shape[1] - 1
    position = position.abs()
    position = torch.where(position > last, 2 * last - position, position).clamp(
        0, last
    )
    left = position.floor().long().clamp_max(max(last - 1, 0))
    fraction = position - left
    right = (left + 1).clamp_max(last)
    return (
        windows.gather(1, left) * (1 - fraction) + windows.gather(1, right) * fraction
    )
