"""Checks of parameters and input, the same for every estimator of the package.

The one file that touches scikit-learn's private helpers.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from datetime import date, time, timedelta
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils._param_validation import (
    Hidden,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import (
    _check_feature_names_in,
    _get_feature_names,
    validate_data,
)

from skcoad._grid import check_times
from skcoad._series import with_nan
from skcoad._typing import FloatArray

__all__ = [
    "Hidden",
    "StrOptions",
    "as_named",
    "channel_names",
    "check_high_scores",
    "check_parameters",
    "check_scores",
    "integers",
    "makes_pandas",
    "reals",
    "validate_series",
]

# A shorter 1-D array is more likely one row of features than a series.
MIN_LENGTH_1D = 32
# Upper limits of all parameters, so that products of two stay exact or finite.
MAX_INTEGER = 2**31 - 1
MAX_REAL = 1e9
MAX_FLOAT = float(np.finfo(np.float64).max)
# A deviation of so many units in the last place counts as none.
ROUNDING = 8 * float(np.finfo(np.float64).eps)


class Numbers(Interval):  # type: ignore[misc]
    """An interval of Python's and numpy's numbers: no truth values, no durations."""

    def is_satisfied_by(self, value: Any) -> bool:
        """Whether the value is such a number, and within."""
        kinds = (int, float, np.integer, np.floating)
        if not isinstance(value, kinds) or isinstance(value, (bool, np.timedelta64)):
            return False
        # As Python's own: a limit may be too large for a small number of numpy.
        own = value.item() if isinstance(value, np.generic) else value
        return bool(super().is_satisfied_by(own))


def integers(low: int, high: int = MAX_INTEGER) -> Interval:
    """Integers from `low` to `high`, both included."""
    return Numbers(Integral, low, high, closed="both")


def reals(low: float, high: float = MAX_REAL, *, closed: str = "both") -> Interval:
    """Real numbers from `low` to `high`; `closed` says which of them are included."""
    return Numbers(Real, low, high, closed=closed)


def check_high_scores(detector: Any) -> None:
    """Raise TypeError for a detector, or a class, whose scores are low for anomalies.

    Parameters
    ----------
    detector : object or type
        What is taken for a detector with PyOD's interface.
    """
    cls = detector if isinstance(detector, type) else type(detector)
    if issubclass(cls, OutlierMixin):
        raise TypeError(
            "a detector needs PyOD's interface (scores that are high for anomalies, "
            f"decision_scores_ and threshold_), and {detector!r} has scikit-learn's; "
            "pyod.models has detectors of the same kinds"
        )


def check_scores(scores: ArrayLike) -> NDArray[np.float64]:
    """Copy scores, and refuse what is no finite number for each timestamp.

    Parameters
    ----------
    scores : array-like of shape (n_timestamps,)
        What was given for them.

    Returns
    -------
    ndarray of shape (n_timestamps,)

    Raises
    ------
    ValueError
        If they are not one-dimensional, or one is not finite, with its position.
    """
    values = np.array(scores, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"scores must be one-dimensional, got shape {values.shape}")
    if not np.isfinite(values).all():
        position = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(f"scores must be finite, got {values[position]} at {position}")
    return values


def check_parameters(estimator: BaseEstimator) -> None:
    """Compare the constructor's parameters with what each may be.

    Parameters
    ----------
    estimator : BaseEstimator
        Its ``_parameter_constraints`` are, for each parameter, the intervals, options
        and types that it may have.

    Raises
    ------
    ValueError
        Naming the parameter, its value and what it may be.
    """
    validate_parameter_constraints(
        estimator._parameter_constraints,
        estimator.get_params(deep=False),
        caller_name=type(estimator).__name__,
    )


def validate_series(
    estimator: BaseEstimator,
    X: Any,
    *,
    reset: bool,
    allow_1d: bool = False,
    allow_nan: bool = False,
    min_timestamps: int = 1,
) -> FloatArray:
    """Check a series and return it as a float array.

    Parameters
    ----------
    estimator : BaseEstimator
        Whose ``n_features_in_``, ``feature_names_in_`` and ``_column_labels`` (names
        that are no text, which scikit-learn does not keep) are set or compared.
    X : array-like of shape (n_timestamps, n_channels), or (n_timestamps,)
        The series, rows in time order.
    reset : bool
        True in ``fit``: note the channels; False later: compare with them.
    allow_1d : bool, default=False
        Whether a single channel may come as a 1-D array.
    allow_nan : bool, default=False
        Whether NaN may stand for a missing value. Infinity never passes.
    min_timestamps : int, default=1
        The least length.

    Returns
    -------
    ndarray of shape (n_timestamps, n_channels)
        float32 or float64; a view of the input where that is possible.

    Raises
    ------
    ValueError
        On anything that is not such a series, with what and where.
    """
    if hasattr(X, "detach"):  # a tensor of torch, which may be anywhere
        try:
            X = X.detach().cpu().numpy()
        except TypeError as error:  # bfloat16 and the like
            raise ValueError(f"a tensor of {X.dtype} is no series: {error}") from None
    if not hasattr(X, "dtype") and not hasattr(X, "dtypes"):
        X = np.asarray(X)  # so that a list is judged by what it holds, like an array
    _check_values(X)
    check_times(X)
    if reset:
        _check_resolution(X)
    labels = _column_labels(X)
    X = with_nan(X)
    if allow_1d and np.asarray(X).ndim == 1:
        column, X = _named_column(estimator, X, reset), np.asarray(X)
        if reset and len(X) < MIN_LENGTH_1D:
            raise ValueError(
                f"a 1-D array of {len(X)} values is too short for a series (at least "
                f"{MIN_LENGTH_1D}). Reshape your data: array.reshape(-1, 1) for a "
                "short series of one channel, array.reshape(1, -1) for one timestamp"
            )
        # With several channels a 1-D array is an error that validate_data explains.
        if reset or estimator.n_features_in_ == 1:
            X = column
    try:
        with np.errstate(over="ignore"):  # becomes infinity, which is refused below
            series: FloatArray = np.asarray(
                validate_data(
                    estimator,
                    X,
                    reset=reset,
                    dtype=[np.float64, np.float32],
                    ensure_all_finite=False,
                    ensure_min_samples=min_timestamps,
                )
            )
    except OverflowError as error:
        raise ValueError("X has an integer that is too large for a float") from error
    if reset:
        counted = labels == [*range(series.shape[1])]
        estimator._column_labels = None if counted else labels
    elif labels is not None and not hasattr(estimator, "feature_names_in_"):
        _check_labels(labels, getattr(estimator, "_column_labels", None))
    _check_finite(series, allow_nan)
    # torch knows this machine's byte order alone.
    return series.astype(series.dtype.newbyteorder("="), copy=False)


def _named_column(estimator: BaseEstimator, X: Any, reset: bool) -> Any:
    """A 1-D array as a column, and the name of a Series, if it is text, as its name.

    Later, what has no name is the column of fit, and a name that fit did not see is
    none: scikit-learn would warn of either.
    """
    name = getattr(X, "name", None) if hasattr(X, "to_frame") else None
    if not isinstance(name, str) or not name:
        name = None
    if not reset:
        (fitted, *_) = getattr(estimator, "feature_names_in_", [None])
        name = None if fitted is None else name or fitted
    values = np.asarray(X).reshape(-1, 1)
    if name is None:
        return values
    import pandas as pd

    return pd.DataFrame(values, columns=[name])


def _column_labels(X: Any) -> list[Any] | None:
    """Names of columns that are no text, 0, 1, 2, ... included; None if they are."""
    labels = [_known(label) for label in getattr(X, "columns", ())]
    return None if all(isinstance(label, str) for label in labels) else labels


def _known(label: Any) -> Any:
    """A label, and None for a missing one, which would equal nothing."""
    import pandas as pd

    return None if pd.api.types.is_scalar(label) and pd.isna(label) else label


def _check_labels(labels: list[Any], fitted: list[Any] | None) -> None:
    """Refuse other columns than those of fit; 0, 1, 2, ... may be any's positions."""
    counted = [*range(len(labels))]
    expected = counted if fitted is None else fitted
    if counted in (labels, expected) and set(labels) != set(expected):
        return
    for column, (label, other) in enumerate(zip(labels, expected, strict=True)):
        if label != other:
            raise ValueError(
                f"column {column} of X is {label!r}, and was {other!r} in fit; columns "
                "must be those of fit, in the same order"
            )


