"""The command ``skcoad demo``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from skcoad.cli._detector import add_training_arguments, make_detector
from skcoad.cli._output import check_figure_suffix, check_outputs
from skcoad.cli._report import print_segments, save_plot, segment_report, zoom
from skcoad.cli._search import MAX_SEGMENTS, fit, search

FIGURE_NAME = "skcoad-demo.png"
N_TIMESTAMPS = 6000
PERIOD = 50
# Anomalies that are hard to see in the plot of the whole series.
ZOOM_KINDS = ("flip", "time_warp", "amplitude")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``skcoad demo`` to a parser."""
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        default=Path(),
        help=f"the figure, or a folder for {FIGURE_NAME} (default: the current folder)",
    )
    add_training_arguments(parser)
    parser.set_defaults(seed=0)  # of the series, too


def execute(arguments: argparse.Namespace) -> int:
    """Run ``skcoad demo``; return 0. Raises ValueError for unusable arguments."""
    from skcoad.datasets import ANOMALY_KINDS, make_series
    from skcoad.metrics import auc_pr, events, vus_pr

    path = arguments.out
    if path.is_dir():
        path /= FIGURE_NAME
    check_figure_suffix(path)
    check_outputs({"--out": path}, sources=())
    detector = make_detector(arguments)
    series = make_series(N_TIMESTAMPS, period=PERIOD, random_state=arguments.seed)
    series = replace(series, channel_names=("value",))
    print(
        f"A series of {len(series.values)} timestamps with a period of about {PERIOD}; "
        f"{len(ANOMALY_KINDS)} anomalies after the first {series.train_length}."
    )
    fit(series, detector)
    found = search(series, detector, MAX_SEGMENTS)
    print_segments(series, found, segment_report(series, found, ANOMALY_KINDS))

    # make_series places the kinds in this order.
    spans = {
        kind: (int(start), int(stop))
        for kind, (start, stop) in zip(
            ANOMALY_KINDS, events(series.labels), strict=True
        )
    }
    missed = [
        kind
        for kind, (start, stop) in spans.items()
        if not ((found.table["start"] < stop) & (found.table["end"] >= start)).any()
    ]
    scores = found.scores[series.train_length :]
    print(
        f"Missed: {', '.join(missed) or 'none'}. "
        f"AUC-PR {auc_pr(series.test_labels, scores):.2f}, "
        f"VUS-PR {vus_pr(series.test_labels, scores, window=PERIOD):.2f}."
    )
    zooms = [zoom(kind, *spans[kind], found, detector.period_) for kind in ZOOM_KINDS]
    save_plot(path, series, found, zooms)
    print(f"Wrote {path}")
    return 0
