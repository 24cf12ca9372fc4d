import copy
import json
import os
import pickle
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import dateutil.tz
import joblib
import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from skcoad import CoADDetector, NeighborsDetector, __version__
from skcoad.detectors import _persistence
from skcoad.detectors import load as load_any
from skcoad.io._container import FORMAT, KEY, MAX_HEADER, UNSEALED, _seal
from skcoad.io._schema import InvalidDetectorError
from skcoad.thresholds import (
    ConformalThreshold,
    PeaksOverThreshold,
    QuantileThreshold,
)

DATA = Path(__file__).parents[1] / "data"
FIXTURES = sorted(DATA.glob("detector-*.safetensors"))


@pytest.fixture(scope="module")
def fitted(tiny, wave):
    """Give a small detector of three channels, with names and a gap."""
    X = pd.DataFrame(wave(200, 3), columns=["a", "b", "c"])
    X.iloc[50:60, 1] = np.nan
    return tiny(hidden_size=4, n_layers=2, max_references=32).fit(X)


@pytest.fixture(scope="module")
def valid(fitted, tmp_path_factory):
    """Bytes of a valid file."""
    path = tmp_path_factory.mktemp("valid") / "detector.safetensors"
    fitted.save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Load a detector from bytes, by way of a file."""
    path = tmp_path_factory.mktemp("load") / "detector.safetensors"

    def from_bytes(data):
        path.write_bytes(data)
        return CoADDetector.load(path)

    return from_bytes


def unpack(data):
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    return json.loads(metadata[KEY]), safetensors.torch.load(data)


def pack(content, tensors):
    """Make a file whose checksum is right, whatever is in it."""
    text = json.dumps(content | {"sha256": UNSEALED})
    return _seal(safetensors.torch.save(tensors, {KEY: text}))


def with_header(header):
    return len(header).to_bytes(8, "little") + header


def nested(depth):
    return b'{"a":' * depth + b"1" + b"}" * depth


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([0, 1, 2, 10**9, 2**63, 10**40, "auto", "gru", "both", "cpu"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


# Round trips


@pytest.mark.parametrize(
    ("n_channels", "gaps", "parameters"),
    [
        (1, False, {}),
        (3, False, {}),
        (3, True, {}),
        (1, False, {"max_references": 0}),
        (3, True, {"max_references": 0}),
        (2, True, {"max_references": 37}),
        (2, False, {"encoder": "gru", "hidden_size": 6}),
        (1, True, {"branches": "frequency", "masking": "hard", "fusion": "mean"}),
        (2, False, {"score_by": "reconstruction", "channel_aggregation": "max"}),
        (1, False, {"score_by": "classification", "score_aggregation": "max"}),
        (1, False, {"distortions": ["flip", "bump"], "period": np.int64(20)}),
        (1, False, {"max_seconds": 1000, "random_state": None}),
    ],
    ids=str,
)
def test_a_loaded_detector_is_the_saved_one_to_the_last_bit(
    n_channels, gaps, parameters, tiny, wave, tmp_path
):
    X, other = wave(220, n_channels), wave(150, n_channels, seed=1)
    if gaps:
        X[30:40, 0] = X[100:103, -1] = X[-5:, 0] = other[70:80, 0] = np.nan
    detector = tiny(**parameters).fit(X)
    detector.save(tmp_path / "file")
    loaded = CoADDetector.load(tmp_path / "file")

    assert vars(loaded).keys() == vars(detector).keys()
    assert loaded.model_.config == detector.model_.config
    for name in ("decision_scores_", "labels_", "center_", "scale_"):
        mine, theirs = getattr(loaded, name), getattr(detector, name)
        np.testing.assert_array_equal(mine, theirs, strict=True)
    for name in ("plan_", "loss_curve_", "n_iter_", "n_features_in_"):
        assert getattr(loaded, name) == getattr(detector, name)
    for series in (X, other):
        for method in ("decision_function", "channel_scores", "predict"):
            mine = getattr(loaded, method)(series)
            theirs = getattr(detector, method)(series)
            np.testing.assert_array_equal(mine, theirs, strict=True)
        np.testing.assert_array_equal(
            loaded.predict_proba(series), detector.predict_proba(series)
        )
    for mine, theirs in zip(
        loaded.explain(X).components, detector.explain(X).components, strict=True
    ):
        for part, expected in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(part, expected, strict=True)


def test_every_buffer_of_the_model_is_restored(fitted, valid, load):
    saved, loaded = (
        [*model.named_buffers(), *model.named_parameters()]
        for model in (fitted.model_, load(valid).model_)
    )
    assert len(saved) > 50  # those that are not saved but derived among them
    for (name, mine), (other, theirs) in zip(loaded, saved, strict=True):
        assert name == other
        assert torch.equal(mine, theirs), name


def test_neighbours_alone_are_saved_and_loaded(wave, tmp_path):
    detector = NeighborsDetector(max_references=50).fit(wave(200, 2))
    detector.save(tmp_path / "file")
    loaded = NeighborsDetector.load(tmp_path / "file")
    assert vars(loaded).keys() == vars(detector).keys()
    for X in (wave(200, 2), wave(90, 2, seed=1)):
        mine, theirs = (d.decision_function(X) for d in (loaded, detector))
        np.testing.assert_array_equal(mine, theirs)


@pytest.fixture(scope="module")
def with_threshold(wave):
    """Give a detector with a threshold in time."""
    index = pd.date_range("2026-01-01", periods=300, freq="h")
    threshold = PeaksOverThreshold("1 per week", held_back=0.4)
    detector = NeighborsDetector(max_references=50, contamination=threshold)
    return detector.fit(pd.DataFrame(wave(300), index=index, columns=["flow"]))


def test_a_threshold_is_saved_and_loaded(with_threshold, wave, tmp_path):
    with_threshold.save(tmp_path / "file")
    loaded = NeighborsDetector.load(tmp_path / "file")
    assert vars(loaded).keys() == vars(with_threshold).keys()
    assert repr(loaded) == repr(with_threshold)
    assert loaded.threshold_ == with_threshold.threshold_
    mine, theirs = loaded.thresholder_, with_threshold.thresholder_
    assert vars(mine).keys() == vars(theirs).keys()
    assert mine.threshold_ == theirs.threshold_
    assert mine.rate_ == theirs.rate_ == pytest.approx(1 / 168)
    scores = np.linspace(0, 20, 50)
    np.testing.assert_array_equal(mine.p_values(scores), theirs.p_values(scores))
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "file").read_bytes()


@pytest.mark.parametrize("cls", [ConformalThreshold, QuantileThreshold])
def test_every_threshold_is_saved(cls, wave, tmp_path):
    threshold = cls("1 per 50 rows", held_back=0)
    detector = NeighborsDetector(contamination=threshold).fit(wave(200))
    detector.save(tmp_path / "file")
    loaded = NeighborsDetector.load(tmp_path / "file")
    assert type(loaded.thresholder_) is type(loaded.contamination) is cls
    assert loaded.thresholder_.threshold_ == detector.threshold_


@pytest.mark.parametrize("held_back", [np.int64(0), np.float32(0.25)])
def test_a_threshold_with_numbers_of_numpy_is_saved(held_back, wave, tmp_path):
    threshold = PeaksOverThreshold(np.str_("1 per 50 rows"), held_back=held_back)
    detector = NeighborsDetector(contamination=threshold).fit(wave(200))
    detector.save(tmp_path / "file")
    loaded = NeighborsDetector.load(tmp_path / "file")
    assert loaded.threshold_ == detector.threshold_
    for fitted in (loaded.contamination, loaded.thresholder_):
        assert fitted.held_back == held_back


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ("class", "MAD", "there is no threshold 'MAD'"),
        ("class", 3, "class is missing, or no str"),
        ("parameters", {"rate": 1}, "unknown parameters"),
        ("parameters", {"false_alarms": "often"}, "is no rate"),
        ("parameters", {"held_back": 2}, "held_back"),
        ("separation", 0, "separation must be at least 1"),
        ("separation", 1.5, "separation is missing, or no int"),
        ("interval", -1.0, "interval of the rows is not above 0"),
        ("interval", None, "needs the times of the rows"),
    ],
)
def test_a_threshold_that_cannot_be_is_invalid(
    entry, value, message, with_threshold, tmp_path
):
    with_threshold.save(tmp_path / "file")
    content, tensors = unpack((tmp_path / "file").read_bytes())
    content["thresholder"][entry] = value
    (tmp_path / "file").write_bytes(pack(content, tensors))
    with pytest.raises(InvalidDetectorError, match=message):
        NeighborsDetector.load(tmp_path / "file")


def test_the_scores_of_a_threshold_may_not_be_missing(with_threshold, tmp_path):
    with_threshold.save(tmp_path / "file")
    content, tensors = unpack((tmp_path / "file").read_bytes())
    for scores in (None, torch.full((9,), torch.nan, dtype=torch.float64)):
        changed = dict(tensors)
        del changed["threshold_scores"]
        if scores is not None:
            changed["threshold_scores"] = scores
        (tmp_path / "file").write_bytes(pack(content, changed))
        with pytest.raises(InvalidDetectorError, match="threshold_scores"):
            NeighborsDetector.load(tmp_path / "file")


def test_a_file_of_another_detector_is_invalid(valid, wave, tmp_path):
    (tmp_path / "file").write_bytes(valid)
    with pytest.raises(InvalidDetectorError, match="CoADDetector, not a Neighbors"):
        NeighborsDetector.load(tmp_path / "file")
    NeighborsDetector().fit(wave()).save(tmp_path / "file")
    with pytest.raises(InvalidDetectorError, match="NeighborsDetector, not a CoAD"):
        CoADDetector.load(tmp_path / "file")


def test_a_file_of_any_detector_is_loaded_as_its_class(valid, wave, tmp_path):
    (tmp_path / "coad").write_bytes(valid)
    NeighborsDetector().fit(wave()).save(tmp_path / "neighbors")
    for name, cls in {"coad": CoADDetector, "neighbors": NeighborsDetector}.items():
        detector = load_any(tmp_path / name)
        assert type(detector) is cls
        np.testing.assert_array_equal(
            detector.decision_scores_, cls.load(tmp_path / name).decision_scores_
        )


def test_a_detector_of_another_package_is_invalid(tmp_path):
    other = type("OtherDetector", (NeighborsDetector,), {})
    other().fit(np.sin(np.arange(100.0))).save(tmp_path / "file")
    with pytest.raises(
        InvalidDetectorError, match="OtherDetector, not a CoADDetector or a"
    ):
        load_any(tmp_path / "file")


@pytest.mark.parametrize(
    ("names", "kept"), [([17, 18], True), ([("a", 1), ("a", 2)], False)]
)
def test_names_that_are_integers_are_kept_in_a_file(names, kept, wave, tmp_path):
    frame = pd.DataFrame(wave(300, 2))
    frame.columns = pd.Index(names)
    NeighborsDetector().fit(frame).save(tmp_path / "file")
    loaded = NeighborsDetector.load(tmp_path / "file")
    assert loaded.channel_names_ == (names if kept else [0, 1])
    if kept:
        with pytest.raises(ValueError, match="column 0 of X is 18, and was 17"):
            loaded.decision_function(frame[[18, 17]])


def test_names_of_channels_are_kept_and_compared(valid, load, wave):
    loaded = load(valid)
    np.testing.assert_array_equal(loaded.feature_names_in_, ["a", "b", "c"])
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(pd.DataFrame(wave(100, 3), columns=["c", "b", "a"]))


def test_parameters_are_kept_with_tuples_for_lists(tiny, wave, tmp_path):
    parameters = {"distortions": ["flip"], "distortion_lengths": [0.5, 1.0]}
    tiny(**parameters, device=torch.device("cpu")).fit(wave()).save(tmp_path / "file")
    loaded = CoADDetector.load(tmp_path / "file").get_params()
    expected = {"distortions": ("flip",), "distortion_lengths": (0.5, 1.0)}
    assert loaded == tiny(**expected, device="cpu").get_params()


def test_a_loaded_detector_fits_again_as_the_saved_one_does(fitted, valid, load, wave):
    X = wave(150)
    mine, theirs = load(valid).fit(X), copy.deepcopy(fitted).fit(X)
    np.testing.assert_array_equal(mine.decision_scores_, theirs.decision_scores_)


def test_a_loaded_detector_is_saved_to_the_same_bytes(valid, load, tmp_path):
    load(valid).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == valid


def test_a_threshold_that_the_user_has_set_is_kept(fitted, load, tmp_path):
    detector = copy.deepcopy(fitted)
    detector.threshold_ = 3
    detector.save(tmp_path / "file")
    assert CoADDetector.load(tmp_path / "file").threshold_ == 3


def test_a_subclass_loads_as_itself(fitted, tmp_path):
    class Derived(CoADDetector):
        pass

    derived = copy.deepcopy(fitted)
    derived.__class__ = Derived
    derived.save(tmp_path / "file")
    assert type(Derived.load(tmp_path / "file")) is Derived


def test_a_device_that_is_not_there_becomes_the_cpu(valid, load):
    content, tensors = unpack(valid)
    for device in ("cuda:99", "mps:99", "meta", "no such"):
        content["parameters"]["device"] = device
        loaded = load(pack(content, tensors))
        assert loaded.device_ == torch.device("cpu")
        assert loaded.device == device


def test_pickle_joblib_and_deepcopy_work_on_a_loaded_detector(
    fitted, valid, load, wave, tmp_path
):
    loaded = load(valid)
    joblib.dump(loaded, tmp_path / "joblib")
    X = pd.DataFrame(wave(120, 3), columns=["a", "b", "c"])
    expected = fitted.decision_function(X)
    for copied in (
        pickle.loads(pickle.dumps(loaded)),
        joblib.load(tmp_path / "joblib"),
        copy.deepcopy(loaded),
    ):
        np.testing.assert_array_equal(copied.decision_function(X), expected)


def test_loading_neither_unpickles_nor_draws_random_numbers(valid, load, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(torch, "load", refuse)
    before = torch.get_rng_state()
    load(valid)
    assert torch.equal(torch.get_rng_state(), before)


# Files of earlier versions


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_files_of_earlier_formats_give_the_scores_on_record(path):
    series = pd.read_csv(path.with_suffix(".csv"))
    expected = series.pop("score")
    scores = CoADDetector.load(path).decision_function(series)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)


def test_there_is_a_small_file_of_this_format():
    formats = {unpack(path.read_bytes())[0]["format"] for path in FIXTURES}
    assert formats == set(range(1, FORMAT + 1))
    assert all(path.stat().st_size < 200_000 for path in FIXTURES)


def test_a_file_of_format_1_is_brought_to_the_newest(tmp_path):
    old = next(p for p in FIXTURES if unpack(p.read_bytes())[0]["format"] == 1)
    detector = CoADDetector.load(old)
    assert detector.distortions == ("uniform", "flip", "time_warp", "jitter")
    detector.save(tmp_path / "new")
    assert unpack((tmp_path / "new").read_bytes())[0]["format"] == FORMAT
    series = pd.read_csv(old.with_suffix(".csv")).drop(columns="score")
    np.testing.assert_array_equal(
        CoADDetector.load(tmp_path / "new").decision_function(series),
        detector.decision_function(series),
    )


@settings(max_examples=60)
@given(data=st.data())
def test_any_file_of_format_1_loads_or_is_invalid(data, load):
    old = next(p for p in FIXTURES if unpack(p.read_bytes())[0]["format"] == 1)
    content, tensors = unpack(old.read_bytes())
    if data.draw(st.booleans()):
        place = data.draw(st.sampled_from([content, content["parameters"]]))
        place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    else:
        name = data.draw(st.sampled_from(sorted(tensors)))
        shape = data.draw(st.lists(st.integers(0, 300), max_size=3))
        tensors[name] = torch.zeros(shape, dtype=tensors[name].dtype)
    try:
        loaded = load(pack(content, tensors))
    except InvalidDetectorError:
        return
    assert loaded.decision_scores_.shape == (200,)


def test_a_parameter_of_a_later_version_takes_its_default(valid, load):
    content, tensors = unpack(valid)
    del content["parameters"]["missing"]
    assert load(pack(content, tensors)).missing == "mask"


def test_a_newer_format_says_which_version_it_needs(valid, load):
    content, tensors = unpack(valid)
    content |= {"format": 3, "skcoad": "7.8.9"}
    said = f"this version, skcoad {re.escape(__version__)}, .* needs skcoad 7.8.9"
    with pytest.raises(InvalidDetectorError, match=said):
        load(pack(content, tensors))


# What cannot be saved


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("random_state", np.random.RandomState(0)),
        ("contamination", BaseEstimator()),
        ("lr", -1),
        ("distortions", ("no such",)),
    ],
    ids=str,
)
def test_what_could_not_be_loaded_is_not_saved(name, value, fitted, tmp_path):
    detector = copy.deepcopy(fitted).set_params(**{name: value})
    (tmp_path / "file").write_text("before")
    with pytest.raises(ValueError, match=rf"cannot be saved.*{name}|cannot be saved"):
        detector.save(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "before"
    assert os.listdir(tmp_path) == ["file"]


def test_an_object_as_a_parameter_is_named(fitted, tmp_path):
    detector = copy.deepcopy(fitted).set_params(contamination=BaseEstimator())
    with pytest.raises(ValueError, match=r"BaseEstimator\(\) cannot be saved without"):
        detector.save(tmp_path / "file")


def test_parameters_that_were_changed_after_fit_are_those_of_the_next_fit(
    fitted, wave, tmp_path
):
    changed = {"hidden_size": 8, "encoder": "gru", "max_references": 0}
    copy.deepcopy(fitted).set_params(**changed).save(tmp_path / "file")
    loaded = CoADDetector.load(tmp_path / "file")
    assert loaded.get_params().items() >= changed.items()
    X = pd.DataFrame(wave(150, 3), columns=["a", "b", "c"])
    np.testing.assert_array_equal(
        loaded.decision_function(X), fitted.decision_function(X)
    )


def test_a_detector_that_is_not_fitted_is_not_saved(tiny, tmp_path):
    with pytest.raises(NotFittedError):
        tiny().save(tmp_path / "file")
    assert not os.listdir(tmp_path)


# Writing


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_crash_in_the_middle_leaves_the_old_file(
    function, error, fitted, monkeypatch, tmp_path
):
    (tmp_path / "file").write_text("before")

    def crash(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, function, crash)
        with pytest.raises(error):
            fitted.save(tmp_path / "file")
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "before"


def test_a_folder_that_is_not_there_is_an_os_error(fitted, tmp_path):
    message = f"there is no folder {tmp_path / 'no such'} to write file into"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        fitted.save(tmp_path / "no such" / "file")


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_a_link_into_a_folder_that_is_not_there_is_an_os_error(fitted, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "no such" / "file")
    with pytest.raises(FileNotFoundError, match="no such to write link into"):
        fitted.save(tmp_path / "link")


def test_a_folder_that_is_not_writable_is_an_os_error(fitted, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    message = f"the folder {tmp_path} to write file into is not writable"
    with pytest.raises(PermissionError, match=re.escape(message)):
        fitted.save(tmp_path / "file")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
def test_what_is_no_regular_file_is_not_replaced(fitted, tmp_path):
    loop, pipe = tmp_path / "loop", tmp_path / "pipe"
    loop.symlink_to(loop.name)
    os.mkfifo(pipe)
    for path in (loop, pipe, Path("/dev/null")):
        with pytest.raises(OSError, match="is not a file"):
            fitted.save(path)
    assert loop.is_symlink()
    assert pipe.is_fifo()


def test_a_folder_is_not_replaced(fitted, tmp_path):
    with pytest.raises(OSError, match="is not a file"):
        fitted.save(tmp_path)
    assert not os.listdir(tmp_path)
    assert not list(tmp_path.parent.glob(".skcoad-*"))


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_permissions_and_links_are_kept(fitted, tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    fitted.save(link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert CoADDetector.load(path).n_features_in_ == 3


KILLED = """
import os, signal, sys
from pathlib import Path
from skcoad import CoADDetector
from skcoad.io._atomic import atomic_write

