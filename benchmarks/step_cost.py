"""Measure what a step of training costs, and what might make it cheaper.

    python benchmarks/step_cost.py

A generated series with a period of 200; each variant is timed in turn, several times
over, and the medians are printed beside that of the first. Start-up (compiling) is
timed apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from skcoad import CoADDetector
from skcoad.datasets import make_series
from skcoad.model._training import MAX_GRADIENT_NORM, draw_batch, joint_loss

STEPS, ROUNDS = 20, 7


def make_step(
    *,
    bfloat16: bool = False,
    compiled: bool = False,
    learn: bool = True,
    **parameters: object,
) -> Callable[[], None]:
    """Make a function that draws one batch and learns from it."""
    series = make_series(20_000, period=200, anomalies=(), random_state=0).values
    detector = CoADDetector(max_steps=1, random_state=0, **parameters).fit(series)
    scaled = (series[:, 0] - detector.center_[0]) / detector.scale_[0]
    channel = torch.tensor(scaled, dtype=torch.float32)
    missing = torch.zeros(len(series), dtype=torch.bool)
    network = detector.network_.train()
    forward = torch.compile(network) if compiled else network
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    generator = torch.Generator().manual_seed(0)

    def step() -> None:
        batch = draw_batch(
            [channel],
            [missing],
            detector.references_,
            detector.plan_,
            detector.distortions,
            detector.distortion_lengths,
            detector.batch_size,
            generator,
        )
        if not learn:
            return
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            output = forward(batch.distorted, batch.counterpart, batch.missing)
        output = type(output)(*(part.float() for part in output))
        loss = joint_loss(output, batch.normal, batch.changed, batch.missing, 1.0)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        loss.item()

    return step


VARIANTS: dict[str, dict[str, object]] = {
    "the defaults": {},
    "drawing the batch alone": {"learn": False},
    "without references": {"max_references": 0},
    "bfloat16 autocast": {"bfloat16": True},
    "torch.compile": {"compiled": True},
    "batches of 16": {"batch_size": 16},
    "batches of 64": {"batch_size": 64},
    "windows of 4 periods": {"window_periods": 4},
    "GRU of 32": {"encoder": "gru"},
    "GRU of 144": {"encoder": "gru", "hidden_size": 144},
}


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    steps: dict[str, Callable[[], None]] = {}
    start_up, seconds = {}, {name: [] for name in VARIANTS}
    for name, variant in VARIANTS.items():
        try:
            step = make_step(**variant)  # type: ignore[arg-type]
            started = time.perf_counter()
            step()
        except Exception as error:  # no compiler, for one
            print(f"{name} does not run here: {type(error).__name__}")
            continue
        start_up[name] = time.perf_counter() - started
        steps[name] = step
    for _ in range(ROUNDS):
        for name, step in steps.items():
            started = time.perf_counter()
            for _ in range(STEPS):
                step()
            seconds[name].append((time.perf_counter() - started) / STEPS)
    print("| variant | ms a step | times the first | first step, s |")
    print("|---|---:|---:|---:|")
    base = np.median(seconds["the defaults"])
    for name in steps:
        median = np.median(seconds[name])
        print(
            f"| {name} | {1000 * median:.1f} | {median / base:.2f} "
            f"| {start_up[name]:.1f} |"
        )


if __name__ == "__main__":
    main()
