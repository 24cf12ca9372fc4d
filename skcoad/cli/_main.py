"""The command ``skcoad``: its parser, and the status it ends with."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from skcoad._version import __version__
from skcoad.cli import _demo, _detect

BROKEN_PIPE = 141  # what a shell says of a process that SIGPIPE ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command ``skcoad``.

    Parameters
    ----------
    argv : sequence of str, default=None
        The arguments; by default those of the process.

    Returns
    -------
    status : int
        0; 1 if some of many series or runs failed; 2 for unusable input, with one line
        on standard error that gives the reason; 130 after Ctrl-C; 141, as of other
        commands, where the output is a pipe that nothing reads any more. Files are
        written whole or not at all, but for results files, to which each result is
        appended.

    Raises
    ------
    SystemExit
        From argparse: status 2 for wrong usage, 0 for ``--help`` and ``--version``.

    Examples
    --------
    >>> from skcoad.cli import main
    >>> main(["detect", "no-such-file.csv"])  # the reason is on standard error
    2
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = _parser(for_benchmark=argv[:1] == ["benchmark"]).parse_args(argv)
        with _warnings_in_one_line():
            return int(arguments.execute(arguments))
    except KeyboardInterrupt:
        print("skcoad: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # what reads the output, such as `head`, has seen enough
        return BROKEN_PIPE
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"skcoad: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except MemoryError:
        print("skcoad: the series needs more memory than there is", file=sys.stderr)
        return 2


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Print warnings as errors are, without a line of code that means nothing here."""

    def show(message: Any, *_: Any, **__: Any) -> None:
        print(f"skcoad: warning: {' '.join(str(message).split())}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


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
        help="find labelled anomalies in a synthetic series",
        description="Generate a periodic series with anomalies of seven kinds, fit on "
        "the anomaly-free beginning, score the whole series, print the detected and "
        "the missed anomalies, and save a figure.",
    )
    _demo.add_arguments(demo)
    demo.set_defaults(execute=_demo.execute)

    detect = commands.add_parser(
        "detect",
        help="find anomalies in a file, or in each file of a folder",
        description="Score a time series from a file: a table (text with any "
        "separator, JSON lines, Excel, Parquet; compressed or not), with or without "
        "times, or a file of the UCR archive, TSB-AD, TSB-UAD or NAB, recognised by "
        "its name; or every series of a folder, ranked in one table. What was "
        "recognised is printed first. Positions count from 0. Existing output files "
        "are replaced, but for the results of many series, which are resumed.",
    )
    _detect.add_arguments(detect)
    detect.set_defaults(execute=_detect.execute)

    benchmark = commands.add_parser(
        "benchmark",
        help="compare detectors on labelled series",
        description="Compare detectors on labelled series.",
    )
    if for_benchmark:  # its imports are slow, and no other command needs them
        from skcoad.cli import _benchmark

        _benchmark.add_arguments(benchmark)
        benchmark.set_defaults(execute=_benchmark.execute)
    return parser
