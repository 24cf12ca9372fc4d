"""The command ``skcoad detect`` on many series."""

from __future__ import annotations

import argparse
import glob
import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skcoad.cli._detector import flag, make_detector
from skcoad.cli._output import check_outputs
from skcoad.cli._reading import reading_options
from skcoad.cli._report import print_reasons

if TYPE_CHECKING:
    import pandas as pd

FOR_ONE_SERIES = ("model", "save", "scores", "plot", "report", "contamination")
MAX_FAILURES = 3  # printed


def has_many_series(path: Path) -> bool:
    """Whether a path is a folder, a zip file of several, or a pattern of names.

    A table of many series is another matter: see :func:`is_long`.
    """
    if not path.exists():
        return glob.has_magic(os.fspath(path))
    if not path.is_file() or not zipfile.is_zipfile(path):  # would wait at a pipe
        return path.is_dir()
    from skcoad.datasets._source import is_workbook_members, member_names

    with zipfile.ZipFile(path) as archive:
        is_one = len(member_names(archive)) == 1
        return not is_one and not is_workbook_members(archive.namelist())


def is_long(arguments: argparse.Namespace) -> bool:
    """Whether the file is a table of many series, with unique_id and ds."""
    from skcoad.datasets._long import read_long
    from skcoad.datasets._table import TableOptions

    options = TableOptions(**reading_options(arguments))
    return read_long(arguments.file, options) is not None


def execute(arguments: argparse.Namespace) -> int:
    """Run ``skcoad detect`` on many series.

    Parameters
    ----------
    arguments : Namespace
        Of ``skcoad detect``.

    Returns
    -------
    int
        0; 1 if some series failed; 130 after Ctrl-C.

    Raises
    ------
    ValueError
        For unusable arguments, or if every series failed.
    """
    from skcoad.cli._parallel import interrupted, worker_processes
    from skcoad.panel import detect_panel, open_panel

    for option in FOR_ONE_SERIES:
        if getattr(arguments, option) is not None:
            raise ValueError(
                f"{flag(option)} is for one series, and {arguments.file} may have many"
            )
    if arguments.out is not None and arguments.out.suffix.lower() != ".jsonl":
        raise ValueError(
            "the name of the results of many series, one line of JSON for each, ends "
            f"in .jsonl, got {arguments.out}"
        )
    detector = make_detector(arguments)
    check_outputs({"--out": arguments.out}, sources=())
    panel = open_panel(arguments.file, **reading_options(arguments))
    by = ""
    if not has_many_series(arguments.file):
        by = ", one for each unique_id"
    left_out = _left_out(panel.left_out)
    print(f"{len(panel.names)} series in {arguments.file}{by}{left_out}")
    try:
        with worker_processes():
            found = detect_panel(
                panel,
                detector,
                train=arguments.train,
                threshold=arguments.threshold,
                limit=arguments.top,
                out=arguments.out,
                n_jobs=1 if arguments.jobs is None else arguments.jobs,
                verbose=sys.stderr.isatty(),
            )
    except KeyboardInterrupt:
        if arguments.out is None:
            raise
        return interrupted(arguments.out)
    return _print(found, arguments.top)


def _left_out(files: Sequence[str]) -> str:
    if not files:
        return ""
    noun = "file is" if len(files) == 1 else "files are"
    return f"; {len(files)} other {noun} left out, such as {files[0]}"


def _print(found: pd.DataFrame, limit: int) -> int:
    """Print the highest segments, and what failed; return the status."""
    failed = found[found["error"].notna()]
    quiet = found[found["start"].isna() & found["error"].isna()]
    segments = found[found["start"].notna()]
    if len(failed) == len(found):
        raise ValueError(
            f"every series failed, the first with {failed['error'].iloc[0]}"
        )
    if len(segments):
        n_series = segments["series"].nunique()
        noun = "segment" if len(segments) == 1 else "segments"
        print(f"{len(segments)} {noun} in {n_series} series, highest first:")
        shown = ["series", "start", "end", "score", "channel", "component", "reason"]
        print_reasons(segments.head(limit)[shown])
    if len(quiet):
        print(f"No score is above the threshold in {len(quiet)} series.")
    for name, error in failed[["series", "error"]].head(MAX_FAILURES).to_numpy():
        print(f"skcoad: {name}: {' '.join(error.split())}", file=sys.stderr)
    if len(failed) > MAX_FAILURES:
        n_others = len(failed) - MAX_FAILURES
        print(f"skcoad: {n_others} more series failed", file=sys.stderr)
    return int(len(failed) > 0)