folder = Path(sys.argv[1])
path = folder / "detector"
old, new = (CoADDetector.load(sys.argv[2]) for _ in range(2))
new.threshold_ = 1000.0
new.save(path)
whole_new = path.read_bytes()
old.save(path)
whole_old = path.read_bytes()

def save_and_die(line):
    left = line
    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code is not atomic_write.__wrapped__.__code__:
            return None
        if event == "line":
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        return trace
    sys.settrace(trace)
    new.save(path)
    os._exit(0)

line, status = 0, None
while status != 0:
    child = os.fork()
    if child == 0:
        save_and_die(line)
    status = os.waitpid(child, 0)[1]
    print([whole_old, whole_new].index(path.read_bytes()))
    for left in folder.iterdir():
        assert left == path or left.match(".skcoad-*.tmp"), left
    line += 1
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are made by fork")
def test_a_save_that_is_killed_at_any_line_leaves_a_whole_file(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path, FIXTURES[-1]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    outcomes = result.stdout.split()
    assert len(outcomes) > 10
    # The old file up to some line, from there on the new one.
    n_old = outcomes.count("0")
    assert outcomes == ["0"] * n_old + ["1"] * (len(outcomes) - n_old)
    assert 0 < n_old < len(outcomes) - 1


# Bad files


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        CoADDetector.load(tmp_path / "no such")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        b"\0" * 8,
        b"\xff" * 100,
        b"PK\x03\x04" + bytes(1000),
        pickle.dumps({"a": 1}),
        with_header(b"{}"),
        with_header(b"[]"),
        with_header(b"null"),
        with_header(b"\xff\xfe{}"),
        with_header('{"__metadata__":{"skcoad":"{}"}}'.encode("utf-16")),
        with_header(b'{"__metadata__":{}}'),
        with_header(b'{"__metadata__":[]}'),
        with_header(b'{"__metadata__":{"skcoad":1}}'),
        with_header(b'{"__metadata__":{"skcoad":"[]"}}'),
        with_header(b'{"__metadata__":{"skcoad":"{"}}'),
        with_header(b"[" * 100_000),
        with_header(nested(100_000)),
        with_header(b"9" * 10_000),
        (2**63 - 1).to_bytes(8, "little") + b"{}",
        (2**64 - 1).to_bytes(8, "little") + b"{}",
        with_header(b" " * (MAX_HEADER + 1)),
        safetensors.torch.save({"a": torch.zeros(3)}),
        safetensors.torch.save({"a": torch.zeros(3)}, {KEY: nested(100_000).decode()}),
        safetensors.torch.save({"a": torch.zeros(3)}, {KEY: '{"format": 1}'}),
    ],
    ids=lambda data: repr(data[:40]),
)
def test_other_files_are_invalid(data, load):
    with pytest.raises(InvalidDetectorError, match=r"detector\.safetensors: "):
        load(data)


