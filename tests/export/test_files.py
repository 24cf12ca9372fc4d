"""What is written, and that other runtimes compute the same scores with it."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from skcoad import CoADDetector, NeighborsDetector
from skcoad.export import to_onnx, to_torch_export
from skcoad.export._files import quiet_exporter

pytestmark = pytest.mark.skipif(
    tuple(map(int, torch.__version__.split(".")[:2])) < (2, 13),
    reason="the exporter of an older torch",
)
ROOT = Path(__file__).parents[2]
REASON = "`pip install skcoad[onnx]` has it"


@pytest.fixture(scope="module")
def network(wave):
    return CoADDetector(max_steps=40, random_state=0).fit(wave(300))


@pytest.fixture(scope="module")
def written(tmp_path_factory, network, wave):
    """A detector of each kind as ONNX: detector, graph in torch and file."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=REASON)
    folder = tmp_path_factory.mktemp("onnx")
    detectors = {
        "network": network,
        "neighbors": NeighborsDetector().fit(wave(300, 2)),
        # The neighbours are the same as in the others.
        "gru": CoADDetector(
            max_steps=40, random_state=0, encoder="gru", score_by="reconstruction"
        ).fit(wave(300)),
    }
    return {
        name: (detector, to_onnx(detector, folder / name), folder / name)
        for name, detector in detectors.items()
    }


