import json
import os
import re
import threading
import tracemalloc
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config, register_parallel_backend
from joblib._parallel_backends import ThreadingBackend
from sklearn.ensemble import IsolationForest

import skcoad
from panel.detectors import Deadly, Deviation, Faulty
from skcoad import NeighborsDetector
from skcoad.datasets import Series
from skcoad.io._results import only_writer, read_results
from skcoad.model import InterruptedFitWarning
from skcoad.panel import Panel, detect_panel, open_panel, read_panel
from skcoad.panel._fingerprint import fingerprint
from skcoad.scoring import find_segments
from skcoad.thresholds import PeaksOverThreshold


def make_noise(seed, height=0.0, n=120):
    """Noise, with a bump of a height at 80 to 84."""
    x = np.random.default_rng(seed).normal(size=n)
    x[80:85] += height
    return x


@pytest.fixture
def panel():
    return {f"s{i}": make_noise(i, height) for i, height in enumerate((9, 0, 30, 12))}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "panel.jsonl"


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_segments_of_all_series_are_ranked_by_score(panel, n_jobs):
    found = detect_panel(panel, Deviation(6.0), train=60, n_jobs=n_jobs)
    assert found["series"].tolist() == ["s2", "s3", "s0", "s1"]
    assert found["score"].is_monotonic_decreasing
    assert found["start"].tolist()[:3] == [80, 80, 80]
    assert found["end"].tolist()[:3] == [84, 84, 84]
    assert pd.isna(found["start"][3])
    assert (found["threshold"] == 6.0).all()
    assert found["error"].isna().all()


def test_each_series_is_fitted_scored_and_searched_as_if_it_were_alone(panel):
    found = detect_panel(panel, Deviation(2.0), train=60)
    for name, x in panel.items():
        scores = Deviation().fit(x[:60, None]).decision_function(x[:, None])
        segments = find_segments(scores, 2.0, separation=5, limit=10, start=60)
        of_series = found[found["series"] == name].dropna(subset="start")
        assert of_series[["start", "end", "peak", "score"]].to_numpy().tolist() == [
            [s.start, s.stop - 1, s.peak, s.score] for s in segments
        ]


def test_without_training_rows_the_detector_is_fitted_on_all_that_it_searches(wave):
    x = wave(400)
    x[300:320] = 2.0
    detector = NeighborsDetector()
    found = detect_panel({"a": x}, detector)
    assert not hasattr(detector, "decision_scores_")
    detector.fit(x)
    assert found["score"][0] == detector.decision_scores_.max()
    assert found["threshold"][0] == detector.segment_threshold_
    pd.testing.assert_frame_equal(detect_panel({"a": x}), found)


def test_a_fitted_detector_scores_all_series_as_it_is(panel):
    shared = Deviation().fit(panel["s0"][:60, None])
    found = detect_panel(panel, shared, threshold=0.1, limit=1)
    for name, x in panel.items():
        assert (
            found.loc[found["series"] == name, "score"].item()
            == shared.decision_function(x[:, None]).max()
        )


def test_positions_of_channels_are_whole_numbers_whatever_was_found(wave):
    x = wave(400)
    series = {"plain": x.copy(), "with a bump": x.copy()}
    series["with a bump"][200:220] = 5
    detector = NeighborsDetector(period=25).fit(x)
    threshold = detector.decision_scores_.max()
    for names in (["plain", "with a bump"], ["plain"], ["with a bump"]):
        chosen = {name: series[name] for name in names}
        channels = detect_panel(chosen, detector, threshold=threshold)["channel"]
        assert channels.dtype == "Int64"
        assert channels.isna().any() == ("plain" in names)


def test_threshold_and_limit_are_for_each_series(panel):
    found = detect_panel(panel, Deviation(), threshold=0.5, limit=3)
    assert found.groupby("series").size().tolist() == [3, 3, 3, 3]
    assert (found["threshold"] == 0.5).all()
    found = detect_panel(panel, Deviation(), threshold=0.5, limit=None)
    assert (found.groupby("series").size() > 3).all()