@pytest.mark.parametrize("data", [b"", b'{"series": "a", "settings": {}}\n' * 1000])
def test_a_file_that_is_no_detector_is_not_called_truncated(data, load):
    with pytest.raises(InvalidDetectorError, match="no file of a detector, as save"):
        load(data)


def test_neither_a_folder_nor_a_pipe_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(InvalidDetectorError, match="no regular file"):
            CoADDetector.load(path)


def test_any_cut_of_a_file_is_invalid(valid, load):
    length = 8 + int.from_bytes(valid[:8], "little")
    near = range(length - 5, length + 5)
    for end in (*range(0, len(valid), 1009), *near, len(valid) - 1):
        with pytest.raises(InvalidDetectorError):
            load(valid[:end])


def test_a_file_is_not_read_when_it_is_longer_than_it_says(valid, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(valid)
    os.truncate(path, 2**42)  # sparse; more than any memory
    with pytest.raises(InvalidDetectorError, match="where the header says"):
        CoADDetector.load(path)


def test_tensors_larger_than_any_memory_are_invalid(valid, load):
    for size in (2**31, 2**48, 2**62, 2**64, 10**30):
        header = json.loads(valid[8 : 8 + int.from_bytes(valid[:8], "little")])
        header["model.scaler.center"]["shape"] = [size]
        header["model.scaler.center"]["data_offsets"][1] += 8 * size
        data = with_header(json.dumps(header).encode())
        with pytest.raises(InvalidDetectorError):
            load(data + bytes(1000))


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("format", [None, 0, -1, 1.0, "1", True, 1, 3]),
        ("skcoad", []),
        ("sha256", [None, "", "0", "a" * 64, "\ud800" * 64, 5]),
        ("parameters", [None, [], {"no such": 1}, {"self": 1}]),
        ("class", [None, 1, "", "NeighborsDetector"]),
        ("model", [None, 5, [], {}]),
        ("feature_names", ["abc", ["a", "b"], ["a", "b", 3], [], {}]),
        ("channel_names", ["abc", [1, 2], [1, 2, "3"], [1, 2, 3.0], [1, 2, True], {}]),
        ("n_iter", [-1, 0, 1.0, "3"]),
        ("threshold", [None, 1, "1", float("nan"), float("inf")]),
        ("mu", [None, float("nan")]),
        ("sigma", [None, float("inf")]),
    ],
    ids=str,
)
def test_metadata_of_other_values_are_invalid(key, values, valid, load):
    content, tensors = unpack(valid)
    for value in values:
        data = pack(content | {key: value}, tensors)
        if key == "sha256":
            data = safetensors.torch.save(
                tensors, {KEY: json.dumps(content | {key: value})}
            )
        with pytest.raises(InvalidDetectorError):
            load(data)
    optional = ("skcoad", "feature_names", "channel_names", "sha256", "n_iter")
    if key not in optional:
        del content[key]
        with pytest.raises(InvalidDetectorError):
            load(pack(content, tensors))


