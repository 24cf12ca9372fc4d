"""The method of the paper: network, distortions, training."""

from __future__ import annotations

from skcoad.model._distortions import DISTORTIONS, distort
from skcoad.model._network import CoADNetwork

__all__ = ["DISTORTIONS", "CoADNetwork", "distort"]
