"""Windows of a series, and the way back from window scores to timestamps.

This module defines which windows a series has, for the whole package: starts are
``0, step, 2 * step, ...`` and, when these leave points at the end uncovered, one more
window that ends with the series. So every timestamp is covered, and none needs a
padded score.
"""

from __future__ import annotations

from operator import index
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skcoad._typing import Aggregation, FloatArray
from skcoad._validation import (
    StrOptions,
    channel_names,
    check_parameters,
    integers,
    makes_pandas,
    validate_series,
)

OVERLAP_CHUNK = 2**20  # points

__all__ = [
    "SlidingWindowTransformer",
    "sliding_windows",
    "window_starts",
    "windows_to_timestamps",
]


def window_starts(
    n_timestamps: int, window_size: int, step: int = 1
) -> NDArray[np.intp]:
    """First index of every window of a series.

    Parameters
    ----------
    n_timestamps : int
        Length of the series.
    window_size : int
        Length of a window, at most `n_timestamps`.
    step : int, default=1
        Distance between windows, at most `window_size`, so that no timestamp is
        left out.

    Returns
    -------
    ndarray of shape (n_windows,)
        Increasing; the last window always ends with the series.

    Raises
    ------
    ValueError
        If the series is shorter than a window, or `step` is not in
        ``[1, window_size]``.

    Examples
    --------
    >>> from skcoad.preprocessing import window_starts
    >>> window_starts(10, window_size=4, step=3)
    array([0, 3, 6])
    >>> window_starts(11, window_size=4, step=3)
    array([0, 3, 6, 7])
    """
    # Small integers of numpy would overflow below.
    n_timestamps, window_size = index(n_timestamps), index(window_size)
    step = index(step)
    if not 1 <= window_size <= n_timestamps:
        raise ValueError(
            f"window_size={window_size} must lie between 1 and the length of the "
            f"series, {n_timestamps} timestamps"
        )
    if not 1 <= step <= window_size:
        raise ValueError(
            f"step={step} must lie between 1 and window_size={window_size}"
        )
    last = n_timestamps - window_size
    starts = np.arange(0, last + 1, step)
    return starts if starts[-1] == last else np.append(starts, last)


def sliding_windows(x: FloatArray, window_size: int, step: int = 1) -> FloatArray:
    """Cut a series into windows.

    Parameters
    ----------
    x : ndarray of shape (n_timestamps,) or (n_timestamps, n_channels)
        The series.
    window_size, step : int
        As in :func:`window_starts`.

    Returns
    -------
    ndarray of shape (n_windows, window_size) or (n_windows, window_size, n_channels)
        With ``step=1`` a read-only view of `x`, else a copy.

    Raises
    ------
    ValueError
        As in :func:`window_starts`.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import sliding_windows
    >>> sliding_windows(np.arange(5.0), window_size=3, step=2)
    array([[0., 1., 2.],
           [2., 3., 4.]])
    """
    window_size, step = index(window_size), index(step)
    starts = window_starts(len(x), window_size, step)
    windows = np.lib.stride_tricks.sliding_window_view(x, window_size, axis=0)
    windows = np.moveaxis(windows, -1, 1)
    return windows if step == 1 else windows[starts]


