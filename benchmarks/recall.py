"""Measure the recall of the nearest-neighbour searches against brute force.

    python benchmarks/recall.py --data path/to/ucr

Made the tables "Recall of the neighbour search" of docs/evidence.md.

Both searches are approximate: `JoinIndex.join`, which the distances in the score come
from, and `SubsequenceIndex.query`, which windows are retrieved by. Here their answers
are compared with those of an exhaustive search, for a sample of subsequences from the
anomaly-free continuation of the indexed series (`make_series`, one period to a
subsequence), and from the test parts of some series of the UCR archive, if it is given:

- recall@1: fraction of the subsequences whose answer is the true nearest neighbour;
- distance ratio: mean distance of the answers over the mean of the true ones, at least
  1, and 1 for an exact search;
- points/s: subsequences of the continuation that are joined in a second of one CPU, not
  counting the making of the index.

The seed is fixed, so a change of recall or ratio is a change of the index. Points per
second depend on the machine.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

from skcoad.datasets import Series, make_series, open_archive
from skcoad.neighbors import JoinIndex, Neighbors, SubsequenceIndex
from skcoad.neighbors._distance import MEAN_WEIGHT, VARIANCE_FLOOR, Metric
from skcoad.preprocessing import plan_windows
from skcoad.preprocessing._plan import QUERIES_PER_PERIOD

LENGTHS = [50, 100, 200]
TRAIN_LENGTHS = [5_000, 20_000, 100_000]
NOISES = [0.005, 0.05, 0.2]
METRICS: tuple[Metric, ...] = get_args(Metric)
RETRIEVAL_LENGTH = 100  # the only one in the second table
N_QUERIES = 500
MAX_REFERENCES = 4096  # the detectors' default
TEST_LENGTH = 20_000  # of the part that is joined
MAX_TEST_LENGTH = 60_000  # of that of a real series
SELECT = ["111_*", "119_*", "183_*", "196_*", "197_*", "201_*", "206_*"]

JOIN_CELLS = "".join(f"| recall@1, {m} | ratio | points/s " for m in METRICS) + "|"
QUERY_HEADER = (
    "| length | training timestamps | noise | recall@1 | distance ratio "
    "| mean distance |"
)


class Accuracy(NamedTuple):
    """How near the answers of a search come to those of an exhaustive one.

    Attributes
    ----------
    recall : float
        Fraction of the subsequences whose answer is the true nearest neighbour.
    distance_ratio : float
        Mean distance of the answers, divided by `mean_distance`.
    mean_distance : float
        Mean distance to the true nearest neighbour.
    points_per_second : float
        Subsequences answered in a second of CPU time.
    """

    recall: float
    distance_ratio: float
    mean_distance: float
    points_per_second: float


class Parts(NamedTuple):
    """A generated series, and where subsequences of its test part are compared."""

    train: Tensor
    test: Tensor
    starts: Tensor


def brute_force(
    series: Tensor,
    queries: Tensor,
    metric: Metric = "euclidean",
    mean_weight: float = MEAN_WEIGHT,
) -> Neighbors:
    """Find the nearest of all subsequences, in double precision.

    Parameters
    ----------
    series : Tensor of shape (n_timestamps,)
        What to search.
    queries : Tensor of shape (Q, length)
        Subsequences to find neighbours of.
    metric : {"euclidean", "znormalized"}, default="euclidean"
        See `JoinIndex`.
    mean_weight : float, default=0.2
        What the first metric leaves of the mean, see `SubsequenceIndex`.

    Returns
    -------
    Neighbors
    """

    def normalized(subsequences: Tensor) -> Tensor:
        mean = subsequences.mean(-1, keepdim=True)
        if metric == "euclidean":
            return subsequences - (1 - mean_weight) * mean
        variance = subsequences.var(-1, correction=0, keepdim=True)
        return (subsequences - mean) / (variance + VARIANCE_FLOOR).sqrt()

    length = queries.shape[1]
    subsequences = series.double().unfold(0, length, 1)
    distances = torch.cdist(normalized(queries.double()), normalized(subsequences))
    nearest = distances.min(1)
    return Neighbors(nearest.indices, nearest.values / math.sqrt(length))


def make_parts(
    length: int, train_length: int, noise: float, n_queries: int, seed: int
) -> Parts:
    """Generate a series without anomalies, and draw where it is compared.

    Parameters
    ----------
    length : int
        Length of the subsequences, and period of the series.
    train_length : int
        Timestamps that are indexed.
    noise : float
        Standard deviation of the noise, beside that of the series, 1.
    n_queries : int
        Subsequences that are compared, at random positions after the indexed part.
    seed : int
        Of the series and of the positions.

    Returns
    -------
    Parts
    """
    values = make_series(
        train_length + TEST_LENGTH,
        period=length,
        anomalies=(),
        noise=noise,
        random_state=seed,
    ).values[:, 0]
    series = torch.tensor(values, dtype=torch.float32)
    starts = np.random.default_rng(seed).integers(
        TEST_LENGTH - length + 1, size=n_queries
    )
    return Parts(series[:train_length], series[train_length:], torch.tensor(starts))


def compare(
    found: Neighbors, parts: Parts, length: int, metric: Metric, seconds: float
) -> Accuracy:
    """Compare answers with those of an exhaustive search.

    Parameters
    ----------
    found : Neighbors
        Of the subsequences at ``parts.starts``.
    parts : Parts
        What was searched.
    length, metric : int, {"euclidean", "znormalized"}
        Of the search.
    seconds : float
        For each answer.

    Returns
    -------
    Accuracy
    """
    queries = parts.test.unfold(0, length, 1)[parts.starts]
    exact = brute_force(parts.train, queries, metric)
    mean_distance = exact.distances.mean().item()
    return Accuracy(
        (found.indices == exact.indices).double().mean().item(),
        found.distances.double().mean().item() / mean_distance,
        mean_distance,
        1 / max(seconds, 1e-12),
    )


def real_parts(series: Series, n_queries: int, seed: int = 0) -> tuple[Parts, int]:
    """Take a sample of the subsequences of one period of a series' test part.

    Parameters
    ----------
    series : Series
        With a single channel.
    n_queries, seed : int, int
        As for `make_parts`.

    Returns
    -------
    parts : Parts
        In standard deviations of the training part; of the test part, the first
        60,000 timestamps.
    length : int
        Of a subsequence.
    """
    length = plan_windows(series.train).period
    values = (series.values[:, 0] - series.train.mean()) / series.train.std()
    parts = torch.tensor(values, dtype=torch.float32).split(
        [series.train_length, len(values) - series.train_length]
    )
    test = parts[1][:MAX_TEST_LENGTH]
    starts = np.random.default_rng(seed).integers(
        len(test) - length + 1, size=n_queries
    )
    return Parts(parts[0], test, torch.tensor(starts)), length


def measure_join(parts: Parts, length: int, metric: Metric) -> Accuracy:
    """Compare a join with brute force.

    Parameters
    ----------
    parts : Parts
        From `make_parts` or `real_parts`.
    length : int
        Of a subsequence.
    metric : {"euclidean", "znormalized"}
        See `JoinIndex`.

    Returns
    -------
    Accuracy
    """
    missing = torch.zeros(len(parts.train), dtype=torch.bool)
    index = JoinIndex(parts.train, missing, length, metric)
    begin = time.process_time()
    found = index.join(parts.test, max(1, length // QUERIES_PER_PERIOD))
    seconds = (time.process_time() - begin) / len(found.indices)
    sample = Neighbors(*(each[parts.starts] for each in found))
    return compare(sample, parts, length, metric, seconds)


def join_cells(parts: Parts, length: int) -> list[str]:
    """Cells of a table: accuracy of the join by each metric."""
    cells = []
    for metric in METRICS:
        accuracy = measure_join(parts, length, metric)
        cells += [
            f"{accuracy.recall:.3f}",
            f"{accuracy.distance_ratio:.4f}",
            f"{accuracy.points_per_second:,.0f}",
        ]
    return cells


def measure_query(
    length: int,
    train_length: int,
    noise: float,
    *,
    n_queries: int = N_QUERIES,
    max_references: int = MAX_REFERENCES,
    seed: int = 0,
) -> Accuracy:
    """Compare queries of a `SubsequenceIndex` with brute force.

    Parameters
    ----------
    length, train_length, noise, n_queries, seed : int, int, float, int, int
        As for `make_parts`.
    max_references : int, default=4096
        Largest number of subsequences in the first stage of the index.

    Returns
    -------
    Accuracy
    """
    parts = make_parts(length, train_length, noise, n_queries, seed)
    index = SubsequenceIndex.build(parts.train, length, max_references)
    queries = parts.test.unfold(0, length, 1)[parts.starts]
    begin = time.process_time()
    found = index.query(queries)
    seconds = (time.process_time() - begin) / n_queries
    return compare(found, parts, length, "euclidean", seconds)


def print_header(header: str) -> None:
    """Print the first two lines of a Markdown table."""
    print(header)
    print("|" + "---:|" * (header.count("|") - 1), flush=True)


def main() -> None:
    """Print a Markdown table of the joins, and one of the queries."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the UCR archive")
    parser.add_argument(
        "--select", nargs="+", default=SELECT, metavar="PATTERN", help="series of it"
    )
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--train-lengths", type=int, nargs="+", default=TRAIN_LENGTHS)
    parser.add_argument("--noises", type=float, nargs="+", default=NOISES)
    parser.add_argument("--queries", type=int, default=N_QUERIES)
    parser.add_argument("--retrieval-length", type=int, default=RETRIEVAL_LENGTH)
    parser.add_argument("--max-references", type=int, default=MAX_REFERENCES)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    how = {"n_queries": arguments.queries, "seed": arguments.seed}

    torch.set_num_threads(1)
    join = JoinIndex(torch.zeros(50), torch.zeros(50, dtype=torch.bool), 10, METRICS[0])
    join.join(torch.zeros(50), 1)  # so that compilation is not counted
    print("`JoinIndex.join`:\n")
    print_header(f"| length | training timestamps | noise {JOIN_CELLS}")
    for length, train_length, noise in itertools.product(
        arguments.lengths, arguments.train_lengths, arguments.noises
    ):
        parts = make_parts(length, train_length, noise, **how)
        cells = [str(length), f"{train_length:,}", str(noise)]
        print(f"| {' | '.join(cells + join_cells(parts, length))} |", flush=True)
    if arguments.data is not None:
        print("\n`JoinIndex.join`, real series:\n")
        print_header(f"| series | length | training timestamps {JOIN_CELLS}")
        for pattern in arguments.select:
            for series in open_archive(arguments.data).select(pattern):
                parts, length = real_parts(series, **how)
                cells = [series.name, str(length), f"{len(parts.train):,}"]
                print(f"| {' | '.join(cells + join_cells(parts, length))} |")
    print("\n`SubsequenceIndex.query`:\n")
    print_header(QUERY_HEADER)
    for train_length, noise in itertools.product(
        arguments.train_lengths, arguments.noises
    ):
        length = arguments.retrieval_length
        accuracy = measure_query(
            length,
            train_length,
            noise,
            max_references=arguments.max_references,
            **how,
        )
        print(
            f"| {length} | {train_length:,} | {noise} | {accuracy.recall:.3f} "
            f"| {accuracy.distance_ratio:.3f} | {accuracy.mean_distance:.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
