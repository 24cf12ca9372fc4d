"""Run every detector on every series in parallel; append each result as it arrives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from skcoad._parallel import run_tasks
from skcoad.benchmark._detectors import check_detectors, make_detector
from skcoad.benchmark._protocols import PROTOCOLS
from skcoad.benchmark._results import (
    Key,
    fingerprint,
    key,
    read_benchmark_results,
)
from skcoad.benchmark._task import Task
from skcoad.datasets import Archive, Series
from skcoad.io._atomic import check_writable
from skcoad.io._parameters import differing_settings, get_parameters
from skcoad.io._results import (
    Result,
    append_result,
    drop_cut_off_line,
    only_writer,
)

MAX_SEED = 2**32 - 1  # numpy's


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
    """Run detectors on series; append each result to a file as it arrives.

    The file has one line of JSON for each detector, series and seed. Results in the
    file are not computed again, so the same call resumes a run that was interrupted
    or killed; but those of a series whose values, labels or training part have changed
    are, and of several lines of one run the last counts. When a detector raises or its
    process dies, or a series cannot be read, the error is recorded and the run
    continues; delete that line to retry.

    Parameters
    ----------
    detectors : mapping of str to object, callable or FitPredictOnly
        Detectors by the names used in the results: objects with PyOD's methods
        ``fit(X)`` and ``decision_function(X)`` (higher is more anomalous), which are
        cloned for each run, or functions that take the dominant period of the
        training part and return such an object. `FitPredictOnly` marks detectors
        that score only the data they were fitted on. ``random_state`` is set to the
        seed where that parameter exists; ``warm_up()``, where that method exists, is
        called before the timing starts.
    series : sequence of Series
        For example an `Archive`, which reads each series when it is needed.
    path : path-like
        The results file, created or extended. A second run on the same file is
        refused, except on file systems without locks (some network drives).
    protocol : {"kdd21", "tsb-ad"}, default="kdd21"
        Both fit on the training part. "kdd21" scores and evaluates the test part,
        "tsb-ad" the whole series. A fit-predict-only detector is fitted on the part
        to be scored, as is every detector on a series without a training part.
    seeds : sequence of int, default=(0,)
        Every detector runs on every series once for each seed, from 0 to 2**32 - 1.
    n_jobs : int, default=None
        Number of worker processes, as in joblib (-1 for one a core), but that 1 is one
        beside this process. None runs everything in this process, unless
        `joblib.parallel_config` says otherwise, which also selects other backends, such
        as dask or ray. Where a worker dies,
        what it was running is tried once more; where it dies again, that run has
        failed. In this process, a detector that is killed takes the benchmark along.
    verbose : bool, default=False
        Show a progress bar.

    Returns
    -------
    results : list of Result
        All results for these detectors, series, protocol and seeds, from the file and
        new. Their keys: ``detector``, ``series``, ``protocol``, ``seed``;
        ``fit_predict_only``; ``period`` (passed to the detector), ``vus_window``;
        ``n_train``, ``n_scored``, ``n_channels``, ``n_anomalous`` (timestamps) and
        ``n_events`` (anomalies); ``parameters`` (of the detector); ``metrics``;
        ``fit_seconds`` and ``score_seconds`` (wall-clock; a fit-predict-only detector
        scores during its fit); ``peak_memory_mib`` (the process's peak resident memory)
        and ``base_memory_mib`` (its resident memory before the fit; None where the
        system cannot reset the peak, which then dates from the start of the process);
        ``threads``, ``versions``, ``machine``, ``started``; ``fingerprint`` (of the
        data); ``error`` (None, or the exception) and, after an error, ``traceback``.

    Raises
    ------
    TypeError
        If an entry of `detectors` is not a detector, or one of scikit-learn's, whose
        scores are low for anomalies.
    ValueError
        If the protocol is unknown, a seed is out of range, two series have the same
        name, the file is not a results file, or it has results of a detector with
        other parameters.
    BlockingIOError
        If another run is writing the file.

    Notes
    -----
    Each series with results in the file is read, since its data may have changed.
    Results without a fingerprint, of early versions, count as those of the same data.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcoad.benchmark import BASELINES, run_benchmark
    >>> from skcoad.datasets import make_series
    >>> series = make_series(2000, anomalies=("noise",), random_state=0)
    >>> detectors = {"KMeansAD": BASELINES["KMeansAD"]}
    >>> with TemporaryDirectory() as folder:
    ...     results = run_benchmark(detectors, [series], Path(folder, "results.jsonl"))
    >>> results[0]["detector"], results[0]["metrics"]["hit_at_1"]
    ('KMeansAD', 1.0)
    """
    check_detectors(detectors)
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol must be one of {list(PROTOCOLS)}, got {protocol!r}")
    for seed in seeds:
        if not 0 <= seed <= MAX_SEED:
            raise ValueError(f"seeds must be from 0 to {MAX_SEED}, got {seed}")
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

    position = {name: index for index, name in enumerate(names)}

    @lru_cache(maxsize=1)  # the runs on one series follow one another
    def read(name: str) -> Series | Exception:
        try:
            return series[position[name]]
        except Exception as error:
            return error

    @lru_cache(maxsize=1)
    def present_fingerprint(name: str) -> str:
        return fingerprint(read(name))

    def is_of_these_data(result: Result) -> bool:
        # Early versions wrote no fingerprint.
        recorded = result.get("fingerprint")
        return recorded is None or recorded == present_fingerprint(result["series"])

    def task(key: Key) -> Task:
        detector, name, _, _ = key
        return Task(key, detectors[detector], read(name))

    check_writable(Path(path))
    with only_writer(path):
        recorded = read_benchmark_results(path)
        drop_cut_off_line(path, first_key="detector")
        _check_parameters(recorded, detectors)
        found = {key(result): result for result in recorded}
        results: dict[Key, Result] = {}
        with tqdm(total=len(wanted), disable=not verbose, unit="run") as progress:
            remaining = []
            for one in wanted:
                if one in found and is_of_these_data(found[one]):
                    results[one] = found[one]
                    progress.update()
                else:
                    remaining.append(one)
            progress.set_postfix_str(f"{len(results)} from the file")
            for result in run_tasks(task, remaining, n_jobs):
                append_result(path, result)
                results[key(result)] = result
                progress.update()
    return [results[one] for one in wanted]


def _check_parameters(results: Iterable[Result], detectors: Mapping[str, Any]) -> None:
    """Raise if a detector's parameters differ from those in the results."""
    made: dict[tuple[str, int, int], dict[str, Any]] = {}
    for result in results:
        name, recorded = result["detector"], result.get("parameters")
        if name not in detectors or recorded is None:
            continue
        period, seed = result["period"], result["seed"]
        if (name, period, seed) not in made:
            estimator = make_detector(detectors[name], period, seed)
            made[name, period, seed] = get_parameters(estimator)
        differing = differing_settings(recorded, made[name, period, seed])
        if differing:
            raise ValueError(
                f"the file has results of {name!r} with other parameters "
                f"({', '.join(differing)}): give the detector another name, or use "
                "another file"
            )
