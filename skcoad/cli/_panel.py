"""The command ``skcoad detect`` on many series."""

from __future__ import annotations

import argparse
import glob
import os
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from skcoad.cli._detector import flag, make_detector
from skcoad.cli._output import check_outputs
from skcoad.cli._reading import reading_options
from skcoad.cli._report import print_reasons

if TYPE_CHECKING:
    import pandas as pd

    from skcoad.datasets import Series
    from skcoad.panel import Panel

FOR_ONE_SERIES = ("model", "save", "scores", "plot", "report", "contamination")
MAX_FAILURES = 3  # printed


def open_many(arguments: argparse.Namespace) -> Panel | None:
    """Open a folder, a zip file of several, a pattern, or a table of many series.

    Returns
    -------
    Panel or None
        None for a file of one series.
    """
    from skcoad.datasets._panel import open_long, open_panel

    opener = open_panel if has_many_series(arguments.file) else open_long
    return opener(arguments.file, **reading_options(arguments))


def has_many_series(path: Path) -> bool:
    """Whether a path is a folder, a zip file of several, or a pattern of names."""
    if not path.exists():
        return glob.has_magic(os.fspath(path))
    if not path.is_file() or not zipfile.is_zipfile(path):  # would wait at a pipe
        return path.is_dir()
    from skcoad.datasets._source import is_workbook_members, member_names

    with zipfile.ZipFile(path) as archive:
        is_one = len(member_names(archive)) == 1
        return not is_one and not is_workbook_members(archive.namelist())


def execute(arguments: argparse.Namespace, panel: Panel) -> int:
    """Run ``skcoad detect`` on many series.

    Parameters
    ----------
    arguments : Namespace
        Of ``skcoad detect``.
    panel : Panel
        From :func:`open_many`.

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
    from skcoad.panel import detect_panel

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
    by = ""
    if not has_many_series(arguments.file):
        by = ", one for each unique_id"
    left_out = _left_out(panel.left_out)
    print(f"{len(panel.names)} series in {arguments.file}{by}{left_out}")
    left_out_lines: dict[str, str] = {}
    try:
        with worker_processes():
            found = detect_panel(
                _noting(panel, left_out_lines),
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
    return _print(found, arguments.top, left_out_lines)


def _noting(panel: Panel, noted: dict[str, str]) -> Panel:
    """Keep, of each series that is read, which lines of its table were left out."""
    from skcoad.datasets._body import LINES_LEFT_OUT

    def read(index: int) -> Series:
        series = panel.read(index)
        notes = [note for note in series.notes if note.startswith(LINES_LEFT_OUT)]
        if notes:
            noted[panel.names[index]] = "; ".join(notes)
        return series

    return replace(panel, read=read)


def _left_out(files: Sequence[str]) -> str:
    if not files:
        return ""
    noun = "file is" if len(files) == 1 else "files are"
    return f"; {len(files)} other {noun} left out, such as {files[0]}"


def _print(found: pd.DataFrame, limit: int, left_out: Mapping[str, str]) -> int:
    """Print the highest segments, what was left out and what failed; return the status.

    Lines of tables that were left out are given by the names of their series.
    """
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
    empty = found["series"][found["missing"] == 1].unique()
    if len(empty):
        print(
            f"Of {len(empty)} series, such as {empty[0]}, nothing of a channel was "
            "observed."
        )
    for name, note in islice(left_out.items(), 1):
        print(f"Of {len(left_out)} series, such as {name}: {note}.")
    for name, error in failed[["series", "error"]].head(MAX_FAILURES).to_numpy():
        print(f"skcoad: {name}: {' '.join(error.split())}", file=sys.stderr)
    if len(failed) > MAX_FAILURES:
        n_others = len(failed) - MAX_FAILURES
        print(f"skcoad: {n_others} more series failed", file=sys.stderr)
    return int(len(failed) > 0)
