"""The command ``skcoad detect``, and what ``skcoad demo`` shares with it."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skcoad._typing import FloatArray
from skcoad.cli._output import (
    FIGURE_SUFFIXES,
    check_figure_suffix,
    check_outputs,
    save_figure,
)
from skcoad.io._atomic import atomic_write

if TYPE_CHECKING:
    from skcoad import CoADDetector
    from skcoad.datasets import Series
    from skcoad.plotting import Zoom
    from skcoad.scoring import AnomalySegment

CONTAMINATION = 0.01
MAX_SEGMENTS = 10
MAX_STEPS = 300  # the detector's default, repeated here so that --help needs no torch
MAX_ZOOMS = 3
DPI = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``skcoad detect`` to a parser."""
    parser.add_argument("file", type=Path, help="the series")
    parser.add_argument(
        "--train",
        type=int,
        metavar="N",
        help="fit on the first N timestamps, and search the others for anomalies; 0: "
        "fit on and search all (default: as the file's name says, otherwise 0)",
    )
    parser.add_argument(
        "--column",
        action="append",
        metavar="NAME",
        help="use only this column; may be repeated (default: all columns except "
        "timestamps and labels)",
    )
    parser.add_argument(
        "--period",
        type=int,
        metavar="N",
        help="period of the series in timestamps (default: estimated)",
    )
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--contamination",
        type=float,
        metavar="SHARE",
        default=CONTAMINATION,
        help="expected share of anomalous timestamps in the data fitted on; sets the "
        "threshold (default: %(default)s)",
    )
    limit.add_argument(
        "--threshold", type=float, metavar="SCORE", help="scores above are anomalous"
    )
    parser.add_argument(
        "--top",
        type=int,
        metavar="K",
        default=MAX_SEGMENTS,
        help="report at most K segments (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="CSV",
        help="write position or timestamp, score and label (1 above the threshold) of "
        "every timestamp, and the score of each column if there are several",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FIGURE",
        help=f"plot series and scores into a file ({', '.join(FIGURE_SUFFIXES)})",
    )
    add_training_arguments(parser)


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that trains a detector."""
    parser.add_argument(
        "--seed", type=int, metavar="N", default=0, help="default: %(default)s"
    )
    parser.add_argument(
        "--max-steps",
        type=int,
        metavar="N",
        default=MAX_STEPS,
        help="training steps; fewer are faster and less accurate (default: "
        "%(default)s)",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Run ``skcoad detect``; return 0. Raises ValueError for unusable arguments."""
    from skcoad.datasets import load_series

    if arguments.top < 1:
        raise ValueError(f"--top must be at least 1, got {arguments.top}")
    if arguments.plot is not None:
        check_figure_suffix(arguments.plot)
    outputs = {"--out": arguments.out, "--plot": arguments.plot}
    check_outputs(outputs, sources=[arguments.file])
    series = load_series(arguments.file)
    if arguments.column is not None:
        series = _with_columns(series, arguments.column)
    if arguments.train is not None:
        series = replace(series, train_length=arguments.train)
    n_timestamps, n_channels = series.values.shape
    if series.train_length == n_timestamps:
        raise ValueError(
            f"fitting on the first {series.train_length} of {n_timestamps} timestamps "
            "leaves none to search; --train 0 fits on and searches all"
        )
    print(
        f"{series.name}: {n_timestamps} timestamps of {', '.join(series.channel_names)}"
    )

    detector = make_detector(
        arguments,
        contamination=arguments.contamination,
        period="auto" if arguments.period is None else arguments.period,
    )
    found = detect(series, detector, limit=arguments.top, threshold=arguments.threshold)
    print_segments(series, found)
    channel_scores = found.scores[:, np.newaxis]
    if n_channels > 1:
        channel_scores = detector.channel_scores(series.values)
    if arguments.out is not None:
        _write_scores(arguments.out, series, found, channel_scores)
    if arguments.plot is not None:
        zooms = []
        for segment in found.segments[:MAX_ZOOMS]:
            channel = int(channel_scores[segment.peak].argmax())
            title = f"score {segment.score:.1f}"
            if n_channels > 1:
                title = f"{series.channel_names[channel]}, {title}"
            zooms.append(zoom(title, segment.start, segment.stop, found, channel))
        plot_detection(arguments.plot, series, found, zooms)
    return 0


class Detection(NamedTuple):
    """Scores of a series, and the segments above the threshold."""

    scores: FloatArray
    threshold: float
    period: int
    segments: list[AnomalySegment]


def make_detector(arguments: argparse.Namespace, **parameters: Any) -> CoADDetector:
    """Make a detector with the arguments of `add_training_arguments`."""
    from skcoad import CoADDetector

    return CoADDetector(
        max_steps=arguments.max_steps,
        random_state=arguments.seed,
        verbose=int(sys.stderr.isatty()),
        **parameters,
    )


