"""Ask how far the paper's own method comes with the steps it is given.

    python studies/paper_study.py path/to/ucr --out paper.jsonl --steps 100 300 1000

Made the table of "The paper itself" in docs/evidence.md.

``CoADDetector.paper()``, that is without neighbours, with the encoder of the paper and
with the convolutional one, on series of the archive, each budget of steps trained anew
with the whole schedule of the learning rate. Smoothed probability and error are
combined in several ways, among them the paper's (Eq. 11, data scaled to [0, 1] by the
training part) and that of the released code (both parts scaled over the test part).
Runs in the results file are not computed again, so that further steps can be added.

``--variants`` asks what the differences to the paper and to the released code cost;
each variant removes one of them. The table "What differs" was made by

    python studies/paper_study.py path/to/ucr --out differences.jsonl --steps 300 \
        --encoders conv --variants default clean step narrow
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from _study import evaluate_test, markdown_table, run_study
from numpy.typing import NDArray
from torch import nn

from skcoad import CoADDetector
from skcoad.benchmark import Result
from skcoad.datasets import Series, open_archive
from skcoad.model import Batch, CoADNetwork, initialise, sample_batch
from skcoad.preprocessing import dominant_period, fallback_period
from skcoad.scoring import explain_series
from skcoad.scoring._components import smoothed

# Short ones, of eight recordings.
SERIES = tuple(f"{n}_*" for n in (112, 113, 119, 127, 138, 157, 161, 175))
ENCODERS = ("gru", "conv")
VARIANTS = ("default", "clean", "step", "narrow", "weights")  # see `make_detector`
METRICS = {"hit_at_1": "Acc@1, %", "auc_pr": "AUC-PR", "vus_pr": "VUS-PR"}
FloatArray = NDArray[np.floating]


class Run(NamedTuple):
    """One training."""

    series: Series
    encoder: str
    n_steps: int
    variant: str

    @property
    def name(self) -> str:
        """Key in the results file."""
        name = f"{self.series.name} {self.encoder} {self.n_steps}"
        return name if self.variant == "default" else f"{name} {self.variant}"


class CleanCopies(CoADDetector):
    """Every batch holds its windows once more, undistorted, as in the released code."""

    def _training_arguments(self) -> Mapping[str, Any]:
        return {**super()._training_arguments(), "sample": with_clean_copies}


def with_clean_copies(*arguments: Any) -> Batch:
    """Draw a batch of half as many windows, each distorted and as it is."""
    batch = sample_batch(*arguments)
    half = len(batch.normal) // 2
    normal, distorted, mask, missing = (part[:half] for part in batch[:4])
    return Batch(
        torch.cat([normal, normal]),
        torch.cat([distorted, normal]),
        torch.cat([mask, torch.zeros_like(mask)]),
        torch.cat([missing, missing]),
        None,
    )


class NarrowDecoder(CoADDetector):
    """The decoder has a sixth of the classifier's features, as in the released code."""

    def _training_arguments(self) -> Mapping[str, Any]:
        return {**super()._training_arguments(), "init": initialise_narrow}


def initialise_narrow(network: CoADNetwork, generator: torch.Generator) -> None:
    """Replace the decoder by a narrow one, and draw the initial weights."""
    size, n_layers = network.hidden_size // 6, 3
    network.patch_embedding = nn.Linear(network.patch_size, size)
    network.mask_embedding = nn.Parameter(torch.empty(1, size))
    network.decoder = type(network.decoder)(size, size, n_layers)
    network.to_points = nn.Linear(size, network.patch_size)
    initialise(network, generator)


def make_detector(run: Run) -> CoADDetector:
    """Detector with the paper's settings, but for what a variant changes."""
    settings: dict[str, Any] = {
        "encoder": run.encoder,
        "max_steps": run.n_steps,
        "random_state": 0,
    }
    if run.variant == "clean":  # 64 windows and their copies
        return CleanCopies.paper(batch_size=128, **settings)
    if run.variant == "narrow":
        return NarrowDecoder.paper(**settings)
    if run.variant == "step":  # a window every period instead of every two
        train = run.series.train
        settings["step"] = dominant_period(train) or fallback_period(len(train))
    if run.variant == "weights":  # 144 features from each direction, 24 in the decoder
        return NarrowDecoder.paper(hidden_size=288, **settings)
    return CoADDetector.paper(**settings)


