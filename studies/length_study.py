"""Find out why anomalies in long series are missed, one series at a time.

    python studies/length_study.py path/to/ucr --out lengths.jsonl --jobs 2

Made the tables of "Why length hurts" in docs/evidence.md.

Of each series above 40,000 timestamps, the excess distances of one view (values of one
period, Euclidean) by three searches: that of `SubsequenceIndex` with 4,096 references,
which the score was made of until 85033e4; that of `JoinIndex`; and an exhaustive one.
The rank of the anomaly is one plus the number of peaks above it, as far apart as for
Acc@1. Where the first or the last search does not rank the anomaly first, the other
views and lengths of ``evidence_study.py`` are computed too, and the suspects named.
Several may apply:

- search: the exhaustive search finds it, `SubsequenceIndex` does not;
- length: the same view finds it with another length of subsequence;
- mean or amplitude: a z-normalised view of the values finds it;
- hidden in the values: a view of the first differences finds it;
- drift: normal subsequences of the test part are more than twice as far from their
  neighbours as those of the training part (the median, or the 99 % quantile);
- rare normal shape in training: the training part, each subsequence compared with the
  others, has a higher peak than the anomaly;
- out of range: the highest false peak has values that the training part never has;
- rare normal shape in test: none of these.

The steps of training are not among them: nothing is trained, and nothing is random.
Recall and distance ratio are those of all normal subsequences of the test part. Series
in the results file are not computed again; ``--max-length`` leaves out those whose
exhaustive search takes minutes. Needs numba, which stumpy brings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from _study import markdown_table, study_archive
from evidence_study import (
    DEFAULT,
    LENGTHS,
    Excess,
    excess_distances,
    excess_of,
    scaled_views,
    score_by_rules,
)
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from skcoad.benchmark import Result
from skcoad.datasets import Series
from skcoad.metrics import events
from skcoad.neighbors import VIEWS, JoinIndex, Neighbors, SubsequenceIndex
from skcoad.neighbors._distance import MEAN_WEIGHT
from skcoad.preprocessing import plan_windows
from skcoad.preprocessing._plan import QUERIES_PER_PERIOD

MIN_LENGTH = 40_000
MAX_REFERENCES = 4096
MAX_PEAKS = 200  # that are counted
MUCH_FARTHER = 2.0
SAME = 1e-4  # relative difference below which distances count as equal
SEARCHES = ("SubsequenceIndex", "JoinIndex", "exhaustive")
FloatArray = NDArray[np.float64]


class Peaks(NamedTuple):
    """The anomaly among the peaks of a score.

    Attributes
    ----------
    rank : int
        1 if it is the highest.
    height : float
        Of the anomaly.
    false_peak : int
        Where the highest other peak is.
    """

    rank: int
    height: float
    false_peak: int


def find_peaks(labels: NDArray[np.int64], scores: FloatArray) -> Peaks:
    """Rank the anomaly among the peaks, by the distances of KDD21's rule.

    Parameters
    ----------
    labels, scores : ndarray of shape (n_timestamps,)
        With one anomaly.

    Returns
    -------
    Peaks
    """
    ((start, stop),) = events(labels)
    tolerance = max(100, stop - start)
    anomaly = slice(max(0, start - tolerance), stop + tolerance)
    height = float(scores[anomaly].max())
    remaining = scores.copy()
    remaining[anomaly] = -np.inf
    false_peak, rank = int(remaining.argmax()), 1
    while rank <= MAX_PEAKS and remaining[peak := int(remaining.argmax())] > height:
        rank += 1
        remaining[max(0, peak - tolerance) : peak + tolerance + 1] = -np.inf
    return Peaks(rank, height, false_peak)


def exhaustive_join(
    x: Tensor, y: Tensor, length: int, *, itself: bool = False
) -> Neighbors:
    """Find the exact nearest neighbour of every subsequence, by all pairs.

    Parameters
    ----------
    x, y : Tensor of shape (n_x,), Tensor of shape (n_y,)
        Neighbours of the subsequences of `x` are looked for in `y`.
    length : int
        Of a subsequence.
    itself : bool, default=False
        Whether both are the same series: subsequences that overlap are not compared.

    Returns
    -------
    Neighbors
    """
    squared, indices = _all_diagonals(
        x.double().numpy(), y.double().numpy(), length, length if itself else 0
    )
    distances = torch.from_numpy(np.sqrt(squared.clip(0))).float()
    return Neighbors(torch.from_numpy(indices), distances)


@njit(cache=True)
def _all_diagonals(
    x: FloatArray, y: FloatArray, length: int, exclusion: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Squared distances after shrinking means, along the diagonals of all pairs."""
    n_x, n_y = len(x) - length + 1, len(y) - length + 1
    best, which = np.full(n_x, np.inf), np.zeros(n_x, np.int64)
    mean_x, mean_y = np.empty(n_x), np.empty(n_y)
    for series, mean in ((x, mean_x), (y, mean_y)):
        total = series[:length].sum()
        mean[0] = total / length
        for i in range(1, len(mean)):
            total += series[i + length - 1] - series[i - 1]
            mean[i] = total / length
    shrinkage = 1 - MEAN_WEIGHT**2
    for diagonal in range(1 - n_x, n_y):
        if abs(diagonal) < exclusion:
            continue
        first, last = max(0, -diagonal), min(n_x, n_y - diagonal)
        total = 0.0
        for i in range(first, first + length):
            total += (x[i] - y[i + diagonal]) ** 2
        for i in range(first, last):
            j = i + diagonal
            squared = total / length - shrinkage * (mean_x[i] - mean_y[j]) ** 2
            if squared < best[i]:
                best[i], which[i] = squared, j
            if i + 1 < last:
                total += (x[i + length] - y[j + length]) ** 2 - (x[i] - y[j]) ** 2
    return best, which


