"""A fitted detector on a stream: provisional scores at once, final ones later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skcoad._arguments import check_integer
from skcoad._torch_state import own_torch_state
from skcoad._typing import BoolArray, FloatArray, IntArray
from skcoad._warnings import warn_of_other_spacing
from skcoad.detectors import TimeSeriesDetector
from skcoad.scoring import score_series, smoothing_reach
from skcoad.streaming._buffer import Buffer
from skcoad.streaming._calibration import ProvisionalCalibration
from skcoad.streaming._provisional import ProvisionalScorer
from skcoad.streaming._rows import Clock, Reader, frame_of_row
from skcoad.streaming._state import load_stream, save_stream

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["StreamScores", "StreamingDetector"]
PIECE = 2**14  # rows that are added at once, so that memory is constant
MISSING = -1  # number of a row that is missing in time


class StreamScores(NamedTuple):
    """Scores of some rows of a stream.

    Attributes
    ----------
    positions : ndarray of shape (n_scores,)
        Which rows, counted from 0 at the beginning of the stream; increasing.
    scores : ndarray of shape (n_scores,)
        In decades of rarity, as of ``decision_function``.
    final : ndarray of shape (n_scores,)
        Which scores are final, bool; those come first. The others are provisional.
    """

    positions: IntArray
    scores: FloatArray
    final: BoolArray


class StreamingDetector:
    """Score a series that comes row by row.

    Every row has two scores. The provisional one comes at once, from what is known up
    to this row. The final one comes when everything has been seen that influences it:
    it is the one that ``decision_function`` gives for the whole series, to rounding,
    however the rows were divided into updates. Both are in the same unit, so that
    `threshold_` holds for both.

    Memory is constant: about two receptive fields of rows are kept besides the
    detector.

    Parameters
    ----------
    detector : CoADDetector or NeighborsDetector
        Fitted, with neighbours, and with ``references="train"``: others compare a row
        with all of its past, which no constant memory holds, or with its future. Later
        changes of it have no effect.
    interval : str or timedelta, default=None
        Time from one row to the next, such as ``"1min"``, if rows come with an index of
        times. Rows that are then missing are missing values. Times may be off by a
        quarter of an interval, and by nearly a half once some rows have come; rows
        that keep coming sooner are an error.
    final_every : int, default=None
        Final scores come for so many rows at once. Fewer come sooner and cost more. By
        default two windows.

    Attributes
    ----------
    detector : CoADDetector or NeighborsDetector
        A copy.
    n_rows : int
        Rows seen so far.

    Raises
    ------
    ValueError
        If the detector does not fit, or a parameter is invalid.
    NotFittedError
        If the detector is not fitted.

    See Also
    --------
    skcoad.compat.river.RiverDetector : The same in the manner of river.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.streaming import StreamingDetector
    >>> rng = np.random.default_rng(0)
    >>> x = np.sin(2 * np.pi * np.arange(3000) / 50) + 0.1 * rng.normal(size=3000)
    >>> x[1500:1525] = x[1500]
    >>> detector = NeighborsDetector().fit(x[:1000])
    >>> stream = StreamingDetector(detector)
    >>> positions, scores, final = stream.update(x[1000:1520])
    >>> bool(scores[positions == 519] > 3), final[positions == 519]  # provisional
    (True, array([False]))
    >>> positions, scores, final = stream.update(x[1520:])
    >>> whole = detector.decision_function(x[1000:])
    >>> bool(np.allclose(scores[final], whole[positions[final]], atol=1e-3))
    True
    """

    def __init__(
        self,
        detector: TimeSeriesDetector,
        *,
        interval: Any = None,
        final_every: int | None = None,
    ) -> None:
        clock = Clock(interval)
        self._set_up(detector, clock, final_every, None)
        interval = None if clock.interval is None else clock.interval / 1e9
        warn_of_other_spacing(interval, detector.training_times_)

    def _set_up(
        self,
        detector: TimeSeriesDetector,
        clock: Clock,
        final_every: int | None,
        calibration: ProvisionalCalibration | None,
    ) -> None:
        _check_streamable(detector)
        self.detector = copy(detector)
        self._model, self._options = detector.model_, detector._scoring_options()
        plan = self._model.config.plan
        if final_every is None:
            final_every = 2 * plan.window_size
        check_integer("final_every", final_every, 1)
        self.final_every = int(final_every)
        self._halo = self._model.receptive_field
        self._halo += smoothing_reach(self._model, self._options.width(plan.period))
        with own_torch_state():
            self._scorer = ProvisionalScorer(self._model, self._options, calibration)
        self._reader, self._clock = Reader(self.detector), clock
        self.restart()

    def restart(self) -> None:
        """Begin a new stream; scores that are provisional stay so."""
        self.n_rows = 0
        self._n_final = 0  # position up to which scores have been final
        self._buffer = Buffer(self._model.config.n_channels)
        self._clock.last = None
        self._scorer.newest = {}

    @property
    def threshold_(self) -> float:
        """The detector's: scores above are anomalies, provisional or final."""
        return float(self.detector.threshold_)

    @property
    def segment_threshold_(self) -> float:
        """The detector's, of about one false alarm in 1,000 rows, for alarms."""
        return float(self.detector.segment_threshold_)

    @property
    def delay(self) -> int:
        """Rows that have to follow a row, at most, until its score is final."""
        return self._halo + self.final_every - 1

    def update(self, rows: Any) -> StreamScores:
        """Take the next row or rows.

        Parameters
        ----------
        rows : array-like of shape (n_rows, n_channels), (n_channels,) or (n_rows,)
            The channels of the training series; NaN is missing. A single dimension is
            one row of several channels, or several rows of one channel; a number is a
            row of one channel.

        Returns
        -------
        StreamScores
            The final scores that have become known, of earlier rows and perhaps of some
            of these, and provisional scores of the others of these.

        Raises
        ------
        ValueError
            If these are no such rows, not later than those before, or not an interval
            apart. They are not taken then, nor after any other exception, such as
            `KeyboardInterrupt`: they can be given again.
        """
        rows = frame_of_row(self.detector, rows)
        X = self._reader.read(rows)
        steps, last = self._clock.steps(rows, len(X))
        steps = self._shortened(steps)
        before = copy(self._buffer), self.n_rows, self._n_final, self._scorer.newest
        try:
            scores = self._take(X, steps)
        except BaseException:  # of Ctrl-C, too
            self._buffer, self.n_rows, self._n_final, self._scorer.newest = before
            raise
        self._clock.last = last
        return scores

    def score_next(self, row: Any) -> float:
        """Score a row as if it were next, provisionally, and leave the stream as it is.

        Parameters
        ----------
        row : array-like of shape (n_channels,) or (1, n_channels), or number
            As for :meth:`update`.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If it is no single row, or as in :meth:`update`.
        """
        row = frame_of_row(self.detector, row)
        X = self._reader.read(row)
        if len(X) != 1:
            raise ValueError(f"score_next takes one row, got {len(X)}")
        steps, _ = self._clock.steps(row, 1)
        missing = int(self._shortened(steps)[0]) - 1
        known = self._scorer.history + 1
        X = np.concatenate(
            [self._buffer.X[-known:], np.full((missing, X.shape[1]), np.nan), X]
        )
        X = X[-known:]
        first = self._buffer.stop + missing + 1 - len(X)
        return float(self._scorer.peek(X, first, 1)[0])

    def finish(self) -> StreamScores:
        """End the stream, and start anew.

        Returns
        -------
        StreamScores
            The final scores of all rows that had none, as at the end of a series.

        Raises
        ------
        ValueError
            If there were fewer rows than a window, as in ``decision_function``.
        """
        n = self._buffer.stop
        if 0 < n < self._model.config.plan.window_size:
            raise ValueError(
                f"a stream of {n} rows is shorter than a window, "
                f"window_size_={self._model.config.plan.window_size}; its scores stay "
                "provisional, and restart() begins a new one"
            )
        final = [self._finalise(n)] if n else []
        self.restart()
        return _joined(final, (np.empty(0, dtype=np.int64), np.empty(0)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save detector and state of the stream to one file, without pickle.

        Parameters
        ----------
        path : str or path-like
            File to write; it appears whole or not at all.

        Raises
        ------
        ValueError
            If the detector cannot be saved, or the file could not be loaded; see
            ``save`` of the detector. Nothing is written then.
        OSError
            If the file cannot be written.
        """
        save_stream(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load what :meth:`save` wrote, and go on with the next row.

        Parameters
        ----------
        path : str or path-like
            File to read; no code of it is run.

        Returns
        -------
        StreamingDetector

        Raises
        ------
        InvalidDetectorError
            A ValueError: if the file is damaged, is no such file, or needs a later
            version of skcoad.
        OSError
            If there is no such file, or it cannot be read.
        """
        stream: Self = load_stream(cls, path)
        return stream

    def _shortened(self, steps: IntArray) -> IntArray:
        """Leave out the middle of long gaps, where nothing has influence on a score."""
        step, longest = self._model.config.plan.step, 3 * self._halo
        if steps.max(initial=0) <= longest:
            return steps
        left_out: IntArray = np.maximum(steps - longest, 0) // step * step
        return steps - left_out

    def _take(self, X: FloatArray, steps: IntArray) -> StreamScores:
        first = self._buffer.stop
        final: list[tuple[IntArray, FloatArray]] = []
        for part in _pieces(steps):
            self._append(X[part], steps[part])
            if self._buffer.stop - self._halo - self._n_final >= self.final_every:
                final.append(self._finalise(self._buffer.stop - self._halo))
        return _joined(final, self._provisional(max(first, self._n_final)))

    def _append(self, X: FloatArray, steps: IntArray) -> None:
        numbers = np.arange(self.n_rows, self.n_rows + len(X))
        self.n_rows += len(X)
        n_regular = int(steps.sum())
        if n_regular > len(X):  # with those that are missing in time
            at = steps.cumsum() - 1
            given, numbered = X, numbers
            X = np.full((n_regular, given.shape[1]), np.nan)
            numbers = np.full(n_regular, MISSING)
            X[at], numbers[at] = given, numbered
        self._buffer.append(X, numbers)

    def _finalise(self, stop: int) -> tuple[IntArray, FloatArray]:
        """Final scores of the rows up to a position; what is not needed is dropped."""
        buffer, step = self._buffer, self._model.config.plan.step
        with own_torch_state():
            scores = score_series(self._model, buffer.X, self._options)
        done = slice(self._n_final - buffer.first, stop - buffer.first)
        numbers, scores = buffer.numbers[done].copy(), scores[done]
        self._n_final = stop
        kept = max(buffer.first, stop - self._halo)
        buffer.drop(kept - kept % step)
        given = numbers != MISSING
        return numbers[given], scores[given]

    def _provisional(self, first: int) -> tuple[IntArray, FloatArray]:
        """Provisional scores of the rows from a position on."""
        buffer = self._buffer
        n = buffer.stop - first
        numbers = buffer.numbers[len(buffer.numbers) - n :]
        if n == 0:
            return numbers.copy(), np.empty(0)
        X = buffer.X[-(n + self._scorer.history) :]
        scores = self._scorer.score(X, buffer.stop - len(X), n)
        given = numbers != MISSING
        return numbers[given], scores[given]


def _check_streamable(detector: Any) -> None:
    if not isinstance(detector, TimeSeriesDetector):
        raise ValueError(
            "a stream needs a CoADDetector or NeighborsDetector, got "
            f"{type(detector).__name__}"
        )
    check_is_fitted(detector)
    if detector.references != "train":
        raise ValueError(
            f"references={detector.references!r} compares a row with "
            + ("all of its past" if detector.references == "past" else "its future")
            + ", which is not known in constant memory; fit with references='train'"
        )
    if detector.model_.neighbors is None:
        raise ValueError(
            "a detector with max_references=0 keeps no training series, which "
            "provisional scores are calibrated on; fit with neighbours"
        )


def _pieces(steps: IntArray) -> Iterator[slice]:
    """Cut rows into pieces that are not long with the rows that are missing."""
    if len(steps) == 0:
        return
    if steps.sum() <= PIECE:
        yield slice(None)
        return
    piece = (steps.cumsum() - 1) // PIECE
    edges = [0, *(np.flatnonzero(np.diff(piece)) + 1).tolist(), len(steps)]
    for i, start in enumerate(edges[:-1]):
        yield slice(start, edges[i + 1])


def _joined(
    final: list[tuple[IntArray, FloatArray]], provisional: tuple[IntArray, FloatArray]
) -> StreamScores:
    positions, scores = (
        np.concatenate(parts) for parts in zip(*final, provisional, strict=True)
    )
    return StreamScores(
        positions, scores, np.arange(len(scores)) < len(scores) - len(provisional[0])
    )
