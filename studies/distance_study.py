"""Measure what the distances to the nearest neighbours find alone, without training.

    python studies/distance_study.py path/to/ucr --out distances.jsonl --jobs 2

Made the table "The distances alone" of docs/defaults.md; with ``--select '??[05]_*'``
the first row of its table "A budget".

Excess distances for several subsequence lengths, of values and of first differences,
alone and combined; also without subtraction of the baseline distance, with other
weights of the mean, and with more queries. The metrics are those of the benchmark
(protocol kdd21). Nothing is random. Series in the results file are not computed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from _study import evaluate_test, markdown_table, study_archive
from numpy.typing import NDArray

from skcoad.benchmark import Result
from skcoad.datasets import Series
from skcoad.neighbors import (
    SubsequenceIndex,
    excess_distance,
    first_differences,
    query_windows,
)
from skcoad.neighbors._index import MEAN_WEIGHT
from skcoad.preprocessing import plan_windows
from skcoad.preprocessing._scaler import Scaler
from skcoad.scoring._components import DIFFERENCE_OFFSET, VALUE_OFFSET

MAX_REFERENCES = 4096  # the detectors' default
METRICS = {
    "hit_at_1": "Acc@1",
    "hit_at_3": "Acc@3",
    "auc_pr": "AUC-PR",
    "vus_pr": "VUS-PR",
}
LENGTHS = {  # in periods
    "values": (0.25, 0.5, 1, 2, 4),
    "differences": (0.25, 0.5, 1, 2),
}
MEANS: list[tuple[float, ...]] = [(1, 2), (0.5, 1, 2), (0.25, 0.5, 1, 2)]
# Changes of the mean over values of one and of two periods.
VARIANTS: dict[str, dict[str, Any]] = {
    "baseline not subtracted": {"subtract_baseline": False},
    "mean ignored": {"mean_weight": 0.0},
    "mean in full": {"mean_weight": 1.0},
}
COMBINED_LENGTHS: list[tuple[tuple[float, ...], tuple[float, ...]]] = [
    ((1, 2), (1,)),
    ((1, 2), (0.5, 1, 2)),
    ((0.5, 1, 2), (0.5, 1, 2)),
    ((0.25, 0.5, 1, 2), (0.25, 0.5, 1, 2)),
]
QUERIES_PER_LENGTH = (2, 3, 4, 8)  # the detectors' default is the first
FloatArray = NDArray[np.float64]


class Distances:
    """Excess distances of the test part of a series to its training part.

    Parameters
    ----------
    series : Series
        Of one channel, without missing values.
    period : int or "auto", default="auto"
        By default the detectors'.
    """

    def __init__(self, series: Series, period: int | Literal["auto"] = "auto") -> None:
        self.plan = plan_windows(series.train, period=period)
        scaler = Scaler(n_channels=1).fit(series.train)
        train, test = (
            scaler.transform(part[:, 0], channel=0)[0]
            for part in (series.train, series.test)
        )
        differences = first_differences(train)
        scale = differences.std(correction=0)
        self.views = {
            "values": (train, test),
            "differences": (differences / scale, first_differences(test) / scale),
        }
        self.computed: dict[tuple[str, float, bool, float, int], FloatArray] = {}

    def excess(
        self,
        view: str,
        periods: float,
        *,
        subtract_baseline: bool = True,
        mean_weight: float = MEAN_WEIGHT,
        queries_per_length: int = QUERIES_PER_LENGTH[0],
    ) -> FloatArray:
        """Excess distance for one subsequence length.

        Parameters
        ----------
        view : {"values", "differences"}
            What is compared.
        periods : float
            Length of the subsequences.
        subtract_baseline : bool, default=True
            False for the plain distance to the nearest neighbour.
        mean_weight : float, default=0.2
            Weight of the mean of a subsequence.
        queries_per_length : int, default=2
            The query stride is the length divided by this.

        Returns
        -------
        ndarray of shape (n_test,)
        """
        key = view, periods, subtract_baseline, mean_weight, queries_per_length
        if key not in self.computed:
            train, test = self.views[view]
            length = min(max(2, round(periods * self.plan.period)), len(train) // 2)
            index = SubsequenceIndex.build(
                train, length, MAX_REFERENCES, mean_weight=mean_weight
            )
            stride = max(1, length // queries_per_length)
            neighbors = query_windows(index, test[None], stride)
            if not subtract_baseline:
                index.baseline_distances.zero_()
            excess = excess_distance(index, test[None], neighbors)[0]
            self.computed[key] = excess.double().numpy()
        return self.computed[key]

    def mean(self, view: str, lengths: Sequence[float], **how: Any) -> FloatArray:
        """Mean of the excess distances for several lengths.

        Parameters
        ----------
        view, **how
            As for `excess`.
        lengths : sequence of float
            In periods.

        Returns
        -------
        ndarray of shape (n_test,)
        """
        each = [self.excess(view, periods, **how) for periods in lengths]
        return np.asarray(np.mean(each, axis=0))

    def default(self, queries_per_length: int = QUERIES_PER_LENGTH[0]) -> FloatArray:
        """Score as `NeighborsDetector` does, but for the root and the query stride.

        Parameters
        ----------
        queries_per_length : int, default=2
            As for `excess`.

        Returns
        -------
        ndarray of shape (n_test,)
        """
        return product(
            self.mean("values", (1, 2), queries_per_length=queries_per_length),
            self.mean("differences", (1,), queries_per_length=queries_per_length),
        )

    def scores(self) -> dict[str, FloatArray]:
        """All scores to compare, by the name of their row."""
        alone = [
            *((view, (one,)) for view, each in LENGTHS.items() for one in each),
            *((view, lengths) for view in LENGTHS for lengths in MEANS),
        ]
        scores = {
            f"{view}, {name_lengths(lengths)}": self.mean(view, lengths)
            for view, lengths in alone
        }
        for name, how in VARIANTS.items():
            row = f"... values, {name_lengths((1, 2))}, {name}"
            scores[row] = self.mean("values", (1, 2), **how)
        for of_values, of_differences in COMBINED_LENGTHS:
            by_value = self.mean("values", of_values)
            by_difference = self.mean("differences", of_differences)
            row = (
                f"values, {name_lengths(of_values)}, {{}} differences, "
                f"{name_lengths(of_differences)}"
            )
            scores[row.format("plus")] = by_value + by_difference / 2
            scores[row.format("times")] = product(by_value, by_difference)
        defaults = [self.default(n) for n in QUERIES_PER_LENGTH]
        for n, score in zip(QUERIES_PER_LENGTH[1:], defaults[1:], strict=True):
            scores[f"... the default, {n} queries per length"] = score
        *some, last = map(str, QUERIES_PER_LENGTH)
        row = f"... mean of {', '.join(some)} and {last} queries per length"
        scores[row] = np.mean(defaults, axis=0)
        return scores


def name_lengths(lengths: Sequence[float]) -> str:
    """Name lengths in periods, e.g. "1 and 2 periods"."""
    *some, last = map(str, lengths)
    text = f"{', '.join(some)} and {last}" if some else last
    return f"{text} period{'s' if max(lengths) > 1 else ''}"


def product(by_value: FloatArray, by_difference: FloatArray) -> FloatArray:
    """Combine both excess distances as the detectors do, but for the root.

    Parameters
    ----------
    by_value, by_difference : ndarray of shape (n_timestamps,)
        Excess distances.

    Returns
    -------
    ndarray of shape (n_timestamps,)
    """
    return (by_value.clip(0) + VALUE_OFFSET) * (
        by_difference.clip(0) + DIFFERENCE_OFFSET
    )


def study(series: Series) -> Result:
    """Evaluate each score on one series."""
    torch.set_num_threads(1)
    scores = Distances(series).scores()
    return {
        "series": series.name,
        "metrics": {name: evaluate_test(series, scores[name]) for name in scores},
    }


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Markdown table of the means over the series."""
    rows = []
    for name in results[0]["metrics"]:
        means = [
            np.mean([result["metrics"][name][metric] for result in results])
            for metric in METRICS
        ]
        rows.append([name, *(f"{mean:.3f}" for mean in means)])
    header = ["subsequences", *METRICS.values()]
    return f"Means over {len(results)} series.\n\n{markdown_table(header, rows)}"


def main() -> None:
    """Study the series that are left, and print the table."""
    print(table(study_archive(__doc__, study, select="*", out="distances.jsonl")))


if __name__ == "__main__":
    main()