def search_by_index(train: Tensor, test: Tensor, length: int) -> list[Neighbors]:
    """Neighbours of all subsequences of both parts, by `SubsequenceIndex`."""
    index = SubsequenceIndex.build(train, length, MAX_REFERENCES)
    found: list[list[Neighbors]] = [[], []]
    for part, x, itself in zip(found, (train, test), (True, False), strict=True):
        subsequences = x.unfold(0, length, 1)
        for chunk in torch.arange(len(subsequences)).split(1024):
            at = chunk if itself else None
            part.append(index.query(subsequences[chunk], at))
    return [Neighbors(*map(torch.cat, zip(*part, strict=True))) for part in found]


def compare_searches(
    train: Tensor, test: Tensor, length: int, stride: int
) -> dict[str, list[Neighbors]]:
    """Neighbours of the training part in itself, and of the test part, by each search.

    Parameters
    ----------
    train, test : Tensor of shape (n_train,), Tensor of shape (n_test,)
        Scaled.
    length, stride : int
        Of a subsequence, and of the queries of `JoinIndex`.

    Returns
    -------
    dict of str to list of Neighbors
    """
    missing = torch.zeros(len(train), dtype=torch.bool)
    join = JoinIndex(train, missing, length, "euclidean")
    return {
        "SubsequenceIndex": search_by_index(train, test, length),
        "JoinIndex": [join.self_join(stride), join.join(test, stride)],
        "exhaustive": [
            exhaustive_join(train, train, length, itself=True),
            exhaustive_join(test, train, length),
        ],
    }


def name_suspects(
    peaks: dict[str, Peaks],
    ranks: dict[tuple[str, str, float], int],
    *,
    farther: float,
    training_peak: float,
    out_of_range: bool,
) -> list[str]:
    """Reasons why the anomaly is not first; see the top of this file.

    Parameters
    ----------
    peaks : dict of str to Peaks
        By search.
    ranks : dict of (str, str, float) to int
        Of the anomaly, by kind, metric and length.
    farther : float
        Distances of normal test data, in those of the training part.
    training_peak : float
        Highest excess distance of the training part.
    out_of_range : bool
        Whether the highest false peak has values that the training part never has.

    Returns
    -------
    list of str
    """
    exact = peaks["exhaustive"]
    if exact.rank == 1:
        return ["search"] if peaks["SubsequenceIndex"].rank > 1 else []
    first = [view for view, rank in ranks.items() if rank == 1]
    kinds = [view[:2] for view in first]
    suspects = {
        "length": ("values", "euclidean") in kinds,
        "mean or amplitude": ("values", "znormalized") in kinds,
        "hidden in the values": any(kind == "differences" for kind, _ in kinds),
        "drift": farther > MUCH_FARTHER,
        "rare normal shape in training": training_peak > exact.height,
        "out of range": out_of_range,
    }
    suspects["rare normal shape in test"] = not any(suspects.values())
    return [name for name, applies in suspects.items() if applies]