def _check_finite(X: FloatArray, allow_nan: bool) -> None:
    bad = np.isinf(X) if allow_nan else ~np.isfinite(X)
    if bad.any():
        row, channel = np.unravel_index(int(bad.argmax()), bad.shape)
        what = "NaN" if np.isnan(X[row, channel]) else "infinity"
        raise ValueError(f"X has {what} in row {row}, channel {channel}")


def channel_names(estimator: BaseEstimator, input_features: Any) -> NDArray[np.object_]:
    """Names of the input columns, as ``get_feature_names_out`` needs them."""
    names: NDArray[np.object_] = _check_feature_names_in(estimator, input_features)
    return names


def as_named(estimator: BaseEstimator, X: Any) -> BaseEstimator:
    """Return the estimator, as if it had been fitted with the names of this series.

    Parameters
    ----------
    estimator : BaseEstimator
        Fitted.
    X : array-like
        With names of columns, or without.

    Returns
    -------
    BaseEstimator
        Itself if it and `X` have names, or neither has; else a copy without names, or
        with those of `X`.
    """
    names = _get_feature_names(X)
    if (names is None) != hasattr(estimator, "feature_names_in_"):
        return estimator
    named = copy(estimator)
    if names is None:
        del named.feature_names_in_
    else:
        named.feature_names_in_ = names
    return named


