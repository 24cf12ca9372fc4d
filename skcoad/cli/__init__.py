"""The command ``skcoad``."""

from __future__ import annotations

from skcoad.cli._main import main

__all__ = ["main"]
