"""Measure the cost of a training step, and of possible ways to reduce it.

    python benchmarks/step_cost.py

Made the table "What a step of training costs" of docs/defaults.md.

A synthetic series with a period of 200. Each variant is timed in turn, several times
over; the medians are printed with their ratio to that of the first variant. The first
step, in which `torch.compile` compiles, is timed separately. One thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from skcoad import CoADDetector
from skcoad.datasets import make_series
from skcoad.model import (
    CoADOutput,
    TrainingData,
    TrainingOptions,
    sample_batch,
    train_step,
)

Step = Callable[[], None]

# The first is what the others are compared with.
VARIANTS: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "drawing the batch alone": {"update": False},
    "without neighbours": {"max_references": 0},
    "bfloat16 autocast": {"bfloat16": True},
    "torch.compile": {"compiled": True},
    "batches of 16": {"batch_size": 16},
    "batches of 64": {"batch_size": 64},
    "windows of 4 periods": {"window_periods": 4},
    "GRU of 32": {"encoder": "gru"},
    "GRU of 144": {"encoder": "gru", "hidden_size": 144},
}


class Autocast(nn.Module):
    """Run a network in bfloat16; its parameters and output stay in single precision.

    Parameters
    ----------
    network : nn.Module
        Returns a `CoADOutput`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *args: Any) -> CoADOutput:
        """Call the network."""
        with torch.autocast("cpu", torch.bfloat16):
            output: CoADOutput = self.network(*args)
        return CoADOutput(*(part.float() for part in output))


def make_step(
    *,
    n_timestamps: int = 20_000,
    period: int = 200,
    update: bool = True,
    bfloat16: bool = False,
    compiled: bool = False,
    **parameters: Any,
) -> Step:
    """Make a function that draws one batch and updates a network by it.

    Parameters
    ----------
    n_timestamps, period : int, default=20000 and 200
        Of the synthetic series.
    update : bool, default=True
        False for drawing the batch alone.
    bfloat16, compiled : bool, default=False
        Run the network under autocast, or compile it.
    **parameters
        Of `CoADDetector`.

    Returns
    -------
    callable
    """
    series = make_series(n_timestamps, period=period, anomalies=(), random_state=0)
    detector = CoADDetector(max_steps=1, random_state=0, **parameters)
    model = detector.fit(series.values).model_
    x, missing = model.scaled(series.values, channel=0)
    data = TrainingData(model.config.plan, [x], [missing], model.neighbors)
    options = TrainingOptions(batch_size=detector.batch_size)
    network: nn.Module = detector.network_.train()
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    if bfloat16:
        network = Autocast(network)
    if compiled:
        network.compile()
    generator = torch.Generator().manual_seed(0)

    def step() -> None:
        batch = sample_batch(data, options, generator)
        if update:
            train_step(network, optimizer, batch, options.loss_weight)

    return step


def time_steps(steps: dict[str, Step], n_steps: int, n_rounds: int) -> dict[str, float]:
    """Time steps in turn.

    Parameters
    ----------
    steps : dict of str to callable
        By name.
    n_steps : int
        Steps of one variant before the next has its turn.
    n_rounds : int
        Turns of each variant.

    Returns
    -------
    dict of str to float
        Median seconds per step.
    """
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(n_rounds):
        for name, step in steps.items():
            started = time.perf_counter()
            for _ in range(n_steps):
                step()
            seconds[name].append((time.perf_counter() - started) / n_steps)
    return {name: float(np.median(seconds[name])) for name in steps}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20, help="per turn")
    parser.add_argument("--rounds", type=int, default=7, help="turns per variant")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    steps: dict[str, Step] = {}
    first_step: dict[str, float] = {}
    for name, variant in VARIANTS.items():
        try:
            step = make_step(**variant)
            started = time.perf_counter()
            step()
        except Exception as error:  # e.g. no compiler for torch.compile
            print(f"{name} does not run here: {type(error).__name__}")
            continue
        first_step[name] = time.perf_counter() - started
        steps[name] = step
    medians = time_steps(steps, arguments.steps, arguments.rounds)
    print("| variant | ms a step | times the first | first step, s |")
    print("|---|---:|---:|---:|")
    base = medians["the defaults"]
    for name, median in medians.items():
        print(
            f"| {name} | {1000 * median:.1f} | {median / base:.2f} "
            f"| {first_step[name]:.1f} |"
        )


if __name__ == "__main__":
    main()
