"""Measure what no parameter can change: other ways of training, and ensembles.

    python studies/levers.py path/to/ucr --out levers.jsonl --jobs 2

Made the rows of the table "Trials" of docs/history.md from "no residual head" and
"constant rate" on; the other rows are of ``trials.sh``.

Each variant is a detector with one part changed (``_variants.py``), on a fifth of the
archive (the series of ``trials.sh``), seed 0; the defaults are among them. The seconds
of the pretrained variants are not comparable, since some include the pretraining. Runs
in the results file are not repeated.
"""

from __future__ import annotations

import joblib
from _study import FIFTH, parse_arguments
from _variants import (
    AveragedWeights,
    ConstantRate,
    Curriculum,
    Pretrained,
    TwoScales,
    TwoSeeds,
    WithoutResidualHead,
)

from skcoad import CoADDetector
from skcoad.benchmark import report, run_benchmark
from skcoad.datasets import open_archive

VARIANTS = {
    "CoAD": CoADDetector(),
    "no residual head": WithoutResidualHead(),
    "constant rate": ConstantRate(),
    "constant rate, averaged weights": AveragedWeights(),
    "curriculum of lengths": Curriculum(),
    "20 steps": CoADDetector(max_steps=20),
    "20 steps, pretrained": Pretrained(max_steps=20),
    "300 steps, pretrained": Pretrained(),
    "mean of two seeds": TwoSeeds(),
    "mean of two scales": TwoScales(),
}


def main() -> None:
    """Run the variants that are left, and print the tables."""
    arguments = parse_arguments(__doc__, select=FIFTH, out="levers.jsonl")
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        results = run_benchmark(
            VARIANTS,
            open_archive(arguments.data).select(arguments.select),
            arguments.out,
            n_jobs=arguments.jobs,
            verbose=True,
        )
    print(report(results, metric="auc_pr", against="CoAD"))


if __name__ == "__main__":
    main()
