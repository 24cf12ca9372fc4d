"""A page holds the series as it is, and no name becomes markup."""

import base64
import json
import re
from importlib import util

import numpy as np
import pandas as pd
import pytest

from skcoad import NeighborsDetector
from skcoad.report import Channel, PageContent, Report, _arrays, check_plotly

pytest.importorskip("plotly", reason="plotly is not installed")

HOSTILE = "</script><img src=x onerror=alert(1)> {{data}} & `b`"


def data_of(report):
    """Read what a page draws."""
    text = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', report.html, re.S
    )
    return json.loads(text[1])


def numbers(text, dtype="<f4"):
    return np.frombuffer(base64.b64decode(text), dtype)


def page(values, score=None, index=None, **how):
    values = np.asarray(values, float)
    score = np.ones(len(values)) if score is None else score
    index = pd.RangeIndex(len(values)) if index is None else index
    channel = Channel(HOSTILE, values, values + 1, score, 0.5)
    arguments = {"title": HOSTILE, "threshold": 2.0, "start": 0, "segments": []} | how
    return Report(
        PageContent(index=index, channels=[channel], score=score, **arguments)
    )


@pytest.fixture(scope="module")
def anomalous(wave):
    X = wave(900, 2)
    X[700:740, 1] = 0.31
    X[600:603] = np.nan
    index = pd.date_range("2024-03-01", periods=900, freq="h")
    return pd.DataFrame(X, index=index, columns=["flow", HOSTILE])


@pytest.fixture(scope="module")
def detector(anomalous):
    return NeighborsDetector(contamination=0.002).fit(anomalous[:500])


@pytest.fixture(scope="module")
def report(detector, anomalous):
    return detector.report(anomalous, title=HOSTILE, start=500)


def test_a_page_loads_nothing_and_no_name_is_markup(report):
    markup = re.sub(r"(?s)<script>.*?</script>", "", report.html)
    assert not re.search(r"""(src|href)=["'](?!data:)""", markup)
    assert "default-src 'none'" in markup
    assert "<img" not in markup
    assert markup.count("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;") == 2
    assert data_of(report)["channels"][1]["name"] == HOSTILE


def test_a_page_holds_series_score_and_threshold(report, detector, anomalous):
    data = data_of(report)
    assert data["n_timestamps"] == 900
    assert data["width"] == 1
    assert data["start"] == 500
    assert data["threshold"] == detector.segment_threshold_
    milliseconds = anomalous.index.as_unit("ms").asi8
    np.testing.assert_array_equal(numbers(data["x"], "<f8"), milliseconds)
    scores = detector.decision_function(anomalous)
    np.testing.assert_allclose(numbers(data["score"]), scores, rtol=1e-6)
    for channel, name in zip(data["channels"], anomalous, strict=True):
        values = numbers(channel["low"]) + channel["center"]
        np.testing.assert_allclose(values, anomalous[name], rtol=1e-5, atol=1e-6)
        expected = numbers(channel["expected_low"]) + channel["center"]
        deviation = np.abs(expected - anomalous[name])[
            scores <= detector.segment_threshold_
        ]
        assert np.mean(deviation > channel["tolerance"]) <= 0.012


def test_segments_are_those_of_the_detector_and_add_up(report, detector, anomalous):
    segments = data_of(report)["segments"]
    found = detector.find_segments(anomalous, start=500)
    assert len(segments) == len(found) > 0
    for segment, row in zip(segments, found.itertuples(), strict=True):
        assert anomalous.index[segment["start"]] == row.start
        assert anomalous.index[segment["stop"] - 1] == row.end
        assert anomalous.index[segment["peak"]] == row.peak
        assert segment["score"] == row.score
        assert segment["channel"] == row.channel
        assert segment["reason"] == row.reason
        assert row.channel in segment["summary"]
        assert segment["details"][0]["channel"] == list(anomalous).index(row.channel)
        total = sum(part["value"] for part in segment["parts"])
        assert total == pytest.approx(segment["score"], abs=1e-9)
        for detail in segment["details"]:
            values, _, nearest = (numbers(text, "<f8") for text in detail["arrays"])
            shown = anomalous.iloc[detail["start"] : detail["start"] + len(values)]
            np.testing.assert_array_equal(values, shown.iloc[:, detail["channel"]])
            assert np.nanmax(np.abs(nearest)) < 2
    assert segments[0]["channel"] == HOSTILE
    assert "was flat at 0.31" in segments[0]["summary"]


@pytest.mark.parametrize("holed", [False, True])
def test_what_is_at_hand_is_not_computed_again(detector, anomalous, holed, monkeypatch):
    X = anomalous.drop(anomalous.index[620:630]) if holed else anomalous
    once = detector.report(X, start=500)
    scores, expected = detector.channel_scores(X, return_expected=True)
    monkeypatch.setattr(type(detector), "_score_channels", None)
    again = detector.report(X, start=500, channel_scores=scores, expected=expected)
    assert data_of(again) == data_of(once)


