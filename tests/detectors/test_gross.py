import re
import warnings

import numpy as np
import pandas as pd
import pytest

from skcoad import NeighborsDetector
from skcoad.detectors._gross import without_gross_outliers
from skcoad.thresholds import PeaksOverThreshold


def flow(n=2000):
    """A daily rhythm, which is flat, then raised, then has a spike."""
    rng = np.random.default_rng(1)
    x = 20 + 5 * np.sin(2 * np.pi * np.arange(n) / 48) + rng.normal(0, 0.4, n)
    x[1500:1530] = x[1500]
    x[1700:1712] += 6
    x[1900] += 5
    return x


def fit_and_find(x):
    detector = NeighborsDetector(contamination=PeaksOverThreshold("1 per 300 rows"))
    return detector.fit(x[:1200]).find_segments(x[1200:])


@pytest.mark.parametrize(
    "rows",
    [range(500, 530), np.random.default_rng(0).choice(1200, 24, replace=False)],
    ids=["block", "scattered"],
)
def test_codes_in_training_do_as_much_harm_as_missing_values(rows):
    with_codes, with_holes = flow(), flow()
    with_codes[rows], with_holes[rows] = -999, np.nan
    with pytest.warns(UserWarning, match="are exactly -999, far from") as warned:
        found = fit_and_find(with_codes)
    assert len(warned) == 1
    pd.testing.assert_frame_equal(found, fit_and_find(with_holes))
    for row in (315, 506, 700):
        assert ((found["start"] <= row) & (found["end"] >= row)).any()


def test_a_warning_names_values_channels_and_counts():
    x = flow()
    X = np.column_stack([x, x, x])
    X[:40, 1] = -999
    X[60:65, 1] = 9999
    X[:30, 2] = 1e30
    X[:3, 0] = -999
    text = (
        "3 training rows of channel a are exactly -999, 40 training rows of channel b "
        "are exactly -999, 5 training rows of channel b are exactly 9999, and 1 more, "
        "far from all other values: taken as missing. In what is scored they are "
        "anomalies, unless replaced by NaN"
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(text)}$") as warned:
        normal = without_gross_outliers(X, ["a", "b", "c"])
    assert len(warned) == 1
    assert np.isnan(normal).sum(axis=0).tolist() == [3, 45, 30]


def test_a_warning_names_the_first_three():
    X = np.column_stack([flow()] * 5)
    X[:40] = -999
    with pytest.warns(UserWarning, match=r"channel 2 are exactly -999, and 2 more, "):
        without_gross_outliers(X, range(5))


def test_single_values_are_not_spoken_of():
    x = flow()
    x[:20] = -999 - np.arange(20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(without_gross_outliers(x[:, None], [0])).sum() == 20


def test_too_many_with_those_missing_are_an_error():
    x = flow()
    x[:900], x[900:1100] = np.nan, -999
    with (
        pytest.warns(UserWarning, match="200 training rows"),
        pytest.raises(ValueError, match="55% of the values of channel 0 are missing"),
    ):
        without_gross_outliers(x[:, None], [0])
