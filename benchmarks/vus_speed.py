"""Time VUS-PR and VUS-ROC side by side with TSB-AD's own implementation.

    python benchmarks/vus_speed.py --lengths 10000 100000 1000000 --window 100

TSB-AD's column stays empty where it is not installed. Its metrics need no more than

    pip install --no-deps TSB-AD

and scikit-learn. TSB-AD computes both volumes in one call; ours is the sum of one
call of `vus_pr` and one of `vus_roc`.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings

import numpy as np

from skcoad.metrics import vus_pr, vus_roc

HEADER = "| length | events | skcoad, s | TSB-AD, s | ratio | max abs difference |"


def make_case(n_timestamps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels with an event of 1 to 400 points per 20,000, and noisy scores."""
    rng = np.random.default_rng(seed)
    y_true = np.zeros(n_timestamps, dtype=int)
    for start in rng.integers(0, n_timestamps, max(1, n_timestamps // 20_000)):
        y_true[start : start + rng.integers(1, 401)] = 1
    return y_true, rng.normal(size=n_timestamps) + y_true


def ours(y_true: np.ndarray, y_score: np.ndarray, window: int) -> list[float]:
    """Return VUS-PR and VUS-ROC by skcoad."""
    return [
        vus_pr(y_true, y_score, window=window),
        vus_roc(y_true, y_score, window=window),
    ]


def theirs(y_true: np.ndarray, y_score: np.ndarray, window: int) -> list[float]:
    """Return VUS-PR and VUS-ROC by TSB-AD's optimised version."""
    from TSB_AD.evaluation.basic_metrics import generate_curve

    *_, roc, pr = generate_curve(y_true, y_score, window, "opt", 250)
    return [pr, roc]


def main() -> None:
    """Print one row of a Markdown table per length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--lengths", type=int, nargs="+", default=[10_000, 100_000, 1_000_000]
    )
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    has_oracle = importlib.util.find_spec("TSB_AD") is not None
    if has_oracle:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import TSB_AD.evaluation.basic_metrics  # noqa: F401  import is not timed
    ours(*make_case(1_000, arguments.seed), arguments.window)  # neither is warming up

    print(HEADER)
    print("|" + "---|" * (HEADER.count("|") - 1))
    for length in arguments.lengths:
        y_true, y_score = make_case(length, arguments.seed)
        n_events = np.count_nonzero(np.diff(y_true, prepend=0) == 1)
        begin = time.perf_counter()
        our_values = ours(y_true, y_score, arguments.window)
        our_seconds = time.perf_counter() - begin
        row = f"| {length:,} | {n_events} | {our_seconds:.3f} |"
        if has_oracle:
            begin = time.perf_counter()
            their_values = theirs(y_true, y_score, arguments.window)
            their_seconds = time.perf_counter() - begin
            difference = np.abs(np.subtract(our_values, their_values)).max()
            ratio = their_seconds / our_seconds
            row += f" {their_seconds:.1f} | {ratio:.0f} | {difference:.1e} |"
        else:
            row += " - | - | - |"
        print(row, flush=True)


if __name__ == "__main__":
    main()
