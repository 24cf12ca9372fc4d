"""One unit for evidence of every kind: how rare it is on normal data, in decades.

``_tail.py`` learns the unit from values that are large where something is unusual,
``_deviation.py`` from statistics that may be unusual on either side.
"""

from __future__ import annotations

from skcoad.calibration._deviation import Deviation
from skcoad.calibration._tail import TailCalibration

__all__ = ["Deviation", "TailCalibration"]