PLANS = [
    None,
    {},
    {"period": 25},
    {"period": 25, "window_size": 48, "patch_size": 4, "step": 12, "more": 1},
    *(
        dict(zip(("period", "window_size", "patch_size", "step"), sizes, strict=True))
        for sizes in [
            [25, 48, 4, 0],
            [25, 48, 5, 12],
            [25, 48, 4, 49],
            [49, 48, 4, 12],
            [25, 400, 4, 12],
            [25, 8, 4, 1],
            [25.0, 48, 4, 12],
            [True, 48, 4, 12],
            [10**30] * 4,
            [24, 48, 4, 12],
        ]
    ),
]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("plan", PLANS),
        ("n_timestamps", [None, 0, 199, 201, 10**9, 10**30, 200.0]),
        ("n_channels", [None, 0, 2, 4, 10**9, 10**30, True]),
        ("max_references", [None, -1, 0, 1, 10**30, 32.0]),
        ("more", [1]),
        ("network", [None, {}, 5, {"hidden_size": 4, "more": 1}]),
        ("network.hidden_size", [10**9, 10**30, 4.0, 0, -1, True, 8]),
        ("network.n_layers", [10**9, 3, 1, 0, 2.0]),
        ("network.encoder", ["gru", "no such", ["gru"], {}, None]),
        ("network.branches", ["time", 1]),
        ("network.masking", ["no such"]),
        ("network.fusion", [None]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_configurations_that_are_wrong_or_do_not_fit_are_invalid(
    name, values, valid, load
):
    for value in values:
        content, tensors = unpack(valid)
        place, _, inner = name.partition(".")
        if inner:
            content["model"][place][inner] = value
        else:
            content["model"][place] = value
        with pytest.raises(InvalidDetectorError):
            load(pack(content, tensors))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_size", 10**9),
        ("hidden_size", 10**30),
        ("hidden_size", 4.0),
        ("n_layers", 10**9),
        ("encoder", ["gru"]),
        ("encoder", {"gru": 1}),
        ("distortions", [["flip"]]),
        ("distortions", [{}]),
        ("distortions", "flip"),
        ("distortion_lengths", ["a", "b"]),
        ("distortion_lengths", [None, None]),
        ("score_by", "distance"),
        ("contamination", float("nan")),
        ("contamination", {}),
        ("device", 0),
        ("random_state", "seed"),
    ],
    ids=str,
)
def test_parameters_that_are_wrong_are_invalid(name, value, valid, load):
    content, tensors = unpack(valid)
    content["parameters"][name] = value
    with pytest.raises(InvalidDetectorError):
        load(pack(content, tensors))


