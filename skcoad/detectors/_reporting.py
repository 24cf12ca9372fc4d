"""A detector's report on a series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from skcoad._grid import regular_grid
from skcoad._typing import FloatArray
from skcoad.detectors._explaining import ExplanationMixin
from skcoad.detectors._explanation import Explanation
from skcoad.detectors._searching import SearchResult, row_labels
from skcoad.detectors._snapshot import on_one_fit
from skcoad.detectors._summary import channel_text, describe, row_text
from skcoad.report import (
    Channel,
    Detail,
    ExplainedSegment,
    PageContent,
    Part,
    Report,
    check_plotly,
)
from skcoad.scoring import COMPONENTS, WORDS, AnomalySegment

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReportMixin"]

BAND = 99  # percent of the timestamps below the threshold are inside
MAX_SEGMENTS = 50
EXPLAINED = 3  # channels of each segment
MAX_PARTS, LEAST_SHARE = 8, 0.01  # of those that are named
MARGIN = 2  # periods on each side of a segment
MAX_SHOWN = 2000  # timestamps of an explanation


class ReportMixin(ExplanationMixin):
    """The method :meth:`report` of a detector."""

    @on_one_fit
    def report(
        self,
        X: Any,
        *,
        title: str = "Anomalies",
        threshold: float | None = None,
        limit: int = MAX_SEGMENTS,
        start: Any = None,
        channel_scores: FloatArray | None = None,
        expected: FloatArray | None = None,
    ) -> Report:
        """Make a page for a browser that shows and explains what is anomalous.

        It shows the series with the expected band (99 % of the timestamps below the
        threshold are inside), the score with its threshold, and the table of
        :meth:`find_segments`; a click on a segment explains it. It holds its data and
        JavaScript, and works offline. Up to 8 million numbers of a series are in it as
        they are (2.6 million timestamps of one channel, 44,000 of 60); of a longer one
        the least and largest value of every few timestamps, and every timestamp around
        a segment in the channels that explain it.

        Needs plotly: ``pip install 'skcoad[report]'``.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels) or (n_timestamps,)
            As in :meth:`decision_function`; the times of its index are shown.
        title : str, default="Anomalies"
            Of the page.
        threshold, limit, start : float, int, and int or label
            As in :meth:`find_segments`; at most 50 segments by default.
        channel_scores, expected : ndarray of shape (n_timestamps, n_channels)
            What ``channel_scores(X, return_expected=True)`` gives, if it is at hand:
            it is not computed again. Both or none.

        Returns
        -------
        Report
            ``report.save("report.html")`` writes it; its text is ``report.html``.

        Raises
        ------
        ImportError
            If plotly is not installed.
        ValueError
            As in :meth:`find_segments`; if `channel_scores` is given without `expected`
            or the other way round, or one of them has not the shape of `X`, or
            `channel_scores` is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from skcoad import NeighborsDetector
        >>> X = np.sin(np.arange(900.0) / 4)
        >>> X[700:740] *= 0.5
        >>> detector = NeighborsDetector().fit(X[:500])
        >>> report = detector.report(X, title="A dull wave")  # doctest: +SKIP
        >>> report.save("report.html")  # doctest: +SKIP
        """
        check_plotly()
        if (channel_scores is None) != (expected is None):
            raise ValueError("channel_scores and expected go together: give both")
        found = self._search(X, threshold, limit, start, channel_scores, expected)
        series, expected = found.values, found.expected
        assert expected is not None
        labels = row_labels(X, len(series))
        if len(labels) < len(series) and (grid := regular_grid(X)):  # rows were missing
            labels = grid.times
        deviation = np.abs(series - expected)[found.scores <= found.threshold]
        channels = [
            Channel(
                channel_text(name),
                series[:, channel],
                expected[:, channel],
                found.channel_scores[:, channel],
                _percentile(deviation[:, channel]),
            )
            for channel, name in enumerate(self.channel_names_)
        ]
        return Report(
            PageContent(
                title,
                labels,
                channels,
                found.scores,
                found.threshold,
                found.start,
                list(self._explained_segments(found, labels)),
            )
        )

    def _explained_segments(
        self, found: SearchResult, labels: pd.Index[Any]
    ) -> Iterator[ExplainedSegment]:
        margin = MARGIN * self.model_.config.plan.period
        rows = found.table.itertuples()
        for segment, row in zip(found.segments, rows, strict=True):
            scores = found.channel_scores
            # The first is the one that the table names.
            chosen = np.argsort(-scores[segment.peak], kind="stable")[:EXPLAINED]
            part = _around(segment, margin, len(scores))
            explained = self._explanation(
                found.values,
                part,
                np.arange(part.stop - part.start),
                chosen.tolist(),
                scores[part],
                labels[part],
            )
            within = AnomalySegment(
                max(segment.start, part.start) - part.start,
                min(segment.stop, part.stop) - part.start,
                segment.peak - part.start,
                segment.score,
            )
            yield ExplainedSegment(
                segment.start,
                segment.stop,
                segment.peak,
                (row_text(row.start), row_text(row.end)),
                segment.score,
                channel_text(row.channel),
                str(row.reason),
                describe(explained, within),
                _parts(explained, within),
                [
                    self._detail(explained, i, channel, part.start)
                    for i, channel in enumerate(chosen.tolist())
                ],
            )

    def _detail(
        self, explained: Explanation, i: int, channel: int, start: int
    ) -> Detail:
        """What the `i`-th explained channel looks like beside what is normal."""
        nearest = np.full(len(explained.values), np.nan)
        if self.model_.neighbors is not None and explained.neighbors is not None:
            positions = explained.neighbors[:, i]
            normal = self.model_.neighbors[channel].series.cpu().numpy()
            known = positions >= 0
            nearest[known] = self.model_.scaler.inverse_transform(
                normal[positions[known]], channel
            )
        return Detail(
            channel,
            start,
            explained.values[:, i],
            explained.reconstruction[:, i],
            nearest,
        )


def _around(segment: AnomalySegment, margin: int, n_timestamps: int) -> slice:
    """A segment with a margin, or, of a very long one, what is around its peak."""
    start = max(0, segment.start - margin, segment.peak - MAX_SHOWN // 2)
    stop = min(n_timestamps, segment.stop + margin, segment.peak + MAX_SHOWN // 2)
    return slice(start, stop)


def _parts(explained: Explanation, segment: AnomalySegment) -> list[Part]:
    """Largest contributions to the score at the peak, and all others."""
    at_peak = explained.contributions[segment.peak]
    order = np.argsort(-at_peak, axis=None, kind="stable")[:MAX_PARTS]
    named = [np.unravel_index(place, at_peak.shape) for place in order]
    parts = [
        Part(
            channel_text(explained.channels[channel]),
            WORDS[COMPONENTS[component]].label,
            float(at_peak[channel, component]),
        )
        for channel, component in named
        if at_peak[channel, component] >= LEAST_SHARE * segment.score > 0
    ]
    rest = segment.score - sum(part.value for part in parts)
    return [*parts, Part("all others", "", max(rest, 0.0))]


def _percentile(deviation: FloatArray) -> float:
    """Half the width of the expected band; 0 where nothing is known."""
    known = deviation[~np.isnan(deviation)]
    return float(np.percentile(known, BAND)) if len(known) else 0.0
