"""The detector that a command fits or loads, and the options that describe it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

from skcoad._typing import ChannelAggregation, References, ScoreBy

if TYPE_CHECKING:
    from skcoad.detectors import TimeSeriesDetector

FALSE_ALARMS = "1 per 1000 rows"
MAX_STEPS = 150  # the detector's default, repeated here so that --help needs no torch
# The parameter of the detector that each option sets; without the option, the
# detector's own default holds.
PARAMETERS = {
    "period": "period",
    "references": "references",
    "max_references": "max_references",
    "channel_aggregation": "channel_aggregation",
    "score_by": "score_by",
    "smoothing": "smoothing",
    "device": "device",
    "seed": "random_state",
    "max_steps": "max_steps",
}


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that trains a detector."""
    parser.add_argument("--seed", type=int, metavar="N", help="default: 0")
    parser.add_argument(
        "--max-steps",
        type=int,
        metavar="N",
        help="training steps; fewer are faster and less accurate (default: "
        f"{MAX_STEPS})",
    )


def add_detector_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose a detector and its parameters, but no threshold."""
    parser.add_argument(
        "--detector",
        choices=("coad", "neighbors"),
        help="neighbors fits in seconds and trains no network (default: coad)",
    )
    parser.add_argument(
        "--period",
        type=int,
        metavar="N",
        help="period of the series in timestamps (default: estimated)",
    )
    parser.add_argument(
        "--channel-aggregation",
        choices=get_args(ChannelAggregation),
        help="score of a timestamp: the quadratic mean of those of its channels, their "
        "mean, or the largest (default: rms)",
    )
    parser.add_argument(
        "--references",
        choices=get_args(References),
        help="where normal neighbours are looked for: in the training part, also "
        "earlier in the series, or also anywhere in it (default: train)",
    )
    parser.add_argument(
        "--max-references",
        type=int,
        metavar="N",
        help="training subsequences that expected values are taken from; 0 for CoAD "
        "without neighbours (default: 4096)",
    )
    parser.add_argument(
        "--score-by",
        choices=get_args(ScoreBy),
        help="components of the score (default: joint)",
    )
    parser.add_argument(
        "--smoothing",
        type=float,
        metavar="PERIODS",
        help="width of the moving average over the network's part of the score "
        "(default: 1.0)",
    )
    parser.add_argument(
        "--device", metavar="NAME", help="cpu, cuda, ... (default: a GPU if any)"
    )
    add_training_arguments(parser)


def make_detector(arguments: argparse.Namespace) -> TimeSeriesDetector:
    """Make the detector that the arguments describe.

    Parameters
    ----------
    arguments : argparse.Namespace
        With those of :func:`add_detector_arguments` and of the threshold, or of
        :func:`add_training_arguments` alone.

    Returns
    -------
    TimeSeriesDetector
        Not fitted.

    Raises
    ------
    ValueError
        If an option was given that the detector has not, or a value is out of range.
    """
    from skcoad import CoADDetector, NeighborsDetector
    from skcoad._validation import check_parameters

    given = _given(arguments)
    parameters = {PARAMETERS[option]: value for option, value in given.items()}
    detector: TimeSeriesDetector
    if getattr(arguments, "detector", None) == "neighbors":
        detector = NeighborsDetector()
        for option in given:
            if PARAMETERS[option] not in detector.get_params():
                raise ValueError(f"--detector neighbors has no {flag(option)}")
    else:
        detector = CoADDetector(random_state=0)
    detector.set_params(contamination=_contamination(arguments), **parameters)
    check_parameters(detector)
    return detector


@contextmanager
def bars_on_a_terminal(detector: TimeSeriesDetector) -> Iterator[None]:
    """Let a detector show its progress, if there is a terminal to show it on."""
    verbose = detector.verbose
    detector.set_params(verbose=int(sys.stderr.isatty()))
    try:
        yield
    finally:
        detector.set_params(verbose=verbose)


def check_no_fit(arguments: argparse.Namespace) -> None:
    """Raise ValueError if an option is given that a fitted detector would ignore."""
    thresholds = ("contamination", "false_alarms")
    for option in ("train", "detector", "save", *thresholds, *_given(arguments)):
        if getattr(arguments, option) is not None:
            raise ValueError(
                f"{flag(option)} is for fitting, and the detector of --model is fitted"
            )


def _contamination(arguments: argparse.Namespace) -> Any:
    """What sets the threshold: a share, or a rate of false alarms."""
    from skcoad.thresholds import PeaksOverThreshold
    from skcoad.thresholds._rate import parse_rate

    options = vars(arguments)
    if options.get("contamination") is not None:
        return options["contamination"]
    asked = options.get("false_alarms")
    asked = FALSE_ALARMS if asked is None else asked
    parse_rate(asked)  # raises for words that no data can make a rate
    threshold = PeaksOverThreshold(asked)
    if options.get("threshold") is not None:
        threshold.set_params(held_back=0)  # there is nothing to calibrate
    return threshold


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options for a parameter of the detector that were given, with their values."""
    values = {option: getattr(arguments, option, None) for option in PARAMETERS}
    return {option: value for option, value in values.items() if value is not None}


def flag(option: str) -> str:
    """The option as it is written."""
    return f"--{option.replace('_', '-')}"