def windows_to_timestamps(
    scores: FloatArray,
    n_timestamps: int,
    window_size: int,
    step: int = 1,
    aggregation: Aggregation = "mean",
) -> FloatArray:
    """Scores per timestamp from scores per window: the inverse of the cut.

    Parameters
    ----------
    scores : ndarray of shape (n_windows,) or (n_windows, window_size)
        One score for each window, or one for each of its points; windows as made by
        :func:`window_starts` with the same arguments.
    n_timestamps, window_size, step : int
        As in :func:`window_starts`.
    aggregation : {"mean", "max"}, default="mean"
        What becomes of the scores of all the windows that cover a timestamp.

    Returns
    -------
    ndarray of shape (n_timestamps,)

    Raises
    ------
    ValueError
        If `scores` has another number of windows or of points, or `aggregation` is
        not known.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.preprocessing import windows_to_timestamps
    >>> windows_to_timestamps(np.array([1.0, 3.0]), 5, window_size=3, step=2)
    array([1., 1., 2., 3., 3.])
    >>> windows_to_timestamps(np.array([1.0, 3.0]), 5, 3, step=2, aggregation="max")
    array([1., 1., 3., 3., 3.])
    """
    n_timestamps, window_size = index(n_timestamps), index(window_size)
    starts = window_starts(n_timestamps, window_size, step)
    scores = np.asarray(scores)
    if scores.shape not in {(len(starts),), (len(starts), window_size)}:
        raise ValueError(
            f"scores has shape {scores.shape}; {n_timestamps} timestamps in windows of "
            f"{window_size} with step {step} need {(len(starts),)} or "
            f"{(len(starts), window_size)}"
        )
    if aggregation not in ("mean", "max"):
        raise ValueError(f"aggregation={aggregation!r} is neither 'mean' nor 'max'")
    # torch is imported here, so that the transformers alone do without it.
    import torch

    from skcoad._rolling import overlap_add
    from skcoad._torch_state import own_torch_state

    with own_torch_state():
        total = torch.zeros(n_timestamps, dtype=torch.float64)
        n_covering = torch.zeros(n_timestamps, dtype=torch.float64)
        if aggregation == "max":
            total.fill_(-torch.inf)
        n_rows = max(1, OVERLAP_CHUNK // window_size)
        for first in range(0, len(starts), n_rows):
            rows = torch.from_numpy(starts[first : first + n_rows])
            values = torch.tensor(scores[first : first + n_rows], dtype=torch.float64)
            if scores.ndim == 1:
                values = values[:, None].expand(-1, window_size)
            if aggregation == "max":
                overlap_add(total, values, rows, "amax")
            else:
                overlap_add(total, values, rows)
                overlap_add(n_covering, torch.ones_like(values), rows)
    return (total if aggregation == "max" else total / n_covering).numpy()


class SlidingWindowTransformer(TransformerMixin, BaseEstimator):
    """Windows of a series as rows of a table.

    With `padding` (the default) there is one row for each timestamp, so the
    transformer can be a step of a :class:`~sklearn.pipeline.Pipeline`, which never
    changes the number of samples: the row of timestamp *t* holds the values around
    it, or up to it. With ``padding=None`` the rows are the windows that lie wholly
    inside the series, `step` apart, and :meth:`scores_to_timestamps` brings scores of
    such rows back to the timestamps.

    Parameters
    ----------
    window_size : int, default=16
        Timestamps in a window.
    step : int, default=1
        Distance between windows; more than 1 only with ``padding=None``.
    align : {"center", "trailing"}, default="center"
        Where the row's timestamp stands in its padded window: in the middle (for an
        even size, the right one of the two middle points) or last, so that no later
        value is used.
    padding : {"edge", "reflect"} or None, default="edge"
        What stands before the first and after the last value: the border value
        repeated, or the series mirrored; None makes only windows without padding.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, when `fit` saw any.

    See Also
    --------
    FFTTransformer : The spectrum of each row.
    sliding_windows, windows_to_timestamps : The same as functions.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import SlidingWindowTransformer
    >>> X = np.arange(4.0).reshape(-1, 1)
    >>> SlidingWindowTransformer(window_size=3).fit_transform(X)
    array([[0., 0., 1.],
           [0., 1., 2.],
           [1., 2., 3.],
           [2., 3., 3.]])
    >>> table = SlidingWindowTransformer(window_size=2, step=2, padding=None).fit(X)
    >>> table.transform(X)
    array([[0., 1.],
           [2., 3.]])
    >>> table.scores_to_timestamps([0.5, 2.0], n_timestamps=4)
    array([0.5, 0.5, 2. , 2. ])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "window_size": [integers(1)],
        "step": [integers(1)],
        "align": [StrOptions({"center", "trailing"})],
        "padding": [StrOptions({"edge", "reflect"}), None],
    }

    def __init__(
        self,
        *,
        window_size: int = 16,
        step: int = 1,
        align: Literal["center", "trailing"] = "center",
        padding: Literal["edge", "reflect"] | None = "edge",
    ) -> None:
        self.window_size = window_size
        self.step = step
        self.align = align
        self.padding = padding

    def fit(self, X: Any, y: object = None) -> SlidingWindowTransformer:
        """Check the parameters and note the channels.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            The series, rows in time order.
        y : ignored

        Returns
        -------
        SlidingWindowTransformer
            Itself.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        check_parameters(self)
        if self.padding is not None and self.step != 1:
            raise ValueError(
                f"step={self.step} needs padding=None: with padding there is one row "
                "for each timestamp"
            )
        validate_series(self, X, reset=True)
        return self

    def transform(self, X: Any) -> Any:
        """Make the table of windows.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            The series, rows in time order.

        Returns
        -------
        ndarray of shape (n_windows, window_size * n_channels)
            Window by window; within a row all channels of the first timestamp come
            first. With padding, ``n_windows == n_timestamps``. After
            ``set_output(transform="pandas")`` a frame, in which a window without
            padding has the label of its first timestamp.

        Raises
        ------
        ValueError
            If ``padding=None`` and the series is shorter than a window, or
            ``padding="reflect"`` and it is shorter than what must be mirrored.
        """
        check_is_fitted(self)
        series, X = X, validate_series(self, X, reset=False)
        if self.padding is not None:
            before, after = self._around()
            if self.padding == "reflect" and before >= len(X):
                raise ValueError(
                    f"padding='reflect' with window_size={self.window_size} needs more "
                    f"than {before} timestamps, got {len(X)}"
                )
            X = np.pad(X, ((before, after), (0, 0)), mode=self.padding)
        windows = sliding_windows(X, self.window_size, self.step)
        table = windows.reshape(len(windows), -1)
        if self.padding is None and makes_pandas(self):
            # scikit-learn would give the windows the labels of all timestamps.
            starts = window_starts(len(X), self.window_size, self.step)
            return _frame(table, series, starts)
        return table

    def scores_to_timestamps(
        self,
        scores: Any,
        n_timestamps: int,
        aggregation: Aggregation = "mean",
    ) -> FloatArray:
        """Bring scores of the rows back to the timestamps.

        Parameters
        ----------
        scores : array-like of shape (n_windows,) or (n_windows, window_size)
            Scores of the rows of :meth:`transform`.
        n_timestamps : int
            Length of the series that was transformed.
        aggregation : {"mean", "max"}, default="mean"
            As in :func:`windows_to_timestamps`.

        Returns
        -------
        ndarray of shape (n_timestamps,)

        Raises
        ------
        ValueError
            If the number of scores does not fit, or rows are timestamps already
            (`padding` is not None).
        """
        if self.padding is not None:
            raise ValueError(
                f"with padding={self.padding!r} each row is a timestamp already; "
                "scores_to_timestamps is for padding=None"
            )
        return windows_to_timestamps(
            np.asarray(scores), n_timestamps, self.window_size, self.step, aggregation
        )

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns, such as ``x0[t-1]``.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the channels; those seen in `fit`, or ``x0, x1, ...``, if None.

        Returns
        -------
        ndarray of shape (window_size * n_channels,)
        """
        check_is_fitted(self)
        channels = channel_names(self, input_features)
        before, after = self._around()
        if self.padding is None:  # the row's time is that of its first value
            before, after = 0, before + after
        return np.array(
            [
                f"{channel}[t{offset:+d}]"
                for offset in range(-before, after + 1)
                for channel in channels
            ],
            dtype=object,
        )

    def _around(self) -> tuple[int, int]:
        """How many values of a padded window are before and after its timestamp."""
        size = int(self.window_size)
        before = size - 1 if self.align == "trailing" else size // 2
        return before, size - 1 - before

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")


def _frame(table: FloatArray, series: Any, starts: NDArray[np.intp]) -> Any:
    """Frame of windows with the labels of the timestamps where they start."""
    import pandas as pd

    labelled = isinstance(series, (pd.DataFrame, pd.Series))
    return pd.DataFrame(table, series.index[starts] if labelled else None)
