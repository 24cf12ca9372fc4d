"""``python -m skcoad`` is the command ``skcoad``."""

from __future__ import annotations

import sys

from skcoad.cli._main import main

if __name__ == "__main__":
    sys.exit(main())