def study(series: Series) -> Result:
    """Compare the searches on one series, and name the suspects."""
    torch.set_num_threads(1)
    plan = plan_windows(series.train)
    length, labels = plan.period, series.test_labels
    train, test = scaled_views(series)["values"]
    stride = plan.query_stride(QUERIES_PER_PERIOD)
    found = compare_searches(train, test, length, stride)
    excess = {name: excess_of(*found[name], length) for name in SEARCHES}
    peaks = {
        name: find_peaks(labels, test_excess.double().numpy())
        for name, (_, test_excess) in excess.items()
    }
    own, exact = found["exhaustive"]
    near = torch.from_numpy(labels).bool().unfold(0, length, 1).any(1)
    normal = ~near & exact.distances.isfinite()
    accuracy = {}
    for name in SEARCHES[:2]:
        distances = found[name][1].distances
        same = distances <= exact.distances * (1 + SAME) + SAME**2
        accuracy[name] = {
            "recall": float(same[normal].double().mean()),
            "ratio": float(distances[normal].mean() / exact.distances[normal].mean()),
        }
    farther = max(
        float(np.quantile(exact.distances[normal], q) / np.quantile(own.distances, q))
        for q in (0.5, 0.99)
    )
    at = peaks["exhaustive"].false_peak
    around = test[max(0, at - length // 2) : at + length // 2 + 1]
    result: Result = {
        "series": series.name,
        "n_timestamps": len(series.values),
        "n_train": len(train),
        "period": length,
        "accuracy": accuracy,
        "ranks": {name: each.rank for name, each in peaks.items()},
        "farther": farther,
        "false_peak": at + len(train),
        "suspects": [],
    }
    if max(peaks["SubsequenceIndex"].rank, peaks["exhaustive"].rank) > 1:
        views = excess_distances(series)
        ranks = rank_views(labels, views)
        joint = find_peaks(labels, score_by_rules(views)[DEFAULT])
        result["ranks"]["four views"] = joint.rank
        result["n_views_first"] = sum(rank == 1 for rank in ranks.values())
        result["suspects"] = name_suspects(
            peaks,
            ranks,
            farther=farther,
            training_peak=float(excess["exhaustive"][0].max()),
            out_of_range=bool(around.max() > train.max() or around.min() < train.min()),
        )
    return result


def rank_views(
    labels: NDArray[np.int64], excess: Excess
) -> dict[tuple[str, str, float], int]:
    """Rank of the anomaly in each view and length alone."""
    return {
        (*view, periods): find_peaks(labels, scores).rank
        for view, by_length in zip(VIEWS, excess.test.double().numpy(), strict=True)
        for periods, scores in zip(LENGTHS, by_length, strict=True)
    }


def tables(results: Sequence[Result]) -> str:
    """Markdown tables: one row for each missed series, and counts."""
    missed = [one for one in results if "n_views_first" in one]
    header = [
        *("series", "timestamps", "training part", "period"),
        *("distance ratio", "recall@1", "rank, `SubsequenceIndex`"),
        *("rank, `JoinIndex`", "rank, exhaustive", "views of 20 that find it"),
        *("rank, four views", "highest false peak at", "suspects"),
    ]
    rows = []
    for one in missed:
        number, *_, title, _, _, _ = one["series"].split("_")
        accuracy = one["accuracy"]["SubsequenceIndex"]
        ranks = [
            str(rank) if (rank := one["ranks"][name]) <= MAX_PEAKS else f"> {MAX_PEAKS}"
            for name in (*SEARCHES, "four views")
        ]
        rows.append(
            [
                f"{number} {title}",
                f"{one['n_timestamps']:,}",
                f"{one['n_train']:,}",
                str(one["period"]),
                f"{accuracy['ratio']:.2f}",
                f"{accuracy['recall']:.2f}",
                *ranks[:3],
                str(one["n_views_first"]),
                ranks[3],
                f"{one['false_peak']:,}",
                ", ".join(one["suspects"]),
            ]
        )
    counts = Counter(name for one in missed for name in one["suspects"])
    parts = [
        f"{len(results)} series, of which the anomaly is first by "
        + ", ".join(
            f"{name} on {sum(one['ranks'][name] == 1 for one in results)}"
            for name in SEARCHES
        )
        + f"; {len(missed)} are missed by the first or the last.",
        markdown_table(header, rows),
        markdown_table(
            ["suspect", "series"], [[name, str(n)] for name, n in counts.most_common()]
        ),
        _by_training_length(results),
    ]
    return "\n\n".join(parts)


def _by_training_length(results: Sequence[Result]) -> str:
    """Accuracy of the searches by the length of the training part."""
    rows = []
    edges = (0, 15_000, 25_000, 60_000, np.inf)
    names = ("below 15,000", "15,000 to 25,000", "25,000 to 60,000", "from 60,000")
    for name, low, high in zip(names, edges[:-1], edges[1:], strict=True):
        some = [one for one in results if low <= one["n_train"] < high]
        if not some:
            continue
        means = [
            f"{np.mean([one['accuracy'][search][key] for one in some]):.2f}"
            for key in ("ratio", "recall")
            for search in SEARCHES[:2]
        ]
        hits = [str(sum(one["ranks"][s] == 1 for one in some)) for s in SEARCHES]
        rows.append([name, str(len(some)), *means, *hits])
    header = [
        *("training part", "series"),
        *(f"{key}, `{s}`" for key in ("ratio", "recall@1") for s in SEARCHES[:2]),
        *(f"first, {search}" for search in SEARCHES),
    ]
    return markdown_table(header, rows)


def is_long(series: Series) -> bool:
    """Whether the series is above 40,000 timestamps."""
    return len(series.values) >= MIN_LENGTH


def main() -> None:
    """Study the series that are left, and print the tables."""
    results = study_archive(
        __doc__, study, select="*", out="lengths.jsonl", condition=is_long
    )
    print(tables(results))


if __name__ == "__main__":
    main()
