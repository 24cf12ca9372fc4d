"""Why the scores of a series are what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skcoad._series import channel_position
from skcoad._typing import FloatArray
from skcoad.detectors._summary import channel_text, summarise
from skcoad.plotting import plot_explanation
from skcoad.plotting._time import drawn_labels
from skcoad.scoring import COMPONENTS, ScoreComponents

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure, SubFigure

__all__ = ["Explanation"]

RAW = ("reconstruction", "mask", "probability", "error")


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Scores of a part of a series, taken apart; made by ``detector.explain``.

    ``contributions.sum(axis=(1, 2))`` is ``score``, which is what
    ``decision_function`` gives.

    Attributes
    ----------
    index : pandas.Index of length n_timestamps
        Labels of the rows: those of `X` where it is a DataFrame or a Series of pandas,
        else positions.
    channels : tuple of length n_channels
        Names of the channels that are explained, or their positions if `fit` saw no
        names.
    values : ndarray of shape (n_timestamps, n_channels)
        The series itself, NaN where it is missing.
    score : ndarray of shape (n_timestamps,)
        Of all channels, in decades of rarity.
    channel_scores : ndarray of shape (n_timestamps, n_channels)
        Of each channel, likewise.
    components : tuple of ScoreComponents
        Of each channel, not smoothed: probability, mask (Eq. 5) and reconstruction (Eq.
        6) of the network among them, the reconstruction in the units of `X`.
    rarity : ndarray of shape (n_timestamps, n_channels, n_components)
        How rare each of :data:`skcoad.scoring.COMPONENTS` is on normal data, in
        decades; probability and error are smoothed, as they are in the score.
    contributions : ndarray of shape (n_timestamps, n_channels, n_components)
        Parts of the score, at least 0, that add up to it, unless channels were left
        out.
    neighbors : ndarray of shape (n_timestamps, n_channels) or None
        Position in the training series of the nearest normal example, that of the view
        that contributes most; -1 where there is none, None without neighbours.
    training_times : pandas.Index or None
        Times of the training series, if `fit` saw any.
    threshold : float
        Scores above are anomalies.
    highest_normal : float
        Highest score of the training series.
    period : int
        Dominant period, in timestamps.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skcoad import NeighborsDetector
    >>> rng = np.random.default_rng(0)
    >>> load = np.sin(np.arange(1000) / 4) + 0.1 * rng.normal(size=1000)
    >>> load[700:740] = 0.31
    >>> time = pd.date_range("2024-01-01", periods=1000, freq="h")
    >>> X = pd.DataFrame({"load": load}, index=time)
    >>> detector = NeighborsDetector().fit(X[:500])
    >>> explanation = detector.explain(X, start=680, stop=760)
    >>> score = detector.decision_function(X)[680:760]
    >>> bool(np.allclose(explanation.contributions.sum(axis=(1, 2)), score))
    True
    >>> "`load` was flat at 0.31" in explanation.summary()
    True
    """

    index: pd.Index[Any]
    channels: tuple[Any, ...]
    values: FloatArray
    score: FloatArray
    channel_scores: FloatArray
    components: tuple[ScoreComponents, ...]
    rarity: FloatArray
    contributions: FloatArray
    neighbors: NDArray[np.int64] | None
    training_times: pd.Index[Any] | None
    threshold: float
    highest_normal: float
    period: int

    def __repr__(self) -> str:
        n_timestamps, n_channels = self.values.shape
        return (
            f"Explanation({n_timestamps} timestamps, {n_channels} channel(s), "
            f"highest score {self.score.max():.3g})"
        )

    @property
    def reconstruction(self) -> FloatArray:
        """Expected values, of shape (n_timestamps, n_channels)."""
        return np.stack([each.reconstruction for each in self.components], 1)

    @property
    def mask(self) -> FloatArray:
        """How much was hidden from the reconstruction, likewise."""
        return np.stack([each.mask for each in self.components], 1)

    @property
    def main_component(self) -> NDArray[np.str_]:
        """Component that contributes most, of shape (n_timestamps, n_channels)."""
        names: NDArray[np.str_] = np.array(COMPONENTS)[self.contributions.argmax(2)]
        return names

    def nearest(self, channel: int | str | None = None) -> pd.Index[Any] | None:
        """Where the nearest normal example of each timestamp is.

        Parameters
        ----------
        channel : int or str, default=None
            Which of ``channels``, by its name or, if none has it, its place among them;
            by default the first.

        Returns
        -------
        pandas.Index of length n_timestamps, or None
            Times if `fit` saw any, else positions in the training series. Missing (NaT
            or -1) where there is none; None without neighbours.

        Raises
        ------
        ValueError
            If there is no such channel.
        """
        place = 0 if channel is None else self._place(channel)
        return None if self.neighbors is None else self._nearest(place)

    def _place(self, channel: Any) -> int:
        names = self.channels
        if channel not in names:
            names = tuple(map(str, names))  # so that an integer is a place
        return channel_position(channel, names)

    def _nearest(self, place: int) -> pd.Index[Any]:
        import pandas as pd

        assert self.neighbors is not None
        positions = self.neighbors[:, place]
        if self.training_times is None:
            return pd.Index(positions)
        times: pd.Index[Any] = self.training_times.take(positions)
        return times.where(positions >= 0)

    def to_frame(self) -> pd.DataFrame:
        """Everything as one table.

        Returns
        -------
        pandas.DataFrame
            With the labels of ``index``, and columns of two levels: the channel, and
            ``value``, ``score``, ``reconstruction``, ``mask``, ``probability``,
            ``error``, ``component`` (the main one), ``nearest``, and for each of
            :data:`skcoad.scoring.COMPONENTS` ``rarity_NAME`` and
            ``contribution_NAME``.
        """
        import pandas as pd

        columns: dict[tuple[Any, str], Any] = {}
        main = self.main_component
        for i, name in enumerate(self.channels):
            columns[name, "value"] = self.values[:, i]
            columns[name, "score"] = self.channel_scores[:, i]
            for part in RAW:
                columns[name, part] = getattr(self.components[i], part)
            columns[name, "component"] = main[:, i]
            if self.neighbors is not None:
                columns[name, "nearest"] = self._nearest(i)
            for k, component in enumerate(COMPONENTS):
                columns[name, f"rarity_{component}"] = self.rarity[:, i, k]
            for k, component in enumerate(COMPONENTS):
                columns[name, f"contribution_{component}"] = self.contributions[:, i, k]
        names = pd.MultiIndex.from_tuples(columns, names=["channel", "quantity"])
        table = pd.DataFrame(dict(enumerate(columns.values())))
        return table.set_axis(names, axis=1).set_axis(self.index, axis=0)

    def summary(self) -> str:
        """Say in one or two sentences what stands out most.

        Returns
        -------
        str
            When, in which channel, what happened there, where the nearest normal
            example is, and how the score compares with the training series.
        """
        return summarise(self)

    def plot(
        self,
        channel: int | str | None = None,
        *,
        figure: Figure | SubFigure | None = None,
    ) -> Figure:
        """Draw one channel with what its score is made of.

        Labels of rows that are neither numbers nor times are counted instead.

        Parameters
        ----------
        channel : int or str, default=None
            Which of ``channels``, as for :meth:`nearest`; by default the one that
            contributes most to the highest score.
        figure : matplotlib.figure.Figure or SubFigure, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib.figure.Figure or SubFigure
            See :func:`skcoad.plotting.plot_explanation`.

        Raises
        ------
        ValueError
            If there is no such channel.
        """
        if channel is None:
            peak = int(self.score.argmax())
            place = int(self.contributions[peak].sum(1).argmax())
        else:
            place = self._place(channel)
        return plot_explanation(
            self.values[:, place],
            self.components[place],
            contributions=self.contributions[:, place],
            timestamps=drawn_labels(self.index),
            channel_name=channel_text(self.channels[place]),
            figure=figure,
        )
