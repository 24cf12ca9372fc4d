"""A figure of the components of a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from skcoad._series import check_length
from skcoad.metrics import events
from skcoad.plotting._style import (
    EXPECTED,
    FOUND,
    INK,
    LIMIT,
    draw,
    legend,
    plain,
    shade,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from skcoad.model import ScoreComponents

__all__ = ["plot_explanation"]


def plot_explanation(
    x: ArrayLike,
    components: ScoreComponents,
    *,
    labels: ArrayLike | None = None,
    timestamps: ArrayLike | None = None,
    channel_name: str = "value",
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
        Numbers or datetimes; positions from 0 by default.
    channel_name : str, default="value"
        What to call it.

    Returns
    -------
    matplotlib.figure.Figure

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
    >>> figure = plot_explanation(x, ScoreComponents(*[nothing] * 8))
    >>> len(figure.axes)
    4
    """
    from matplotlib.figure import Figure

    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(
            f"x must be one channel of shape (n_timestamps,), got {values.shape}"
        )
    n_timestamps = len(values)
    for name, part in components._asdict().items():
        check_length(part, f"components.{name}", n_timestamps)
    time = np.arange(n_timestamps) if timestamps is None else np.asarray(timestamps)
    check_length(time, "timestamps", n_timestamps)

    figure = Figure(figsize=(10, 6), layout="constrained")
    rows = figure.subplots(4, 1, sharex=True, height_ratios=[2, 1, 1, 1])
    for axes in rows:
        plain(axes, time)
        if labels is not None:
            check_length(np.asarray(labels), "labels", n_timestamps)
            shade(axes, time, events(labels))
    series, decision, error, distance = rows
    # The reconstruction is broad and below, so that it shows where the two agree.
    draw(
        series,
        time,
        components.reconstruction,
        EXPECTED,
        linewidth=2.5,
        alpha=0.5,
        label="reconstruction",
    )
    draw(series, time, values, INK, linewidth=0.8, label="series")
    series.set_ylabel(channel_name)
    draw(
        decision,
        time,
        components.probability,
        FOUND,
        linewidth=2.5,
        alpha=0.5,
        label="probability",
    )
    draw(decision, time, components.mask, LIMIT, linewidth=0.8, label="mask")
    decision.set(ylabel="classifier", ylim=(-0.02, 1.05))
    draw(error, time, components.error, INK, linewidth=0.8)
    error.set_ylabel("error")
    lines = {
        "value_distance": (INK, "values"),
        "value_shape": (FOUND, "shape of values"),
        "difference_distance": (EXPECTED, "first differences"),
        "difference_shape": (LIMIT, "shape of differences"),
    }
    for name, (color, label) in lines.items():
        decades = getattr(components, name)
        draw(distance, time, decades, color, linewidth=0.8, label=label)
    distance.set_ylabel("distance,\ndecades")
    for axes in (error, distance):
        axes.set_ylim(0, max(axes.get_ylim()[1], 1e-3))
    series.set_xlim(time[0], time[-1])
    if timestamps is None:
        distance.set_xlabel("timestamp")
    figure.align_ylabels(rows)
    legend(figure)
    return figure