def rules(
    network: FloatArray, normal: FloatArray, spread: float, period: int
) -> dict[str, FloatArray]:
    """Combine smoothed probability and error.

    Parameters
    ----------
    network, normal : ndarray of shape (2, n_timestamps)
        Of the test part and of the training part, the error in standard deviations.
    spread : float
        Range of the training part, in standard deviations.
    period : int
        Timestamps in a period.

    Returns
    -------
    dict of str to ndarray of shape (n_timestamps,)
    """
    probability, error = network
    released = np.abs(network - normal.mean(1, keepdims=True))
    released[:, :period] = 0
    released -= released.min(1, keepdims=True)
    released /= released.max(1, keepdims=True) + 1e-12
    return {
        "probability": probability,
        "error": error,
        "sum, in standard deviations": probability + error,
        "sum, scaled to [0, 1] (Eq. 11)": probability + error / spread,
        "sum, both scaled over the test part": released.sum(0),
    }


def study(run: Run) -> Result:
    """Metrics of each rule of one training."""
    torch.set_num_threads(1)
    series, started = run.series, time.process_time()
    detector = make_detector(run).fit(series.train)
    model, options = detector.model_, detector._scoring_options()
    test, normal = (
        smoothed(
            explain_series(model, part, options)[0],
            np.isnan(part[:, 0]),
            round(options.smoothing * detector.period_),
        )
        for part in (series.test, series.train)
    )
    spread = np.ptp(series.train) / detector.scale_[0]
    combined = rules(test, normal, spread, detector.period_)
    return {
        "series": run.name,
        "encoder": run.encoder,
        "n_steps": run.n_steps,
        "variant": run.variant,
        "loss": detector.loss_curve_[-1],
        "seconds": time.process_time() - started,
        "metrics": {
            rule: evaluate_test(series, scores) for rule, scores in combined.items()
        },
    }


def table(results: list[Result]) -> str:
    """Markdown table of the means over the series."""
    rows = []
    groups: dict[tuple[str, int, str], list[Result]] = {}
    for result in results:  # those of earlier files have no variant
        variant = result.get("variant", "default")
        key = result["encoder"], result["n_steps"], variant
        groups.setdefault(key, []).append(result)
    for (encoder, n_steps, variant), chosen in groups.items():
        name = encoder if variant == "default" else f"{encoder} {variant}"
        loss = np.mean([result["loss"] for result in chosen])
        seconds = np.median([result["seconds"] for result in chosen])
        for rule in chosen[0]["metrics"]:
            hit, *others = (
                np.mean([result["metrics"][rule][metric] for result in chosen])
                for metric in METRICS
            )
            rows.append(
                [
                    f"{name}, {rule}",
                    str(n_steps),
                    str(len(chosen)),
                    f"{100 * hit:.0f}",
                    *(f"{value:.3f}" for value in others),
                    f"{loss:.3f}",
                    f"{seconds:.0f}",
                ]
            )
    header = ["encoder and rule", "steps", "series", *METRICS.values()]
    return markdown_table([*header, "last loss", "s, median"], rows)


def main() -> None:
    """Compute what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the UCR archive")
    parser.add_argument("--steps", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--encoders", nargs="+", default=ENCODERS, choices=ENCODERS)
    parser.add_argument("--variants", nargs="+", default=["default"], choices=VARIANTS)
    parser.add_argument("--out", type=Path, default=Path("paper.jsonl"))
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    archive = open_archive(arguments.data)
    series = [one for pattern in SERIES for one in archive.select(pattern)]
    runs = [
        Run(one, encoder, n_steps, variant)
        for n_steps, encoder, variant, one in itertools.product(
            sorted(arguments.steps), arguments.encoders, arguments.variants, series
        )
    ]
    print(table(run_study(study, runs, arguments.out, arguments.jobs)))


if __name__ == "__main__":
    main()
