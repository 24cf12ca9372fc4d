"""Compare the asked rate of false alarms with the realised one.

    python studies/threshold_study.py --ucr path/to/ucr --nab path/to/nab \
        --skab path/to/anomaly-free.csv --tsb-ad path/to/tsb_ad --out thresholds.jsonl

Made the tables of "Asked and realised" in docs/thresholds.md.

Thresholds are fitted on the training part and judged on what is normal in the rest:
without the anomalies and a receptive field on each side. Detectors are
`NeighborsDetector`, or with ``--detector coad`` `CoADDetector`, both with their
defaults (seed 0), and PyOD's isolation forest on windows of a period. Scores above a
threshold, at most a period apart, are one event. Ours and SPOT are the higher of two
thresholds, as in a detector: of held-back scores and of training scores. PyOD's is a
quantile of the training scores.

Generated series: white noise, autoregressive noise (0.5 and 0.95) and a wave in noise,
of 6,000 rows (2,000 to train) and 20,000 (5,000), each with ``--seeds``. Of UCR the
distorted and noisy variants are left out. SKAB's run without anomalies is one series,
the first 3,000 rows to train. How the thresholds work was chosen when all of these had
been looked at, and before those of TSB-AD had been. Series in the results file are not
computed again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from _study import markdown_table, run_study
from numpy.typing import NDArray
from pyod.models.iforest import IForest
from scipy import ndimage, signal

from skcoad import CoADDetector, NeighborsDetector, SlidingWindowTransformer
from skcoad.benchmark import Result
from skcoad.datasets import Series, load_nab, load_tsb_ad, load_ucr
from skcoad.detectors._contamination import held_back_scores
from skcoad.thresholds import (
    ConformalThreshold,
    PeaksOverThreshold,
    QuantileThreshold,
    count_events,
)

ROWS = (1000, 3000, 10_000)  # per false alarm
HELD_BACK = 0.5
LONG = 40_000  # rows of a series of UCR
LOWEST = np.finfo(np.float64).min  # above no threshold: rows that do not count
DETECTORS: dict[str, Callable[[], NeighborsDetector | CoADDetector]] = {
    "neighbors": NeighborsDetector,
    "coad": lambda: CoADDetector(random_state=0),
}
THRESHOLDS = {
    "peaks": PeaksOverThreshold,
    "conformal": ConformalThreshold,
    "quantile": QuantileThreshold,
}
FloatArray = NDArray[np.float64]


def generated(n_seeds: int) -> Iterator[Series]:
    """Series without anomalies, of each kind and length so many."""
    for n_timestamps, n_train in ((6000, 2000), (20_000, 5000)):
        for seed in range(n_seeds):
            rng = np.random.default_rng(seed)
            noise = rng.normal(size=n_timestamps + 500)
            phase = 2 * np.pi * np.arange(n_timestamps) / 50
            wave = np.sin(phase) + 0.3 * np.sin(2 * phase + 1)
            kinds = {
                "white noise": noise[500:],
                "AR noise, 0.5": signal.lfilter([1], [1, -0.5], noise)[500:],
                "AR noise, 0.95": signal.lfilter([1], [1, -0.95], noise)[500:],
                "wave in noise": wave + 0.1 * noise[500:],
            }
            labels = np.zeros(n_timestamps)
            for kind, x in kinds.items():
                yield Series(x, labels, n_train, f"{kind}: {n_timestamps}, {seed}")


def recorded(arguments: argparse.Namespace) -> Iterator[Series]:
    """Series of the archives that were given, shortest first.

    Of UCR the variants of other series, distorted or noisy, are left out.
    """
    if arguments.ucr:
        archive = load_ucr(arguments.ucr)
        series = [
            one
            for one in archive
            if "DISTORTED" not in one.name
            and "NOISE" not in one.name
            and len(one.values) <= arguments.max_length
        ]
        for one in sorted(series, key=lambda one: len(one.values)):
            kind = "UCR" if len(one.values) <= LONG else "UCR, longer"
            yield replace(one, name=f"{kind}: {one.name}")
    if arguments.nab:
        for one in load_nab(arguments.nab):
            yield replace(one, name=f"NAB: {one.name}")
    if arguments.skab:
        values = np.genfromtxt(arguments.skab, delimiter=";", skip_header=1)[:, 1:]
        yield Series(values, np.zeros(len(values)), 3000, "SKAB: anomaly-free")
    for folder in arguments.tsb_ad:
        for one in load_tsb_ad(folder):
            yield replace(one, name=f"TSB-AD: {one.name}")


def study(series: Series, detector: str = "neighbors") -> Result:
    """Count false alarms of each threshold on one series."""
    torch.set_num_threads(1)
    fitted = DETECTORS[detector]().fit(series.train)
    period = fitted.period_
    around = 2 * fitted.model_.receptive_field + 1
    normal = ~ndimage.maximum_filter1d(series.test_labels, around).astype(bool)
    scores = np.where(normal, fitted.decision_function(series.test), LOWEST)
    train = series.train
    held_back = held_back_scores(DETECTORS[detector](), train, HELD_BACK, period)
    training = fitted.decision_scores_
    forest_training, forest = forest_scores(series, period)
    forest = np.where(normal, forest, LOWEST)

    def events(of: FloatArray, threshold: float) -> int:
        return int(count_events(of, threshold, separation=period))

    def limit(kind: str, rows: int, calibration: FloatArray) -> float | None:
        threshold = THRESHOLDS[kind](f"1 per {rows} rows")
        try:
            return threshold.fit(calibration, separation=period).threshold_
        except ValueError:  # too few rows for a promise
            return None

    alarms: dict[str, dict[str, int | None]] = {}
    for rows in ROWS:
        of_rate = alarms[str(rows)] = {}
        for kind in THRESHOLDS:
            limits = [limit(kind, rows, one) for one in (held_back, training)]
            of_rate[kind] = None if None in limits else events(scores, max(limits))
            if kind == "peaks":
                of_rate["peaks, held back"] = events(scores, limits[0])
                of_rate["peaks, training"] = events(scores, limits[1])
        limits = [spot_limit(one, 1 / rows) for one in (held_back, training)]
        of_rate["SPOT"] = events(scores, max(limits))
        share = 1 - 1 / rows
        of_rate["PyOD's quantile"] = events(scores, np.quantile(training, share))
        of_rate["isolation forest, PyOD's quantile"] = events(
            forest, np.quantile(forest_training, share)
        )
    return {"series": series.name, "normal": int(normal.sum()), "alarms": alarms}


def forest_scores(series: Series, period: int) -> tuple[FloatArray, FloatArray]:
    """Scores of an isolation forest for the training part and the rest."""
    windows = SlidingWindowTransformer(window_size=period)
    forest = IForest(random_state=0).fit(windows.fit_transform(series.train))
    test = forest.decision_function(windows.transform(series.test))
    return forest.decision_scores_, test


def spot_limit(scores: FloatArray, rate: float) -> float:
    """Threshold of SPOT, which is stated in rows, not in events."""
    from libspot import Spot

    spot = Spot(q=rate)
    spot.fit(np.ascontiguousarray(scores))
    return float(spot.anomaly_threshold)


def table(results: list[Result]) -> str:
    """Markdown table of realised by asked events, of all series of a kind together."""
    kinds = list(dict.fromkeys(result["series"].split(":")[0] for result in results))
    names = list(results[0]["alarms"][str(ROWS[0])])
    lines = []
    for kind in kinds:
        chosen = [one for one in results if one["series"].startswith(f"{kind}:")]
        for rows in ROWS:
            asked = sum(result["normal"] for result in chosen) / rows
            cells = [_realised(chosen, rows, name) for name in names]
            lines.append([f"{kind} ({len(chosen)})", f"{rows}", f"{asked:.1f}", *cells])
    return markdown_table(
        ["data (series)", "one in so many rows", "events asked", *names], lines
    )


def _realised(results: list[Result], rows: int, name: str) -> str:
    """Realised by asked events; in brackets of how many series, if not of all."""
    counted = [one for one in results if one["alarms"][str(rows)][name] is not None]
    if not counted:
        return "-"
    events = sum(one["alarms"][str(rows)][name] for one in counted)
    ratio = f"{events / sum(one['normal'] / rows for one in counted):.2f}"
    return ratio if len(counted) == len(results) else f"{ratio} ({len(counted)})"


def main() -> None:
    """Count what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ucr", type=Path, help="folder of the UCR archive")
    parser.add_argument("--nab", type=Path, help="folder of NAB, values and windows")
    parser.add_argument("--skab", type=Path, help="SKAB's run without anomalies")
    parser.add_argument(
        "--tsb-ad",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="folders of series of TSB-AD",
    )
    parser.add_argument(
        "--max-length",
        type=int,
        default=120_000,
        metavar="N",
        help="only series of UCR of at most so many timestamps (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=5,
        metavar="N",
        help="generated series of each kind and length (default: %(default)s)",
    )
    parser.add_argument("--detector", choices=DETECTORS, default="neighbors")
    parser.add_argument("--out", type=Path, default=Path("thresholds.jsonl"))
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    series = [*generated(arguments.seeds), *recorded(arguments)]

    def one(series: Series) -> Result:
        return study(series, arguments.detector)

    print(table(run_study(one, series, arguments.out, arguments.jobs)))


if __name__ == "__main__":
    main()
