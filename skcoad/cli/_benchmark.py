"""The command ``skcoad benchmark``."""

from __future__ import annotations

import argparse
import json
import pkgutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from skcoad.benchmark._detectors import FitPredictOnly, make
from skcoad.benchmark._protocols import PROTOCOLS
from skcoad.benchmark._published import compare_with_published
from skcoad.benchmark._report import markdown_table, plot_comparison, report
from skcoad.benchmark._run import run_benchmark
from skcoad.benchmark.baselines._registry import BASELINES
from skcoad.datasets import open_archive

_DETECTORS_HELP = f"""\
detectors, by name ({", ".join(BASELINES)}) or as NAME=WHAT or NAME=WHAT:PARAMETERS, where
WHAT is one of these names or the import path of a class, such as
pyod.models.ts_od.TimeSeriesOD, or of an object, and PARAMETERS is a JSON object, such
as '{{"window_size": "@period"}}', in which the text "@period" stands for the dominant
period of the series (default: CoAD KMeans PCA)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``skcoad benchmark`` to a parser.

    Parameters
    ----------
    parser : ArgumentParser
        Usually that of the subcommand.
    """
    parser.add_argument(
        "data", type=Path, help="a file, folder or zip file of labelled series"
    )
    parser.add_argument(
        "--detectors",
        nargs="+",
        metavar="DETECTOR",
        type=detector_argument,
        default=[detector_argument(name) for name in ("CoAD", "KMeans", "PCA")],
        help=_DETECTORS_HELP,
    )
    parser.add_argument(
        "--protocol",
        choices=list(PROTOCOLS),
        default="kdd21",
        help="fit on the training part, then score the test part (kdd21, the default) "
        "or the whole series (tsb-ad)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("results.jsonl"),
        help="results file; what is in it is not run again (default: %(default)s)",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="default: 0")
    parser.add_argument(
        "--jobs", type=int, default=1, help="processes, of one thread each if several"
    )
    parser.add_argument(
        "--select", metavar="PATTERN", default="*", help="only series named like this"
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="only the first N of these series"
    )
    parser.add_argument("--metric", default="vus_pr", help="default: %(default)s")
    parser.add_argument(
        "--against", metavar="NAME", help="compare with this one (default: the best)"
    )
    parser.add_argument(
        "--published",
        type=Path,
        metavar="CSV",
        help="also show these results, a table as TSB-AD publishes them",
    )
    parser.add_argument("--report", type=Path, help="write the tables to this file")
    parser.add_argument("--plot", type=Path, help="draw the comparison into this file")


def execute(arguments: argparse.Namespace) -> int:
    """Do what ``skcoad benchmark`` was asked for.

    Parameters
    ----------
    arguments : Namespace
        From a parser with `add_arguments`.

    Returns
    -------
    status : int
        0, or 130 after Ctrl-C.

    Raises
    ------
    ValueError
        If the data cannot be read or a choice does not fit the results.
    """
    series = open_archive(arguments.data).select(arguments.select)[: arguments.limit]
    if len(series) == 0:
        raise ValueError(
            f"no series in {arguments.data} is named like {arguments.select!r}"
        )
    try:
        with joblib.parallel_config(
            "loky", inner_max_num_threads=1, initializer=_leave_ctrl_c_to_the_parent
        ):
            results = run_benchmark(
                dict(arguments.detectors),
                series,
                arguments.out,
                protocol=arguments.protocol,
                seeds=arguments.seeds,
                n_jobs=arguments.jobs,
                verbose=True,
            )
    except KeyboardInterrupt:
        print(
            f"\ninterrupted; the results so far are in {arguments.out}, and the same "
            "command goes on from there",
            file=sys.stderr,
        )
        return 130

    text = report(results, metric=arguments.metric, against=arguments.against)
    if arguments.published is not None:
        table = compare_with_published(
            results, arguments.published, metric=arguments.metric
        )
        text += "\n## Beside published results\n\n" + markdown_table(table) + "\n"
    print(text)
    if arguments.report is not None:
        arguments.report.write_text(text, encoding="utf-8")
    if arguments.plot is not None:
        plot_comparison(results, metric=arguments.metric).savefig(arguments.plot)
    return 0


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True)
class Recipe:
    """A detector with parameters from the command line.

    Parameters
    ----------
    base : object
        A class, or what `run_benchmark` takes as a detector.
    parameters : dict
        For the class, or for ``set_params`` of the detector. The value "@period"
        stands for the period.
    """

    base: Any
    parameters: dict[str, Any]

    def __call__(self, period: int) -> Any:
        """Make the detector."""
        parameters = {
            name: period if value == "@period" else value
            for name, value in self.parameters.items()
        }
        if isinstance(self.base, type):
            return self.base(**parameters)
        return make(self.base, period).set_params(**parameters)


def detector_argument(text: str) -> tuple[str, Any]:
    """Read ``NAME``, ``NAME=WHAT`` or ``NAME=WHAT:PARAMETERS``.

    Parameters
    ----------
    text : str
        One value of ``--detectors``.

    Returns
    -------
    name : str
        What the detector is called in the results.
    detector : object
        What `run_benchmark` takes.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not of this form, or there is no such class or object.

    Examples
    --------
    >>> from skcoad.cli import detector_argument
    >>> name, make = detector_argument('KMeans5=KMeans:{"n_clusters": 5}')
    >>> name, make(25)
    ('KMeans5', KMeansAD(n_clusters=5, window_size=25))
    """
    name, given, description = text.partition("=")
    what, _, json_text = (description if given else name).partition(":")
    try:
        parameters = json.loads(json_text or "{}")
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{json_text!r} is not JSON: {error}"
        ) from None
    if not isinstance(parameters, dict):
        raise argparse.ArgumentTypeError(f"{json_text!r} is not a JSON object")
    base = BASELINES[what] if what in BASELINES else _import(what)
    if not parameters and not isinstance(base, type):
        return name, base
    recipe = Recipe(base, parameters)
    return name, FitPredictOnly(recipe) if isinstance(base, FitPredictOnly) else recipe


def _import(path: str) -> Any:
    try:
        return pkgutil.resolve_name(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"{path!r} is neither a known detector ({', '.join(BASELINES)}) nor an import "
            f"path: {error}"
        ) from None
