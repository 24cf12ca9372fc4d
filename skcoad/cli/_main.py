"""The command ``skcoad``."""

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
from numpy.typing import NDArray

from skcoad._version import __version__
from skcoad.io._atomic import check_target, replacing

if TYPE_CHECKING:
    from skcoad.datasets import Series
    from skcoad.detectors._coad import CoADDetector
    from skcoad.plotting._scores import Zoom
    from skcoad.scoring._segments import AnomalySegment

__all__ = ["main"]

FloatArray = NDArray[np.floating[Any]]

DEMO_PICTURE = "skcoad-demo.png"
DEMO_PERIOD = 50
CONTAMINATION = 0.01
MAX_STRETCHES = 10
# The kinds that one would overlook in the whole series.
DEMO_ZOOMS = ("flip", "time_warp", "amplitude")
MAX_ZOOMS = 3
PICTURE_SUFFIXES = (".pdf", ".png", ".svg")
DPI = 120


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command ``skcoad``.

    Parameters
    ----------
    argv : sequence of str, default=None
        The arguments; by default those of the process.

    Returns
    -------
    status : int
        0; 2 when input cannot be used, with one line on standard error that says why;
        130 after Ctrl-C. Files are written whole or not at all.

    Raises
    ------
    SystemExit
        From argparse: status 2 for wrong usage, 0 for ``--help`` and ``--version``.

    Examples
    --------
    >>> from skcoad.cli import main
    >>> main(["detect", "no-such-file.csv"])  # and says so on standard error
    2
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = _parser(for_benchmark=argv[:1] == ["benchmark"]).parse_args(argv)
        return int(arguments.execute(arguments))
    except KeyboardInterrupt:
        print("skcoad: interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"skcoad: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _parser(*, for_benchmark: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skcoad",
        description="Find anomalies in time series with CoAD (Tang et al., KDD 2026).",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="find labelled anomalies in a series made up for the purpose",
        description="Make a periodic series with anomalies of seven kinds, fit on the "
        "anomaly-free beginning, score all of it, print what was found and missed, and "
        "draw a picture.",
    )
    demo.set_defaults(execute=_demo)
    demo.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        default=Path(),
        help=f"the picture, or a folder for {DEMO_PICTURE} (default: here)",
    )
    _add_common(demo)

    detect = commands.add_parser(
        "detect",
        help="find anomalies in a file",
        description="Score a time series from a file: CSV with or without timestamps, "
        "or a file of the UCR archive, TSB-AD, TSB-UAD or NAB, known by its name. "
        "Positions count from 0. Files that are written replace those of that name.",
    )
    detect.set_defaults(execute=_detect)
    detect.add_argument("file", type=Path, help="the series")
    detect.add_argument(
        "--train",
        type=int,
        metavar="N",
        help="fit on the first N timestamps, and look for anomalies in the others; 0 "
        "to use all for both (default: as the file's name says, otherwise 0)",
    )
    detect.add_argument(
        "--column",
        action="append",
        metavar="NAME",
        help="use only this column; may be given several times (default: all columns "
        "but timestamps and labels)",
    )
    detect.add_argument(
        "--period",
        type=int,
        metavar="N",
        help="timestamps after which the series repeats (default: estimated)",
    )
    limit = detect.add_mutually_exclusive_group()
    limit.add_argument(
        "--contamination",
        type=float,
        metavar="SHARE",
        default=CONTAMINATION,
        help="share of the timestamps fitted on that is anomalous; makes the threshold "
        "(default: %(default)s)",
    )
    limit.add_argument(
        "--threshold", type=float, metavar="SCORE", help="scores above are anomalous"
    )
    detect.add_argument(
        "--top",
        type=int,
        metavar="K",
        default=MAX_STRETCHES,
        help="print and draw no more than K stretches (default: %(default)s)",
    )
    detect.add_argument(
        "--out",
        type=Path,
        metavar="CSV",
        help="write position or timestamp, score and label (1 above the threshold) of "
        "every timestamp, and the score of each column if there are several",
    )
    detect.add_argument(
        "--plot",
        type=Path,
        metavar="PICTURE",
        help=f"draw series and scores into a file ({', '.join(PICTURE_SUFFIXES)})",
    )
    _add_common(detect)

    benchmark = commands.add_parser(
        "benchmark",
        help="compare detectors on labelled series",
        description="Compare detectors on labelled series.",
    )
    # Only this command pays for importing what it needs.
    if for_benchmark:
        from skcoad.cli import _benchmark as cli

        cli.add_arguments(benchmark)
        benchmark.set_defaults(execute=cli.execute)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, metavar="N", default=0, help="default: %(default)s"
    )
    parser.add_argument(
        "--max-steps",
        type=int,
        metavar="N",
        default=300,
        help="training steps; fewer are quicker and less accurate (default: "
        "%(default)s)",
    )