def test_scores_and_expected_values_are_given_together(detector, anomalous):
    scores, expected = detector.channel_scores(anomalous, return_expected=True)
    with pytest.raises(ValueError, match="channel_scores and expected go together"):
        detector.report(anomalous, channel_scores=scores)
    with pytest.raises(ValueError, match="expected must have the shape of X"):
        detector.report(anomalous, channel_scores=scores, expected=expected[:9])


def test_rows_that_are_missing_in_time_are_shown_as_missing(detector, anomalous):
    holed = detector.report(anomalous.drop(anomalous.index[620:630]), start=500)
    data = data_of(holed)
    assert data["n_timestamps"] == 900
    assert np.isnan(numbers(data["channels"][0]["low"])[620:630]).all()


@pytest.mark.parametrize("n", [7, 100, 101])
def test_of_a_long_series_the_extremes_of_each_bucket_are_kept(n, monkeypatch):
    monkeypatch.setattr(_arrays, "MAX_NUMBERS", 3 * n - 1)
    rng = np.random.default_rng(0)
    values, score = rng.normal(size=n), rng.uniform(size=n)
    values[3] = np.nan
    data = data_of(page(values, score))
    width = data["width"]
    assert width > 1
    (channel,) = data["channels"]
    kept = {
        name: numbers(channel[name]) + channel["center"]
        for name in ("low", "high", "expected_low", "expected_high")
    }
    buckets = [slice(i, i + width) for i in range(0, n, width)]
    for i, bucket in enumerate(buckets):
        assert kept["low"][i] == pytest.approx(np.nanmin(values[bucket]), abs=1e-6)
        assert kept["high"][i] == pytest.approx(np.nanmax(values[bucket]), abs=1e-6)
        assert kept["expected_high"][i] == pytest.approx(kept["high"][i] + 1, abs=1e-6)
        assert numbers(data["score"])[i] == np.float32(score[bucket].max())
    assert 5 * len(buckets) <= 3 * n - 1 or n == 7


def test_small_changes_of_large_values_are_kept():
    values = 1e9 + np.sin(np.arange(50.0))
    (channel,) = data_of(page(values))["channels"]
    shown = numbers(channel["low"]).astype(float) + channel["center"]
    np.testing.assert_allclose(shown, values, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("index", "dates", "label"),
    [
        (pd.RangeIndex(50), False, ""),
        (pd.Index(list("ab") * 25), False, "timestamp"),
        (pd.timedelta_range("0s", periods=50, freq="s"), False, "s"),
        (pd.date_range("2024", periods=50, freq="h"), True, ""),
        (
            pd.date_range("2024", periods=50, freq="h", tz="Asia/Tokyo"),
            True,
            "Asia/Tokyo",
        ),
        # The clock is set back, so that an hour is there twice.
        (
            pd.date_range("2024-10-27", periods=50, freq="30min", tz="Europe/Berlin"),
            True,
            "UTC",
        ),
        (pd.period_range("2024-01", periods=50, freq="M"), True, ""),
    ],
)
def test_any_index_has_a_place_on_the_axis(index, dates, label):
    data = data_of(page(np.zeros(50), index=index))
    assert data["dates"] is dates
    assert data["x_label"].startswith(label) if label else data["x_label"] == ""
    assert (np.diff(numbers(data["x"], "<f8")) > 0).all()


@pytest.mark.parametrize("year", [1500, 2500])
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_dates_of_any_century_are_shown(detector, anomalous, year, zone):
    hours = np.datetime64(f"{year}-01-01", "s") + np.arange(900) * np.timedelta64(
        1, "h"
    )
    index = pd.DatetimeIndex(hours, tz=zone)
    data = data_of(detector.report(anomalous.set_axis(index), start=500, threshold=4))
    assert data["segments"]
    milliseconds = numbers(data["x"], "<f8").astype("datetime64[ms]")
    np.testing.assert_array_equal(milliseconds, hours)


def test_a_page_is_written_whole(report, tmp_path):
    report.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == report.html
    assert repr(report).startswith("Report(")


@pytest.mark.parametrize("name", ["page.pdf", "page", "html"])
def test_a_page_has_a_name_of_a_page(report, tmp_path, name):
    with pytest.raises(ValueError, match=rf"ends in \.html, got .*{name}$"):
        report.save(tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_without_plotly_a_report_says_what_to_install(detector, anomalous, monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    monkeypatch.setattr("skcoad.report._page.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'skcoad\[report\]'"):
        check_plotly()
    with pytest.raises(ImportError, match="needs plotly"):
        detector.report(anomalous)
