"""Curves of one detector or several: of the training, and of what scores promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skcoad.model import RECORD_EVERY
from skcoad.plotting._style import CURVES, LIMIT, TRAINING, new_axes, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_calibration", "plot_loss"]

STEP = 0.02  # decades between the points of a calibration curve
DASHES = ("-", "--", ":")


def plot_calibration(
    scores: ArrayLike | Mapping[str, ArrayLike], *, ax: Axes | None = None
) -> Axes:
    """Draw how often normal data exceed a score beside how often they should.

    A score in decades asks for a rate: 2 is to be exceeded by one of 100 normal
    timestamps. A detector that is calibrated runs along the diagonal; above it, there
    are more false alarms than asked for.

    Parameters
    ----------
    scores : array-like of shape (n_timestamps,), or mapping of str to such
        Scores of normal data that the detector was not fitted on, from
        ``decision_function``; of several detectors by name. Leave out those of missing
        values, which are 0.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default the axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Those given, or the new ones.

    Raises
    ------
    ValueError
        If there are no scores, or one is not finite or below 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.plotting import plot_calibration
    >>> scores = -np.log10(np.arange(0.5, 1000) / 1000)  # as rare as they say
    >>> ax = plot_calibration({"ideal": scores})
    >>> asked, realised = ax.lines[0].get_data()
    >>> bool(np.allclose(realised[:100], asked[:100], rtol=0.05))
    True
    """
    curves = {
        name: _rates(values, name) for name, values in _named(scores, "scores").items()
    }
    ax = new_axes(ax)
    for (name, (asked, realised)), style in zip(
        curves.items(), _styles(), strict=False
    ):
        ax.plot(asked, realised, label=shortened(name), **style)
    least = min(asked[-1] for asked, _ in curves.values())
    limits = np.array([least, 1.0])
    ax.plot(
        limits, limits, color=LIMIT, linewidth=0.9, linestyle="--", label="as asked"
    )
    ax.fill_between(
        limits, limits / 2, 2 * limits, color=TRAINING, zorder=0, label="half to twice"
    )
    ax.set(
        xscale="log",
        yscale="log",
        xlim=(least, 1),
        ylim=(least, 1),
        xlabel=r"asked: share of timestamps above a score, $10^{-\mathrm{score}}$",
        ylabel="realised on normal data",
    )
    _legend(ax)
    return ax


def plot_loss(
    loss_curve: ArrayLike | Mapping[str, ArrayLike], *, ax: Axes | None = None
) -> Axes:
    """Draw the loss of a training against its steps.

    Parameters
    ----------
    loss_curve : array-like of shape (n_records,), or mapping of str to such
        ``detector.loss_curve_``, the mean loss of every 20 steps; of several detectors
        by name. Each mean is drawn at the first of its steps.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default the axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Those given, or the new ones.

    Raises
    ------
    ValueError
        If there are no losses, as without training, or one is not finite.

    Examples
    --------
    >>> from skcoad.plotting import plot_loss
    >>> ax = plot_loss([0.9, 0.5, 0.4])
    >>> ax.lines[0].get_xdata().tolist()
    [1, 21, 41]
    """
    curves = _named(loss_curve, "loss")
    ax = new_axes(ax)
    for (name, losses), style in zip(curves.items(), _styles(), strict=False):
        # The last record may be of fewer steps: where it ends is not known.
        steps = 1 + RECORD_EVERY * np.arange(len(losses))
        ax.plot(steps, losses, label=shortened(name), **style)
    ax.set(xlabel="training step", ylabel="loss", xlim=(0, None))
    if isinstance(loss_curve, Mapping):
        _legend(ax)
    return ax


def _named(
    given: ArrayLike | Mapping[str, ArrayLike], what: str
) -> dict[str, NDArray[np.float64]]:
    """Arrays by name; a single one is called what it is."""
    named = given if isinstance(given, Mapping) else {what: given}
    curves = {str(name): np.asarray(y, dtype=np.float64) for name, y in named.items()}
    if not curves:
        raise ValueError(f"there is no {what} to draw")
    for name, values in curves.items():
        if values.ndim != 1 or not len(values):
            raise ValueError(
                f"{name} must have shape (n,) and at least one number, got shape "
                f"{values.shape}"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"{name} must be finite")
    return curves


def _rates(
    scores: NDArray[np.float64], name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rates asked and realised, down to one of all timestamps; NaN where none is."""
    if scores.min() < 0:
        raise ValueError(f"{name} must be at least 0, got {scores.min():.3g}")
    decades = np.arange(0, np.log10(len(scores)) + STEP, STEP)
    ordered = np.sort(scores)
    above = len(scores) - np.searchsorted(ordered, decades, side="right")
    return 10**-decades, np.where(above > 0, above / len(scores), np.nan)


def _styles() -> Iterator[dict[str, Any]]:
    """A look for each curve; colours are repeated with other dashes."""
    for i, color in enumerate(cycle(CURVES)):
        dashes = DASHES[i // len(CURVES) % len(DASHES)]
        yield {"color": color, "linestyle": dashes}


def _legend(ax: Axes) -> None:
    for text in ax.legend(fontsize="small", frameon=False).get_texts():
        text.set_parse_math(False)