def test_segments_have_the_times_of_the_series(panel):
    time = pd.date_range("2024-01-01", periods=120, freq="h")
    frame = pd.DataFrame(panel, index=time)
    found = detect_panel(frame, Deviation(6.0), train=time[60])
    assert found["start"].tolist()[:3] == [time[80]] * 3
    assert found["start"].dtype.kind == "M"
    rows = detect_panel(frame.reset_index(drop=True), Deviation(6.0), train=60)
    assert rows["score"].tolist() == found["score"].tolist()
    numbered = frame.set_index(np.arange(120) * 0.5)
    assert detect_panel(numbered, Deviation(6.0), train=60)["end"][0] == 42.0


@pytest.fixture
def local(wave):
    """Hourly rows over the change to winter time, with a flat part."""
    x = wave(600)
    x[450:470] = 2.0
    time = pd.date_range("2024-10-20", periods=600, freq="h", tz="Europe/Berlin")
    return pd.DataFrame(x, columns=["load"], index=time)


@pytest.mark.parametrize("detector", [NeighborsDetector(), Deviation(1.5)])
def test_segments_are_in_the_zone_of_the_series(local, out, detector):
    found = detect_panel({"a": local}, detector, train=300, limit=1, out=out)
    assert str(found["peak"].dtype.tz) == "Europe/Berlin"
    assert found["peak"][0] in local.index
    segment = local[found["start"][0] : found["end"][0]]
    assert (segment["load"] == 2.0).any()
    pd.testing.assert_frame_equal(read_panel(out), found)
    long = local.rename_axis("ds").reset_index().assign(unique_id="a")
    pd.testing.assert_frame_equal(
        detect_panel(long, detector, train=300, limit=1), found
    )


def test_series_of_several_zones_have_their_own_times(local, out):
    frames = {
        "Berlin": local,
        "fixed": local.tz_convert("+05:30"),
        "none": local.tz_localize(None)[200:],
    }
    found = detect_panel(frames, Deviation(1.5), train=200, limit=1, out=out)
    for name, frame in frames.items():
        row = found[found["series"] == name].iloc[0]
        assert str(row["peak"]) in frame.index.astype(str)
    pd.testing.assert_frame_equal(read_panel(out), found)


def test_a_training_time_is_of_the_zone_of_the_series(local, out):
    detect_panel({"a": local}, Deviation(), train="2024-10-28", out=out)
    n_before = (local.index < pd.Timestamp("2024-10-28", tz="Europe/Berlin")).sum()
    assert read_results(out)[0]["n_train"] == n_before == 193
    # The hour from 2 to 3 came twice; 2024-10-27 02:00 is the first of them.
    found = detect_panel({"a": local}, Deviation(), train="2024-10-27T02:00")
    assert found["error"].isna().all()
    early = detect_panel({"a": local}, Deviation(), train="2024-10-20")
    limits = "2024-10-20 00:00+02:00 and 2024-11-13 22:00+01:00"
    assert f"train=2024-10-20 is not between {limits}" in early["error"][0]


@pytest.fixture
def timed(wave):
    """Two channels in hourly rows of which two are missing, with a flat part."""
    x = wave(400, n_channels=2)
    x[300:320, 1] = 2.0
    time = pd.date_range("2024-01-01", periods=400, freq="h")
    return pd.DataFrame(x, columns=["flow", "heat"], index=time).drop(time[[50, 350]])


WHY = ["start", "peak", "end", "score", "channel", "component", "reason"]


def test_the_table_is_that_of_find_segments(timed, out):
    train = timed.index[200]
    found = detect_panel({"pump": timed}, train=train, threshold=3.0, out=out)
    detector = NeighborsDetector(contamination=0.01).fit(timed[:200])
    alone = detector.find_segments(timed, threshold=3.0, limit=10, start=200)
    assert list(found) == ["series", *WHY, "threshold", "missing", "error"]
    pd.testing.assert_frame_equal(found[WHY], alone, check_dtype=False)
    assert found["channel"][0] == "heat"
    pd.testing.assert_frame_equal(read_panel(out), found)