def test_a_tensor_must_be_there_with_its_type_shape_and_finite_values(valid, load):
    content, tensors = unpack(valid)
    # Of the network's many, which are all treated alike, five; of channels, the first.
    left_out = [name for name in tensors if name.startswith("model.network.")][:-5]
    left_out += [name for name in tensors if ".1." in name]
    for name in tensors.keys() - left_out:
        tensor = tensors[name]
        others = {key: value for key, value in tensors.items() if key != name}
        short = re.escape(name.removeprefix("model."))
        with pytest.raises(
            InvalidDetectorError, match=rf"missing.*{short}|{short}.*mis"
        ):
            load(pack(content, others))
        wrong = [
            tensor.to(torch.bfloat16),
            tensor.to(torch.int32 if tensor.dtype == torch.int64 else torch.int64),
            tensor[None].contiguous(),
            torch.cat([tensor.flatten()] * 4),
            torch.zeros(0, 2**40, dtype=tensor.dtype),
        ]
        if tensor.is_floating_point():
            wrong.append(tensor.clone().fill_(torch.nan))
            wrong.append(tensor.clone().fill_(-torch.inf))
        else:
            wrong.append(tensor.view(torch.uint8) + 2)
        for other in wrong:
            with pytest.raises(InvalidDetectorError):
                load(pack(content, others | {name: other}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.scaler.scale", 0),
        ("model.scaler.scale", -1),
        ("model.neighbors.1.difference_scale", 0),
        ("model.neighbors.2.baselines", -1),
        ("model.neighbors.0.calibration.tails.0.tail_scale", 0),
        ("model.calibrations.1.scores.tail_scale", -1),
        ("model.calibrations.0.network.tail_scale", 1e-45),
        ("model.neighbors.1.index.components", 3e38),
        ("model.neighbors.1.series", 3e38),
    ],
)
def test_values_that_cannot_be_are_invalid(name, value, valid, load):
    content, tensors = unpack(valid)
    with pytest.raises(InvalidDetectorError):
        load(pack(content, tensors | {name: torch.full_like(tensors[name], value)}))