@pytest.mark.parametrize(
    ("name", "tolerance"),
    # onnxruntime's recurrence rounds otherwise.
    [("network", 1e-5), ("neighbors", 1e-5), ("gru", 1e-3)],
)
@pytest.mark.parametrize("n_chunks", [1, 3])
def test_onnxruntime_computes_what_torch_does(name, tolerance, n_chunks, written, wave):
    import onnxruntime

    detector, graph, path = written[name]
    n_channels = detector.n_features_in_
    X = wave(n_chunks * graph.chunk_size, n_channels, seed=2)
    X[100:110, 0] = 2
    X = X.reshape(n_chunks, graph.chunk_size, n_channels)
    session = onnxruntime.InferenceSession(path)
    computed = session.run(["scores", "channel_scores"], {"X": X})
    for actual, expected in zip(computed, graph(torch.from_numpy(X)), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
        assert actual.dtype == np.float64


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["network", "neighbors"])
def test_onnxruntime_has_nan_where_torch_does(name, value, written, wave):
    import onnxruntime

    detector, graph, path = written[name]
    X = wave(graph.chunk_size, detector.n_features_in_, seed=2)[None]
    X[0, [0, 3 * graph.halo], 0] = value
    session = onnxruntime.InferenceSession(path)
    computed = session.run(["scores", "channel_scores"], {"X": X})
    for actual, expected in zip(computed, graph(torch.from_numpy(X)), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
        n_near = np.isnan(actual).reshape(graph.chunk_size, -1).all(1).sum()
        assert n_near == 3 * graph.halo + 2


def test_the_file_says_how_to_use_it(written):
    import onnx

    detector, graph, path = written["neighbors"]
    model = onnx.load(path)
    onnx.checker.check_model(model)
    meta = {entry.key: entry.value for entry in model.metadata_props}
    assert int(meta["chunk_size"]) == graph.chunk_size
    assert int(meta["stride"]) == graph.chunk_size - 2 * graph.halo
    assert int(meta["halo"]) == graph.halo
    assert int(meta["step"]) == graph.step == detector.model_.config.plan.step
    assert float(meta["threshold"]) == detector.threshold_
    assert float(meta["segment_threshold"]) == detector.segment_threshold_
    assert json.loads(meta["channels"]) == ["0", "1"]
    assert meta["score_by"] == "neighbors"
    assert {node.domain for node in model.graph.node} == {""}  # any runtime has them


def score_alone(model, table):
    """Run the example where there is neither this package nor what it needs."""
    alone = f"""
import runpy, sys
for name in ("skcoad", "torch", "sklearn", "scipy", "pandas", "onnx"):
    sys.modules[name] = None
sys.argv = ["score_onnx.py", {str(model)!r}, {str(table)!r}]
runpy.run_path({str(ROOT / "examples" / "score_onnx.py")!r}, run_name="__main__")
"""
    return subprocess.run(
        [sys.executable, "-c", alone], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "arrange",
    [
        lambda frame: frame,
        lambda frame: frame.assign(note="all, right"),
        # With the names that the graph knows, in any order and beside other numbers.
        lambda frame: frame.set_axis(["0", "1"], axis=1).assign(id=7)[["1", "id", "0"]],
    ],
)
def test_a_file_is_scored_by_numpy_and_onnxruntime_alone(
    written, wave, tmp_path, arrange
):
    detector, _, path = written["neighbors"]
    X = wave(1000, 2, seed=3)
    X[500:510] = 1
    hours = pd.date_range("2024-01-01", periods=1000, freq="h", name="time")
    arrange(pd.DataFrame(X, index=hours, columns=["flow", "heat"])).to_csv(
        tmp_path / "x.csv"
    )
    process = score_alone(path, tmp_path / "x.csv")
    assert process.stderr == ""
    out = process.stdout.splitlines()
    assert out[0] == "score,label"
    scores, labels = np.loadtxt(out[1:], delimiter=",").T
    np.testing.assert_allclose(scores, detector.decision_function(X), rtol=1e-3)
    np.testing.assert_array_equal(labels, scores > detector.segment_threshold_)


def test_a_series_that_ends_between_two_steps_is_scored_on_the_steps(
    written, wave, tmp_path
):
    detector, graph, path = written["network"]
    n_rows = graph.chunk_size + 3 * graph.stride
    X = wave(n_rows + graph.step // 2, seed=3)
    pd.DataFrame(X, columns=["flow"]).to_csv(tmp_path / "x.csv", index=False)
    out = score_alone(path, tmp_path / "x.csv").stdout.splitlines()
    scores = np.loadtxt(out[1:], delimiter=",")[: n_rows - graph.halo, 0]
    expected = detector.decision_function(X)[: n_rows - graph.halo]
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n3,4\n", "2 timestamps are fewer than a chunk of "),
        ("time,a\n2024-01-01,2\n", "has 1 columns of numbers, and the graph takes 2"),
        ("", "has 0 columns of numbers"),
        ("a,b\n1,2\n3,x\n", "could not convert string 'x'"),
        ("a,b\n1,2\n3,nan\n" + 2000 * "5,6\n", "row 1 has one"),
        (
            "t,a,b\n2024-01-01,1,2\n2024-01-02,1,2\n2024-01-05,1,2\n2024-01-06,1,2\n",
            "row 2 is 259200000 milliseconds after the row before, and others 86400000",
        ),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_scored_is_an_error_of_one_line(
    written, tmp_path, content, message
):
    if content is not None:
        (tmp_path / "x.csv").write_text(content)
    process = score_alone(written["neighbors"][2], tmp_path / "x.csv")
    assert process.returncode == 1
    assert process.stderr.startswith("score_onnx.py: ")
    assert message in process.stderr
    assert process.stderr.count("\n") == 1


def test_the_example_ends_without_a_word_where_nothing_reads_on(
    written, wave, tmp_path
):
    pd.DataFrame(wave(20_000, 2)).to_csv(tmp_path / "x.csv", index=False)
    script = ROOT / "examples" / "score_onnx.py"
    with subprocess.Popen(
        [sys.executable, script, written["neighbors"][2], tmp_path / "x.csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "score,label\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_torch_export_computes_the_same(network, wave, tmp_path):
    graph = to_torch_export(network, tmp_path / "detector.pt2")
    files = {"metadata.json": ""}
    program = torch.export.load(tmp_path / "detector.pt2", extra_files=files)
    assert json.loads(files["metadata.json"])["chunk_size"] == str(graph.chunk_size)
    for n_chunks in (1, 3):
        X = torch.from_numpy(wave(n_chunks * graph.chunk_size)).reshape(n_chunks, -1, 1)
        for actual, expected in zip(program.module()(X), graph(X), strict=True):
            torch.testing.assert_close(actual, expected)


def test_the_exporter_says_only_what_is_wrong(caplog):
    logger = logging.getLogger("torch.onnx._internal.exporter._core")
    with quiet_exporter():
        logger.warning("said by the exporter")
        logger.error("wrong")
    logger.warning("said later")
    assert caplog.messages == ["wrong", "said later"]


def test_without_onnx_the_error_says_what_to_install(network, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"to_onnx needs onnx: pip install skcoad\["):
        to_onnx(network, tmp_path / "x.onnx")


@pytest.mark.parametrize("export", [to_onnx, to_torch_export])
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    export, network, monkeypatch, tmp_path
):
    pytest.importorskip("onnxscript", reason=REASON)
    monkeypatch.setattr(torch.export, "export", None)
    message = f"there is no folder {tmp_path / 'none'} to write x into"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        export(network, tmp_path / "none" / "x")