def _demo(arguments: argparse.Namespace) -> int:
    from skcoad.datasets import ANOMALY_KINDS, make_series
    from skcoad.metrics import auc_pr, events, vus_pr

    picture = arguments.out
    if picture.is_dir():
        picture /= DEMO_PICTURE
    _check_picture(picture)
    series = make_series(6000, period=DEMO_PERIOD, random_state=arguments.seed)
    series = replace(series, channel_names=("value",))
    print(
        f"A series of {len(series.values)} timestamps that repeats about every "
        f"{DEMO_PERIOD}, with {len(ANOMALY_KINDS)} anomalies behind the first "
        f"{series.train_length}."
    )
    found = _find(
        series, _detector(arguments, contamination=CONTAMINATION), limit=MAX_STRETCHES
    )
    _print_stretches(series, found, ANOMALY_KINDS)

    # The events are in the order of the kinds.
    spans = {
        kind: (int(start), int(stop))
        for kind, (start, stop) in zip(
            ANOMALY_KINDS, events(series.labels), strict=True
        )
    }
    missed = [
        kind
        for kind, (start, stop) in spans.items()
        if not any(s.start < stop and s.stop > start for s in found.stretches)
    ]
    scores = found.scores[series.train_length :]
    print(
        f"Missed: {', '.join(missed) or 'none'}. "
        f"AUC-PR {auc_pr(series.test_labels, scores):.2f}, "
        f"VUS-PR {vus_pr(series.test_labels, scores, window=DEMO_PERIOD):.2f}."
    )
    zooms = [_zoom(kind, *spans[kind], found) for kind in DEMO_ZOOMS]
    _draw(picture, series, found, zooms)
    return 0


def _detect(arguments: argparse.Namespace) -> int:
    from skcoad.datasets import load_series

    if arguments.top < 1:
        raise ValueError(f"--top must be at least 1, got {arguments.top}")
    if arguments.out is not None:
        check_target(arguments.out, arguments.file)
    if arguments.plot is not None:
        _check_picture(arguments.plot, arguments.file)
    series = load_series(arguments.file)
    if arguments.column is not None:
        series = _with_columns(series, arguments.column)
    if arguments.train is not None:
        series = replace(series, train_length=arguments.train)
    n_timestamps, n_channels = series.values.shape
    if series.train_length == n_timestamps:
        raise ValueError(
            f"fitting on the first {series.train_length} of {n_timestamps} timestamps "
            "leaves none to look at; --train 0 uses all for both"
        )
    print(
        f"{series.name}: {n_timestamps} timestamps of {', '.join(series.channel_names)}"
    )

    detector = _detector(
        arguments,
        contamination=arguments.contamination,
        period="auto" if arguments.period is None else arguments.period,
    )
    found = _find(series, detector, limit=arguments.top, threshold=arguments.threshold)
    _print_stretches(series, found)
    channel_scores = found.scores[:, np.newaxis]
    if n_channels > 1:
        channel_scores = detector.channel_scores(series.values)
    if arguments.out is not None:
        _write_scores(arguments.out, series, found, channel_scores)
    if arguments.plot is not None:
        zooms = []
        for stretch in found.stretches[:MAX_ZOOMS]:
            channel = int(channel_scores[stretch.peak].argmax())
            title = f"score {stretch.score:.1f}"
            if n_channels > 1:
                title = f"{series.channel_names[channel]}, {title}"
            zooms.append(_zoom(title, stretch.start, stretch.stop, found, channel))
        _draw(arguments.plot, series, found, zooms)
    return 0


class _Found(NamedTuple):
    """What a detector says of a series."""

    scores: FloatArray
    threshold: float
    period: int
    stretches: list[AnomalySegment]


