"""What the studies of the UCR archive share: their command line and their results."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from joblib import Parallel, delayed

from skcoad.benchmark._results import (
    Result,
    append_result,
    drop_cut_off_line,
    only_writer,
    read_results,
)
from skcoad.datasets import Series, open_archive

FIFTH = "??[05]_*"  # a fifth of the archive, as in trials.sh


def parse_arguments(description: str, select: str, out: str) -> Namespace:
    """Read ``data``, ``select``, ``out`` and ``jobs`` from the command line."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the UCR archive")
    parser.add_argument(
        "--select",
        default=select,
        metavar="PATTERN",
        help="only series named like this (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument("--jobs", type=int, default=1)
    return parser.parse_args()


def study_archive(
    description: str,
    study: Callable[[Series], Result],
    *,
    select: str,
    out: str,
    suits: Callable[[Series], bool] = lambda series: True,
) -> list[Result]:
    """Study the series that the command line and `suits` choose, see `run_study`."""
    arguments = parse_arguments(description, select, out)
    archive = open_archive(arguments.data).select(arguments.select)
    series = [one for one in archive if suits(one)]
    return run_study(study, series, arguments.out, arguments.jobs)


def run_study(
    study: Callable[[Series], Result], series: list[Series], out: Path, n_jobs: int
) -> list[Result]:
    """Study each series of which the results file has nothing yet.

    Parameters
    ----------
    study : callable
        Makes a result with a key ``series``, the name.
    series : list of Series
        With names that differ.
    out : Path
        The results file; made, or added to.
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
        left = [one for one in series if one.name not in results]
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        for result in parallel(delayed(study)(one) for one in left):
            append_result(out, result)
            results[result["series"]] = result
    return [results[one.name] for one in series]
