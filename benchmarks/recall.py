"""Measure the recall of the nearest-neighbour index against brute force.

    python benchmarks/recall.py

Made the table "Recall of the neighbour search" of docs/results.md.

`SubsequenceIndex.query` is approximate: it ranks at most `max_references` subsequences
by their principal components, compares the best few in full and refines the best of
these. Here its answers are compared with those of an exhaustive search, for a sample of
queries from the anomaly-free continuation of the indexed series (`make_series`, one
period to a subsequence):

- recall@1: fraction of the queries whose answer is the true nearest neighbour;
- distance ratio: mean distance of the answers over the mean of the true ones, at least
  1, and 1 for an exact search.

The seed is fixed, so a change of a figure is a change of the index.
"""

from __future__ import annotations

import argparse
import itertools
import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from skcoad.datasets import make_series
from skcoad.neighbors import Neighbors, SubsequenceIndex

LENGTHS = [50, 100, 200]
TRAIN_LENGTHS = [5_000, 20_000, 100_000]
NOISES = [0.005, 0.05, 0.2]
N_QUERIES = 500
MAX_REFERENCES = 4096  # the detectors' default
TEST_LENGTH = 5_000  # of the part that the queries are drawn from

HEADER = (
    "| length | training timestamps | noise | recall@1 | distance ratio "
    "| mean distance |"
)


class Accuracy(NamedTuple):
    """How near the answers of an index come to those of an exhaustive search.

    Attributes
    ----------
    recall : float
        Fraction of the queries whose answer is the true nearest neighbour.
    distance_ratio : float
        Mean distance of the answers, divided by `mean_distance`.
    mean_distance : float
        Mean distance to the true nearest neighbour.
    """

    recall: float
    distance_ratio: float
    mean_distance: float


def brute_force(series: Tensor, queries: Tensor, mean_weight: float) -> Neighbors:
    """Find the nearest of all subsequences, in double precision.

    Parameters
    ----------
    series : Tensor of shape (n_timestamps,)
        What to search.
    queries : Tensor of shape (Q, length)
        Subsequences to find neighbours of.
    mean_weight : float
        What is left of the mean of a subsequence, see `SubsequenceIndex`.

    Returns
    -------
    Neighbors
    """

    def shrink_mean(subsequences: Tensor) -> Tensor:
        mean = subsequences.mean(-1, keepdim=True)
        return subsequences - (1 - mean_weight) * mean

    length = queries.shape[1]
    subsequences = series.double().unfold(0, length, 1)
    distances = torch.cdist(shrink_mean(queries.double()), shrink_mean(subsequences))
    nearest = distances.min(1)
    return Neighbors(nearest.indices, nearest.values / math.sqrt(length))


def measure_recall(
    length: int,
    train_length: int,
    noise: float,
    *,
    n_queries: int = N_QUERIES,
    max_references: int = MAX_REFERENCES,
    seed: int = 0,
) -> Accuracy:
    """Compare an index of a synthetic series with brute force.

    Parameters
    ----------
    length : int
        Length of the subsequences, and period of the series.
    train_length : int
        Timestamps that are indexed.
    noise : float
        Standard deviation of the noise, beside that of the series, 1.
    n_queries : int, default=500
        Subsequences to find neighbours of, at random positions after the indexed part.
    max_references : int, default=4096
        Largest number of subsequences in the first stage of the index.
    seed : int, default=0
        Of the series and of the positions.

    Returns
    -------
    Accuracy
    """
    values = make_series(
        train_length + TEST_LENGTH,
        period=length,
        anomalies=(),
        noise=noise,
        random_state=seed,
    ).values[:, 0]
    series = torch.tensor(values, dtype=torch.float32)
    train, test = series[:train_length], series[train_length:]
    starts = np.random.default_rng(seed).integers(
        TEST_LENGTH - length + 1, size=n_queries
    )
    queries = test.unfold(0, length, 1)[torch.from_numpy(starts)]
    index = SubsequenceIndex.build(train, length, max_references)
    found = index.query(queries)
    exact = brute_force(train, queries, index.mean_weight)
    mean_distance = exact.distances.mean().item()
    return Accuracy(
        (found.indices == exact.indices).double().mean().item(),
        found.distances.mean().item() / mean_distance,
        mean_distance,
    )


def main() -> None:
    """Print one row of a Markdown table per length, training length and noise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--train-lengths", type=int, nargs="+", default=TRAIN_LENGTHS)
    parser.add_argument("--noises", type=float, nargs="+", default=NOISES)
    parser.add_argument("--queries", type=int, default=N_QUERIES)
    parser.add_argument("--max-references", type=int, default=MAX_REFERENCES)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    print(HEADER)
    print("|" + "---:|" * (HEADER.count("|") - 1))
    for length, train_length, noise in itertools.product(
        arguments.lengths, arguments.train_lengths, arguments.noises
    ):
        accuracy = measure_recall(
            length,
            train_length,
            noise,
            n_queries=arguments.queries,
            max_references=arguments.max_references,
            seed=arguments.seed,
        )
        print(
            f"| {length} | {train_length:,} | {noise} | {accuracy.recall:.3f} "
            f"| {accuracy.distance_ratio:.3f} | {accuracy.mean_distance:.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