def test_a_rate_by_time_needs_times_and_has_those_of_the_series(
    timed, wave, monkeypatch
):
    fitted = []
    fit_model = NeighborsDetector._fit_model

    def counted(detector, X, plan):
        fitted.append(len(X))
        return fit_model(detector, X, plan)

    monkeypatch.setattr(NeighborsDetector, "_fit_model", counted)
    detector = NeighborsDetector(contamination=PeaksOverThreshold("1 per week"))
    found = detect_panel({"rows": wave(400, n_channels=2), "times": timed}, detector)
    assert (
        found["error"]
        .iloc[-1]
        .startswith("ValueError: false_alarms='1 per week' needs the times of the rows")
    )
    assert fitted == [400]  # the other, and at once, since all is searched
    by_rows = PeaksOverThreshold("1 per 168 rows", held_back=0)
    alone = NeighborsDetector(contamination=by_rows).fit(timed)
    assert found["threshold"][0] == pytest.approx(alone.threshold_, rel=1e-12)
    assert detector.contamination.held_back == 0.5


def test_what_is_new_to_a_detector_is_compared_with_what_it_held_back(timed):
    detector = NeighborsDetector(contamination=PeaksOverThreshold("1 per week"))
    found = detect_panel({"pump": timed}, detector, train=timed.index[200])
    assert found["threshold"][0] == detector.fit(timed[:200]).threshold_


def test_results_of_a_version_without_reasons_are_read_and_resumed(timed, out):
    arguments = {"train": 200, "threshold": 3.0, "out": out}
    found = detect_panel({"pump": timed}, **arguments)
    (result,) = read_results(out)
    for segment in result["segments"]:
        for name in ("channel", "component", "reason"):
            del segment[name]
    out.write_text(json.dumps(result) + "\n")
    earlier = detect_panel({"pump": timed}, **arguments)
    assert earlier["channel"].isna().all()
    kept = ["series", "start", "peak", "end", "score"]
    pd.testing.assert_frame_equal(earlier[kept], found[kept])


def test_labels_of_each_kind_come_back_as_they_were(panel):
    times = pd.date_range("2024-01-01", periods=120, freq="h")
    labels = {"s0": times, "s2": times - times[0], "s3": np.arange(120) * 0.5}
    frames = {n: pd.DataFrame({"v": panel[n]}, labels[n]) for n in labels}
    for name, frame in frames.items():
        found = detect_panel({name: frame}, Deviation(6.0), train=60)
        assert found["start"][0] == labels[name][80]
    together = detect_panel(frames, Deviation(6.0), train=60).set_index("series")
    for name in labels:
        assert together["end"][name] == labels[name][84]


TEXT = {
    "names": [f"row{row}" for row in range(120)],
    "numbers": [str(1000 + row) for row in range(120)],
    "durations": [f"P{row}D" for row in range(120)],
    "mixed": [row if row % 2 else f"row{row}" for row in range(120)],
}


@pytest.mark.parametrize("kind", TEXT)
@pytest.mark.parametrize("detector", [Deviation(6.0), NeighborsDetector(period=5)])
def test_labels_of_text_stay_text(panel, out, kind, detector):
    frame = pd.DataFrame({"v": panel["s0"]}, index=TEXT[kind])
    arguments = {"train": 60, "threshold": 3.0, "out": out}
    found = detect_panel({"s0": frame, "s2": panel["s2"]}, detector, **arguments)
    of_text = found[found["series"] == "s0"]
    assert of_text[["start", "peak", "end"]].isin(TEXT[kind]).all(axis=None)
    again = detect_panel({"s0": frame, "s2": panel["s2"]}, detector, **arguments)
    pd.testing.assert_frame_equal(again, found)
    pd.testing.assert_frame_equal(read_panel(out), found)


