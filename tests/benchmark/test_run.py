import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from joblib import parallel_config

from skcoad import NeighborsDetector
from skcoad.benchmark import FitPredictOnly, read_results, run_benchmark
from skcoad.benchmark._task import detector_period
from skcoad.datasets import Series, load_ucr, make_series, open_archive
from skcoad.io import _results
from skcoad.io._results import only_writer


class Deviation:
    """Distance of each value to the mean of the training part."""

    def fit(self, X):
        self.mean_ = X.mean(axis=0)
        self.n_ = len(X)
        self.decision_scores_ = self.decision_function(X)
        return self

    def decision_function(self, X):
        return np.abs(X - self.mean_).sum(axis=1)


class Recorder(Deviation):
    """Record the data it receives, in a list shared by all copies."""

    received: list = []  # noqa: RUF012 - shared on purpose

    def fit(self, X):
        self.received.append(("fit", X.copy()))
        X[:] = np.nan  # works in place
        self.decision_scores_ = np.arange(len(X), dtype=float)
        return self

    def decision_function(self, X):
        self.received.append(("score", X.copy()))
        return np.arange(len(X), dtype=float)


class Broken(Deviation):
    def fit(self, X):
        raise MemoryError("no room")


@pytest.fixture
def series():
    return [
        make_series(1000, anomalies=("point",), name=f"s{seed}", random_state=seed)
        for seed in range(3)
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.jsonl"


def keys(results):
    return [(r["series"], r["seed"], r["detector"]) for r in results]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_every_detector_runs_on_every_series_with_every_seed(series, path, n_jobs):
    detectors = {"A": Deviation(), "B": lambda period: Deviation()}
    results = run_benchmark(detectors, series, path, seeds=(0, 4), n_jobs=n_jobs)
    assert keys(results) == [
        (one.name, seed, name) for one in series for seed in (0, 4) for name in "AB"
    ]
    assert sorted(keys(read_results(path))) == sorted(keys(results))
    for result in results:
        assert result["error"] is None
        assert result["metrics"]["auc_pr"] == 1.0
        assert result["n_train"] == 400
        assert result["n_scored"] == 600
        assert result["fit_seconds"] >= 0
        assert result["versions"]["numpy"] == np.__version__


def test_what_is_in_the_file_is_not_run_again(series, path):
    run_benchmark({"A": Deviation()}, series[:2], path)
    before = path.read_bytes()
    results = run_benchmark({"A": Deviation(), "B": Deviation()}, series, path)
    after = path.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == 6
    assert len(results) == 6
    assert run_benchmark({"A": Deviation()}, series, path)[0] == results[0]
    assert path.read_bytes() == after


def test_protocols_and_seeds_are_kept_apart_in_one_file(series, path):
    run_benchmark({"A": Deviation()}, series, path)
    other = run_benchmark({"A": Deviation()}, series, path, protocol="tsb-ad")
    assert len(read_results(path)) == 6
    assert {result["n_scored"] for result in other} == {1000}


def test_a_half_written_line_is_run_again(series, path):
    whole = run_benchmark({"A": Deviation()}, series, path)
    path.write_bytes(path.read_bytes()[:-5])
    again = run_benchmark({"A": Deviation()}, series, path)
    assert keys(again) == keys(whole)
    assert again[:2] == whole[:2]
    assert len(read_results(path)) == 3


@pytest.mark.parametrize(
    ("protocol", "start"), [("kdd21", 400), ("tsb-ad", 0)], ids=["kdd21", "tsb-ad"]
)
def test_a_detector_receives_the_parts_of_the_protocol(series, path, protocol, start):
    Recorder.received.clear()
    whole = series[0].values.copy()
    run_benchmark(
        {"A": Recorder(), "B": FitPredictOnly(Recorder())},
        series[:1],
        path,
        protocol=protocol,
    )
    (_, trained), (call, scored), (_, both) = Recorder.received
    assert call == "score"
    np.testing.assert_array_equal(trained, whole[:400])
    np.testing.assert_array_equal(scored, whole[start:])
    np.testing.assert_array_equal(both, whole[start:])
    np.testing.assert_array_equal(series[0].values, whole)  # work in place is undone


def test_without_a_training_part_every_detector_is_fit_predict_only(series, path):
    one = Series(series[0].values, series[0].labels, 0, "no train")
    (result,) = run_benchmark({"A": Deviation()}, [one], path)
    assert result["fit_predict_only"]
    assert (result["n_train"], result["error"]) == (0, None)


def test_a_failure_is_recorded_and_the_run_goes_on(series, path):
    class Short(Deviation):
        def decision_function(self, X):
            return np.zeros(3)

    class Nan(Deviation):
        def decision_function(self, X):
            return np.full(len(X), np.nan)

    class NoScores:
        def fit(self, X):
            pass

    class Exits(Deviation):
        def fit(self, X):
            sys.exit(0)

    detectors = {
        "broken": Broken(),
        "short": lambda period: Short(),
        "nan": lambda period: Nan(),
        "no scores": FitPredictOnly(lambda period: NoScores()),
        "exits": lambda period: Exits(),
        "good": Deviation(),
    }
    results = {r["detector"]: r for r in run_benchmark(detectors, series[:1], path)}
    assert results["broken"]["error"] == "MemoryError: no room"
    assert "in fit" in results["broken"]["traceback"]
    assert "metrics" not in results["broken"]
    assert "expected 600 scores, got shape (3,)" in results["short"]["error"]
    assert "must be finite, got nan" in results["nan"]["error"]
    assert "decision_scores_" in results["no scores"]["error"]
    assert results["exits"]["error"] == "SystemExit: 0"
    assert results["good"]["error"] is None


def test_a_series_without_anomalies_is_recorded_as_such(path):
    one = make_series(500, anomalies=(), random_state=0)
    (result,) = run_benchmark({"A": Deviation()}, [one], path)
    assert result["n_anomalous"] == result["n_events"] == 0
    assert "no anomaly" in result["error"]


def test_a_result_says_how_many_anomalies_there_are_also_of_a_failure(path):
    two = make_series(1000, anomalies=("point", "noise"), random_state=0)
    results = run_benchmark({"A": Deviation(), "broken": Broken()}, [two], path)
    assert [(r["n_events"], r["error"] is None) for r in results] == [
        (2, True),
        (2, False),
    ]


def test_whether_progress_is_shown_is_no_other_detector(series, path):
    run_benchmark({"A": NeighborsDetector()}, series[:1], path)
    before = path.read_bytes()
    run_benchmark({"A": NeighborsDetector(verbose=1)}, series[:1], path)
    assert path.read_bytes() == before


def test_changed_parameters_under_an_old_name_are_an_error(series, path):
    from pyod.models.ts_spectral_residual import SpectralResidual

    run_benchmark({"A": SpectralResidual()}, series[:1], path)
    run_benchmark({"A": SpectralResidual()}, series, path)
    with pytest.raises(
        ValueError, match=r"of 'A' with other parameters \(score_window\)"
    ):
        run_benchmark({"A": SpectralResidual(score_window=5)}, series, path)


def without_fingerprints(path):
    """Make of a results file one of an early version."""
    results = read_results(path)
    for result in results:
        del result["fingerprint"]
    path.write_text("".join(json.dumps(result) + "\n" for result in results))
    return results


@pytest.mark.parametrize("part", ["values", "labels", "train_length"])
def test_a_series_whose_data_changed_is_run_again(series, path, part):
    run_benchmark({"A": Deviation()}, series, path)
    before = path.read_bytes()
    changed = {
        "values": np.roll(series[1].values, 1),
        "labels": np.roll(series[1].labels, 1),
        "train_length": series[1].train_length - 1,
    }
    other = [series[0], replace(series[1], **{part: changed[part]}), series[2]]
    results = run_benchmark({"A": Deviation()}, other, path)
    after = path.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == 4
    fresh = run_benchmark({"A": Deviation()}, other, path.with_name("fresh.jsonl"))
    assert [one["metrics"] for one in results] == [one["metrics"] for one in fresh]
    # Of the two lines of this series the last counts.
    assert run_benchmark({"A": Deviation()}, other, path) == results
    assert path.read_bytes() == after


def test_two_folders_with_the_same_names_have_their_own_results(tmp_path, path):
    for folder, at in (("plant", 220), ("lab", 260)):
        (tmp_path / folder).mkdir()
        values = np.zeros(300)
        values[[220, 260]] = 1
        labels = np.zeros(300, dtype=int)
        labels[at] = 1
        values[220] = 2
        rows = [f"{x},{y}" for x, y in zip(values, labels, strict=True)]
        text = "\n".join(["value,label", *rows])
        (tmp_path / folder / "pump_tr_100.csv").write_text(text)
    plant, lab = (
        run_benchmark({"A": Deviation()}, open_archive(tmp_path / folder), path)[0]
        for folder in ("plant", "lab")
    )
    assert plant["series"] == lab["series"]
    assert plant["metrics"]["vus_pr"] > lab["metrics"]["vus_pr"]


def test_results_of_a_version_without_fingerprints_stay_usable(series, path):
    run_benchmark({"A": Deviation()}, series, path)
    early = without_fingerprints(path)
    before = path.read_bytes()
    assert run_benchmark({"A": Deviation()}, series, path) == early
    assert path.read_bytes() == before


def test_a_series_that_can_be_read_again_is_run_again(tmp_path, path):
    file = tmp_path / "001_UCR_Anomaly_x_100_201_201.txt"
    file.write_text("unreadable")
    (failed,) = run_benchmark({"A": Deviation()}, load_ucr(tmp_path), path)
    assert failed["error"] is not None
    values = np.zeros(300)
    values[200] = 1
    file.write_text(" ".join(map(str, values)))
    (result,) = run_benchmark({"A": Deviation()}, load_ucr(tmp_path), path)
    assert result["error"] is None


def test_progress_says_how_many_results_the_file_had(series, path, capsys):
    run_benchmark({"A": Deviation()}, series[:2], path)
    run_benchmark({"A": Deviation()}, series, path, verbose=True)
    assert "2 from the file" in capsys.readouterr().err


def test_series_of_an_archive_are_read_only_when_they_are_needed(tmp_path, path):
    for number in (1, 2):
        values = np.zeros(300)
        values[200] = 1
        (tmp_path / f"00{number}_UCR_Anomaly_x_100_201_201.txt").write_text(
            " ".join(map(str, values))
        )
    archive = load_ucr(tmp_path)
    whole = run_benchmark({"A": Deviation()}, archive, path)
    assert [result["metrics"]["hit_at_1"] for result in whole] == [1.0, 1.0]
    whole = without_fingerprints(path)
    for file in tmp_path.glob("*.txt"):
        file.write_text("unreadable")
    assert run_benchmark({"A": Deviation()}, archive, path) == whole


@pytest.mark.parametrize(
    ("n_timestamps", "period"), [(3, 2), (80, 10), (999, 124), (5000, 125)]
)
def test_without_a_period_detectors_get_the_fallback(n_timestamps, period):
    assert detector_period(np.zeros((n_timestamps, 1))) == period


def test_an_error_code_does_not_hide_the_period_from_detectors(wave):
    x = wave(1000)
    x[400] = 65535
    assert detector_period(x) == 25


def test_another_joblib_backend_can_be_chosen(series, path):
    with parallel_config(backend="threading", n_jobs=2):
        results = run_benchmark({"A": Deviation()}, series, path)
    assert len(results) == 3


def test_warm_up_is_called_before_the_fit(series, path):
    class Warm(Deviation):
        def warm_up(self):
            self.warm = True

        def fit(self, X):
            assert self.warm
            return super().fit(X)

    (result,) = run_benchmark({"A": lambda period: Warm()}, series[:1], path)
    assert result["error"] is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the peak")
def test_peak_memory_is_of_the_run_alone(series, path):
    class Hungry(Deviation):
        def fit(self, X):
            np.ones(50 * 2**17).sum()  # 50 MiB
            return super().fit(X)

    detectors = {"hungry": lambda period: Hungry(), "modest": Deviation()}
    hungry, modest = run_benchmark(detectors, series[:1], path)
    assert hungry["peak_memory_mib"] - hungry["base_memory_mib"] > 45
    assert modest["peak_memory_mib"] - modest["base_memory_mib"] < 5


def test_invalid_arguments_are_errors(series, path):
    with pytest.raises(ValueError, match=r"one of \['kdd21', 'tsb-ad'\], got 'x'"):
        run_benchmark({"A": Deviation()}, series, path, protocol="x")
    with pytest.raises(ValueError, match="more than one series is named 's0'"):
        run_benchmark({"A": Deviation()}, [series[0], series[0]], path)
    with pytest.raises(ValueError, match="seeds must be from 0 to 4294967295, got -5"):
        run_benchmark({"A": Deviation()}, series, path, seeds=(0, -5))
    with pytest.raises(TypeError, match="got the class Deviation"):
        run_benchmark({"A": Deviation}, series, path)


@pytest.mark.parametrize(
    "content", ["all my notes", "line one\nline two", "1 2 3 ", '{"key": "value"}']
)
def test_a_file_without_results_is_refused_and_left_alone(series, path, content):
    path.write_text(content)
    with pytest.raises(ValueError, match=r"results\.jsonl"):
        run_benchmark({"A": Deviation()}, series, path)
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"detector": []}, r"line 2: not a benchmark result: 'detector' is \[\]"),
        ({"seed": "0"}, "'seed' is '0'"),
        ({"period": None}, "'period' is None"),
        ({"n_anomalous": ...}, "no 'n_anomalous'"),
        ({"n_events": "2"}, "'n_events' is '2'"),
        ({"metrics": ...}, "no 'metrics'"),
        ({"metrics": {"vus_pr": "high"}}, "metric 'vus_pr' is 'high'"),
        ({"metrics": [], "error": "E"}, r"'metrics' is \[\]"),
        ({"fit_seconds": None}, "'fit_seconds' is None"),
        ({"fingerprint": 7}, "'fingerprint' is 7"),
    ],
)
def test_lines_that_are_no_results_are_an_error(series, path, change, message):
    results = run_benchmark({"A": Deviation()}, series[:2], path)
    changed = {k: v for k, v in (results[1] | change).items() if v is not ...}
    path.write_text(json.dumps(results[0]) + "\n" + json.dumps(changed) + "\n")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        run_benchmark({"A": Deviation()}, series, path)
    assert path.read_bytes() == before


