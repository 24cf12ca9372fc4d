"""Output files: checked before the work, and written whole or not at all."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from skcoad.io._atomic import atomic_write, check_writable
from skcoad.io._results import is_results

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FIGURE_SUFFIXES = (".pdf", ".png", ".svg")
TABLE_SUFFIXES = (".csv", ".json", ".jsonl", ".parquet")


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
    OSError
        If a file cannot be written.
    ValueError
        If one is a source or is given for two options.
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


def check_report(path: Path) -> None:
    """Raise ValueError if no report can be written to a file of this name."""
    from skcoad.report import check_name, check_plotly

    check_name(path)
    try:
        check_plotly()
    except ImportError as error:
        raise ValueError(str(error)) from None


def check_table(path: Path) -> None:
    """Raise ValueError if no table can be written to a file of this name.

    Not in a format of no table, and not over results of many series, which may be hours
    of work.
    """
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise ValueError(
            f"the name of a table ends in {', '.join(TABLE_SUFFIXES)}, got {path}"
        )
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise ValueError(
            f"{path} needs pyarrow, which is not installed: pip install "
            "'skcoad[tables]'"
        )
    if path.is_file() and is_results(path):
        raise ValueError(
            f"{path} holds the results of many series, which a table would replace; "
            "choose another name"
        )


def save_figure(figure: Figure, path: Path, *, dpi: int | None = None) -> None:
    """Write a figure in the format of its suffix, whole or not at all."""
    with atomic_write(path) as partial, warnings.catch_warnings():
        # A name may be in a script that the font lacks: boxes are drawn for it.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(
            partial,
            format=path.suffix[1:].lower(),
            dpi="figure" if dpi is None else dpi,
        )


def save_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table in the format of its suffix, whole or not at all.

    Its index is left out. In JSON it is a list of records, or a record in each line,
    with times as ISO 8601 writes them.
    """
    with atomic_write(path) as partial:
        suffix = path.suffix.lower()
        match suffix:
            case ".json" | ".jsonl":
                _iso_times(table).to_json(
                    partial,
                    orient="records",
                    lines=suffix == ".jsonl",
                    date_format="iso",
                    indent=None if suffix == ".jsonl" else 2,
                    force_ascii=False,
                    double_precision=15,
                )
            case ".parquet":
                table.to_parquet(partial, engine="pyarrow", index=False)
            case _:
                table.to_csv(partial, index=False)


def _iso_times(table: pd.DataFrame) -> pd.DataFrame:
    """Times as text: pandas would round them to milliseconds."""
    import pandas as pd

    table = table.copy()
    for name in table.select_dtypes(["datetime", "datetimetz"]):
        table[name] = table[name].map(pd.Timestamp.isoformat)
    return table


def _is_same(path: Path, other: Path) -> bool:
    if path.exists() and other.exists():
        return path.samefile(other)  # also on file systems that ignore case
    return path.resolve() == other.resolve()
