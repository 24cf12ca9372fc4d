"""What users are warned of, at the line of their own code."""

from __future__ import annotations

import re
import sys
import warnings
from types import FrameType
from typing import Any

from skcoad._duration import duration_of
from skcoad._spacing import mean_interval
from skcoad._time import duration_text

__all__ = ["warn_of_other_spacing", "warn_of_text_for_times", "warn_user"]

# The package, and what stands between it and the user: a pipeline, PyOD's fit_predict.
LIBRARIES = {"skcoad", "pyod", "sklearn", "torch"}
OTHER_SPACING = 1.5  # a factor; months and business days vary
# The beginning of a time that was left as text.
DATE = re.compile(r"(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{4})(?!\d)")


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn as of the user's line, whatever it called the package by.

    Python shows a repeated warning once for each line: not again for a line of the
    package, but for another line of the user.

    Parameters
    ----------
    message : str
        What is wrong, and what can be done.
    category : type
        Of the warning.
    """
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and _library(frame) in LIBRARIES:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _library(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]


def warn_of_other_spacing(interval: float | None, training_times: Any) -> None:
    """Warn if rows are farther apart, or nearer, than in the training series.

    Parameters
    ----------
    interval : float or None
        Seconds from one row to the next; None if it is not known.
    training_times : pandas.DatetimeIndex, TimedeltaIndex or None
        Of the training series, with those of missing rows; None if they are not known.
    """
    trained = None if training_times is None else mean_interval(training_times)
    if interval is None or trained is None:
        return
    if not 1 / OTHER_SPACING < interval / trained < OTHER_SPACING:
        here, there = (
            duration_text(duration_of(seconds)) for seconds in (interval, trained)
        )
        warn_user(
            f"the rows are {here} apart, and were {there} apart in the training "
            "series: a period of as many rows is another time; resample the series, or "
            "fit to one of this spacing",
            UserWarning,
        )


def warn_of_text_for_times(X: Any) -> None:
    """Warn if the index has times as text, which tell of no missing row.

    Parameters
    ----------
    X : array-like
        What `validate_series` has taken.
    """
    index: Any = getattr(X, "index", None)
    if getattr(index, "inferred_type", None) != "string":
        return
    labels = index.dropna()
    if len(labels) and all(
        DATE.match(labels[row]) for row in (0, len(labels) // 2, -1)
    ):
        warn_user(
            f"the index looks like times, but is text ({labels[0]!r}): rows that are "
            "missing in time go unnoticed; make it times by "
            "X.index = pandas.to_datetime(X.index)",
            UserWarning,
        )