def test_quantiles_that_fall_are_invalid(valid, load):
    content, tensors = unpack(valid)
    name = "model.calibrations.0.scores.quantiles"
    tensors[name] = tensors[name].flip(-1).contiguous()
    with pytest.raises(InvalidDetectorError, match="fall"):
        load(pack(content, tensors))


def test_a_channel_may_have_a_name_of_zeros(tiny, wave, tmp_path):
    X = pd.DataFrame(wave(200, 1), columns=["0" * 64])
    tiny().fit(X).save(tmp_path / "file")
    loaded = CoADDetector.load(tmp_path / "file")
    assert loaded.feature_names_in_.tolist() == ["0" * 64]


@pytest.mark.parametrize(
    ("name", "value"),
    [("references.missing", True), ("network.to_points.weight", 3e38)],
)
def test_files_of_format_1_without_scores_are_invalid(name, value, load):
    old = next(p for p in FIXTURES if unpack(p.read_bytes())[0]["format"] == 1)
    content, tensors = unpack(old.read_bytes())
    tensors[name] = torch.full_like(tensors[name], value)
    with pytest.raises(InvalidDetectorError, match="no scores"):
        load(pack(content, tensors))


def test_bytes_that_are_no_bool_are_invalid(valid, load):
    content, tensors = unpack(valid)
    tensors["model.neighbors.0.missing"].view(torch.uint8)[0] = 7
    with pytest.raises(InvalidDetectorError, match="no bool"):
        load(pack(content, tensors))


