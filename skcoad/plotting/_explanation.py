"""A figure of the components of a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    extremes,
    new_figure,
    plain,
    shade,
    shortened,
)
from skcoad.plotting._time import TimeAxis, time_axis
from skcoad.scoring import COMPONENTS, WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from skcoad.model import ScoreComponents

__all__ = ["plot_explanation"]

N_EVIDENCE = 4  # kinds that are drawn, those with the highest peaks


def plot_explanation(
    x: ArrayLike,
    components: ScoreComponents,
    *,
    contributions: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    timestamps: ArrayLike | None = None,
    channel_name: str = "value",
    figure: Figure | SubFigure | None = None,
) -> Figure:
    """Draw the components of the score of one channel.

    From top to bottom: the channel with its reconstruction; of a detector with a
    network, the classifier's probability and the mask of the reconstruction; the
    reconstruction error; how rare the four kinds of evidence with the highest peaks
    are, in decades; and, if they are given, the parts that add up to the score.

    Parameters
    ----------
    x : array-like of shape (n_timestamps,)
        The channel.
    components : ScoreComponents
        Of this channel, from ``detector.explain(X).components``.
    contributions : array-like of shape (n_timestamps, n_components), default=None
        Of this channel to the score, from ``detector.explain(X).contributions``.
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
    3
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

    has_network = bool(np.any(components.probability) or np.any(components.mask))
    heights = [2.0, *[1.0] * has_network, 1.0, 1.0]
    if contributions is not None:
        shares = np.asarray(contributions, dtype=np.float64)
        if shares.shape != (n_timestamps, len(COMPONENTS)):
            raise ValueError(
                f"contributions must have shape ({n_timestamps}, {len(COMPONENTS)}), "
                f"got {shares.shape}"
            )
        heights.append(1.5)
    figure = new_figure(figure, height=sum(heights) * 1.2)
    rows = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    for axes in rows:
        plain(axes, time)
        shade(axes, time, true_events)
    series = rows[0]
    error, distance = rows[1 + has_network : 3 + has_network]
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
    if has_network:
        probability = {"label": "probability", **broad}
        draw(rows[1], time, components.probability, PROBABILITY, **probability)
        draw(rows[1], time, components.mask, MASK, linewidth=0.8, label="mask")
        rows[1].set(ylabel="classifier", ylim=(-0.02, 1.05))
    draw(error, time, components.error, ERROR, linewidth=0.8, label="error")
    error.set_ylabel("error")
    by_peak = sorted(EVIDENCE, key=lambda name: -getattr(components, name).max())
    for name, (color, dashes) in EVIDENCE.items():
        if name not in by_peak[:N_EVIDENCE]:
            continue
        decades = getattr(components, name)
        style = {"linewidth": 1, "linestyle": dashes, "label": WORDS[name].label}
        draw(distance, time, decades, color, **style)
    distance.set_ylabel("evidence,\ndecades")
    if contributions is not None:
        _stack(rows[-1], time, shares)
    rows[-1].set_xlabel(time.label)
    for axes in rows[1 + has_network :]:
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


def _stack(axes: Axes, time: TimeAxis, contributions: NDArray[np.float64]) -> None:
    """Stack the parts of the score, the largest ones by name."""
    styles = EVIDENCE | {"probability": (PROBABILITY, "-"), "error": (ERROR, "-")}
    by_peak = np.argsort(-contributions.max(0), kind="stable")
    named, rest = by_peak[:N_EVIDENCE], by_peak[N_EVIDENCE:]
    bottom = np.zeros(len(contributions))
    for k in named[contributions[:, named].max(0) > 0]:
        color, dashes = styles[COMPONENTS[k]]
        # Two kinds of one family have one colour.
        hatch = {"-": None, "--": "///", ":": "..."}[dashes]
        top = bottom + contributions[:, k]
        _fill(axes, time, bottom, top, color, hatch, WORDS[COMPONENTS[k]].label)
        bottom = top
    if contributions[:, rest].any():
        top = bottom + contributions[:, rest].sum(1)
        _fill(axes, time, bottom, top, "#BBBBBB", None, "others")
    axes.set_ylabel("parts of\nthe score")


def _fill(
    axes: Axes,
    time: TimeAxis,
    bottom: NDArray[np.float64],
    top: NDArray[np.float64],
    color: str,
    hatch: str | None,
    label: str,
) -> None:
    drawn = extremes(top)
    axes.fill_between(
        time.values[drawn],
        bottom[drawn],
        top[drawn],
        facecolor=color,
        edgecolor="white",
        linewidth=0,
        hatch=hatch,
        label=label,
    )
