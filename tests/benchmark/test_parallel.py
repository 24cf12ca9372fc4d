"""Workers that die, other backends, and series that cannot be read."""

import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config, register_parallel_backend
from joblib._parallel_backends import MultiprocessingBackend

from skcoad.benchmark import read_results, report, run_benchmark
from skcoad.datasets import load_ucr, make_series
from skcoad.panel import detect_panel

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="detectors kill themselves by a signal"
)


class Deviation:
    def fit(self, X):
        self.mean_ = X.mean(axis=0)

    def decision_function(self, X):
        return np.abs(X - self.mean_).sum(axis=1)


class Killed(Deviation):
    """Kill the process on one series, as the system does when memory runs out."""

    def __init__(self, level, marker=None):
        self.level = level
        self.marker = marker  # a file that is made the first time, and saves the next

    def fit(self, X):
        super().fit(X)
        saved = self.marker is not None and Path(self.marker).exists()
        if round(float(self.mean_[0])) == self.level and not saved:
            if self.marker is not None:
                Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.jsonl"


@pytest.fixture
def series():
    """Series at different levels, 10 apart."""
    made = []
    for number in range(4):
        one = make_series(500, anomalies=("point",), name=f"s{number}", random_state=0)
        one.values[:] += 10 * number
        made.append(one)
    return made


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_detector_whose_process_is_killed_is_a_failed_run(n_jobs, series, path):
    detectors = {"killed": Killed(10), "good": Deviation()}
    results = run_benchmark(detectors, series, path, n_jobs=n_jobs)
    assert [(r["series"], r["detector"]) for r in results] == [
        (one.name, name) for one in series for name in detectors
    ]
    failed = [r for r in results if r["error"]]
    assert [(r["series"], r["detector"]) for r in failed] == [("s1", "killed")]
    assert "Terminated" in failed[0]["error"]
    assert failed[0]["n_anomalous"] == results[0]["n_anomalous"]
    assert len(read_results(path)) == 8
    # It counts as a failure in the comparison, and is not run again.
    assert "killed on s1, seed 0: Terminated" in report(results)
    assert run_benchmark(detectors, series, path, n_jobs=n_jobs) == results


def test_what_is_killed_once_is_run_again(series, path, tmp_path):
    detectors = {"killed": Killed(10, str(tmp_path / "marker"))}
    results = run_benchmark(detectors, series, path, n_jobs=2)
    assert [r["error"] for r in results] == [None] * 4


def test_a_detector_that_cannot_be_sent_to_a_worker_is_a_failed_run(series, path):
    class Stuck(Deviation):
        def __reduce__(self):
            raise RuntimeError("stays here")

    detectors = {"stuck": Stuck(), "good": Deviation()}
    results = run_benchmark(detectors, series[:2], path, n_jobs=2)
    errors = {(r["detector"], r["series"]): r["error"] for r in results}
    assert [errors["good", "s0"], errors["good", "s1"]] == [None, None]
    assert "Could not pickle" in errors["stuck", "s0"]


class RayLike(MultiprocessingBackend):
    """Returns everything at the end, as ray's backend does."""

    supports_return_generator = False


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_a_backend_that_returns_no_generator_works(n_jobs, series, path):
    register_parallel_backend("ray-like", RayLike)
    with parallel_config("ray-like", n_jobs=2):
        results = run_benchmark({"A": Deviation()}, series, path, n_jobs=n_jobs)
    assert [r["metrics"]["auc_pr"] for r in results] == [1.0] * 4
    assert len(read_results(path)) == 4


@pytest.fixture(scope="module")
def ray_processes():
    ray = pytest.importorskip("ray", reason="ray is not installed (skcoad[ray])")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    register_ray()
    with parallel_config("ray", n_jobs=-1):
        yield
    ray.shutdown()


@pytest.mark.filterwarnings("default")  # ray's own
def test_ray_works_with_a_worker_that_is_killed(ray_processes, series, path):
    good, killed = run_benchmark({"killed": Killed(10)}, series[:2], path)
    assert good["metrics"]["auc_pr"] == 1.0
    assert killed["error"].startswith("ActorDiedError")
    assert len(read_results(path)) == 2


@pytest.mark.filterwarnings("default")
def test_a_panel_on_ray_is_that_of_this_process(ray_processes, series):
    panel = {one.name: one.values for one in series[:2]}
    found = detect_panel(panel, train=250, threshold=3.0)
    with parallel_config("sequential"):
        expected = detect_panel(panel, train=250, threshold=3.0)
    pd.testing.assert_frame_equal(found, expected)


def test_dask_works_with_a_worker_that_is_killed(series, path, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster),
        parallel_config("dask"),
    ):
        killed = Killed(10, str(tmp_path / "marker"))
        results = run_benchmark({"killed": killed}, series, path)
    assert (tmp_path / "marker").exists()
    assert [r["error"] for r in results] == [None] * 4
    assert [r["series"] for r in results] == [one.name for one in series]
    assert len(read_results(path)) == 4


def test_a_series_that_cannot_be_read_is_a_failed_run(tmp_path, path):
    for number in range(3):
        values = ["0"] * 300
        values[200] = str(number + 1)
        name = f"00{number}_UCR_Anomaly_x_100_201_201.txt"
        (tmp_path / name).write_text(" ".join(values))
    (tmp_path / name.replace("002", "001")).write_text("no numbers")
    archive = load_ucr(tmp_path)
    detectors = {"A": Deviation(), "B": Deviation()}
    results = run_benchmark(detectors, archive, path)
    assert [r["error"] is None for r in results] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    assert "could not convert" in results[2]["error"]
    assert "2 of 3 series" in report(results)
    assert run_benchmark(detectors, archive, path) == results


class Plain(Deviation):
    def __init__(self, settings):
        self.settings = settings


@pytest.mark.parametrize("part", [slice(0, 2), slice(2, 4)])
def test_other_settings_of_a_detector_without_get_params_are_an_error(
    part, series, path
):
    run_benchmark({"A": Plain({"k": 1})}, series[:2], path)
    again = run_benchmark({"A": Plain({"k": 1})}, series[part], path)
    assert len(again) == 2
    with pytest.raises(ValueError, match=r"of 'A' with other parameters \(settings\)"):
        run_benchmark({"A": Plain({"k": 2})}, series[part], path)
