"""Output files: checked before the work, and written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from skcoad.io._atomic import atomic_write, check_writable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE_SUFFIXES = (".pdf", ".png", ".svg")


def check_outputs(outputs: Mapping[str, Path | None], sources: Iterable[Path]) -> None:
    """Raise an error if a file could not be written after the work.

    Parameters
    ----------
    outputs : mapping of str to Path or None
        Files to be written, by option; None for an option that was not given.
    sources : iterable of Path
        Input files, which must not be replaced.

    Raises
    ------
    ValueError
        If a file cannot be written, is a source, or is given for two options.
    """
    given = {option: path for option, path in outputs.items() if path is not None}
    sources = list(sources)
    for path in given.values():
        check_writable(path)
        for source in sources:
            check_writable(path, source)
    for (option, path), (other, other_path) in combinations(given.items(), 2):
        if _is_same(path, other_path):
            raise ValueError(f"{option} and {other} are the same file, {other_path}")


def check_figure_suffix(path: Path) -> None:
    """Raise ValueError if the suffix is not that of a figure format."""
    if path.suffix.lower() not in FIGURE_SUFFIXES:
        raise ValueError(
            f"the name of a figure ends in {', '.join(FIGURE_SUFFIXES)}, got {path}"
        )


def save_figure(figure: Figure, path: Path, *, dpi: int | None = None) -> None:
    """Write a figure in the format of its suffix, whole or not at all."""
    with atomic_write(path) as partial:
        figure.savefig(
            partial,
            format=path.suffix[1:].lower(),
            dpi="figure" if dpi is None else dpi,
        )


def _is_same(path: Path, other: Path) -> bool:
    if path.exists() and other.exists():
        return path.samefile(other)  # also on file systems that ignore case
    return path.resolve() == other.resolve()
