"""Peak memory of this process."""

from __future__ import annotations

import sys
from pathlib import Path


def reset_peak_memory() -> bool:
    """Reset the process's peak resident memory to its present value.

    Returns
    -------
    reset : bool
        False where the system offers no reset (only Linux does): the peak is then
        that since the process started.
    """
    try:
        # 5: "reset the peak resident set size", see proc(5).
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_memory() -> float | None:
    """Peak resident memory of this process, in MiB; None where it is unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    try:
        # Unlike ru_maxrss, VmHWM respects a reset.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)
