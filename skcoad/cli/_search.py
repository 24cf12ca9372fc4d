"""One series, fitted and searched, by ``skcoad detect`` and ``skcoad demo``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from skcoad.cli._detector import bars_on_a_terminal

if TYPE_CHECKING:
    from skcoad.datasets import Series
    from skcoad.detectors import SearchResult, TimeSeriesDetector

MAX_SEGMENTS = 10
FEW_ROWS = 100  # which show no score of 2, of one in a hundred


def fit(series: Series, detector: TimeSeriesDetector) -> None:
    """Fit on the training part of a series, or without one on all of it.

    Raises
    ------
    KeyboardInterrupt
        If the training is interrupted.
    """
    from skcoad.detectors import fit_series
    from skcoad.preprocessing import normal_dominant_period

    n_fitted = series.train_length or len(series.values)
    start = time.perf_counter()
    with bars_on_a_terminal(detector):
        fit_series(detector, series)
    seconds = time.perf_counter() - start
    period = f"period {detector.period_}"
    if detector.period == "auto":
        found = normal_dominant_period(series.values[:n_fitted]) is not None
        period += "" if found else ", a fallback: none was found, --period sets it"
    print(f"Fitted on {n_fitted} in {seconds:.1f} s ({period}).")
    if n_fitted < FEW_ROWS:
        print(f"So few rows, below {FEW_ROWS}, say little of what is normal.")


def search(
    series: Series,
    detector: TimeSeriesDetector,
    limit: int,
    threshold: float | None = None,
) -> SearchResult:
    """Score a series, and search what comes after its training part.

    Parameters
    ----------
    series : Series
        The series.
    detector : TimeSeriesDetector
        Fitted.
    limit : int
        Maximum number of segments.
    threshold : float, default=None
        Scores above are anomalous; None means the detector's ``segment_threshold_``.

    Returns
    -------
    SearchResult
        Scores of the whole series, segments of the part searched.
    """
    from skcoad.detectors import search_series

    start = time.perf_counter()
    with bars_on_a_terminal(detector):
        found = search_series(
            detector,
            series,
            threshold=threshold,
            limit=limit,
            start=series.train_length,
        )
    print(f"Scored {len(found.scores)} in {time.perf_counter() - start:.1f} s.")
    return found