def test_rows_before_a_time_are_found_among_dates_of_python(panel):
    days = pd.date_range("2024-01-01", periods=120).date
    frame = pd.DataFrame({"v": panel["s0"]}, index=days)
    found = detect_panel({"s0": frame}, Deviation(6.0), train="2024-03-01")
    assert found["error"].isna().all()
    assert found["start"][0] == pd.Timestamp(days[80])


@pytest.mark.parametrize("names", [["flow", "heat"], None])
def test_a_fitted_detector_compares_names_that_it_has(timed, names):
    fitted_on = timed[:200] if names else timed[:200].to_numpy()
    shared = NeighborsDetector().fit(fitted_on)
    swapped = {"a": timed, "b": timed[["heat", "flow"]]}
    found = detect_panel(swapped, shared, threshold=3.0).set_index("series")
    if names:
        assert "feature names should match" in found["error"]["b"]
        assert found["channel"]["a"] == "heat"
    else:
        assert found["error"].isna().all()
        assert found["channel"]["a"] == 1


def test_a_detector_of_one_channel_scores_every_column(timed):
    shared = NeighborsDetector().fit(timed[["flow"]][:200])
    found = detect_panel(timed, shared, train=200, threshold=3.0)
    assert found["error"].isna().all()
    assert found["series"][0] == "heat"


@pytest.mark.parametrize("train", ["2024-01-03T12:00", "2024-01-03 13:00+01:00"])
def test_training_rows_are_those_before_a_time(panel, out, train):
    long = pd.DataFrame(panel).melt(var_name="unique_id", value_name="y")
    time = pd.date_range("2024-01-01", periods=120, freq="h")
    long["ds"] = [*time, *time[::-1], *time, *time]
    detect_panel(long, Deviation(), train=train, out=out)
    assert [r["n_train"] for r in read_results(out)] == [60] * 4


@pytest.mark.parametrize(
    ("train", "error"),
    [
        (120, "fitting on the first 120 of 120 timestamps leaves none to search"),
        ("2024-02-01", "train=2024-02-01 needs dates, and a has none"),
    ],
)
def test_training_rows_that_are_none_are_failures_of_the_series(panel, train, error):
    found = detect_panel({"a": panel["s0"]}, Deviation(), train=train)
    assert error in found["error"][0]


def test_a_training_time_is_read_as_those_of_a_table_are(panel):
    time = pd.date_range("2024-03-01", periods=120, freq="h")
    frame = pd.DataFrame({"a": panel["s0"]}, index=time)
    found, *others = (
        detect_panel(frame, Deviation(), train=train)
        for train in ("2024-03-04", "04.03.2024", "4 March 2024")
    )
    assert found["error"].isna().all()
    for other in others:
        pd.testing.assert_frame_equal(other, found)
    with pytest.raises(ValueError, match="train=3/4/2024: '3/4/2024' can be read in"):
        detect_panel(frame, Deviation(), train="3/4/2024")


def test_what_was_not_observed_is_in_the_table_and_in_the_file(timed, out):
    empty = timed.assign(flow=np.nan)
    ended = timed.assign(heat=timed["heat"].where(timed.index < timed.index[250]))
    series = {"whole": timed, "empty": empty, "ended": ended}
    found = detect_panel(series, train=timed.index[200], threshold=3.0, out=out)
    assert found["error"].isna().all()
    missing = found.groupby("series")["missing"].unique()
    # A row of 199 is not there; of `heat`, 148 others have no value.
    assert missing["whole"].tolist() == [1 / 199]
    assert missing["empty"].tolist() == [1.0]
    assert missing["ended"].tolist() == [149 / 199]
    pd.testing.assert_frame_equal(read_panel(out), found)
    # A detector that is fitted takes what it was fitted to.
    shared = NeighborsDetector().fit(timed[:200])
    of_shared = detect_panel({"empty": empty}, shared, train=200)
    assert of_shared["error"].isna().all()
    # Results of earlier versions say nothing of it.
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    old = [{k: v for k, v in line.items() if k != "missing"} for line in lines]
    out.write_text("".join(json.dumps(line) + "\n" for line in old))
    again = detect_panel(series, train=timed.index[200], threshold=3.0, out=out)
    assert again["missing"].isna().all()
    pd.testing.assert_frame_equal(
        again.drop(columns="missing"), found.drop(columns="missing")
    )


