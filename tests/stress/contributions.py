"""Draw detectors, series and parts of them, and see whether contributions add up.

``python tests/stress/contributions.py --cases 10000`` explains as many timestamps; one
fails where the contributions of all channels and components differ from the score that
``decision_function`` gives by more than 1e-9, relative to scores above 1.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd

from skcoad import CoADDetector, NeighborsDetector
from skcoad.model import SCORES

TOLERANCE = 1e-9


def draw_detector(rng: np.random.Generator) -> Any:
    """A detector that is not fitted yet, of any kind."""
    how = {
        "channel_aggregation": str(rng.choice(["rms", "mean", "max"])),
        "references": str(rng.choice(["train", "past", "all"], p=[0.8, 0.1, 0.1])),
    }
    if rng.random() < 0.6:
        return NeighborsDetector(**how)
    neighbors = rng.random() < 0.7
    kinds = [kind for kind in SCORES if neighbors or kind != "neighbors"]
    return CoADDetector(
        **(how if neighbors else how | {"references": "train"}),
        max_references=512 if neighbors else 0,
        score_by=str(rng.choice(kinds)),
        smoothing=float(rng.choice([0.0, 0.5, 1.5])),
        max_steps=2,
        random_state=int(rng.integers(1000)),
    )


def draw_series(rng: np.random.Generator, n_timestamps: int) -> pd.DataFrame:
    """Waves and noise with faults, missing values and rows that are missing in time."""
    n_channels = int(rng.integers(1, 5))
    period = int(rng.integers(10, 40))
    time = np.arange(n_timestamps)[:, None]
    X = np.sin(2 * np.pi * (time + rng.uniform(0, period, n_channels)) / period)
    X += rng.choice([0.02, 0.3]) * rng.normal(size=X.shape)
    X *= 10 ** rng.uniform(-3, 6, n_channels)
    for _ in range(int(rng.integers(0, 4))):
        start, length = rng.integers(n_timestamps), rng.integers(1, 60)
        channel = rng.integers(n_channels)
        fault = rng.choice([np.nan, 0.0, 1e3 * np.abs(X[:, channel]).max()])
        X[start : start + length, channel] = fault
    index = pd.date_range("2026-01-01", periods=n_timestamps, freq="h")
    frame = pd.DataFrame(X, index=index, columns=[f"c{i}" for i in range(n_channels)])
    if rng.random() < 0.3:
        start = int(rng.integers(n_timestamps // 2, n_timestamps - 40))
        frame = frame.drop(frame.index[start : start + int(rng.integers(1, 30))])
    return frame


def differences(rng: np.random.Generator) -> np.ndarray:
    """How far the sum is from the score, at each timestamp of a drawn series."""
    series = draw_series(rng, int(rng.integers(300, 700)))
    detector = draw_detector(rng).fit(series[: len(series) // 2])
    start, stop = np.sort(rng.choice(len(series) + 1, 2, replace=False))
    # Scores at hand half of the time: they take the short cut.
    known = detector.channel_scores(series) if rng.random() < 0.5 else None
    explained = detector.explain(
        series, start=int(start), stop=int(stop), channel_scores=known
    )
    score = detector.decision_function(series)[start:stop]
    total = explained.contributions.sum(axis=(1, 2))
    below_0 = (explained.contributions < 0).any(axis=(1, 2))
    return np.where(below_0, np.inf, np.abs(total - score) / np.maximum(score, 1))


def main() -> None:
    """Run the cases, and say how far the worst one is off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    worst, done, n_series = 0.0, 0, 0
    while done < arguments.cases:
        found = differences(rng)
        worst = max(worst, float(found.max()))
        done, n_series = done + len(found), n_series + 1
        if worst > TOLERANCE:
            raise SystemExit(f"series {n_series}: off by {worst:.1e}")
    print(f"{done} timestamps of {n_series} series, at most {worst:.1e} off")


if __name__ == "__main__":
    main()
