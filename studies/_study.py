"""Command line, resumable run and metrics of the studies of the UCR archive."""

from __future__ import annotations

import argparse
import re
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from skcoad.benchmark import vus_window
from skcoad.benchmark._protocols import evaluate as evaluate
from skcoad.datasets import Series, open_archive
from skcoad.io._results import (
    Result,
    append_result,
    drop_cut_off_line,
    only_writer,
    read_results,
)

FIFTH = "??[05]_*"  # a fifth of the archive, as in trials.sh
LENGTH_CLASSES = {  # of series, by the number of timestamps they are below
    "< 15k": 15_000,
    "15-40k": 40_000,
    "40-120k": 120_000,
    "> 120k": np.inf,
}
# Series of the archive whose names begin so are of one recording.
RECORDINGS = (
    *("CHARIS", "GP711", "Lab2C", "Tkeep", "gait", "ltstdb", "resp", "s20101"),
    *("sel840", "tilt127", "tiltAPB"),
)


def parse_arguments(description: str, select: str, out: str) -> Namespace:
    """Read what all studies need from the command line.

    Parameters
    ----------
    description : str
        Its first line is shown by ``--help``.
    select, out : str
        Defaults: which series, and the results file.

    Returns
    -------
    Namespace
        ``data``, ``select``, ``max_length``, ``out`` and ``jobs``.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the UCR archive")
    parser.add_argument(
        "--select",
        default=select,
        metavar="PATTERN",
        help="only series whose names match (default: %(default)s)",
    )
    parser.add_argument(
        "--max-length",
        type=int,
        metavar="N",
        help="only series of at most so many timestamps (default: all)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path(out), help="results file, kept and added to"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    return parser.parse_args()


def study_archive(
    description: str,
    study: Callable[[Series], Result],
    *,
    select: str,
    out: str,
    condition: Callable[[Series], bool] = lambda series: True,
) -> list[Result]:
    """Study the selected series of the archive that satisfy a condition.

    Parameters
    ----------
    description, select, out : str
        As for `parse_arguments`.
    study : callable
        As for `run_study`.
    condition : callable
        Which series are long enough for the study; by default all are.

    Returns
    -------
    results : list of Result
    """
    arguments = parse_arguments(description, select, out)
    archive = open_archive(arguments.data).select(arguments.select)
    longest = arguments.max_length or np.inf
    series = [one for one in archive if len(one.values) <= longest and condition(one)]
    return run_study(study, series, arguments.out, arguments.jobs)


class Named(Protocol):
    """What is studied: a series, or a run on one."""

    @property
    def name(self) -> str:
        """Key in the results file."""


NamedT = TypeVar("NamedT", bound=Named)


def run_study(
    study: Callable[[NamedT], Result], series: list[NamedT], out: Path, n_jobs: int
) -> list[Result]:
    """Study each series that the results file does not have yet.

    Parameters
    ----------
    study : callable
        Returns a result with a key ``series``, the name.
    series : list of Series, or of runs on them
        With different names.
    out : Path
        The results file; created, or appended to.
    n_jobs : int
        Processes.

    Returns
    -------
    results : list of Result
        Of these series, in their order, from the file and new.
    """
    with only_writer(out):
        drop_cut_off_line(out)
        results = {result["series"]: result for result in read_results(out)}
        todo = [one for one in series if one.name not in results]
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        for result in parallel(delayed(study)(one) for one in todo):
            append_result(out, result)
            results[result["series"]] = result
    return [results[one.name] for one in series]


def evaluate_test(series: Series, scores: NDArray[np.float64]) -> dict[str, float]:
    """Metrics of the benchmark for scores of the test part (protocol kdd21).

    Parameters
    ----------
    series : Series
        With labels.
    scores : ndarray of shape (n_test,)
        Higher is more anomalous.

    Returns
    -------
    dict of str to float
    """
    window = vus_window(series.values[:, 0])
    return evaluate(series.test_labels, scores, window)


def recording(name: str) -> str:
    """Recording that a series of the archive is from.

    The archive holds several series of most recordings: other channels, other parts,
    and distorted and noisy versions.

    Parameters
    ----------
    name : str
        Of the series.

    Returns
    -------
    str
    """
    title = re.sub("^(DISTORTED|NOISE)", "", name.split("_")[3])
    for recorded in RECORDINGS:
        if title.startswith(recorded):
            return recorded
    return title.rstrip("0123456789")


def length_class(n_timestamps: int) -> str:
    """Name in `LENGTH_CLASSES` of the class of a series of so many timestamps."""
    return next(name for name, below in LENGTH_CLASSES.items() if n_timestamps < below)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown table; all columns but the first are aligned to the right.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequence of str
        Cells.

    Returns
    -------
    str
        Without a line end at the end.
    """
    lines = [f"| {' | '.join(row)} |" for row in (header, *rows)]
    lines.insert(1, "|---" + "|---:" * (len(header) - 1) + "|")
    return "\n".join(lines)
