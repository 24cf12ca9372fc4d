"""A stream in the manner of river: ``learn_one`` and ``score_one``.

Needs river, of the extra ``river``.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from river.base import AnomalyDetector

from skcoad._typing import FloatArray
from skcoad.detectors import TimeSeriesDetector
from skcoad.streaming import StreamingDetector

__all__ = ["RiverDetector"]


class RiverDetector(AnomalyDetector):  # type: ignore[misc]
    """A fitted detector as an anomaly detector of river.

    What is normal was learned by ``fit``. ``learn_one`` only appends a row to the
    stream, and ``score_one`` gives the provisional score of a row as if it were next.
    Final scores need :class:`skcoad.streaming.StreamingDetector` itself.

    Parameters
    ----------
    detector : CoADDetector or NeighborsDetector
        Fitted; see :class:`skcoad.streaming.StreamingDetector`. The keys of a row are
        the names of its channels, or, if it was fitted without names, those of the
        first row that is learned, in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.compat.river import RiverDetector
    >>> rng = np.random.default_rng(0)
    >>> x = np.sin(2 * np.pi * np.arange(1200) / 50) + 0.1 * rng.normal(size=1200)
    >>> detector = RiverDetector(NeighborsDetector().fit(x[:1000]))
    >>> for value in x[1000:]:
    ...     detector.learn_one({"pressure": value})
    >>> detector.score_one({"pressure": 9.0}) > detector.score_one({"pressure": 0.0})
    True
    """

    def __init__(self, detector: TimeSeriesDetector) -> None:
        self.detector = detector
        nameless = copy(detector)  # rows are put into its order here
        names = nameless.__dict__.pop("feature_names_in_", detector._column_labels)
        self._names = None if names is None else list(names)
        self._stream = StreamingDetector(nameless)

    def learn_one(self, x: dict[Any, Any]) -> None:
        """Append a row to the stream.

        Parameters
        ----------
        x : dict
            The value of each channel; None, NaN or no value is missing.

        Raises
        ------
        ValueError
            If there is an unknown channel, or a value is no number.
        """
        names = self._names_for(x)
        self._stream.update(_row(x, names))
        self._names = names

    def score_one(self, x: dict[Any, Any]) -> float:
        """Score a row as if it were next, in decades of rarity.

        Parameters
        ----------
        x : dict
            As in :meth:`learn_one`.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            As in :meth:`learn_one`.
        """
        return self._stream.score_next(_row(x, self._names_for(x)))

    def _names_for(self, x: dict[Any, Any]) -> list[Any]:
        """The names of the channels, or of this row while there are none."""
        names = self._names
        if names is None:
            if len(x) != self.detector.n_features_in_:
                raise ValueError(
                    f"the first row has {len(x)} values, and the detector has "
                    f"{self.detector.n_features_in_} channels"
                )
            names = list(x)
        unknown = x.keys() - set(names)
        if unknown:
            raise ValueError(
                f"there are unknown channels: {sorted(map(str, unknown))[:3]}; the "
                f"detector has {names[:5]}"
            )
        return names


def _row(x: dict[Any, Any], names: list[Any]) -> FloatArray:
    values = [x.get(name) for name in names]
    return np.array([[np.nan if v is None else v for v in values]], dtype=float)
