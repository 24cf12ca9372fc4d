"""Generated situations, each with an anomaly of a known kind: the scenario suite.

A scenario is a function that takes a numpy Generator and returns a short series with
its labels; its docstring says what happens. All have 2,000 timestamps for training and
2,500 for testing; periodic signals have a period of 50, standard deviation 1 and noise
of 0.1 unless they say otherwise.
"""

from __future__ import annotations

import numpy as np

from skcoad._arguments import check_integer
from skcoad.datasets._series import Series
from skcoad.datasets.scenarios._base import N_TRAIN, Generate, Scenario
from skcoad.datasets.scenarios._channels import CHANNELS
from skcoad.datasets.scenarios._events import EVENTS
from skcoad.datasets.scenarios._irregular import IRREGULAR
from skcoad.datasets.scenarios._periodic import PERIODIC

__all__ = ["SCENARIOS", "Scenario", "make_scenario"]

SEEDS: dict[Generate, int] = IRREGULAR | PERIODIC | EVENTS | CHANNELS
SCENARIOS: dict[str, Generate] = {generate.__name__: generate for generate in SEEDS}
"""The scenarios by name."""


def make_scenario(name: str, draw: int = 0) -> Series:
    """Generate a series of a scenario.

    Parameters
    ----------
    name : str
        A key of `SCENARIOS`.
    draw : int, default=0
        Which of the series: each non-negative number gives another one. A series
        depends on nothing but the name and the draw.

    Returns
    -------
    series : Series
        Named ``"{name}-{draw}"``.

    Raises
    ------
    ValueError
        If there is no such scenario, or `draw` is negative or no integer.

    Examples
    --------
    >>> from skcoad.datasets import make_scenario
    >>> make_scenario("holiday", 1)
    Series('holiday-1', 4500 timestamps, 1 channel(s), train_length=2000, 48 anomalous)
    """
    if name not in SCENARIOS:
        raise ValueError(f"unknown scenario {name!r}, choose from {list(SCENARIOS)}")
    check_integer("draw", draw, 0)
    generate = SCENARIOS[name]
    values, labels = generate(np.random.default_rng([SEEDS[generate], draw]))
    return Series(values, labels, N_TRAIN, f"{name}-{draw}")