def test_a_time_before_the_first_row_is_a_failure(panel):
    time = pd.date_range("2024-01-01", periods=120, freq="h")
    frame = pd.DataFrame({"a": panel["s0"]}, index=time)
    found = detect_panel(frame, Deviation(), train="2024-01-01")
    limits = "2024-01-01 00:00 and 2024-01-05 23:00"
    assert f"train=2024-01-01 is not between {limits}" in found["error"][0]


def test_failures_are_recorded_and_the_others_go_on(panel, out):
    for number in range(1, 5):
        panel[f"s{number}"] = make_noise(number)
        panel[f"s{number}"][0] = number
    panel["text"] = ["a"] * 120
    panel["last"] = make_noise(9, 30)
    found = detect_panel(panel, Faulty(6.0), train=60, out=out)
    errors = found.dropna(subset="error").set_index("series")["error"].to_dict()
    assert errors.pop("text").startswith("ValueError: could not convert string")
    assert errors == {
        "s1": "MemoryError: no room",
        "s2": "SystemExit: 0",
        "s3": "ValueError: expected 120 scores, got shape (3,)",
        "s4": "ValueError: scores must be finite, got nan at 0",
    }
    assert found["series"].tolist() == ["last", "s0", "s1", "s2", "s3", "s4", "text"]
    results = {result["series"]: result for result in read_results(out)}
    assert "in fit" in results["s1"]["traceback"]
    assert len(results) == 7


@pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX")
def test_a_series_that_kills_its_process_is_recorded_and_the_others_go_on(panel, out):
    panel |= {f"t{i}": make_noise(10 + i) for i in range(8)}
    panel["s1"][0] = 1
    found = detect_panel(panel, Deadly(None), limit=1, out=out, n_jobs=2)
    assert len(read_results(out)) == 12
    failed = found.dropna(subset="error")
    assert failed["series"].tolist() == ["s1"]
    assert failed["error"].item().startswith("TerminatedWorkerError: ")
    del panel["s1"]
    expected = detect_panel(panel, Deviation(), limit=1)
    pd.testing.assert_frame_equal(found[:-1], expected, check_dtype=False)


def test_a_panel_of_failures_alone_is_a_table_too():
    found = detect_panel({"a": make_noise(0)}, Deviation(), train=500)
    assert found["start"].isna().all()
    assert len(found) == 1


@pytest.fixture
def fits(monkeypatch):
    """The first value of each series that was fitted."""
    firsts = []
    fit = Deviation.fit

    def counted(detector, X):
        firsts.append(X[0, 0])
        return fit(detector, X)

    monkeypatch.setattr(Deviation, "fit", counted)
    return firsts


def test_results_in_the_file_are_not_computed_again(panel, out, fits):
    first = {name: panel[name] for name in ("s0", "s2")}
    detect_panel(first, Deviation(6.0), train=60, out=out)
    before = out.read_bytes()
    found = detect_panel(panel, Deviation(6.0), train=60, out=out)
    assert fits == [panel[name][0] for name in ("s0", "s2", "s1", "s3")]
    assert out.read_bytes().startswith(before)
    pd.testing.assert_frame_equal(found, detect_panel(panel, Deviation(6.0), train=60))
    ranked = read_panel(out)
    pd.testing.assert_frame_equal(ranked, found)
    after = out.read_bytes()
    detect_panel(panel, Deviation(6.0), train=60, out=out)
    assert out.read_bytes() == after


def longer(frame):
    return pd.concat([frame, frame[-1:].set_axis(frame.index[-1:] + frame.index.freq)])


