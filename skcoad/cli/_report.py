"""What was found: on the screen, as tables and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skcoad._text import list_text
from skcoad.cli._output import save_figure, save_table

if TYPE_CHECKING:
    import pandas as pd

    from skcoad.datasets import Series
    from skcoad.detectors import SearchResult, TimeSeriesDetector
    from skcoad.plotting import Zoom

DPI = 120
MARGIN = 2  # periods on each side of what a zoom shows


def segment_report(
    series: Series, found: SearchResult, kinds: Sequence[str] = ()
) -> pd.DataFrame:
    """Tabulate the segments, and of a labelled series what they hit.

    Parameters
    ----------
    series : Series
        The series.
    found : SearchResult
        Of :func:`skcoad.detectors.search_series`.
    kinds : sequence of str, default=()
        Kind of each labelled event of the series, if known.

    Returns
    -------
    pandas.DataFrame
        The columns of ``find_segments``, and of a labelled series which kinds of event
        a segment hits, or whether it hits any.
    """
    from skcoad.metrics import events

    table = found.table.copy()
    if series.labels.any():
        start, stop = events(series.labels).T
        hits = [
            np.flatnonzero((segment.start < stop) & (segment.stop > start)).tolist()
            for segment in found.segments
        ]
        if kinds:
            column, hit = "kind", [", ".join(kinds[i] for i in each) for each in hits]
        else:
            column, hit = "labelled", ["yes" if each else "" for each in hits]
        table.insert(list(table).index("reason"), column, [h or "-" for h in hit])
    return table


def print_segments(
    series: Series, found: SearchResult, table: pd.DataFrame, n_needed: int = 0
) -> None:
    """Print what `segment_report` gave, the reason of each segment below its row.

    By fewer than `n_needed` rows fitted on nobody can say that nothing is unusual: the
    threshold allows for one false alarm in so many; nor of channels without any value.
    """
    from skcoad.datasets._series import unobserved_channels

    empty, others = unobserved_channels(series, series.train_length), ""
    if len(empty) == len(series.channel_names):
        print("Nothing was observed: every value that was searched is missing.")
        return
    if empty:
        print(f"Nothing of {list_text(empty)} was observed in what was searched.")
        others = " in the others"
    if table.empty:
        observed = ~np.isnan(series.values).all(axis=1)
        searched = np.where(observed, found.scores, 0.0)[series.train_length :]
        n = series.train_length or len(series.values)
        answer = f"Nothing unusual{others}: no"
        if n < n_needed:
            answer = (
                f"{n} rows fitted on are too few for 1 false alarm in {n_needed:,} "
                "rows; --contamination 0.02 shows the highest scores. No"
            )
        print(
            f"{answer} score is above the threshold of "
            f"{found.threshold:.3g}, the highest is {searched.max():.3g}."
        )
        return
    print(f"Segments with a score above {found.threshold:.3g}, highest first:")
    print_reasons(table)


def print_reasons(table: pd.DataFrame) -> None:
    """Print segments, and the reason of each, if known, below its row."""
    shown = table.drop(columns="reason")
    shown["score"] = [f"{score:.1f}" for score in shown["score"]]
    header, *rows = shown.to_string(index=False).splitlines()
    print(header)
    for row, reason in zip(rows, table["reason"], strict=True):
        print(f"{row}\n    {reason}" if isinstance(reason, str) else row)


def save_scores(path: Path, series: Series, found: SearchResult) -> None:
    """Write the score of each timestamp, and of each of several channels."""
    import pandas as pd

    table = pd.DataFrame(
        {"score": found.scores, "label": (found.scores > found.threshold).astype(int)}
    )
    if series.timestamps is None:
        table.insert(0, "position", np.arange(len(table)))
    else:
        table.insert(0, "timestamp", series.index)
    if len(series.channel_names) > 1:
        for channel, name in enumerate(series.channel_names):
            table[f"score of {name}"] = found.channel_scores[:, channel]
    save_table(table, path)


def segment_zooms(
    series: Series, found: SearchResult, period: int, limit: int
) -> list[Zoom]:
    """Zooms into the first segments, each into its most anomalous channel."""
    zooms = []
    for segment in found.segments[:limit]:
        channel = int(found.channel_scores[segment.peak].argmax())
        title = f"score {segment.score:.1f}"
        if len(series.channel_names) > 1:
            title = f"{series.channel_names[channel]}, {title}"
        zooms.append(zoom(title, segment.start, segment.stop, found, period, channel))
    return zooms


def zoom(
    title: str,
    start: int,
    stop: int,
    found: SearchResult,
    period: int,
    channel: int = 0,
) -> Zoom:
    """Zoom into a segment, with two periods of context on each side."""
    from skcoad.plotting import Zoom

    margin = MARGIN * period
    stop = min(len(found.scores), stop + margin)
    return Zoom(title, max(0, start - margin), stop, channel)


def save_plot(
    path: Path, series: Series, found: SearchResult, zooms: Sequence[Zoom]
) -> None:
    """Plot series, scores and segments into a file, and what is expected in zooms."""
    from skcoad.plotting import plot_scores

    figure = plot_scores(
        series.values,
        found.scores,
        channel_scores=found.channel_scores,
        expected=found.expected,
        labels=series.labels,
        threshold=found.threshold,
        train_length=series.train_length,
        timestamps=series.index,
        channel_names=series.channel_names,
        segments=found.segments,
        zooms=zooms,
    )
    save_figure(figure, path, dpi=DPI)


def save_report(
    path: Path,
    series: Series,
    detector: TimeSeriesDetector,
    found: SearchResult,
    limit: int,
) -> None:
    """Write a page for a browser."""
    from skcoad.detectors import frame_of

    frame = frame_of(series, detector)
    report = detector.report(
        frame,
        title=series.name,
        threshold=found.threshold,
        limit=limit,
        start=frame.index[series.train_length],
        channel_scores=found.channel_scores,
        expected=found.expected,
    )
    report.save(path)
