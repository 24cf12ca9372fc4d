"""The process of the command ``skcoad``, also started as ``python -m skcoad``."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType

__all__ = ["run"]

INTERRUPTED = 130
BROKEN_PIPE = 141


def run() -> int | str | None:
    """Run the command, from its slow imports to its last line of output.

    Returns
    -------
    status : int
        As :func:`skcoad.cli.main`: 130 after Ctrl-C at any moment, even where an
        import or a destructor swallows the interrupt; 2 where standard output cannot
        be written, 141 where it is a pipe that nothing reads any more.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that cannot be shown is no reason to fail, nor is it on stderr.
        sys.stdout.reconfigure(errors="backslashreplace")
    interrupted = False

    def interrupt(signal_number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    # Not where the shell had it ignored, for a command in the background.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    status: int | str | None = INTERRUPTED
    try:
        from skcoad.cli import main

        status = main()
    except SystemExit as error:  # of the parser
        status = error.code
    except BaseException:
        if not interrupted:
            raise
        print("skcoad: interrupted", file=sys.stderr)
    if interrupted:
        status = INTERRUPTED
    # From here on, Ctrl-C ends the process at once, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _flushed(status)


def _flushed(status: int | str | None) -> int | str | None:
    """Write what is still in the buffer of standard output, or fail."""
    if sys.stdout is None:  # closed by the shell
        return status
    try:
        sys.stdout.flush()
    except OSError as error:
        # The interpreter would try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return status or BROKEN_PIPE
        if not status:
            print(f"skcoad: {error}", file=sys.stderr)
        return status or 2
    return status


if __name__ == "__main__":
    sys.exit(run())
