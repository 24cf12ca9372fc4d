"""Time VUS-PR and VUS-ROC beside TSB-AD's own implementation.

    python benchmarks/vus_speed.py --lengths 10000 100000 1000000 --window 100

Made the comparison with TSB-AD in "How good, how fast" of README.md.

The columns of TSB-AD stay empty where it is not installed. Its metrics need no more
than scikit-learn and

    pip install --no-deps TSB-AD

TSB-AD computes both volumes in one call; skcoad's time is the sum of one call of
`vus_pr` and one of `vus_roc`.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings

import numpy as np
from numpy.typing import NDArray

from skcoad.metrics import vus_pr, vus_roc

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]

HEADER = "| length | events | skcoad, s | TSB-AD, s | ratio | max abs difference |"


def make_case(n_timestamps: int, seed: int) -> tuple[Labels, Scores]:
    """Make labels with an event of 1 to 400 points per 20,000, and noisy scores.

    Parameters
    ----------
    n_timestamps : int
        Length.
    seed : int
        Of the random numbers.

    Returns
    -------
    y_true, y_score : ndarray of shape (n_timestamps,)
    """
    rng = np.random.default_rng(seed)
    y_true = np.zeros(n_timestamps, dtype=np.int64)
    for start in rng.integers(0, n_timestamps, max(1, n_timestamps // 20_000)):
        y_true[start : start + rng.integers(1, 401)] = 1
    return y_true, rng.normal(size=n_timestamps) + y_true


def ours(y_true: Labels, y_score: Scores, window: int) -> list[float]:
    """VUS-PR and VUS-ROC by skcoad."""
    return [
        vus_pr(y_true, y_score, window=window),
        vus_roc(y_true, y_score, window=window),
    ]


def theirs(y_true: Labels, y_score: Scores, window: int) -> list[float]:
    """VUS-PR and VUS-ROC by the optimised version of TSB-AD."""
    from TSB_AD.evaluation.basic_metrics import (  # type: ignore[import-not-found]
        generate_curve,
    )

    *_, roc, pr = generate_curve(y_true, y_score, window, "opt", 250)
    return [pr, roc]


def row(length: int, window: int, seed: int, with_tsb_ad: bool) -> str:
    """Time one length, and format a row of the table.

    Parameters
    ----------
    length : int
        Timestamps.
    window : int
        Largest buffer of the metrics.
    seed : int
        Of the random numbers.
    with_tsb_ad : bool
        Whether TSB-AD is installed.

    Returns
    -------
    str
    """
    y_true, y_score = make_case(length, seed)
    n_events = np.count_nonzero(np.diff(y_true, prepend=0) == 1)
    started = time.perf_counter()
    our_values = ours(y_true, y_score, window)
    our_seconds = time.perf_counter() - started
    cells = [f"{length:,}", f"{n_events}", f"{our_seconds:.3f}"]
    if with_tsb_ad:
        started = time.perf_counter()
        their_values = theirs(y_true, y_score, window)
        their_seconds = time.perf_counter() - started
        difference = np.abs(np.subtract(our_values, their_values)).max()
        ratio = their_seconds / our_seconds
        cells += [f"{their_seconds:.1f}", f"{ratio:.0f}", f"{difference:.1e}"]
    else:
        cells += ["-", "-", "-"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print one row of a Markdown table per length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--lengths", type=int, nargs="+", default=[10_000, 100_000, 1_000_000]
    )
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    with_tsb_ad = importlib.util.find_spec("TSB_AD") is not None
    ours(*make_case(1_000, arguments.seed), arguments.window)  # warm-up, not timed
    if with_tsb_ad:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs(*make_case(1_000, arguments.seed), arguments.window)
    print(HEADER)
    print("|" + "---:|" * (HEADER.count("|") - 1))
    for length in arguments.lengths:
        print(row(length, arguments.window, arguments.seed, with_tsb_ad), flush=True)


if __name__ == "__main__":
    main()
