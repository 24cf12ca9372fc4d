"""The command ``skcoad detect``."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from skcoad.cli import _panel
from skcoad.cli._detector import (
    FALSE_ALARMS,
    add_detector_arguments,
    check_no_fit,
    make_detector,
)
from skcoad.cli._output import (
    FIGURE_SUFFIXES,
    TABLE_SUFFIXES,
    check_figure_suffix,
    check_outputs,
    check_report,
    check_table,
    save_table,
)
from skcoad.cli._reading import (
    add_reading_arguments,
    describe,
    read_series,
    training_part,
)
from skcoad.cli._report import (
    print_segments,
    save_plot,
    save_report,
    save_scores,
    segment_report,
    segment_zooms,
)
from skcoad.cli._search import MAX_SEGMENTS, fit, search

if TYPE_CHECKING:
    from skcoad.datasets import Series
    from skcoad.detectors import TimeSeriesDetector

MAX_ZOOMS = 3
OUTPUTS = ("save", "out", "scores", "plot", "report")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``skcoad detect`` to a parser."""
    add_reading_arguments(parser)
    add_detector_arguments(parser)
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--false-alarms",
        metavar="RATE",
        help="segments of normal data above the threshold, such as '1 per 10000 rows', "
        "or, if there are timestamps, '1 per week'; each half of the data fitted on is "
        "held back in turn to calibrate it, unless all is searched (default: "
        f"{FALSE_ALARMS})",
    )
    limit.add_argument(
        "--contamination",
        type=float,
        metavar="SHARE",
        help="instead: share of the timestamps fitted on that are above the threshold",
    )
    limit.add_argument(
        "--threshold",
        type=float,
        metavar="SCORE",
        help="instead: scores above are anomalous",
    )
    parser.add_argument(
        "--top",
        type=int,
        metavar="K",
        default=MAX_SEGMENTS,
        help="report at most K segments (default: %(default)s)",
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="keep the fitted detector in a file"
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="use the detector that --save kept instead of fitting one; all of the "
        "series is searched",
    )
    tables = ", ".join(TABLE_SUFFIXES)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="TABLE",
        help="write what was found into a file: start, peak, end, score, channel, "
        f"component and reason of each segment ({tables}); of many series, the "
        "results, from which the same command resumes (.jsonl)",
    )
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="TABLE",
        help="write position or timestamp, score and label (1 above the threshold) of "
        "every timestamp, and the score of each column if there are several "
        f"({tables})",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FIGURE",
        help=f"plot series and scores into a file ({', '.join(FIGURE_SUFFIXES)})",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="PAGE",
        help="write a page for a browser (.html) with the series, its scores and an "
        "explanation of each segment; needs plotly",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="number of processes for many series, each with one thread (default: 1)",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Run ``skcoad detect``; return 0. Raises ValueError for unusable arguments."""
    if arguments.top < 1:
        raise ValueError(f"--top must be at least 1, got {arguments.top}")
    if arguments.threshold is not None and not math.isfinite(arguments.threshold):
        raise ValueError(f"--threshold must be finite, got {arguments.threshold}")
    arguments.train = training_part(arguments.train, arguments.dayfirst)
    panel = _panel.open_many(arguments)
    if panel is not None:
        return _panel.execute(arguments, panel)
    _check_arguments(arguments)
    if arguments.model is None:
        detector = make_detector(arguments)
        series = _read(arguments)
        fit(series, detector)
        _set_threshold(detector, arguments)
        if arguments.save is not None:
            detector.save(arguments.save)
    else:
        from skcoad.detectors import load

        detector = load(arguments.model)
        print(f"{arguments.model}: {detector!r} (period {detector.period_}).")
        names = getattr(detector, "feature_names_in_", None)
        if arguments.column is None and names is not None:
            arguments.column = names.tolist()
        series = replace(_read(arguments), train_length=0)
        if names is not None and len(names) == len(series.channel_names) == 1:
            # --column chose it, whatever its name is.
            series = replace(series, channel_names=names)
    found = search(series, detector, arguments.top, arguments.threshold)
    table = segment_report(series, found)
    print_segments(series, found, table, _rows_needed(arguments, detector))
    if arguments.out is not None:
        save_table(table, arguments.out)
    if arguments.scores is not None:
        save_scores(arguments.scores, series, found)
    if arguments.plot is not None:
        zooms = segment_zooms(series, found, detector.period_, MAX_ZOOMS)
        save_plot(arguments.plot, series, found, zooms)
    if arguments.report is not None:
        save_report(arguments.report, series, detector, found, arguments.top)
    for name in OUTPUTS:
        path = getattr(arguments, name)
        if path is not None:
            print(f"Wrote {path}")
    return 0


def _set_threshold(detector: TimeSeriesDetector, arguments: argparse.Namespace) -> None:
    """Make the threshold that was asked for that of segments; a file keeps it."""
    if arguments.threshold is not None:
        detector.threshold_ = arguments.threshold
        detector.thresholder_ = None
        above = detector.decision_scores_ > detector.threshold_
        detector.labels_ = above.astype(int)
    if arguments.threshold is not None or arguments.contamination is not None:
        detector.segment_threshold_ = detector.threshold_


def _rows_needed(arguments: argparse.Namespace, detector: TimeSeriesDetector) -> int:
    """Rows for one false alarm, if the threshold is learned of this series."""
    own = arguments.model is None and arguments.threshold is None
    if not own or detector.thresholder_ is None:
        return 0
    return round(1 / detector.thresholder_.rate_)


def _check_arguments(arguments: argparse.Namespace) -> None:
    """Raise ValueError for what would fail after the work."""
    if arguments.jobs is not None:
        raise ValueError(f"--jobs is for many series, and {arguments.file} is one")
    outputs = {f"--{name}": getattr(arguments, name) for name in OUTPUTS}
    sources = [arguments.file]
    if arguments.model is not None:
        check_no_fit(arguments)
        sources.append(arguments.model)
    check_outputs(outputs, sources)
    for path in (arguments.out, arguments.scores):
        if path is not None:
            check_table(path)
    if arguments.plot is not None:
        check_figure_suffix(arguments.plot)
    if arguments.report is not None:
        check_report(arguments.report)


def _read(arguments: argparse.Namespace) -> Series:
    """Read the series, and say what was recognised."""
    from skcoad.datasets._series import without_empty_channels

    series = read_series(arguments)
    if arguments.model is None and arguments.column is None:
        series = without_empty_channels(series)
    print(describe(series))
    return series
