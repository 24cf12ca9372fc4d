"""Ask what the network adds to the neighbours, and by which rule.

    python studies/network_study.py --out network.jsonl --jobs 2

Made the table of "What the network adds" in docs/evidence.md.

Generated series (``make_series``, 6,000 timestamps, seven kinds of anomaly of unequal
strength in each), four seeds; the defaults, seed 0. Of the test part the score by
neighbours and the evidence of the network are combined by several rules. Series in the
results file are not computed again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from _study import markdown_table, run_study
from numpy.typing import NDArray

from skcoad import CoADDetector, metrics
from skcoad.benchmark import Result
from skcoad.datasets import Series, make_series
from skcoad.scoring import ScoringOptions, channel_contributions

PERIOD = 50
SEEDS = range(4)
FloatArray = NDArray[np.floating]


def rules(neighbors: FloatArray, network: FloatArray) -> dict[str, FloatArray]:
    """Combine the score by neighbours ``(n,)`` and the network's rarity ``(2, n)``."""
    decades = np.sqrt(np.square(network).mean(0))
    return {
        "neighbours": neighbors,
        "network": decades,
        "quadratic mean": np.hypot(neighbors, decades),
        "mean": neighbors + decades,
        "neighbours (network + 1/2)": neighbors * (decades + 0.5),
        "neighbours (network + 1), the default": neighbors * (decades + 1),
        "neighbours (network + 2)": neighbors * (decades + 2),
        "log(1 + neighbours) + log(1 + network)": np.log1p(neighbors)
        + np.log1p(decades),
    }


def study(series: Series, max_steps: int = 300) -> Result:
    """Metrics of each rule on one series."""
    torch.set_num_threads(1)
    detector = CoADDetector(max_steps=max_steps, random_state=0).fit(series.train)
    model, test = detector.model_, series.test
    options = ScoringOptions()
    whole = slice(0, len(test))
    score = detector.decision_function(test)
    rarity = channel_contributions(model, test, options, 0, whole, score).rarity
    evidence, network = rarity[:-2], rarity[-2:]
    neighbors = np.sqrt(model.evidence_weights(0) @ np.square(evidence))
    return {
        "series": series.name,
        "metrics": {
            name: {
                "auc_pr": metrics.auc_pr(series.test_labels, score),
                "vus_pr": metrics.vus_pr(series.test_labels, score, window=PERIOD),
            }
            for name, score in rules(neighbors, network).items()
        },
    }


def table(results: list[Result]) -> str:
    """Markdown table of the means over the series."""
    rows = []
    for name in results[0]["metrics"]:
        means = [
            np.mean([result["metrics"][name][metric] for result in results])
            for metric in ("auc_pr", "vus_pr")
        ]
        rows.append([name, *(f"{mean:.3f}" for mean in means)])
    return markdown_table(["score", "AUC-PR", "VUS-PR"], rows)


def main() -> None:
    """Compute what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("network.jsonl"))
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    series = [
        make_series(6000, period=PERIOD, random_state=seed, name=f"generated {seed}")
        for seed in SEEDS
    ]
    print(table(run_study(study, series, arguments.out, arguments.jobs)))


if __name__ == "__main__":
    main()
