"""What a line of the benchmark's results file must hold."""

from __future__ import annotations

import os
from collections.abc import Sequence

from skcoad.datasets import Series
from skcoad.io import _fingerprint
from skcoad.io._results import Result, error_text, read_results

Key = tuple[str, str, str, int]
"""Detector, series, protocol and seed, which identify a result."""

_NUMBER = (int, float)
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "detector": str,
    "series": str,
    "protocol": str,
    "seed": int,
    "n_anomalous": int,
    "error": (str, type(None)),
}
_FIELDS_OF_A_SUCCESS: dict[str, type | tuple[type, ...]] = {
    "metrics": dict,
    "period": int,
    "fit_seconds": _NUMBER,
    "score_seconds": _NUMBER,
    "peak_memory_mib": (*_NUMBER, type(None)),
    "base_memory_mib": (*_NUMBER, type(None)),
}


def key(result: Result) -> Key:
    """Return what identifies a result."""
    return (
        result["detector"],
        result["series"],
        result["protocol"],
        result["seed"],
    )


def latest(results: Sequence[Result]) -> list[Result]:
    """Return the last result of each run; those before it are of other data."""
    return list({key(result): result for result in results}.values())


def fingerprint(series: Series | Exception) -> str:
    """Return a hash of all in a series that a result follows from.

    Parameters
    ----------
    series : Series or Exception
        The series, or what reading it raised.

    Returns
    -------
    str
        Of the values, the labels and the length of the training part; of an exception,
        of its type and message.
    """
    if isinstance(series, Exception):
        return _fingerprint.fingerprint(error_text(series))
    about = (series.values.shape, series.train_length)
    return _fingerprint.fingerprint(repr(about), series.values, series.labels)


def read_benchmark_results(path: str | os.PathLike[str]) -> list[Result]:
    """Read a results file, and check that each line is a result of `run_benchmark`.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    results : list of Result
        As from `read_results`.

    Raises
    ------
    ValueError
        Also if a key that the comparison needs is missing or of another type.
    """
    results = read_results(path)
    for number, result in enumerate(results, start=1):
        if fault := _fault(result):
            raise ValueError(f"{path}, line {number}: not a benchmark result: {fault}")
    return results


def _fault(result: Result) -> str | None:
    fields = dict(_FIELDS)
    if result.get("error") is None or "metrics" in result:
        fields |= _FIELDS_OF_A_SUCCESS
    if "parameters" in result:  # of a detector that was made for this period
        fields["period"] = int
    if "fingerprint" in result:  # which results of early versions lack
        fields["fingerprint"] = str
    if "n_events" in result:  # likewise
        fields["n_events"] = int
    for key, types in fields.items():
        if key not in result:
            return f"no {key!r}"
        if not isinstance(result[key], types):
            return f"{key!r} is {result[key]!r:.80}"
    for name, value in result.get("metrics", {}).items():
        if not isinstance(value, _NUMBER):
            return f"metric {name!r} is {value!r:.80}"
    return None
