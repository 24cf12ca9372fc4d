"""Ask whether held-out distortions can choose settings, in place of labels.

    python benchmarks/validation_study.py path/to/ucr --out validation.jsonl --jobs 2

Each setting is fitted on the first four fifths of the training part of a series. The
rest is cut into windows, every other one is distorted as in training, and two numbers
that need no label are taken from it: the loss of the distorted windows (Eq. 10), and
the AUC-PR with which the detector finds the distortions. Beside them stands the AUC-PR
on the test part. Printed: the mean of each over the series; how the settings rank by
one and by the other (Spearman's correlation, within a series and of the means); and
what is won by taking on each series the setting that seems best. A fifth of the series
(those of ``benchmarks/trials.sh``), seed 0, without those of which a fifth of the
training part holds fewer than four windows; finished series are not computed again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from _study import FIFTH, study_archive
from numpy.typing import NDArray
from scipy.stats import spearmanr

from skcoad import CoADDetector, metrics
from skcoad.benchmark._results import Result
from skcoad.datasets import Series
from skcoad.model._distortions import distort
from skcoad.model._training import joint_loss
from skcoad.preprocessing._plan import plan_windows

LEAST_WINDOWS = 4
SETTINGS: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "5 steps": {"max_steps": 5},
    "20 steps": {"max_steps": 20},
    "100 steps": {"max_steps": 100},
    "lr 0.0002": {"lr": 0.0002},
    "8 features": {"hidden_size": 8},
    "random mask": {"masking": "random"},
    "time branch only": {"branches": "time"},
    "no references": {"max_references": 0},
}
MEASURES = {
    "loss": "held-out loss",
    "found": "held-out AUC-PR",
    "test": "test AUC-PR",
}


def held_out(detector: CoADDetector, x: NDArray[np.float64]) -> tuple[float, float]:
    """Loss and AUC-PR on distorted windows of one channel that was not trained on."""
    size = detector.window_size_
    n = len(x) // size
    scaled = (x[: n * size] - detector.center_[0]) / detector.scale_[0]
    normal = torch.tensor(scaled, dtype=torch.float32).view(n, size)
    generator = torch.Generator().manual_seed(0)
    distorted, changed = distort(
        normal,
        detector.period_,
        detector.distortions,
        detector.distortion_lengths,
        generator,
        share=1.0,
    )
    missing = torch.zeros_like(changed)
    reference = None
    if detector.references_ is not None:
        reference = detector.references_[0].counterpart(distorted, missing)
    with torch.inference_mode():
        output = detector.network_(distorted, reference, missing)
        loss = joint_loss(output, normal, changed, missing, detector.loss_weight)
    distorted[::2], changed[::2] = normal[::2], False
    series = distorted.flatten().double().numpy() * detector.scale_ + detector.center_
    scores = detector.decision_function(series)
    return loss.item(), metrics.auc_pr(changed.flatten().numpy(), scores)


def split(series: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Training part to fit on, and the rest of it to choose by."""
    cut = len(series.train) * 4 // 5
    return series.train[:cut], series.train[cut:]


def long_enough(series: Series) -> bool:
    """Whether there are windows to choose by."""
    fitted, left = split(series)
    return len(left) >= LEAST_WINDOWS * plan_windows(fitted).window_size


def study(series: Series) -> Result:
    """Measure each setting on one series."""
    torch.set_num_threads(1)
    fitted, left = split(series)
    measured = {}
    for name, parameters in SETTINGS.items():
        detector = CoADDetector(random_state=0, **parameters)
        detector.fit(fitted)
        loss, found = held_out(detector, left[:, 0])
        test = metrics.auc_pr(
            series.test_labels, detector.decision_function(series.test)
        )
        measured[name] = {"loss": loss, "found": found, "test": test}
    return {"series": series.name, "measured": measured}


def summary(results: list[Result]) -> str:
    """Tables of what was found."""
    values = {  # series, settings
        key: np.array(
            [[r["measured"][name][key] for name in SETTINGS] for r in results]
        )
        for key in MEASURES
    }
    lines = [
        f"{len(results)} series.\n",
        f"| setting | {' | '.join(MEASURES.values())} |",
        "|---" + "|---:" * len(MEASURES) + "|",
    ]
    for i, name in enumerate(SETTINGS):
        means = [values[key][:, i].mean() for key in MEASURES]
        lines.append(f"| {name} | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    best = values["test"].max(1).mean()
    lines += [
        "",
        "| chosen by | Spearman, of the means | Spearman, median of the series "
        "| test AUC-PR of the choice |",
        "|---|---:|---:|---:|",
    ]
    for key, sign in (("loss", -1), ("found", 1)):
        quality, test = sign * values[key], values["test"]
        of_means = spearmanr(quality.mean(0), test.mean(0)).statistic
        each = [spearmanr(*pair).statistic for pair in zip(quality, test, strict=True)]
        chosen = test[np.arange(len(test)), quality.argmax(1)].mean()
        lines.append(
            f"| {MEASURES[key]} | {of_means:.2f} | {np.nanmedian(each):.2f} "
            f"| {chosen:.3f} |"
        )
    lines.append(f"| the labels themselves | 1.00 | 1.00 | {best:.3f} |")
    return "\n".join(lines)


def main() -> None:
    """Compute what is missing and print the tables."""
    results = study_archive(
        __doc__, study, select=FIFTH, out="validation.jsonl", suits=long_enough
    )
    print(summary(results))


if __name__ == "__main__":
    main()
