"""One table of the segments of all series, ranked by their scores."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from skcoad.io._results import Result, read_results

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["rank", "read_panel", "read_panel_results"]

POSITIONS = ["start", "peak", "end"]
WHY = ["channel", "component", "reason"]
COLUMNS = ["series", *POSITIONS, "score", *WHY, "threshold", "missing", "error"]


def read_panel(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the results file of a panel, also while it is written.

    Parameters
    ----------
    path : path-like
        The file that :func:`detect_panel` writes.

    Returns
    -------
    DataFrame
        As from :func:`detect_panel`, of all series in the file; of several results of
        one series, the last.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line is not a result of a panel.
    """
    return rank(read_panel_results(path))


def read_panel_results(path: str | os.PathLike[str]) -> list[Result]:
    """Read a results file, and check that each line is a result of a panel.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    list of Result
        One for each series, the last.

    Raises
    ------
    ValueError
        If a line is not.
    """
    results = read_results(path)
    for number, result in enumerate(results, start=1):
        needed = {"series", "settings", "error"}
        if result.get("error") is None:
            needed |= {"segments", "label_kind", "timezone", "threshold", "max_score"}
        if missing := sorted(needed - result.keys()):
            raise ValueError(
                f"{path}, line {number}: not a result of a panel: no {missing[0]!r}"
            )
        if not isinstance(result["series"], str):
            raise ValueError(
                f"{path}, line {number}: not a result of a panel: the name of the "
                f"series is {result['series']!r}"
            )
    return list({result["series"]: result for result in results}.values())


def rank(results: Iterable[Result]) -> pd.DataFrame:
    """Rank the segments of all series.

    Parameters
    ----------
    results : iterable of Result
        Of :class:`~skcoad.panel._task.DetectionTask`.

    Returns
    -------
    DataFrame
        See :func:`skcoad.panel.detect_panel`.

    Examples
    --------
    >>> from skcoad.panel._ranking import rank
    >>> segments = [{"start": 3, "peak": 4, "end": 5, "score": 2.5}]
    >>> labels = {"label_kind": "position", "timezone": None}
    >>> common = {"error": None, "threshold": 2.0} | labels
    >>> a = {"series": "a", "segments": [], "max_score": 0.5} | common
    >>> b = {"series": "b", "segments": segments, "max_score": 2.5} | common
    >>> rank([a, b])[["series", "start", "end", "score"]]
      series  start   end  score
    0      b      3     5    2.5
    1      a   <NA>  <NA>    0.5
    """
    import pandas as pd

    rows, quiet, failed = [], [], []
    for result in results:
        if result["error"] is not None:
            failed.append({"series": result["series"], "error": result["error"]})
            continue
        common = {"series": result["series"], "threshold": result["threshold"]}
        common["missing"] = result.get("missing")  # not known of earlier versions
        kind, zone = result["label_kind"], result["timezone"]
        for segment in result["segments"]:
            labels = {name: _label(segment[name], kind, zone) for name in POSITIONS}
            rows.append(common | segment | labels)
        if not result["segments"]:
            quiet.append(common | {"score": result["max_score"]})
    for part in (rows, quiet):
        part.sort(key=lambda row: row["score"], reverse=True)
    table = pd.DataFrame([*rows, *quiet, *failed], columns=COLUMNS)
    for name in [*POSITIONS, "channel"]:
        table[name] = _whole(table[name])
    return table.astype({"score": float, "threshold": float, "missing": float})


def _label(label: Any, kind: str, zone: str | None) -> Any:
    """A label as it was."""
    import pandas as pd

    if kind == "time":
        time = pd.Timestamp(label)
        return time if zone is None else time.tz_convert(zone)
    return pd.Timedelta(label) if kind == "duration" else label


def _whole(column: pd.Series) -> pd.Series:
    """Write whole numbers as such, although some are missing."""
    import pandas as pd

    given = column.dropna()
    numbers = given.empty or pd.api.types.is_numeric_dtype(given)
    return column.astype("Int64") if numbers and (given % 1 == 0).all() else column