CHANGES = {
    "value": lambda frame: frame.assign(v=frame["v"].where(frame["v"] > -1, -1)),
    "times": lambda frame: frame.set_axis(frame.index + pd.Timedelta("1h")),
    "last time": lambda frame: frame.set_axis(
        frame.index[:-1].append(frame.index[-1:] + pd.Timedelta("10min"))
    ),
    "zone": lambda frame: frame.tz_localize("UTC"),
    "name": lambda frame: frame.set_axis(["w"], axis=1),
    "rows": longer,
    "no times": lambda frame: frame.to_numpy(),
    "training part": lambda frame: Series(frame, np.zeros(120, int), 50, "a", ["v"]),
    "unreadable": lambda frame: ["text"] * 120,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_series_whose_data_changed_is_computed_again(panel, out, fits, change):
    hours = pd.date_range("2024-01-01", periods=120, freq="h")
    frames = {n: pd.DataFrame({"v": panel[n]}, index=hours) for n in ("s0", "s2")}
    detect_panel(frames, Deviation(6.0), out=out)
    before, n_fits = out.read_bytes(), len(fits)
    changed = frames | {"s0": CHANGES[change](frames["s0"])}
    found = detect_panel(changed, Deviation(6.0), out=out)
    assert len(fits) == n_fits + (change != "unreadable")
    assert out.read_bytes().startswith(before)
    assert len(read_results(out)) == 3
    # The last result counts, here and for a reader.
    pd.testing.assert_frame_equal(found, detect_panel(changed, Deviation(6.0)))
    pd.testing.assert_frame_equal(read_panel(out), found)
    after = out.read_bytes()
    detect_panel(changed, Deviation(6.0), out=out)
    assert out.read_bytes() == after


def test_labels_that_are_objects_have_one_fingerprint_in_all_processes():
    frame = pd.DataFrame({"v": [1.0, 2.0]}, index=["a" * 2, "b"])
    twin = pd.DataFrame({"v": [1.0, 2.0]}, index=["".join("aa"), "b"])
    one, other = (open_panel({"a": f}).read(0) for f in (frame, twin))
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(replace(one, timestamps=["a", "c"]))


def test_results_of_a_version_without_fingerprints_are_computed_again(panel, out, fits):
    found = detect_panel(panel, Deviation(6.0), out=out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    for line in lines:
        del line["fingerprint"]
    out.write_text("".join(json.dumps(line) + "\n" for line in lines))
    pd.testing.assert_frame_equal(read_panel(out), found)
    pd.testing.assert_frame_equal(detect_panel(panel, Deviation(6.0), out=out), found)
    assert len(fits) == 8


def test_a_file_has_results_of_one_setting_whatever_the_series(panel, out):
    detect_panel({"a": panel["s0"]}, Deviation(6.0), train=60, out=out)
    with open(out, "a") as file:
        file.write('{"series": "cut')
    before = out.read_bytes()
    with pytest.raises(
        ValueError, match="threshold None instead of 1, train 60 instead"
    ):
        detect_panel({"b": panel["s0"]}, Deviation(6.0), train=50, threshold=1, out=out)
    assert out.read_bytes() == before


def test_results_of_another_threshold_of_the_same_detector_are_refused(panel, out):
    detector = NeighborsDetector(period=25).fit(panel["s0"])
    before = detect_panel(panel, detector, out=out)
    pd.testing.assert_frame_equal(detect_panel(panel, detector, out=out), before)
    detector.segment_threshold_ = 9.0
    with pytest.raises(ValueError, match=r"with threshold .* instead of 9.0"):
        detect_panel(panel, detector, out=out)


def test_an_error_code_hides_no_period_of_a_detector_without_one(wave, monkeypatch):
    asked = []

    def noted(scores, threshold, *, separation, **how):
        asked.append(separation)
        return find_segments(scores, threshold, separation=separation, **how)

    monkeypatch.setattr("skcoad.scoring.find_segments", noted)
    monkeypatch.setattr(Deviation, "period_", None)
    x = wave(500)
    x[400] = 65535
    detect_panel({"a": x}, Deviation(), train=100)
    assert asked == [25]


def test_a_run_cut_off_anywhere_is_completed(panel, out):
    whole = detect_panel(panel, Deviation(6.0), train=60, out=out)
    content = out.read_bytes()
    for length in range(0, len(content), 97):
        out.write_bytes(content[:length])
        found = detect_panel(panel, Deviation(6.0), train=60, out=out)
        pd.testing.assert_frame_equal(found, whole)
        assert len(read_results(out)) == 4


def test_an_interrupt_ends_the_run_and_what_was_finished_is_kept(panel, out):
    def read(index):
        if index == 2:
            raise KeyboardInterrupt
        return Series(panel[f"s{index}"], np.zeros(120, int), 0, f"s{index}")

    with pytest.raises(KeyboardInterrupt):
        detect_panel(Panel(list(panel), read), Deviation(), out=out)
    assert len(read_results(out)) <= 2
    assert len(detect_panel(panel, Deviation(), out=out)["series"].unique()) == 4


def test_a_fit_that_an_interrupt_ends_early_ends_the_run(panel, out):
    class Interrupted(Deviation):
        def fit(self, X):
            warnings.warn("after 50 steps", InterruptedFitWarning, stacklevel=1)
            return super().fit(X)

    with pytest.raises(KeyboardInterrupt):
        detect_panel(panel, Interrupted(), out=out)
    assert read_results(out) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": 50}, "has results with train 60 instead of 50: use another file"),
        ({"threshold": 1.0}, "threshold None instead of 1.0: use"),
        ({"limit": 3}, "limit 10 instead of 3: use"),
        ({"detector": Deviation(5.0)}, "with limit 6.0 instead of 5.0: use"),
        ({"detector": Faulty(6.0)}, "with detector Deviation instead of Faulty: use"),
        (
            {"detector": Deviation(6.0).fit(make_noise(0)[:, None])},
            "with another fit of the detector, threshold",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_results_of_other_settings_are_an_error(panel, out, changes, message):
    arguments = {"detector": Deviation(6.0), "train": 60, "out": out}
    detect_panel(panel, **arguments)
    before = out.read_bytes()
    with pytest.raises(ValueError, match=message):
        detect_panel(panel, **arguments | changes)
    assert out.read_bytes() == before


def test_a_run_that_shows_its_progress_goes_on_with_one_that_does_not(wave, out):
    panel = {"a": wave(400)}
    detect_panel(panel, NeighborsDetector(), out=out)
    before = out.read_bytes()
    detect_panel(panel, NeighborsDetector(verbose=1), out=out)
    assert out.read_bytes() == before


def test_two_fitted_detectors_are_told_apart_and_one_is_known_again(panel, out):
    shared = [Deviation().fit(make_noise(seed)[:, None]) for seed in (0, 0, 1)]
    detect_panel(panel, shared[0], out=out)
    detect_panel(panel, shared[1], out=out)
    with pytest.raises(ValueError, match="another fit of the detector"):
        detect_panel(panel, shared[2], out=out)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("notes", "is not a results file"),
        ("notes\n", "line 1: Expecting value"),
        (
            '{"series": "a", "error": null}\n',
            "line 1: not a result of a panel: no 'label_kind'",
        ),
        ('{"detector": "A", "series": "s0", "error": "E"}\n', "no 'settings'"),
        (
            '{"series": [1], "settings": {}, "error": "E"}\n',
            r"line 1: not a result of a panel: the name of the series is \[1\]",
        ),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_alone(
    panel, out, content, message
):
    out.write_text(content)
    with pytest.raises(ValueError, match=message):
        detect_panel(panel, Deviation(), out=out)
    assert out.read_text() == content


def test_a_second_run_on_one_file_is_an_error(panel, out):
    with only_writer(out), pytest.raises(BlockingIOError, match="another run"):
        detect_panel(panel, Deviation(), out=out)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"detector": Deviation}, TypeError, "got the class Deviation"),
        ({"detector": "x"}, TypeError, "must have a method fit, got 'x'"),
        ({"limit": 0}, ValueError, "limit must be at least 1, got 0"),
        ({"limit": 1.5}, ValueError, r"limit must be an integer, got 1\.5"),
        ({"detector": IsolationForest()}, TypeError, "PyOD's .* Isol"),
        ({"threshold": "3"}, ValueError, "threshold must be a number, got '3'"),
        ({"threshold": np.nan}, ValueError, "threshold must be finite, got nan"),
        ({"train": -1}, ValueError, "train must be at least 0, got -1"),
        ({"train": 1.5}, ValueError, "a share is between 0 and 1, got train=1.5"),
        ({"train": "foo"}, ValueError, "a share or a time, and 'foo' is no time"),
        ({"train": pd.NaT}, ValueError, "and NaT is no time"),
        ({"train": True}, ValueError, "a share or a time, got True; 0 fits on all"),
        ({"train": np.True_}, ValueError, "a share or a time, got True"),
    ],
)
def test_invalid_arguments_are_errors_before_anything_is_run(
    panel, out, arguments, error, message
):
    with pytest.raises(error, match=message):
        detect_panel(panel, out=out, **arguments)
    assert not out.exists()


