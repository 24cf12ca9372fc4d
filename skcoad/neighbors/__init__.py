"""Nearest normal subsequences."""

from __future__ import annotations

from skcoad.neighbors._channel import ChannelReference, changes, missing_changes
from skcoad.neighbors._index import ReferencePool

__all__ = ["ChannelReference", "ReferencePool", "changes", "missing_changes"]