@pytest.fixture(params=[True, False], ids=["file itself", "file beside"])
def lock_kind(request, monkeypatch):
    """Lock as on POSIX, and as on Windows."""
    monkeypatch.setattr(_results, "LOCK_RESULTS_FILE", request.param)


def test_a_file_system_without_locks_gives_no_protection(path, monkeypatch):
    def unavailable(descriptor, *, blocking):
        raise OSError("no locks")

    monkeypatch.setattr(_results, "lock_descriptor", unavailable)
    with only_writer(path), only_writer(path):
        pass


@pytest.mark.usefixtures("lock_kind")
def test_a_lock_leaves_no_file_behind(path):
    with only_writer(path):
        pass
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("lock_kind")
def test_a_second_run_on_one_file_is_an_error_and_leaves_the_file_alone(series, path):
    with only_writer(path):
        path.write_text('{"detector": "A", "ser')  # what the first run is writing
        with pytest.raises(BlockingIOError, match=f"another run is writing {path}"):
            run_benchmark({"A": Deviation()}, series, path)
        assert path.read_text() == '{"detector": "A", "ser'
    assert len(run_benchmark({"A": Deviation()}, series, path)) == 3


@pytest.mark.usefixtures("lock_kind")
def test_a_run_that_fails_releases_the_lock(series, path):
    class Stopped(list):
        def __getitem__(self, index):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_benchmark({"A": Deviation()}, Stopped(series), path)
    assert len(run_benchmark({"A": Deviation()}, series, path)) == 3


