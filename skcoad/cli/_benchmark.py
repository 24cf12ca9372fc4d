"""The command ``skcoad benchmark``."""

from __future__ import annotations

import argparse
import json
import pkgutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import joblib

from skcoad._arguments import repeated
from skcoad._validation import check_high_scores
from skcoad.benchmark import (
    BASELINES,
    PROTOCOLS,
    FitPredictOnly,
    compare_with_published,
    plot_comparison,
    read_published,
    read_results,
    report,
    run_benchmark,
    scenario_report,
    scenario_suite,
)
from skcoad.benchmark._detectors import make_detector
from skcoad.benchmark._protocols import METRICS
from skcoad.benchmark._report import markdown_table
from skcoad.benchmark._statistics import first_error
from skcoad.cli._output import (
    FIGURE_SUFFIXES,
    check_figure_suffix,
    check_outputs,
    save_figure,
)
from skcoad.cli._parallel import interrupted, worker_processes
from skcoad.datasets import Series, open_archive
from skcoad.io._atomic import atomic_write

DEFAULT_DETECTORS = ("CoAD", "KMeansAD", "PCA")
DETECTORS_HELP = f"""\
detectors, each as NAME, NAME=BASE or NAME=BASE:PARAMETERS. BASE is one of
{", ".join(BASELINES)}, or the import path of a class, such as
pyod.models.ts_od.TimeSeriesOD, or of an object; without it, NAME is the base.
PARAMETERS is a JSON object, such as '{{"window_size": "@period"}}', where the text
"@period" stands for the dominant period of the series (default:
{" ".join(DEFAULT_DETECTORS)})"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``skcoad benchmark`` to a parser."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "data",
        nargs="?",
        type=Path,
        help="a file, folder or zip file of labelled series",
    )
    source.add_argument(
        "--scenarios",
        metavar="DRAWS",
        nargs="?",
        const=3,
        type=int,
        help="instead of data, so many series (default: %(const)s) of each generated "
        "scenario; also reports each scenario",
    )
    parser.add_argument(
        "--detectors",
        nargs="+",
        metavar="DETECTOR",
        type=detector_argument,
        default=[detector_argument(name) for name in DEFAULT_DETECTORS],
        help=DETECTORS_HELP,
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
        help="results file; results in it are not computed again, unless the data have "
        "changed (default: %(default)s)",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="default: 0")
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        help="number of worker processes; with several, each has one thread (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--select",
        metavar="PATTERN",
        default="*",
        help="only series whose name matches the shell pattern",
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="only the first N of these series"
    )
    parser.add_argument(
        "--metric",
        choices=METRICS,
        metavar="METRIC",
        default="vus_pr",
        help=f"compare by this one of {', '.join(METRICS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--against",
        metavar="NAME",
        help="test the others against this detector (default: the best)",
    )
    parser.add_argument(
        "--published",
        type=Path,
        metavar="CSV",
        help="also show these published results, a table in TSB-AD's format",
    )
    parser.add_argument("--report", type=Path, help="write the tables to this file")
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FIGURE",
        help=f"plot the comparison into this file ({', '.join(FIGURE_SUFFIXES)})",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Run ``skcoad benchmark``.

    Parameters
    ----------
    arguments : Namespace
        Of this command.

    Returns
    -------
    int
        0; 1 if some runs failed; 130 after Ctrl-C.

    Raises
    ------
    ValueError
        For unusable arguments, before the first run; or if no series can be compared.
    """
    if arguments.limit is not None and arguments.limit < 1:
        raise ValueError(f"--limit must be at least 1, got {arguments.limit}")
    series, sources = _select_series(arguments)
    detectors = dict(arguments.detectors)
    for name in repeated(name for name, _ in arguments.detectors):
        raise ValueError(
            f"--detectors has the name {name!r} more than once; give each its own, as "
            "NAME=BASE"
        )
    if arguments.against is not None and arguments.against not in detectors:
        raise ValueError(
            f"--against must be one of {list(detectors)}, got {arguments.against!r}"
        )
    if arguments.published is not None:
        try:
            read_published(arguments.published)
        except OSError as error:
            problem = f"--published {arguments.published}: {error.strerror}"
            raise ValueError(problem) from None
        sources.append(arguments.published)
    if arguments.plot is not None:
        check_figure_suffix(arguments.plot)
    check_outputs(
        {
            "--out": arguments.out,
            "--report": arguments.report,
            "--plot": arguments.plot,
        },
        sources,
    )
    n_lines = _count_lines(arguments.out)
    try:
        n_threads = joblib.cpu_count() if arguments.jobs == 1 else 1
        with worker_processes(n_threads):
            results = run_benchmark(
                detectors,
                series,
                arguments.out,
                protocol=arguments.protocol,
                seeds=arguments.seeds,
                n_jobs=arguments.jobs,
                verbose=sys.stderr.isatty(),
            )
    except KeyboardInterrupt:
        return interrupted(arguments.out)
    n_taken = len(results) - (_count_lines(arguments.out) - n_lines)
    if n_taken:
        print(
            f"skcoad: {n_taken} of {len(results)} results were in {arguments.out}",
            file=sys.stderr,
        )

    text = report(results, metric=arguments.metric, against=arguments.against)
    if arguments.scenarios is not None:
        text += "\n" + scenario_report(results)
    if arguments.published is not None:
        table = compare_with_published(
            results, arguments.published, metric=arguments.metric
        )
        text += "\n## Beside published results\n\n" + markdown_table(table) + "\n"
    print(text)
    if arguments.report is not None:
        with atomic_write(arguments.report) as partial:
            partial.write_text(text, encoding="utf-8")
    if arguments.plot is not None:
        save_figure(plot_comparison(results, metric=arguments.metric), arguments.plot)
    n_failed = sum(result["error"] is not None for result in results)
    if n_failed:
        print(
            f"skcoad: {n_failed} of {len(results)} runs failed; {first_error(results)}",
            file=sys.stderr,
        )
    return int(n_failed > 0)


