"""A figure of the components of a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from skcoad._series import check_length
from skcoad.metrics import events
from skcoad.plotting._style import (
    ERROR,
    EVIDENCE,
    EXPECTED,
    INK,
    MASK,
    PROBABILITY,
    draw,
    new_figure,
    plain,
    shade,
    shortened,
)
from skcoad.plotting._time import time_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from skcoad.model import ScoreComponents

__all__ = ["plot_explanation"]

N_EVIDENCE = 4  # kinds that are drawn, those with the highest peaks


def plot_explanation(
    x: ArrayLike,
    components: ScoreComponents,
    *,
    labels: ArrayLike | None = None,
    timestamps: ArrayLike | None = None,
    channel_name: str = "value",
    figure: Figure | SubFigure | None = None,
) -> Figure:
    """Draw the components of the score of one channel.

    From top to bottom: the channel with its reconstruction; the classifier's
    probability and the mask of the reconstruction; the reconstruction error; how rare
    the four distances to the nearest neighbours are, in decades.

    Parameters
    ----------
    x : array-like of shape (n_timestamps,)
        The channel.
    components : ScoreComponents
        Of this channel, from ``CoADDetector.explain``.
    labels : array-like of shape (n_timestamps,), default=None
        True anomalies, 0 or 1; shaded.
    timestamps : array-like of shape (n_timestamps,), default=None
        Numbers, dates or durations; positions from 0 by default.
    channel_name : str, default="value"
        What to call it.
    figure : matplotlib.figure.Figure or SubFigure, default=None
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.figure.Figure or SubFigure
        The one given, or the new one.

    Raises
    ------
    ValueError
        If lengths do not agree or a label is neither 0 nor 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.plotting import plot_explanation
    >>> from skcoad.scoring import ScoreComponents
    >>> x = np.sin(np.arange(500) / 8)
    >>> nothing = np.zeros(500)
    >>> figure = plot_explanation(x, ScoreComponents(*[nothing] * 14))
    >>> len(figure.axes)
    4
    """
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(
            f"x must be one channel of shape (n_timestamps,), got {values.shape}"
        )
    n_timestamps = len(values)
    for name, part in components._asdict().items():
        check_length(part, f"components.{name}", n_timestamps)
    time = time_axis(timestamps, n_timestamps)
    true_events = np.empty((0, 2), dtype=np.intp)
    if labels is not None:
        check_length(np.asarray(labels), "labels", n_timestamps)
        true_events = events(labels)

    figure = new_figure(figure, height=6)
    rows = figure.subplots(4, 1, sharex=True, height_ratios=[2, 1, 1, 1])
    for axes in rows:
        plain(axes, time)
        shade(axes, time, true_events)
    series, decision, error, distance = rows
    # What is broad is below, so that it shows where two lines agree.
    broad = {"linewidth": 2.5, "alpha": 0.6}
    draw(
        series,
        time,
        components.reconstruction,
        EXPECTED,
        label="reconstruction",
        **broad,
    )
    draw(series, time, values, INK, linewidth=0.8, label="series")
    series.set_ylabel(shortened(channel_name), parse_math=False)
    draw(
        decision,
        time,
        components.probability,
        PROBABILITY,
        label="probability",
        **broad,
    )
    draw(decision, time, components.mask, MASK, linewidth=0.8, label="mask")
    decision.set(ylabel="classifier", ylim=(-0.02, 1.05))
    draw(error, time, components.error, ERROR, linewidth=0.8, label="error")
    error.set_ylabel("error")
    by_peak = sorted(EVIDENCE, key=lambda name: -getattr(components, name).max())
    for name, (color, dashes, label) in EVIDENCE.items():
        if name not in by_peak[:N_EVIDENCE]:
            continue
        decades = getattr(components, name)
        style = {"linewidth": 1, "linestyle": dashes, "label": label}
        draw(distance, time, decades, color, **style)
    distance.set(ylabel="evidence,\ndecades", xlabel=time.label)
    for axes in (error, distance):
        axes.set_ylim(0, max(axes.get_ylim()[1], 1e-3))
    figure.align_ylabels(rows)
    for axes in rows:
        entries = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
        if axes is not series:
            entries.pop("true anomaly", None)  # said once
        axes.legend(
            entries.values(),
            entries.keys(),
            loc="upper left",
            bbox_to_anchor=(1, 1),
            frameon=False,
            fontsize="small",
        )
    return figure
