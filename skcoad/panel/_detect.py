"""Fit and score every series of a panel in parallel; keep each result at once."""

from __future__ import annotations

import os
from contextlib import nullcontext
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from skcoad._arguments import check_integer, check_number
from skcoad._parallel import run_tasks
from skcoad._validation import check_high_scores
from skcoad.datasets import Series
from skcoad.datasets._panel import Panel, open_panel
from skcoad.datasets._training import check_train
from skcoad.io._parameters import differing_settings
from skcoad.io._results import Result, append_result, drop_cut_off_line, only_writer
from skcoad.panel._fingerprint import fingerprint
from skcoad.panel._ranking import rank, read_panel_results
from skcoad.panel._task import DetectionTask, SearchSettings, settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["detect_panel"]

MAX_VALUE = 80  # characters of a setting in an error
FOR_TABLE = (
    "series",
    "error",
    "threshold",
    "max_score",
    "segments",
    "label_kind",
    "timezone",
    "missing",
)


def detect_panel(
    series: Any,
    detector: Any = None,
    *,
    train: Any = None,
    threshold: float | None = None,
    limit: int | None = 10,
    out: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> pd.DataFrame:
    """Find anomalous segments in many series, and rank them.

    Each series is scored whole, and searched after its training rows. A series that
    raises an exception, or kills its process, is recorded, and the others go on.

    Parameters
    ----------
    series : path-like, DataFrame, mapping, Archive or Panel
        A folder or a pattern of files, a long-format frame (``unique_id``, ``ds``,
        ``y``), a frame of one series in each column, or a dict; see :func:`open_panel`.
        Files are read by this process, a few at a time.
    detector : object, default=None
        With PyOD's ``fit``, ``decision_function``, ``decision_scores_`` and
        ``threshold_``. If it is not fitted, each series gets its own clone; if it is,
        it scores all series (see :func:`fit_recordings`). By default
        ``NeighborsDetector()``. Detectors of this package see names
        and times, so that `contamination` may be a rate in time, such as
        ``PeaksOverThreshold("1 per week")``; where all rows are searched, it holds
        nothing back.
    train : int, float, str, datetime or None, default=None
        What to fit on: so many leading rows (with those that are missing by their
        times), a leading share (between 0 and 1), or the rows before a time (in
        the zone of the series, unless it has one). 0 fits on and searches all. By
        default as a file's name says, otherwise 0.
    threshold : float or None, default=None
        Scores above are anomalous; by default the detector's ``segment_threshold_``,
        or ``threshold_`` if it has none.
    limit : int or None, default=10
        Largest number of segments of each series.
    out : path-like, default=None
        A results file, to which the result of each series is appended as it arrives,
        one line of JSON. Series in the file are not computed again, so the same call
        resumes a run that was interrupted or killed; but a series whose data have
        changed is, and of its lines the last counts. Failures are results: delete their
        lines to retry. By default nothing is written.
    n_jobs : int or None, default=None
        Number of worker processes, as in joblib, but that 1 is one beside this process;
        None means this process, unless `joblib.parallel_config` says otherwise, which
        also selects other backends, such as dask or ray.
    verbose : bool, default=False
        Show a progress bar.

    Returns
    -------
    DataFrame
        One row for each segment, highest score first; then one for each series
        without a segment, with its highest score; then one for each series that failed.

        ========= ================================================================
        series    name
        start     first timestamp of the segment: its time, in the zone of the
                  series, or its position
        peak      timestamp of the highest score
        end       last timestamp; it belongs to the segment
        score     score at the peak
        channel   with the highest score at the peak, by its name or position
        component that contributes most to the score there
        reason    what that means, in a line
        threshold of this series
        missing   share of what was searched that is missing, of the channel with
                  the most: 1 if nothing of it was observed
        error     type and message of the exception
        ========= ================================================================

        Channel, component and reason are those of ``detector.find_segments``, and
        missing for a detector without this method.

    Raises
    ------
    TypeError
        If `detector` is a class or has no such methods, or those of scikit-learn's
        outlier detectors.
    ValueError
        If a parameter is out of range, there is no series, two have one name, or `out`
        is no results file or has results of other settings.
    BlockingIOError
        If another run is writing `out`.

    See Also
    --------
    read_panel : The table of a results file.

    Notes
    -----
    At most a few series for each job are in memory, whatever their number; what grows
    with it is the table. The lines of the file also have the kind of the labels of rows
    (position, time, duration or text), the zone of times, the numbers of rows, channels
    and training rows, what was recognised of a table, a fingerprint of the data, the
    seconds, and the traceback of an error. To resume, every series is read, since its
    data may have changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.panel import detect_panel
    >>> rng = np.random.default_rng(0)
    >>> t = np.arange(600)
    >>> pumps = {
    ...     f"pump {i}": np.sin(2 * np.pi * t / 25 + i) + 0.1 * rng.normal(size=600)
    ...     for i in range(3)
    ... }
    >>> pumps["pump 1"][450:470] = 0
    >>> found = detect_panel(pumps, train=300, threshold=4.0)
    >>> found.series[0], bool(440 < found.peak[0] < 480)
    ('pump 1', True)
    """
    panel = open_panel(series)
    check_train(train)
    if limit is not None:
        check_integer("limit", limit, 1)
    if threshold is not None:
        check_number("threshold", threshold)
    if detector is None:
        from skcoad.detectors import NeighborsDetector

        detector = NeighborsDetector()
    _check_detector(detector)
    search = SearchSettings(train, threshold, limit)
    results: dict[str, Result] = {}

    def make_task(index: int) -> DetectionTask:
        return DetectionTask(panel.names[index], _read(panel, index), detector, search)

    with nullcontext() if out is None else only_writer(out):
        recorded: dict[str, Result] = {}
        if out is not None:
            recorded = _recorded(out, settings(detector, search))
        progress = tqdm(total=len(panel.names), disable=not verbose, unit="series")
        with progress:
            missing = []
            for index, name in enumerate(panel.names):
                if name in recorded and _is_of(recorded[name], panel, index):
                    results[name] = _for_table(recorded[name])
                    progress.update()
                else:
                    missing.append(index)
            del recorded
            for result in run_tasks(make_task, missing, n_jobs):
                if out is not None:
                    append_result(out, result)
                results[result["series"]] = _for_table(result)
                progress.update()
    return rank(results[name] for name in panel.names)


def _check_detector(detector: Any) -> None:
    if isinstance(detector, type):
        raise TypeError(
            f"got the class {detector.__name__}; pass an instance, "
            f"{detector.__name__}()"
        )
    check_high_scores(detector)
    for method in ("fit", "decision_function"):
        if not hasattr(detector, method):
            raise TypeError(f"a detector must have a method {method}, got {detector!r}")


def _recorded(out: str | os.PathLike[str], wanted: dict[str, Any]) -> dict[str, Result]:
    """Read the results that a file has; their settings must be these."""
    results = read_panel_results(out)
    for result in results:
        changes = _changes(result["settings"], wanted)
        if changes:
            raise ValueError(
                f"{os.fspath(out)} has results with {', '.join(changes)}: use another "
                "file"
            )
    drop_cut_off_line(out, first_key="series")
    return {result["series"]: result for result in results}


def _changes(recorded: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Settings that differ, each with its value in the file and the one now."""
    differing = differing_settings(recorded, wanted)
    if "detector" in differing:  # which has other parameters in any case
        differing = ["detector"]
    changes = []
    for name in differing:
        if name == "parameters":
            changes += _changes(recorded[name], wanted[name])
        elif name == "fitted":  # a hash says nothing
            changes.append("another fit of the detector")
        else:
            old, new = (
                shorten(str(each.get(name)), MAX_VALUE) for each in (recorded, wanted)
            )
            changes.append(f"{name} {old} instead of {new}")
    return changes


def _is_of(result: Result, panel: Panel, index: int) -> bool:
    """Whether a result is of the data that a series has now."""
    return result.get("fingerprint") == fingerprint(_read(panel, index))


def _for_table(result: Result) -> Result:
    """What the table needs; of many series, the rest would fill the memory."""
    return {name: result[name] for name in FOR_TABLE if name in result}


def _read(panel: Panel, index: int) -> Series | Exception:
    try:
        return panel.read(index)
    except Exception as error:  # recorded with the other results
        return error
