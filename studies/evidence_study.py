"""Compare views, lengths and rules of calibrated evidence, without any training.

    python studies/evidence_study.py path/to/ucr --out evidence.jsonl --jobs 2

Made the tables of "Views, lengths and rules" in docs/evidence.md.

A view is what is compared with the training part, and how: values or first differences,
Euclidean or z-normalised. Each of the four is joined with the training part for five
lengths of subsequence. The excess distances become evidence as in the detectors: they
are calibrated by those of the training part, each subsequence compared with the others.
A rule makes one score of the evidence. Printed are the metrics of each rule (protocol
kdd21) over all series and by their length, and what comes of choosing a rule: for each
recording, the rule that is best on all others is evaluated on the one left out. Nothing
is random. Series in the results file are not computed again; ``--max-length`` leaves
out the long ones, which take most of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from _study import (
    LENGTH_CLASSES,
    length_class,
    markdown_table,
    recording,
    study_archive,
)
from numpy.typing import NDArray
from torch import Tensor

from skcoad import metrics
from skcoad.benchmark import Result
from skcoad.benchmark._protocols import PROTOCOLS, vus_window
from skcoad.calibration import TailCalibration
from skcoad.datasets import Series
from skcoad.model._scaler import Scaler
from skcoad.neighbors import (
    VIEWS,
    JoinIndex,
    Neighbors,
    baseline_distances,
    excess_distance,
    first_differences,
)
from skcoad.neighbors._distance import Metric
from skcoad.preprocessing import plan_windows
from skcoad.preprocessing._plan import QUERIES_PER_PERIOD

LENGTHS = (0.35, 0.6, 1.0, 1.6, 2.5)  # of subsequences, in periods
THREE = (0.35, 1.0, 2.5)
DEFAULT = "1 period, quadratic mean"
METRICS = {"hit_at_1": "Acc@1, %", "auc_pr": "AUC-PR", "vus_pr": "VUS-PR"}
FloatArray = NDArray[np.float64]
View = tuple[str, Metric]


class Excess(NamedTuple):
    """Excess distances of every view and length.

    Attributes
    ----------
    normal : Tensor of shape (n_views, n_lengths, n_train)
        Of the training part, each subsequence compared with the others.
    test : Tensor of shape (n_views, n_lengths, n_test)
        Of the test part.
    """

    normal: Tensor
    test: Tensor


def scaled_views(series: Series) -> dict[str, tuple[Tensor, Tensor]]:
    """Training and test part in values and in first differences, scaled.

    Parameters
    ----------
    series : Series
        Of one channel, without missing values.

    Returns
    -------
    dict of str to (Tensor, Tensor)
    """
    scaler = Scaler(n_channels=1).fit(series.train)
    train, test = (
        scaler.transform(part[:, 0], channel=0)[0]
        for part in (series.train, series.test)
    )
    differences = first_differences(train)
    scale = differences.std(correction=0)
    return {
        "values": (train, test),
        "differences": (differences / scale, first_differences(test) / scale),
    }


def excess_of(own: Neighbors, found: Neighbors, length: int) -> tuple[Tensor, Tensor]:
    """Excess distances from the neighbours that a search has found.

    Parameters
    ----------
    own : Neighbors
        Of the subsequences of the training part among each other.
    found : Neighbors
        Of the subsequences of the test part in the training part.
    length : int
        Of a subsequence.

    Returns
    -------
    normal, test : Tensor of shape (n_train,), Tensor of shape (n_test,)
    """
    complete = torch.zeros_like(own.indices, dtype=torch.bool)
    baseline = baseline_distances(own, complete, length)
    return (
        excess_distance(own, baseline, length),
        excess_distance(found, baseline, length),
    )


def excess_distances(
    series: Series,
    lengths: Sequence[float] = LENGTHS,
    views: Sequence[View] = VIEWS,
) -> Excess:
    """Join the test part of a series with its training part, and that with itself.

    Parameters
    ----------
    series : Series
        Of one channel, without missing values.
    lengths : sequence of float
        Of the subsequences, in periods.
    views : sequence of (str, str)
        What is compared, and by which metric.

    Returns
    -------
    Excess
    """
    plan = plan_windows(series.train)
    parts = scaled_views(series)
    missing = torch.zeros(len(series.train), dtype=torch.bool)
    excess = []
    for kind, metric in views:
        train, test = parts[kind]
        for periods in lengths:
            length = max(4, min(round(periods * plan.period), len(train) // 4))
            stride = plan._replace(period=length).query_stride(QUERIES_PER_PERIOD)
            index = JoinIndex(train, missing, length, metric)
            own, found = index.self_join(stride), index.join(test, stride)
            excess.append(excess_of(own, found, length))
    shape = len(views), len(lengths), -1
    return Excess(
        *(torch.stack(part).view(shape) for part in zip(*excess, strict=True))
    )


def calibrated(excess: Excess) -> FloatArray:
    """Evidence of the test part, in decades of rarity on the training part.

    Parameters
    ----------
    excess : Excess
        Of some views and lengths.

    Returns
    -------
    ndarray of shape (n_views, n_lengths, n_test)
    """
    normal, test = excess.normal.flatten(0, 1), excess.test.flatten(0, 1)
    evidence = TailCalibration(len(normal)).fit(normal)(test)
    return evidence.view(excess.test.shape).double().numpy()


def quadratic_mean(evidence: FloatArray) -> FloatArray:
    """Square root of the mean square of some evidence, by timestamp."""
    flat = evidence.reshape(-1, evidence.shape[-1])
    return np.asarray(np.sqrt(np.square(flat).mean(0)))


def score_by_rules(excess: Excess) -> dict[str, FloatArray]:
    """All scores to compare, by the name of their row; that of the detectors first.

    Parameters
    ----------
    excess : Excess
        Of all views and lengths.

    Returns
    -------
    dict of str to ndarray of shape (n_test,)
    """
    evidence = calibrated(excess)
    n = evidence.shape[-1]
    one = evidence[:, LENGTHS.index(1.0)]
    raw = excess.test[:, LENGTHS.index(1.0)].double().numpy().clip(0)
    scores = {
        DEFAULT: quadratic_mean(one),
        "1 period, mean": one.mean(0),
        "1 period, largest": one.max(0),
        "1 period, quadratic mean, not calibrated": quadratic_mean(raw),
    }
    for i, periods in enumerate(LENGTHS):
        if periods != 1:
            scores[f"{periods} periods, quadratic mean"] = quadratic_mean(
                evidence[:, i]
            )
    for name, lengths in (("three", THREE), ("five", LENGTHS)):
        some = evidence[:, [LENGTHS.index(periods) for periods in lengths]]
        by_view = some.mean(1)
        scores |= {
            f"{name} lengths, quadratic mean": quadratic_mean(some),
            f"{name} lengths, mean": by_view.mean(0),
            f"{name} lengths, largest": some.reshape(-1, n).max(0),
            f"{name} lengths, mean of each view, their quadratic mean": quadratic_mean(
                by_view
            ),
        }
    for i, view in enumerate(VIEWS):
        rest = np.delete(one, i, axis=0)
        scores[f"1 period, without {', '.join(view)}"] = quadratic_mean(rest)
    for part in ("values", "differences", "euclidean", "znormalized"):
        rest = one[[part not in view for view in VIEWS]]
        scores[f"1 period, without {part}"] = quadratic_mean(rest)
    for i, view in enumerate(VIEWS):
        scores[f"1 period, {', '.join(view)} alone"] = one[i]
    return scores


def evaluate_excess(series: Series, excess: Excess) -> Result:
    """Evaluate every rule on the excess distances of one series.

    Parameters
    ----------
    series : Series
        With one anomaly.
    excess : Excess
        Of all views and lengths.

    Returns
    -------
    Result
        Among others, ``found_by``: the views and lengths whose highest peak, alone, is
        the anomaly.
    """
    _, _, labels = PROTOCOLS["kdd21"](series)
    window = vus_window(series.values[:, 0])

    def evaluate(scores: FloatArray) -> dict[str, float]:
        return {
            "hit_at_1": float(metrics.kdd21_hit(labels, scores)),
            "auc_pr": float(metrics.auc_pr(labels, scores)),
            "vus_pr": float(metrics.vus_pr(labels, scores, window=window)),
        }

    found_by = [
        f"{', '.join(view)}, {periods}"
        for view, by_length in zip(VIEWS, excess.test.double().numpy(), strict=True)
        for periods, scores in zip(LENGTHS, by_length, strict=True)
        if metrics.kdd21_hit(labels, scores)
    ]
    return {
        "series": series.name,
        "n_timestamps": len(series.values),
        "found_by": found_by,
        "metrics": {
            name: evaluate(scores) for name, scores in score_by_rules(excess).items()
        },
    }


def study(series: Series) -> Result:
    """Evaluate every rule on one series."""
    torch.set_num_threads(1)
    return evaluate_excess(series, excess_distances(series))


def values_of(results: Sequence[Result]) -> tuple[list[str], FloatArray]:
    """Names of the rules, and their metrics ``(n_series, n_rules, n_metrics)``."""
    names = list(results[0]["metrics"])
    values = [
        [[result["metrics"][name][metric] for metric in METRICS] for name in names]
        for result in results
    ]
    return names, np.array(values)


def cells(values: FloatArray, classes: Sequence[str]) -> list[str]:
    """Cells of a table: all metrics over all series, two by class.

    Parameters
    ----------
    values : ndarray of shape (n_series, n_metrics)
        In the order of `METRICS`.
    classes : sequence of str
        Length class of each series.

    Returns
    -------
    list of str
    """
    hit, auc_pr, vus_pr = values.mean(0)
    row = [f"{100 * hit:.1f}", f"{auc_pr:.3f}", f"{vus_pr:.3f}"]
    for name in LENGTH_CLASSES:
        inside = values[np.array(classes) == name]
        if len(inside):
            hit, auc_pr, _ = inside.mean(0)
            row.append(f"{100 * hit:.1f} / {auc_pr:.3f}")
    return row


def leave_recordings_out(
    results: Sequence[Result], criterion: str
) -> tuple[FloatArray, Counter[str]]:
    """Evaluate on each recording the rule that is best on all others.

    Parameters
    ----------
    results : sequence of Result
        Of at least two recordings.
    criterion : str
        Metric to choose by; its mean over the other recordings, each counting once.

    Returns
    -------
    values : ndarray of shape (n_series, n_metrics)
        Of the rule chosen for the recording of each series.
    chosen : Counter of str
        How often each rule was chosen.
    """
    names, values = values_of(results)
    of_series = np.array([recording(result["series"]) for result in results])
    recordings = np.unique(of_series)
    column = list(METRICS).index(criterion)
    means = np.stack(
        [values[of_series == one, :, column].mean(0) for one in recordings]
    )
    left_out, chosen = np.empty_like(values[:, 0]), Counter[str]()
    for i, one in enumerate(recordings):
        best = int(np.delete(means, i, axis=0).mean(0).argmax())
        left_out[of_series == one] = values[of_series == one, best]
        chosen[names[best]] += 1
    return left_out, chosen


def tables(results: Sequence[Result]) -> str:
    """Markdown tables of the rules, and of the choice of a rule."""
    names, values = values_of(results)
    classes = [length_class(result["n_timestamps"]) for result in results]
    counts: Mapping[str, int] = Counter(classes)
    header = [
        "rule",
        *METRICS.values(),
        *(f"{name} ({counts[name]})" for name in LENGTH_CLASSES if name in counts),
    ]
    rows = [[name, *cells(values[:, i], classes)] for i, name in enumerate(names)]
    n_found = sum(bool(result["found_by"]) for result in results)
    parts = [
        f"{len(results)} series; by length: Acc@1 in % / AUC-PR.",
        markdown_table(header, rows),
        f"The highest peak of at least one of {len(VIEWS) * len(LENGTHS)} views and "
        f"lengths is the anomaly on {n_found} series.",
    ]
    n_recordings = len({recording(result["series"]) for result in results})
    if n_recordings > 1:
        choices: list[list[str]] = []
        chosen_rules: list[str] = []
        for metric, title in METRICS.items():
            left_out, chosen = leave_recordings_out(results, metric)
            choices.append([title.removesuffix(", %"), *cells(left_out, classes)])
            times = ", ".join(f"{rule} ({n})" for rule, n in chosen.most_common())
            chosen_rules.append(f"- {choices[-1][0]}: {times}.")
        parts += [
            f"Chosen on the other recordings ({n_recordings} in all):",
            markdown_table(["chosen by", *header[1:]], choices),
            "\n".join(chosen_rules),
        ]
    return "\n\n".join(parts)


def main() -> None:
    """Study the series that are left, and print the tables."""
    results: list[Any] = study_archive(__doc__, study, select="*", out="evidence.jsonl")
    print(tables(results))


if __name__ == "__main__":
    main()
