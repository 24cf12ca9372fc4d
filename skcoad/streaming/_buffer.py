"""The newest rows of a stream."""

from __future__ import annotations

import numpy as np

from skcoad._typing import FloatArray, IntArray

__all__ = ["Buffer"]


class Buffer:
    """Rows at consecutive positions; appended at the end, dropped at the front.

    A copy by :func:`copy.copy` is cheap, and holds what it does when the other changes:
    they share arrays in which no row is overwritten.

    Parameters
    ----------
    n_channels : int
        Values in a row.

    Attributes
    ----------
    first : int
        Position of the first row that is held.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.streaming._buffer import Buffer
    >>> buffer = Buffer(n_channels=1)
    >>> buffer.append(np.array([[1.0], [2.0], [3.0]]), np.array([0, 1, 2]))
    >>> buffer.drop(before=2)
    >>> buffer.X, buffer.numbers, buffer.first, buffer.stop
    (array([[3.]]), array([2]), 2, 3)
    """

    def __init__(self, n_channels: int) -> None:
        self.first = 0
        self._start = self._n = 0
        self._X: FloatArray = np.empty((64, n_channels))
        self._numbers: IntArray = np.empty(64, dtype=np.int64)

    @property
    def stop(self) -> int:
        """Position after the last row."""
        return self.first + self._n

    @property
    def X(self) -> FloatArray:  # noqa: N802
        """The rows, ndarray of shape (n_rows, n_channels); a view."""
        return self._X[self._start : self._start + self._n]

    @property
    def numbers(self) -> IntArray:
        """What was given with each row, ndarray of shape (n_rows,); a view."""
        return self._numbers[self._start : self._start + self._n]

    def append(self, X: FloatArray, numbers: IntArray) -> None:
        """Add rows at the end.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_channels)
            The rows.
        numbers : ndarray of shape (n_rows,)
            One integer for each.
        """
        if self._start + self._n + len(X) > len(self._X):
            self._resize(2 * (self._n + len(X)))
        end = self._start + self._n
        self._X[end : end + len(X)] = X
        self._numbers[end : end + len(X)] = numbers
        self._n += len(X)

    def drop(self, before: int) -> None:
        """Forget the rows before a position."""
        n_dropped = before - self.first
        self.first, self._start = before, self._start + n_dropped
        self._n -= n_dropped
        if len(self._X) > 8 * self._n:  # after a large chunk
            self._resize(2 * self._n)

    def _resize(self, size: int) -> None:
        X, numbers = self.X, self.numbers
        self._X = np.empty((size, X.shape[1]))
        self._numbers = np.empty(size, dtype=np.int64)
        self._X[: self._n], self._numbers[: self._n] = X, numbers
        self._start = 0