def _detector(arguments: argparse.Namespace, **parameters: Any) -> CoADDetector:
    from skcoad.detectors._coad import CoADDetector

    return CoADDetector(
        max_steps=arguments.max_steps,
        random_state=arguments.seed,
        verbose=int(sys.stderr.isatty()),
        **parameters,
    )


def _find(
    series: Series,
    detector: CoADDetector,
    *,
    limit: int,
    threshold: float | None = None,
) -> _Found:
    """Fit on the training part, or on all if there is none, and look at the others."""
    from skcoad.scoring._segments import find_segments

    n_timestamps = len(series.values)
    n_fitted = series.train_length or n_timestamps
    start = time.perf_counter()
    with warnings.catch_warnings():
        # An interrupted fit keeps what was learned and warns; a command stops.
        warnings.filterwarnings("ignore", "training was interrupted")
        detector.fit(series.values[:n_fitted])
    if detector.n_iter_ < detector.max_steps:
        raise KeyboardInterrupt
    fitted = time.perf_counter()
    scores = detector.decision_function(series.values)
    scored = time.perf_counter()
    print(
        f"Fitted on {n_fitted} in {fitted - start:.1f} s (period {detector.period_}), "
        f"scored {n_timestamps} in {scored - fitted:.1f} s."
    )
    if threshold is None:
        threshold = float(detector.threshold_)
    stretches = find_segments(
        scores,
        threshold,
        separation=detector.period_,
        limit=limit,
        start=series.train_length,
    )
    return _Found(scores, threshold, detector.period_, stretches)


def _with_columns(series: Series, names: Sequence[str]) -> Series:
    for name in names:
        if name not in series.channel_names:
            raise ValueError(
                f"{series.name} has no column {name!r} of values, only "
                f"{', '.join(series.channel_names)}"
            )
    columns = [series.channel_names.index(name) for name in names]
    return replace(series, values=series.values[:, columns], channel_names=tuple(names))


def _print_stretches(series: Series, found: _Found, kinds: Sequence[str] = ()) -> None:
    """Print a table, with the true events if the series is labelled."""
    import pandas as pd

    from skcoad.metrics import events

    if not found.stretches:
        print(f"No score is above the threshold of {found.threshold:.3g}.")
        return
    first = [stretch.start for stretch in found.stretches]
    last = [stretch.stop - 1 for stretch in found.stretches]
    table = pd.DataFrame({"first": first, "last": last})
    if series.timestamps is not None:
        table["from"] = series.timestamps[first]
        table["to"] = series.timestamps[last]
    table["score"] = [f"{stretch.score:.1f}" for stretch in found.stretches]
    if series.labels.any():
        start, stop = events(series.labels).T
        hits = [
            np.flatnonzero((s.start < stop) & (s.stop > start)).tolist()
            for s in found.stretches
        ]
        if kinds:
            table["kind"] = [", ".join(kinds[i] for i in hit) or "-" for hit in hits]
        else:
            table["labelled"] = ["yes" if hit else "-" for hit in hits]
    print(f"Stretches with a score above {found.threshold:.3g}, the highest first:")
    print(table.to_string(index=False))


def _zoom(title: str, start: int, stop: int, found: _Found, channel: int = 0) -> Zoom:
    """Two periods more on both sides, as far as there are any."""
    from skcoad.plotting._scores import Zoom

    margin = 2 * found.period
    stop = min(len(found.scores), stop + margin)
    return Zoom(title, max(0, start - margin), stop, channel)


def _draw(path: Path, series: Series, found: _Found, zooms: Sequence[Zoom]) -> None:
    from skcoad.plotting._scores import plot_scores

    figure = plot_scores(
        series.values,
        found.scores,
        labels=series.labels,
        threshold=found.threshold,
        train_length=series.train_length,
        timestamps=series.timestamps,
        channel_names=series.channel_names,
        stretches=found.stretches,
        zooms=zooms,
    )
    with replacing(path) as partial:
        figure.savefig(partial, format=path.suffix[1:].lower(), dpi=DPI)
    print(f"Wrote {path}")


def _write_scores(
    path: Path, series: Series, found: _Found, channel_scores: FloatArray
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
    with replacing(path) as partial:
        table.to_csv(partial, index=False)
    print(f"Wrote {path}")


def _check_picture(path: Path, source: Path | None = None) -> None:
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise ValueError(
            f"the name of a picture ends in {', '.join(PICTURE_SUFFIXES)}, got {path}"
        )
    check_target(path, source)
