"""The peak memory of a piece of work."""

from __future__ import annotations

import sys
from pathlib import Path


def reset_peak_memory() -> bool:
    """Make the process's peak memory start again from what it holds now.

    Returns
    -------
    reset : bool
        False where the system cannot (only Linux can): the peak is then that of
        the process since it began.
    """
    try:
        # 5: "reset the peak resident set size", see proc(5).
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_memory() -> float | None:
    """Peak resident memory of this process, in MiB; None where it is not known."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    try:
        # Unlike ru_maxrss, VmHWM follows a reset.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)
