"""Ask what the network adds to the neighbours, and by which rule.

    python studies/network_study.py path/to/ucr --out network.jsonl --jobs 2
    python studies/network_study.py path/to/ucr --groups archive --min-length 40001
    --max-length 130000 --out long.jsonl --jobs 2

Made the tables of "What the network adds" in docs/evidence.md.

Three groups of series, the defaults, one detector for each seed:

- generated: ``make_series``, 6,000 timestamps, seven kinds of anomaly of unequal
  strength in each, four of them;
- scenarios: some draws of each with a single channel;
- archive: at most three series of each recording, of some lengths.

Of the test part the score by neighbours and the evidence of the network are combined by
several rules. The default and the neighbours alone are compared in pairs, recording by
recording (or scenario by scenario). Runs in the results file are not computed again.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from _study import evaluate_test, markdown_table, recording, run_study
from numpy.typing import NDArray
from scipy import stats

from skcoad import CoADDetector
from skcoad.benchmark import Result
from skcoad.datasets import SCENARIOS, Series, make_scenario, make_series, open_archive
from skcoad.scoring import ScoringOptions, channel_contributions

GROUPS = ("generated", "scenarios", "archive")
PERIOD = 50  # of the generated series
PER_RECORDING = 3
NEIGHBORS = "neighbours"
DEFAULT = "neighbours (v network + 1), the default"
METRICS = {"hit_at_1": "Acc@1", "auc_pr": "AUC-PR", "vus_pr": "VUS-PR"}
FloatArray = NDArray[np.floating]


class Run(NamedTuple):
    """One training on one series of a group."""

    series: Series
    group: str
    recording: str
    seed: int

    @property
    def name(self) -> str:
        """Key in the results file."""
        return f"{self.group} {self.series.name} {self.seed}"


def rules(
    neighbors: FloatArray, network: FloatArray, weight: float
) -> dict[str, FloatArray]:
    """Combine the score by neighbours ``(n,)`` and the network's rarity ``(2, n)``.

    The weight, v, is :meth:`skcoad.model.CoADModel.network_weight`.
    """
    decades = np.sqrt(np.square(network).mean(0))
    return {
        NEIGHBORS: neighbors,
        "network": decades,
        "quadratic mean": np.hypot(neighbors, decades),
        "mean": neighbors + decades,
        "largest": np.maximum(neighbors, decades),
        "neighbours (network + 1/2)": neighbors * (decades + 0.5),
        DEFAULT: neighbors * (weight * decades + 1),
        "neighbours (network + 1)": neighbors * (decades + 1),
        "neighbours (network + 2)": neighbors * (decades + 2),
        "neighbours sqrt(network + 1)": neighbors * np.sqrt(decades + 1),
        "log(1 + neighbours) + log(1 + network)": np.log1p(neighbors)
        + np.log1p(decades),
    }


def study(run: Run, **parameters: Any) -> Result:
    """Metrics of each rule on one series."""
    torch.set_num_threads(1)
    series = run.series
    detector = CoADDetector(random_state=run.seed, **parameters)
    model, test = detector.fit(series.train).model_, series.test
    options = ScoringOptions()
    whole = slice(0, len(test))
    score = detector.decision_function(test)
    rarity = channel_contributions(model, test, options, 0, whole, score).rarity
    evidence, network = rarity[:-2], rarity[-2:]
    neighbors = np.sqrt(model.evidence_weights(0) @ np.square(evidence))
    return {
        "series": run.name,
        "group": run.group,
        "recording": run.recording,
        "metrics": {
            name: evaluate_test(series, scores)
            for name, scores in rules(
                neighbors, network, model.network_weight(0)
            ).items()
        },
    }


def runs(
    archive: Iterable[Series],
    lengths: range,
    seeds: Iterable[int],
    groups: Sequence[str] = GROUPS,
    n_draws: int = 1,
) -> list[Run]:
    """All trainings, those of one seed after the other."""
    chosen = []
    for draw in range(4):
        name = f"generated {draw}"
        series = make_series(6000, period=PERIOD, random_state=draw, name=name)
        chosen.append(("generated", name, series))
    for draw, name in itertools.product(range(n_draws), SCENARIOS):
        series = make_scenario(name, draw)
        if series.values.shape[1] == 1:
            chosen.append(("scenarios", name, series))
    taken: Counter[str] = Counter()
    for series in archive:
        source = recording(series.name)
        if len(series.values) in lengths and taken[source] < PER_RECORDING:
            taken[source] += 1
            chosen.append(("archive", source, series))
    return [
        Run(series, group, source, seed)
        for seed in seeds
        for group, source, series in chosen
        if group in groups
    ]


def table(results: list[Result]) -> str:
    """Markdown table of the means over the runs of each group."""

    def mean(name: str, group: str, metric: str) -> str:
        values = [
            result["metrics"][name].get(metric)
            for result in results
            if result["group"] == group
        ]
        if None in values:  # a hit is defined for a single anomaly
            return "-"
        return f"{np.mean(values):.3f}"

    columns = [
        (group, metric)
        for group in dict.fromkeys(result["group"] for result in results)
        for metric in METRICS
    ]
    rows = [
        [name, *(mean(name, *column) for column in columns)]
        for name in results[0]["metrics"]
    ]
    header = [f"{group}: {METRICS[metric]}" for group, metric in columns]
    return markdown_table(["score", *header], rows)


def paired_table(results: list[Result]) -> str:
    """Markdown table of the default minus the neighbours, recording by recording."""
    rows = []
    for group in dict.fromkeys(result["group"] for result in results):
        for metric in ("auc_pr", "vus_pr"):
            by_recording = defaultdict(list)
            for result in results:
                if result["group"] == group:
                    both = (result["metrics"][rule] for rule in (DEFAULT, NEIGHBORS))
                    default, neighbors = (metrics[metric] for metrics in both)
                    by_recording[result["recording"]].append(default - neighbors)
            gain = np.array([np.mean(values) for values in by_recording.values()])
            error = gain.std(ddof=1) / np.sqrt(len(gain))
            p = stats.wilcoxon(gain, zero_method="zsplit").pvalue
            rows.append(
                [
                    f"{group}, {METRICS[metric]}",
                    str(len(gain)),
                    f"{gain.mean():+.3f} ± {error:.3f}",
                    str((gain > 0.01).sum()),
                    str((gain < -0.01).sum()),
                    f"{p:.2f}",
                ]
            )
    header = ["default minus neighbours", "recordings", "mean", "better", "worse", "p"]
    return markdown_table(header, rows)


def found_table(results: list[Result]) -> str:
    """Markdown table of the same difference, by which of the two finds the anomaly.

    Where both find it, they differ in how sharp the peak is, not in what they detect.
    """
    gains = defaultdict(list)
    for result in results:
        default, neighbors = (result["metrics"][rule] for rule in (DEFAULT, NEIGHBORS))
        if "hit_at_1" in default:
            found = bool(neighbors["hit_at_1"]), bool(default["hit_at_1"])
            gain = [default[metric] - neighbors[metric] for metric in METRICS]
            gains[(result["group"], *found)].append(gain[1:])
    rows = []
    for (group, by_neighbors, by_default), gain in sorted(gains.items()):
        yes_no = ("yes" if found else "no" for found in (by_neighbors, by_default))
        means = (f"{mean:+.3f}" for mean in np.mean(gain, axis=0))
        rows.append([group, *yes_no, str(len(gain)), *means])
    header = ["", "neighbours find it", "the default finds it", "series"]
    return markdown_table([*header, "AUC-PR", "VUS-PR"], rows)


def main() -> None:
    """Compute what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the UCR archive")
    parser.add_argument("--groups", nargs="+", default=GROUPS, choices=GROUPS)
    parser.add_argument("--draws", type=int, default=1, help="of each scenario")
    parser.add_argument("--min-length", type=int, default=0, metavar="N")
    parser.add_argument("--max-length", type=int, default=40_000, metavar="N")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("network.jsonl"))
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    lengths = range(arguments.min_length, arguments.max_length + 1)
    archive = open_archive(arguments.data)
    todo = runs(archive, lengths, arguments.seeds, arguments.groups, arguments.draws)
    results = run_study(study, todo, arguments.out, arguments.jobs)
    print(table(results), paired_table(results), found_table(results), sep="\n\n")


if __name__ == "__main__":
    main()