def detect(
    series: Series,
    detector: CoADDetector,
    *,
    limit: int,
    threshold: float | None = None,
) -> Detection:
    """Fit on the training part and search the rest; without one, fit and search all.

    Parameters
    ----------
    series : Series
        The series.
    detector : CoADDetector
        Unfitted; it is fitted in place.
    limit : int
        Maximum number of segments.
    threshold : float, default=None
        Scores above are anomalous; None means the detector's ``threshold_``.

    Returns
    -------
    found : Detection
        Scores of the whole series, segments of the part searched.

    Raises
    ------
    KeyboardInterrupt
        If the training is interrupted.
    """
    from skcoad.model import InterruptedFitWarning
    from skcoad.scoring import find_segments

    n_timestamps = len(series.values)
    n_fitted = series.train_length or n_timestamps
    start = time.perf_counter()
    with warnings.catch_warnings():
        # An interrupted fit warns and returns a usable detector; the command stops.
        warnings.simplefilter("error", InterruptedFitWarning)
        try:
            detector.fit(series.values[:n_fitted])
        except InterruptedFitWarning:
            raise KeyboardInterrupt from None
    fitted = time.perf_counter()
    scores = detector.decision_function(series.values)
    scored = time.perf_counter()
    print(
        f"Fitted on {n_fitted} in {fitted - start:.1f} s (period {detector.period_}), "
        f"scored {n_timestamps} in {scored - fitted:.1f} s."
    )
    if threshold is None:
        threshold = float(detector.threshold_)
    segments = find_segments(
        scores,
        threshold,
        separation=detector.period_,
        limit=limit,
        start=series.train_length,
    )
    return Detection(scores, threshold, detector.period_, segments)


def _with_columns(series: Series, names: Sequence[str]) -> Series:
    for name in names:
        if name not in series.channel_names:
            raise ValueError(
                f"{series.name} has no column {name!r} of values, only "
                f"{', '.join(series.channel_names)}"
            )
    columns = [series.channel_names.index(name) for name in names]
    return replace(series, values=series.values[:, columns], channel_names=tuple(names))


def print_segments(series: Series, found: Detection, kinds: Sequence[str] = ()) -> None:
    """Print the segments; for a labelled series also which are true events.

    Parameters
    ----------
    series : Series
        The series.
    found : Detection
        From `detect`.
    kinds : sequence of str, default=()
        Kind of each event; if empty, the table shows only whether an event was hit.
    """
    import pandas as pd

    from skcoad.metrics import events

    if not found.segments:
        print(f"No score is above the threshold of {found.threshold:.3g}.")
        return
    first = [segment.start for segment in found.segments]
    last = [segment.stop - 1 for segment in found.segments]
    table = pd.DataFrame({"first": first, "last": last})
    if series.timestamps is not None:
        table["from"] = series.timestamps[first]
        table["to"] = series.timestamps[last]
    table["score"] = [f"{segment.score:.1f}" for segment in found.segments]
    if series.labels.any():
        start, stop = events(series.labels).T
        hits = [
            np.flatnonzero((s.start < stop) & (s.stop > start)).tolist()
            for s in found.segments
        ]
        if kinds:
            table["kind"] = [", ".join(kinds[i] for i in hit) or "-" for hit in hits]
        else:
            table["labelled"] = ["yes" if hit else "-" for hit in hits]
    print(f"Segments with a score above {found.threshold:.3g}, highest first:")
    print(table.to_string(index=False))


def zoom(title: str, start: int, stop: int, found: Detection, channel: int = 0) -> Zoom:
    """Zoom into a segment, with two periods of context on each side."""
    from skcoad.plotting import Zoom

    margin = 2 * found.period
    stop = min(len(found.scores), stop + margin)
    return Zoom(title, max(0, start - margin), stop, channel)


def plot_detection(
    path: Path, series: Series, found: Detection, zooms: Sequence[Zoom]
) -> None:
    """Plot series, scores and segments into a file."""
    from skcoad.plotting import plot_scores

    figure = plot_scores(
        series.values,
        found.scores,
        labels=series.labels,
        threshold=found.threshold,
        train_length=series.train_length,
        timestamps=series.timestamps,
        channel_names=series.channel_names,
        segments=found.segments,
        zooms=zooms,
    )
    save_figure(figure, path, dpi=DPI)
    print(f"Wrote {path}")


def _write_scores(
    path: Path, series: Series, found: Detection, channel_scores: FloatArray
) -> None:
    import pandas as pd

    table = pd.DataFrame(
        {"score": found.scores, "label": (found.scores > found.threshold).astype(int)}
    )
    if series.timestamps is None:
        table.insert(0, "position", np.arange(len(table)))
    else:
        table.insert(0, "timestamp", series.timestamps)
    if len(series.channel_names) > 1:
        for channel, name in enumerate(series.channel_names):
            table[f"score of {name}"] = channel_scores[:, channel]
    with atomic_write(path) as partial:
        table.to_csv(partial, index=False)
    print(f"Wrote {path}")
