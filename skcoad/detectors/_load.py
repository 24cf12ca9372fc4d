"""Any detector from its file."""

from __future__ import annotations

import os

from skcoad.detectors._base import TimeSeriesDetector
from skcoad.detectors._coad import CoADDetector
from skcoad.detectors._neighbors import NeighborsDetector
from skcoad.detectors._persistence import load_detector

__all__ = ["load"]


def load(path: str | os.PathLike[str]) -> TimeSeriesDetector:
    """Load a detector of either class from what its ``save`` wrote.

    Parameters
    ----------
    path : str or path-like
        File to read.

    Returns
    -------
    CoADDetector or NeighborsDetector
        As :meth:`skcoad.detectors.CoADDetector.load` gives it.

    Raises
    ------
    InvalidDetectorError
        A ValueError: if the file is damaged, is no such file, or needs a later version
        of skcoad.
    OSError
        If there is no such file, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.detectors import load
    >>> detector = NeighborsDetector().fit(np.sin(np.arange(400.0) / 4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     detector.save(Path(folder, "detector.safetensors"))
    ...     load(Path(folder, "detector.safetensors"))
    NeighborsDetector()
    """
    detector: TimeSeriesDetector = load_detector(path, CoADDetector, NeighborsDetector)
    return detector
