"""Measure what the distances to normal references find alone, without any training.

    python benchmarks/distance_study.py path/to/ucr --out distances.jsonl --jobs 2

References of several lengths, of values and of changes, alone and combined, with and
without the subtraction of what is usual, and with more or less of the level; for each
series of the archive the metrics of the benchmark (protocol kdd21). What is in the
results file already is not computed again. Nothing here is random.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from unittest import mock

import numpy as np
import torch
from _study import study_archive
from numpy.typing import NDArray

from skcoad.benchmark._protocols import measure, vus_window
from skcoad.benchmark._results import Result
from skcoad.datasets import Series
from skcoad.neighbors import _index as reference
from skcoad.neighbors._channel import changes
from skcoad.neighbors._index import ReferencePool
from skcoad.preprocessing._plan import plan_windows
from skcoad.scoring._components import LEAST_CHANGE_EXCESS, LEAST_VALUE_EXCESS

METRICS = {"hit_at_1": "Acc@1", "hit_at_3": "Acc@3", "auc_pr": "AUC-PR"}
METRICS |= {"vus_pr": "VUS-PR"}
FloatArray = NDArray[np.float64]


class Distances:
    """Distances of the test part of a series from references of its training part.

    Parameters
    ----------
    series : Series
        Of one channel.
    period : int or "auto", default="auto"
        By default the detector's.
    """

    def __init__(self, series: Series, period: int | Literal["auto"] = "auto") -> None:
        train, test = series.train[:, 0], series.test[:, 0]
        self.plan = plan_windows(series.train, period=period)
        values = [(x - train.mean()) / train.std() for x in (train, test)]
        self.views = {"values": [torch.tensor(x, dtype=torch.float32) for x in values]}
        of_changes = [changes(x) for x in self.views["values"]]
        deviation = of_changes[0].std(correction=0)
        self.views["changes"] = [x / deviation for x in of_changes]
        self.known: dict[tuple[str, float, bool, float, int], FloatArray] = {}

    def excess(
        self,
        view: str,
        periods: float,
        less_usual: bool = True,
        level: float = reference.LEVEL,
        look_ups: int = 2,
    ) -> FloatArray:
        """How far from the nearest reference of so many periods, less what is usual.

        References are looked up `look_ups` times for each of their lengths.
        """
        key = view, periods, less_usual, level, look_ups
        if key not in self.known:
            train, test = self.views[view]
            length = min(max(2, round(periods * self.plan.period)), len(train) // 2)
            with mock.patch.object(reference, "LEVEL", level):
                pool = ReferencePool.build(train, length, size=4096)
                found = pool.find(test[None], max(1, length // look_ups))
                if not less_usual:
                    pool.own = torch.zeros_like(pool.own)
                self.known[key] = pool.excess(test[None], found)[0].double().numpy()
        return self.known[key]

    def mean(self, view: str, lengths: Sequence[float], **how: Any) -> FloatArray:
        """Mean over references of several lengths."""
        every = [self.excess(view, periods, **how) for periods in lengths]
        return np.mean(every, axis=0)

    def default(self, look_ups: int = 2) -> FloatArray:
        """What the detector's default would be without a network."""
        return product(
            self.mean("values", (1, 2), look_ups=look_ups),
            self.mean("changes", (1,), look_ups=look_ups),
        )

    def scores(self) -> dict[str, FloatArray]:
        """Each combination to compare, by name."""
        scores = {}
        for view, lengths in (
            ("values", (0.25, 0.5, 1, 2, 4)),
            ("changes", (0.25, 0.5, 1, 2)),
        ):
            for periods in lengths:
                scores[f"{view}, {periods_of((periods,))}"] = self.excess(view, periods)
        for view, lengths in (
            ("values", (1, 2)),
            ("values", (0.5, 1, 2)),
            ("values", (0.25, 0.5, 1, 2)),
            ("changes", (1, 2)),
            ("changes", (0.5, 1, 2)),
            ("changes", (0.25, 0.5, 1, 2)),
        ):
            scores[f"{view}, {periods_of(lengths)}"] = self.mean(view, lengths)
        for name, how in (
            ("usual not subtracted", {"less_usual": False}),
            ("the level does not count", {"level": 0.0}),
            ("the level counts in full", {"level": 1.0}),
        ):
            scores[f"... values, {periods_of((1, 2))}, {name}"] = self.mean(
                "values", (1, 2), **how
            )
        for of_values, of_changes in (
            ((1, 2), (1,)),
            ((1, 2), (0.5, 1, 2)),
            ((0.5, 1, 2), (0.5, 1, 2)),
            ((0.25, 0.5, 1, 2), (0.25, 0.5, 1, 2)),
        ):
            by_value = self.mean("values", of_values)
            by_change = self.mean("changes", of_changes)
            name = f"values, {periods_of(of_values)}, {{}} changes, "
            name += periods_of(of_changes)
            scores[name.format("plus")] = by_value + by_change / 2
            scores[name.format("times")] = product(by_value, by_change)
        often = [self.default(look_ups) for look_ups in (2, 3, 4, 8)]
        for look_ups, score in zip((3, 4, 8), often[1:], strict=True):
            scores[f"... the default, {look_ups} look-ups a length"] = score
        scores["... mean of 2, 3, 4 and 8 look-ups a length"] = np.mean(often, axis=0)
        return scores


def periods_of(lengths: Sequence[float]) -> str:
    """Name some lengths."""
    plural = "s" if max(lengths) > 1 else ""
    return f"{' and '.join(map(str, lengths))} period{plural}"


def product(by_value: FloatArray, by_change: FloatArray) -> FloatArray:
    """Make one score of both, as the detector does."""
    return (by_value.clip(0) + LEAST_VALUE_EXCESS) * (
        by_change.clip(0) + LEAST_CHANGE_EXCESS
    )


def study(series: Series) -> Result:
    """Metrics of each combination on one series."""
    torch.set_num_threads(1)
    window = vus_window(series.values[:, 0])
    return {
        "series": series.name,
        "metrics": {
            name: measure(series.test_labels, score, window)
            for name, score in Distances(series).scores().items()
        },
    }


def table(results: list[Result]) -> str:
    """Markdown table of means over the series."""
    lines = [
        f"Means over {len(results)} series.\n",
        f"| references | {' | '.join(METRICS.values())} |",
        "|---" + "|---:" * len(METRICS) + "|",
    ]
    for name in results[0]["metrics"]:
        means = [
            np.mean([result["metrics"][name][metric] for result in results])
            for metric in METRICS
        ]
        lines.append(f"| {name} | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    return "\n".join(lines)


def main() -> None:
    """Compute what is missing and print the table."""
    print(table(study_archive(__doc__, study, select="*", out="distances.jsonl")))


if __name__ == "__main__":
    main()