def test_an_unknown_tensor_is_invalid(valid, load):
    content, tensors = unpack(valid)
    with pytest.raises(InvalidDetectorError, match="unknown tensors"):
        load(pack(content, tensors | {"more": torch.zeros(1)}))


# Chance


@settings(max_examples=300)
@given(data=st.data())
def test_no_change_of_any_bits_goes_unnoticed(data, valid, load):
    length = 8 + int.from_bytes(valid[:8], "little")
    place = st.one_of(st.integers(0, length), st.integers(0, len(valid) - 1))
    changed = bytearray(valid)
    for bit in data.draw(st.lists(place, min_size=1, max_size=4, unique=True)):
        changed[bit] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidDetectorError):
        load(bytes(changed))


@settings(max_examples=100)
@given(data=st.data())
def test_any_metadata_with_a_right_checksum_load_or_are_invalid(data, valid, load):
    content, tensors = unpack(valid)
    model = content["model"]
    places = [content, content["parameters"], model, model["network"], model["plan"]]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    try:
        loaded = load(pack(content, tensors))
    except InvalidDetectorError:
        return
    assert loaded.decision_scores_.shape == (200,)
    assert loaded.network_.residual_head.hidden.weight.shape == (4, 4)


def test_the_table_of_a_file_names_all_its_entries(valid):
    content, _ = unpack(valid)
    names = re.findall(r"^([a-z_]+(?:, [a-z_]+)*)  ", _persistence.__doc__, re.M)
    of_container = {"format", "skcoad", "sha256"}
    assert {name for row in names for name in row.split(", ")} == (
        content.keys() - of_container
    )