class WithoutGenerator(ThreadingBackend):
    """A backend that returns lists only, as ray's."""

    supports_return_generator = False


@pytest.mark.parametrize("backend", ["threading", "lists"])
def test_parallel_config_chooses_the_backend(panel, backend):
    register_parallel_backend("lists", WithoutGenerator)
    with parallel_config(backend, n_jobs=2):
        found = detect_panel(panel, Deviation(6.0), train=60)
    pd.testing.assert_frame_equal(found, detect_panel(panel, Deviation(6.0), train=60))


@pytest.mark.parametrize("backend", [None, "lists"])
def test_few_series_are_in_memory_at_once(backend):
    """Series that were read and not yet let go, at any time."""
    alive, most, lock = set(), 0, threading.Lock()

    class Counted(Series):
        def __del__(self):
            with lock:
                alive.discard(self.name)

    def read(index):
        nonlocal most
        with lock:
            alive.add(f"s{index}")
            most = max(most, len(alive))
        return Counted(make_noise(index), np.zeros(120, int), 0, f"s{index}")

    panel = Panel([f"s{index}" for index in range(100)], read)
    register_parallel_backend("lists", WithoutGenerator)
    with parallel_config(backend or "threading", n_jobs=2):
        found = detect_panel(panel, Deviation(), limit=1)
    assert len(found) == 100
    assert most <= 16