def _count_lines(path: Path) -> int:
    return len(read_results(path)) if path.exists() else 0


def _select_series(
    arguments: argparse.Namespace,
) -> tuple[Sequence[Series], list[Path]]:
    """Return the series to run on, and the files that must not be replaced."""
    series: Sequence[Series]
    if arguments.scenarios is not None:
        sources = []
        series = [
            one
            for one in scenario_suite(arguments.scenarios)
            if fnmatchcase(one.name, arguments.select)
        ]
    else:
        archive = open_archive(arguments.data)
        sources = [arguments.data, *archive.files]
        series = archive.select(arguments.select)
    if len(series) == 0:
        where = "scenario" if arguments.data is None else f"series in {arguments.data}"
        raise ValueError(f"no {where} has a name that matches {arguments.select!r}")
    return series[: arguments.limit], sources


@dataclass(frozen=True)
class DetectorFactory:
    """Make a detector with parameters from the command line.

    Parameters
    ----------
    base : object
        A class, or a detector as `run_benchmark` takes it.
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
        return make_detector(self.base, period).set_params(**parameters)


def detector_argument(text: str) -> tuple[str, Any]:
    """Parse ``NAME``, ``NAME=BASE`` or ``NAME=BASE:PARAMETERS``.

    Parameters
    ----------
    text : str
        One value of ``--detectors``.

    Returns
    -------
    name : str
        Name of the detector in the results.
    detector : object
        The detector as `run_benchmark` takes it.

    Raises
    ------
    argparse.ArgumentTypeError
        If the text has another form, or there is no such class or object, or it is
        one of scikit-learn's detectors.

    Examples
    --------
    >>> from skcoad.cli._benchmark import detector_argument
    >>> name, factory = detector_argument('KMeans5=KMeansAD:{"n_clusters": 5}')
    >>> name, factory(25)
    ('KMeans5', KMeansAD(n_clusters=5, window_size=25))
    """
    name, equals, description = text.partition("=")
    base_name, _, json_text = (description if equals else name).partition(":")
    try:
        parameters = json.loads(json_text or "{}")
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{json_text!r} is not JSON: {error}"
        ) from None
    if not isinstance(parameters, dict):
        raise argparse.ArgumentTypeError(f"{json_text!r} is not a JSON object")
    base = BASELINES[base_name] if base_name in BASELINES else _import(base_name)
    try:
        check_high_scores(base)
    except TypeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not parameters and not isinstance(base, type):
        return name, base
    factory = DetectorFactory(base, parameters)
    if isinstance(base, FitPredictOnly):
        return name, FitPredictOnly(factory)
    return name, factory


def _import(path: str) -> Any:
    try:
        return pkgutil.resolve_name(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"{path!r} is neither a known detector ({', '.join(BASELINES)}) nor an "
            f"import path: {error}"
        ) from None