def test_another_process_gives_the_same_scores(fitted, valid, wave, tmp_path):
    X = pd.DataFrame(wave(120, 3, seed=2), columns=["a", "b", "c"])
    (tmp_path / "file").write_bytes(valid)
    X.to_pickle(tmp_path / "X")
    code = """
    import numpy as np
    import pandas as pd
    from skcoad import CoADDetector
    detector = CoADDetector.load("file")
    np.save("scores.npy", detector.decision_function(pd.read_pickle("X")))
    """
    code = textwrap.dedent(code)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    scores = np.load(tmp_path / "scores.npy")
    np.testing.assert_array_equal(scores, fitted.decision_function(X))


def test_a_detector_fitted_with_missing_rows_is_saved(tmp_path):
    time = pd.date_range("2024-01-01", periods=600, freq="h")
    X = pd.DataFrame({"load": np.sin(np.arange(600) / 4)}, index=time)
    X = X.drop(time[100:110])
    detector = NeighborsDetector().fit(X)
    detector.save(tmp_path / "detector.safetensors")
    loaded = NeighborsDetector.load(tmp_path / "detector.safetensors")
    assert len(loaded.decision_scores_) == 590
    np.testing.assert_array_equal(
        loaded.decision_function(X), detector.decision_function(X)
    )


@pytest.mark.parametrize(
    ("zone", "kept"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (dateutil.tz.gettz("Europe/Berlin"), "UTC"),  # it has no name
        (dateutil.tz.tzoffset("local", 7200), "UTC+02:00"),
    ],
    ids=str,
)
def test_times_of_any_zone_are_saved(zone, kept, wave, tmp_path):
    times = pd.date_range("2026-01-01", periods=400, freq="h", tz=zone)
    detector = NeighborsDetector(period=12).fit(pd.DataFrame(wave(), index=times))
    detector.save(tmp_path / "detector")
    loaded = NeighborsDetector.load(tmp_path / "detector").training_times_
    assert str(loaded.tz) == kept
    assert (loaded == times).all()