# Kills and interrupts. The detector sleeps a little, so that the signal often arrives
# during a run; its results are deterministic, so interrupted files can be compared.

SCRIPT = """
import argparse, os, signal, sys, time
import numpy as np
from skcoad.cli._benchmark import add_arguments, execute

class Slow:
    def fit(self, X):
        time.sleep(float(os.environ["SLOW_SECONDS"]))
    def decision_function(self, X):
        return np.abs(X[:, 0])

slow = Slow()

if __name__ == "__main__":
    # A test process started in the background may have inherited SIG_IGN.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules["script"] = sys.modules["__main__"]
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    sys.exit(execute(parser.parse_args()))
"""
N_SERIES = 60


@pytest.fixture
def command(tmp_path, path):
    data = tmp_path / "data"
    data.mkdir()
    for number in range(N_SERIES):
        values = ["0"] * 50
        values[40] = str(number + 1)
        name = f"{number:03}_UCR_Anomaly_x_20_41_41.txt"
        (data / name).write_text("\n".join(values))
    (tmp_path / "script.py").write_text(SCRIPT)

    processes = []

    def start(n_jobs, seconds=0.05):
        process = subprocess.Popen(
            [
                *(sys.executable, tmp_path / "script.py", data, "--out", path),
                *("--detectors", "slow=script.slow", "--jobs", str(n_jobs)),
            ],
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
                "SLOW_SECONDS": str(seconds),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            kill(process)


def wait_for_lines(path, number, process):
    while process.poll() is None:
        if path.exists() and path.read_bytes().count(b"\n") >= number:
            return
        time.sleep(0.005)


def kill(process):
    # With its workers, which would keep the pipes open while idle.
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_run_that_is_killed_and_interrupted_loses_nothing_and_repeats_nothing(
    command, path
):
    process = command(n_jobs=2)
    wait_for_lines(path, N_SERIES // 5, process)
    time.sleep(0.02)
    before = path.read_bytes()
    kill(process)
    assert path.read_bytes().startswith(before)

    # Slow enough that the signal arrives before the run ends.
    lines = path.read_bytes().count(b"\n")
    process = command(n_jobs=2, seconds=1)
    wait_for_lines(path, lines + 1, process)
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does
    _, errors = process.communicate()
    assert process.returncode == 130
    assert f"interrupted; the results so far are in {path}" in errors
    assert "Traceback" not in errors

    process = command(n_jobs=1)
    output, _ = process.communicate()
    assert process.returncode == 0
    assert f"{N_SERIES} of {N_SERIES} series" in output
    results = read_results(path)
    assert len(results) == N_SERIES
    assert len({result["series"] for result in results}) == N_SERIES
    assert all(result["metrics"]["hit_at_1"] == 1.0 for result in results)


def test_a_run_keeps_others_from_its_file_until_it_is_killed(command, series, path):
    process = command(n_jobs=2, seconds=1)
    wait_for_lines(path, 1, process)
    with pytest.raises(BlockingIOError, match="another run"):
        run_benchmark({"A": Deviation()}, series, path)
    # Its workers outlive it for a while, and must not hold the lock.
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    results = run_benchmark({"A": Deviation()}, series, path)
    kill(process)
    assert len(results) == 3
    assert len(read_results(path)) >= 4
