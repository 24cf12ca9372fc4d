"""Warnings are of the line of the user, whatever is in between."""

import warnings

import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skcoad import NeighborsDetector
from skcoad.streaming import StreamingDetector


@pytest.fixture(scope="module")
def frame(wave):
    return pd.DataFrame(
        wave(period=12), index=pd.date_range("2026-01-01", periods=400, freq="h")
    )


@pytest.fixture(scope="module")
def detector(frame):
    return NeighborsDetector(period=12).fit(frame)


@pytest.mark.parametrize(
    "call",
    [
        NeighborsDetector.decision_function,
        NeighborsDetector.predict,
        NeighborsDetector.predict_proba,
        NeighborsDetector.explain,
        NeighborsDetector.find_segments,
        NeighborsDetector.channel_scores,
        lambda detector, _: StreamingDetector(detector, interval="1min"),
        lambda detector, X: make_pipeline(detector).predict(X),
    ],
)
def test_a_warning_of_scoring_is_of_the_line_of_the_call(call, detector, frame):
    X = frame.set_axis(pd.date_range("2026-01-01", periods=400, freq="min"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        call(detector, X)
        call(detector, X)
    found = [w for w in caught if "apart in the training series" in str(w.message)]
    assert {w.filename for w in found} == {__file__}
    if call.__name__ != "<lambda>":
        assert len({w.lineno for w in found}) == len(found) == 2


@pytest.mark.parametrize("fit", [NeighborsDetector.fit, NeighborsDetector.fit_predict])
def test_a_warning_of_fit_is_of_the_line_of_the_call(fit, wave):
    X = wave(period=12)
    X[100:110] = -999
    X = pd.DataFrame(X, index=pd.date_range("2026-01-01", periods=400).astype(str))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        fit(NeighborsDetector(period=12), X)
    found = [w for w in caught if w.category is UserWarning]
    assert {"-999" in str(w.message) for w in found} == {True, False}
    assert {w.filename for w in found} == {__file__}


@pytest.mark.parametrize("row", [0, 200, 399])
def test_text_for_times_of_which_one_is_missing_is_warned_of(wave, row):
    times = pd.date_range("2026-01-01", periods=400).astype(str).to_series()
    times.iloc[row] = None
    with pytest.warns(UserWarning, match=r"is text \('2026-01-0[12]'\)"):
        NeighborsDetector(period=12).fit(pd.DataFrame(wave(period=12), index=times))


def test_an_index_of_text_without_any_label_is_none_of_times(wave, recwarn):
    index = pd.Index([None] * 400, dtype="str")
    NeighborsDetector(period=12).fit(pd.DataFrame(wave(period=12), index=index))
    assert not recwarn.list
