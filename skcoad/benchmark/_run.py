"""Detectors times series, in parallel, with every result kept at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from joblib import Parallel, delayed
from tqdm import tqdm

from skcoad.benchmark._detectors import build, check_detectors, settings
from skcoad.benchmark._protocols import PROTOCOLS
from skcoad.benchmark._results import (
    Result,
    append_result,
    drop_cut_off_line,
    only_writer,
    read_results,
)
from skcoad.benchmark._task import run_task
from skcoad.datasets import Archive, Series

# What makes a result this result and no other.
Key = tuple[str, str, str, int]


def run_benchmark(
    detectors: Mapping[str, Any],
    series: Sequence[Series],
    path: str | os.PathLike[str],
    *,
    protocol: str = "kdd21",
    seeds: Sequence[int] = (0,),
    n_jobs: int | None = None,
    verbose: bool = False,
) -> list[Result]:
    """Run detectors on series and keep each result as soon as it is there.

    The file takes one line of JSON for each detector, series and seed. What is in
    it already is not run again, so a run that was interrupted, or killed, goes on
    where it stopped when the same call is made again. A detector that raises is
    recorded with its error, and the run goes on; to try it again, delete its line.

    Parameters
    ----------
    detectors : mapping of str to object, callable or FitPredictOnly
        The detectors by the names that they get in the results: objects with
        PyOD's methods ``fit(X)`` and ``decision_function(X)`` (higher is more
        anomalous), which are cloned for each run, or functions that are called with
        the dominant period of the training part and make one. `FitPredictOnly` marks
        those that score only what they were fitted on. ``random_state`` is set to
        the seed where there is such a parameter, and ``warm_up()``, if there is such
        a method, is called before the clock starts.
    series : sequence of Series
        For example an `Archive`, whose series are read when their turn comes.
    path : path-like
        The results file. It is made, or added to. One run at a time may write it;
        on Windows and some network drives nothing keeps a second one from it.
    protocol : {"kdd21", "tsb-ad"}, default="kdd21"
        Both fit on the training part. "kdd21" then scores and measures the test part
        alone, "tsb-ad" the whole series. A fit-predict-only detector is fitted on what
        is to be scored, and so is every detector when a series has no training part.
    seeds : sequence of int, default=(0,)
        Every detector is run on every series once for each.
    n_jobs : int, default=None
        Processes, as joblib understands it: None is 1 unless `joblib.parallel_config`
        says otherwise, which also chooses another backend, such as dask or ray.
    verbose : bool, default=False
        Show a progress bar.

    Returns
    -------
    results : list of Result
        Those of this call's detectors, series, protocol and seeds, from the file and
        new. Their keys: ``detector``, ``series``, ``protocol``, ``seed``;
        ``fit_predict_only``; ``period`` (given to the detector), ``vus_window``;
        ``n_train``, ``n_scored``, ``n_channels``, ``n_anomalous``; ``settings`` (the
        detector's parameters); ``metrics``; ``fit_seconds`` and ``score_seconds``
        (by the wall clock; a fit-predict-only detector scores while it is fitted);
        ``peak_memory_mib`` (the process's peak resident memory) and
        ``base_memory_mib`` (what it held before the fit; None where the system
        cannot reset the peak, which is then that of all the process has done);
        ``threads``, ``versions``, ``machine``, ``started``; ``error`` (None, or what
        was raised) and then ``traceback``.

    Raises
    ------
    TypeError
        If something in `detectors` cannot be one.
    ValueError
        If the protocol is unknown, two series have the same name, a series cannot be
        read, or the file has results of a detector with other settings.
    BlockingIOError
        If another run is writing the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import BASELINES, run_benchmark
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "results.jsonl")
    ...     results = run_benchmark({"KMeans": BASELINES["KMeans"]}, [series], path)
    >>> results[0]["detector"], results[0]["metrics"]["hit_at_1"]
    ('KMeans', 1.0)
    """
    check_detectors(detectors)
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol must be one of {list(PROTOCOLS)}, got {protocol!r}")
    names = (
        series.names if isinstance(series, Archive) else [one.name for one in series]
    )
    repeated = {name for name in names if list(names).count(name) > 1}
    if repeated:
        raise ValueError(f"more than one series is named {min(repeated)!r}")

    wanted: dict[Key, None] = {
        (detector, name, protocol, int(seed)): None
        for name in names
        for seed in seeds
        for detector in detectors
    }

    def tasks() -> Iterator[Any]:
        for index, name in enumerate(names):
            todo = [key for key in wanted if key[1] == name and key not in results]
            if todo:
                one = series[index]
                for detector, _, _, seed in todo:
                    yield delayed(run_task)(
                        detector, detectors[detector], one, protocol, seed
                    )

    with only_writer(path):
        drop_cut_off_line(path)
        results = {
            key: result
            for result in read_results(path)
            if (key := _key(result)) in wanted
        }
        _check_settings(results.values(), detectors)
        # One task at a time, so that no finished result waits for another.
        parallel = Parallel(
            n_jobs=n_jobs, return_as="generator_unordered", batch_size=1
        )
        progress = tqdm(
            total=len(wanted), initial=len(results), disable=not verbose, unit="run"
        )
        with progress:
            for result in parallel(tasks()):
                append_result(path, result)
                results[_key(result)] = result
                progress.update()
    return [results[key] for key in wanted]


def _key(result: Result) -> Key:
    return (
        result["detector"],
        result["series"],
        result["protocol"],
        result["seed"],
    )


def _check_settings(results: Iterable[Result], detectors: Mapping[str, Any]) -> None:
    """Raise if a detector is set otherwise than it was in the results."""
    checked = set()
    for result in results:
        name, then = result["detector"], result.get("settings")
        if then is None or name in checked:
            continue
        checked.add(name)
        now = settings(build(detectors[name], result["period"], result["seed"]))
        if now != then:
            differing = [
                key
                for key in sorted({*then, *(now or {})})
                if then.get(key) != (now or {}).get(key)
            ]
            raise ValueError(
                f"the file has results of {name!r} with other settings (of "
                f"{', '.join(differing)}): give the detector another name, or use "
                "another file"
            )
