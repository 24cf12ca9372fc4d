"""Measure what the residual head is worth: the ablation that no parameter can do.

    python benchmarks/residual_head.py path/to/ucr --out residual.jsonl --jobs 2

The defaults with and without it, on a fifth of the series (those of
``benchmarks/trials.sh``), seed 0. What is in the results file is not run again.
"""

from __future__ import annotations

from typing import Any

import joblib
from _study import FIFTH, parse_arguments
from torch import nn

from skcoad import CoADDetector
from skcoad.benchmark import report, run_benchmark
from skcoad.datasets import open_archive
from skcoad.network import CoADNetwork, CoADOutput


class DirectOnly(nn.Module):
    """A network whose first opinion (Eq. 4) stands in for the second (Eq. 8)."""

    def __init__(self, network: CoADNetwork) -> None:
        super().__init__()
        self.network = network
        self.masking = network.masking

    def forward(self, *args: Any) -> CoADOutput:
        """Say the same as the network, but for the second opinion."""
        output: CoADOutput = self.network(*args)
        return output._replace(residual=output.direct)


class WithoutResidualHead(CoADDetector):
    """CoAD whose classifier never looks at the reconstruction."""

    def _network_on_meta(self, patch_size: int) -> DirectOnly:  # type: ignore[override]
        return DirectOnly(super()._network_on_meta(patch_size))


def main() -> None:
    """Compute what is missing and print the tables."""
    arguments = parse_arguments(__doc__, select=FIFTH, out="residual.jsonl")
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        results = run_benchmark(
            {"CoAD": CoADDetector(), "no residual head": WithoutResidualHead()},
            open_archive(arguments.data).select(arguments.select),
            arguments.out,
            n_jobs=arguments.jobs,
            verbose=True,
        )
    print(report(results, metric="auc_pr", against="CoAD"))


if __name__ == "__main__":
    main()
