"""Test whether held-out distortions can replace labels in choosing settings.

    python studies/validation_study.py path/to/ucr --out validation.jsonl --jobs 2

Made both tables of "Choosing settings without labels" in docs/history.md.

Each setting is fitted on the first four fifths of the training part of a series. The
rest is cut into windows, every other one is distorted as in training, and two measures
are computed that need no labels: the loss of the distorted windows (Eq. 10), and the
AUC-PR of the detector at finding the distortions. They are compared with the AUC-PR on
the test part. Printed are the mean of each measure over the series, the rank
correlation of the settings by a measure and by the test part (Spearman's, within a
series and of the means), and the test AUC-PR of the setting that a measure chooses on
each series. A fifth of the archive (the series of ``trials.sh``), seed 0, without those
whose held-out part is shorter than four windows. Series in the results file are not
computed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from _study import FIFTH, markdown_table, study_archive
from numpy.typing import NDArray
from scipy.stats import spearmanr

from skcoad import CoADDetector, metrics
from skcoad.benchmark import Result
from skcoad.datasets import Series
from skcoad.model import distort, joint_loss
from skcoad.preprocessing import plan_windows

MIN_WINDOWS = 4
SETTINGS: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "5 steps": {"max_steps": 5},
    "20 steps": {"max_steps": 20},
    "100 steps": {"max_steps": 100},
    "lr 0.0002": {"lr": 0.0002},
    "8 features": {"hidden_size": 8},
    "random mask": {"masking": "random"},
    "time branch only": {"branches": "time"},
    "no neighbours": {"max_references": 0},
}
MEASURES = {
    "loss": "held-out loss",
    "found": "held-out AUC-PR",
    "test": "test AUC-PR",
}


def measure_held_out(
    detector: CoADDetector, X: NDArray[np.float64]
) -> tuple[float, float]:
    """Measure a detector on distorted windows that it was not trained on.

    Parameters
    ----------
    detector : CoADDetector
        Fitted.
    X : ndarray of shape (n_timestamps, 1)
        Normal, without missing values.

    Returns
    -------
    loss : float
        Of the distorted windows (Eq. 10).
    auc_pr : float
        Of the detector's scores, where every other window is distorted.
    """
    model, plan = detector.model_, detector.plan_
    scaled, missing = model.scaled(X, channel=0, device=model.device)
    n_windows = len(scaled) // plan.window_size
    size = n_windows * plan.window_size
    normal, missing = (
        x[:size].view(n_windows, plan.window_size) for x in (scaled, missing)
    )
    distorted, distortion_mask = distort(
        normal,
        plan.period,
        detector.distortions,
        detector.distortion_lengths,
        torch.Generator().manual_seed(0),
        fraction=1.0,
    )
    reference = None
    if model.neighbors is not None:
        reference = model.neighbors[0].retrieve(distorted, missing)
    with torch.inference_mode():
        output = detector.network_(distorted, reference, missing)
        loss = joint_loss(
            output, normal, distortion_mask, missing, detector.loss_weight
        )
    distorted[::2], distortion_mask[::2] = normal[::2], False
    series = model.scaler.inverse_transform(distorted.flatten().cpu().numpy(), 0)
    scores = detector.decision_function(series)
    return loss.item(), metrics.auc_pr(distortion_mask.flatten().cpu().numpy(), scores)


def split(series: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Split the training part into one to fit on and one to choose by."""
    cut = len(series.train) * 4 // 5
    return series.train[:cut], series.train[cut:]


def is_long_enough(series: Series) -> bool:
    """Whether the held-out part has enough windows."""
    fitted, held_out = split(series)
    return len(held_out) >= MIN_WINDOWS * plan_windows(fitted).window_size


def study(
    series: Series, settings: Mapping[str, Mapping[str, Any]] = SETTINGS
) -> Result:
    """Measure each setting, parameters of `CoADDetector`, on one series."""
    torch.set_num_threads(1)
    fitted, held_out = split(series)
    measured = {}
    for name, parameters in settings.items():
        detector = CoADDetector(random_state=0, **parameters)
        detector.fit(fitted)
        loss, found = measure_held_out(detector, held_out)
        test = metrics.auc_pr(
            series.test_labels, detector.decision_function(series.test)
        )
        measured[name] = {"loss": loss, "found": found, "test": test}
    return {"series": series.name, "measured": measured}


def summary(results: list[Result]) -> str:
    """Markdown tables of the settings, and of the choice by each measure."""
    names = list(results[0]["measured"])
    values = {  # series, settings
        key: np.array([[r["measured"][name][key] for name in names] for r in results])
        for key in MEASURES
    }
    settings = [
        [name, *(f"{values[key][:, i].mean():.3f}" for key in MEASURES)]
        for i, name in enumerate(names)
    ]
    choices = []
    for key, sign in (("loss", -1), ("found", 1)):
        quality, test = sign * values[key], values["test"]
        of_means = spearmanr(quality.mean(0), test.mean(0)).statistic
        each = [spearmanr(*pair).statistic for pair in zip(quality, test, strict=True)]
        chosen = test[np.arange(len(test)), quality.argmax(1)].mean()
        choices.append(
            [
                MEASURES[key],
                f"{of_means:.2f}",
                f"{np.nanmedian(each):.2f}",
                f"{chosen:.3f}",
            ]
        )
    best = values["test"].max(1).mean()
    choices.append(["the labels themselves", "1.00", "1.00", f"{best:.3f}"])
    header = [
        *("chosen by", "Spearman, of the means", "Spearman, median of the series"),
        "test AUC-PR of the choice",
    ]
    return "\n\n".join(
        [
            f"{len(results)} series.",
            markdown_table(["setting", *MEASURES.values()], settings),
            markdown_table(header, choices),
        ]
    )


def main() -> None:
    """Study the series that are left, and print the tables."""
    results = study_archive(
        __doc__, study, select=FIFTH, out="validation.jsonl", condition=is_long_enough
    )
    print(summary(results))


if __name__ == "__main__":
    main()