def test_memory_does_not_grow_with_the_number_of_series():
    """But by the table: about 5 KB a series of 80 KB here."""

    def peak(n_series):
        def read(index):
            values = np.random.default_rng(index).normal(size=10_000)
            return Series(values, np.zeros(10_000, int), 0, f"s{index}")

        panel = Panel([f"s{index}" for index in range(n_series)], read)
        tracemalloc.start()
        detect_panel(panel, Deviation(), limit=1)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(2)
    few, many = peak(10), peak(60)
    assert many - few < 50 * 10_000


def test_progress_is_shown_on_request(panel, capsys):
    detect_panel(panel, Deviation())
    assert capsys.readouterr().err == ""
    detect_panel(panel, Deviation(), verbose=True)
    assert "4/4" in capsys.readouterr().err


def test_lines_of_the_file_say_what_was_done(panel, out):
    detect_panel({"a": panel["s0"]}, Deviation(6.0), train=60, out=out)
    (result,) = read_results(out)
    assert result["settings"] == {
        "detector": "Deviation",
        "parameters": {"limit": 6.0},
        "fitted": None,
        "train": 60,
        "threshold": None,
        "limit": 10,
    }
    counts = ("n_timestamps", "n_channels", "n_train")
    assert [result[name] for name in counts] == [120, 1, 60]
    assert result["segments"][0]["start"] == 80
    assert result["error"] is None
    assert result["version"] == skcoad.__version__
    assert re.fullmatch("[0-9a-f]{32}", result["fingerprint"])