def makes_pandas(transformer: BaseEstimator) -> bool:
    """Whether the output of a transformer is set to be a DataFrame of pandas."""
    return bool(_get_output_config("transform", transformer)["dense"] == "pandas")


def _check_values(X: Any) -> None:
    """Refuse what numpy would turn into numbers, but wrongly or by guessing."""
    if hasattr(X, "data_vars"):
        raise ValueError(
            "X is a Dataset of xarray, not an array; skcoad.datasets.from_frame(X) "
            "makes a series of it"
        )
    for position, dtype, values in _columns(X, "OmMSUV"):
        kind = getattr(dtype, "kind", values.dtype.kind)
        types = {type(value) for value in values} if values.dtype.kind == "O" else set()
        what, advice = f"values of dtype {dtype}", ""
        if any(issubclass(each, str) for each in types):
            what = "strings among its values"
        elif kind in "mM" or values.dtype.kind in "mM" or any(map(_is_time, types)):
            advice = ". skcoad.datasets.from_frame takes such a column for the times"
        elif kind not in "SUV" and not any(map(_is_interval, types)):
            continue
        where = f" in column {X.columns[position]!r}" if hasattr(X, "columns") else ""
        raise ValueError(f"X has {what}{where}; numbers are needed{advice}")


def _check_resolution(X: Any) -> None:
    """Refuse integers of which float64 does not keep what sets them apart."""
    for channel, _, values in _columns(X, "Oiu"):
        kind = values.dtype.kind
        if kind == "O" and all(isinstance(value, int) for value in values):
            kind = "i"
        if kind not in "iu" or not len(values):
            continue
        low, high = int(values.min()), int(values.max())
        largest = max(-low, high)
        if low == high or not 2**53 < largest <= MAX_FLOAT:
            continue
        deviation = float(np.std(values.astype(np.float64) - float(low)))
        if deviation <= ROUNDING * largest:
            raise ValueError(
                f"X has integers from {low} to {high} in channel {channel}: they "
                f"differ by less than numbers of this size can in float64, "
                f"{ROUNDING * largest:.3g}; subtract an offset, such as {low}, from "
                "this series and all that are scored"
            )


def _columns(X: Any, kinds: str) -> Iterator[tuple[int, Any, NDArray[Any]]]:
    """Position, dtype and observed values of the columns of some kinds of dtype.

    And of those whose dtype has no kind, as other libraries' have not.
    """
    if hasattr(X, "to_frame"):  # a single column
        X = X.to_frame()
    if hasattr(X, "dtypes"):
        dtypes = list(X.dtypes)
    else:
        dtype, X = X.dtype, np.atleast_2d(np.asanyarray(X).T).T
        dtypes = [dtype] * X.shape[-1]
    for position, dtype in enumerate(dtypes):
        if getattr(dtype, "kind", None) in (None, *kinds):
            yield position, dtype, _observed(X, position)


def _observed(X: Any, position: int) -> NDArray[Any]:
    """Values of a column that are not missing, as an array of numpy."""
    values: NDArray[Any]
    if isinstance(X, np.ndarray):
        column: Any = X[..., position]
        masked = isinstance(column, np.ma.MaskedArray)
        values = column.compressed() if masked else np.ravel(column)
    elif hasattr(X, "iloc"):
        values = np.asarray(X.iloc[:, position].dropna())
    else:
        column = X[X.columns[position]]
        whole = hasattr(column, "drop_nulls")  # of polars
        values = np.asarray(column.drop_nulls() if whole else column)
    if values.dtype.kind == "O":
        import pandas as pd

        values = values[~pd.isna(values)]
    return values


def _is_time(kind: type) -> bool:
    import pandas as pd

    times = (date, time, timedelta, np.datetime64, np.timedelta64, pd.Period)
    return issubclass(kind, times)  # datetime is a date


def _is_interval(kind: type) -> bool:
    import pandas as pd

    return issubclass(kind, pd.Interval)
