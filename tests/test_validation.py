"""Series in the odd forms that numpy and pandas give them."""

from decimal import Decimal
from time import process_time

import numpy as np
import pandas as pd
import pytest

from skcoad import (
    FFTTransformer,
    NeighborsDetector,
    SlidingWindowTransformer,
    STFTTransformer,
)
from skcoad._validation import validate_series
from skcoad.datasets import Series
from skcoad.plotting import plot_scores

WHOLE = np.array([*range(40)], dtype=float) % 7
HOLEY = np.where(np.arange(40) % 9 == 4, np.nan, WHOLE)


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def with_na(x, na):
    return pd.Series(x).astype(object).where(~np.isnan(x), na)


FORMS = {
    "read-only": read_only,
    "big-endian": lambda x: x.astype(">f8"),
    "float16": lambda x: x.astype(np.float16),
    "longdouble": lambda x: x.astype(np.longdouble),
    "reversed": lambda x: x[::-1].copy()[::-1],
    "masked": lambda x: np.ma.array(np.nan_to_num(x), mask=np.isnan(x)),
    "Float64": lambda x: pd.Series(x).astype("Float64"),
    "Int64": lambda x: pd.Series(x).astype("Int64"),
    "object with NA": lambda x: with_na(x, pd.NA),
    "object with None": lambda x: with_na(x, None),
    "object with NaT": lambda x: with_na(x, pd.NaT),
    "objects": lambda x: with_na(x, pd.NA).to_numpy(),
    "categories": lambda x: pd.Series(x).astype("category"),
    "double[pyarrow]": lambda x: pd.Series(x).astype("double[pyarrow]"),
    "list with None": lambda x: [None if np.isnan(value) else value for value in x],
    "sparse": lambda x: pd.Series(pd.arrays.SparseArray(x)),
}
OF_INTEGERS = {
    "int8": lambda x: x.astype(np.int8),
    "uint64": lambda x: x.astype(">u8"),
    "masked integers": lambda x: np.ma.array(x.astype(np.int8)),
    "decimals": lambda x: np.array([Decimal(int(value)) for value in x]),
}


@pytest.mark.parametrize("kind", ["1-D", "named", "frame"])
@pytest.mark.parametrize(
    ("form", "x"),
    [
        *((form, x) for form in FORMS.values() for x in (WHOLE, HOLEY)),
        *((form, WHOLE) for form in OF_INTEGERS.values()),
    ],
)
def test_a_series_of_any_form_is_the_array_of_its_values(form, x, kind):
    X = form(x)
    if kind != "1-D":
        if isinstance(X, np.ma.MaskedArray):
            pytest.skip("pandas has no masks")
        X = pd.DataFrame({"a": X})
        X = X["a"] if kind == "named" else X
    detector = NeighborsDetector()
    values = validate_series(detector, X, reset=True, allow_1d=True, allow_nan=True)
    np.testing.assert_array_equal(values, x[:, np.newaxis])
    assert values.dtype in (np.float64, np.float32)
    assert hasattr(detector, "feature_names_in_") == (kind != "1-D")
    np.testing.assert_array_equal(Series(X, np.zeros(40), 0, "s").values, values)


@pytest.mark.filterwarnings("ignore:pandas.DataFrame with sparse columns found")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_series_may_have_columns_of_several_forms(form):
    X = form(HOLEY)
    if isinstance(X, np.ma.MaskedArray):
        pytest.skip("pandas has no masks")
    X = pd.DataFrame({"a": X, "b": WHOLE})
    values = np.column_stack([HOLEY, WHOLE])
    validated = validate_series(NeighborsDetector(), X, reset=True, allow_nan=True)
    np.testing.assert_array_equal(validated, values)
    np.testing.assert_array_equal(Series(X, np.zeros(40), 0, "s").values, values)
    assert plot_scores(X, WHOLE).axes


@pytest.mark.parametrize("as_series", [False, True], ids=["frame", "series"])
def test_a_series_has_the_name_of_its_column(as_series, recwarn):
    frame = pd.DataFrame({"a": WHOLE, "b": WHOLE})
    detector = NeighborsDetector()

    def validated(X):
        return validate_series(detector, X, reset=False, allow_1d=True)

    X = frame["a"] if as_series else frame[["a"]]
    validate_series(detector, X, reset=True, allow_1d=True)
    assert detector.feature_names_in_.tolist() == ["a"]
    for same in (frame["a"], frame[["a"]], frame["a"].rename(None), WHOLE, [*WHOLE]):
        np.testing.assert_array_equal(validated(same)[:, 0], WHOLE)
    for other in (frame["b"], frame[["b"]]):
        with pytest.raises(ValueError, match="feature names should match"):
            validated(other)
    validate_series(detector, WHOLE, reset=True, allow_1d=True)
    assert not hasattr(detector, "feature_names_in_")
    np.testing.assert_array_equal(validated(frame["b"])[:, 0], WHOLE)
    validate_series(detector, frame["a"].rename(3), reset=True, allow_1d=True)
    assert not hasattr(detector, "feature_names_in_")
    assert not recwarn.list


def test_what_is_masked_counts_as_missing():
    X = np.ma.array(np.zeros((40, 2)), mask=np.arange(80).reshape(40, 2) == 5)
    with pytest.raises(ValueError, match="NaN in row 2, channel 1"):
        validate_series(NeighborsDetector(), X, reset=True)


def test_truth_values_may_be_missing():
    X = pd.DataFrame({"a": pd.array([True, False, pd.NA] * 20, dtype="boolean")})
    values = validate_series(NeighborsDetector(), X, reset=True, allow_nan=True)
    np.testing.assert_array_equal(values[:, 0], [1, 0, np.nan] * 20)


INTEGERS = {
    "array": lambda x: np.column_stack([x % 7, x]),
    "frame": lambda x: pd.DataFrame({"a": x % 7 / 2, "b": x}),
    "nullable": lambda x: pd.Series([None, *x], dtype="Int64"),
    "objects": lambda x: pd.Series([None, *x.tolist()], dtype=object),
    "categories": lambda x: pd.Series(x).astype("category"),
    "1-D": lambda x: x,
    "negative": lambda x: -x,
    "unsigned": lambda x: x.astype(np.uint64),
    "masked": lambda x: np.ma.array(x, mask=x % 5 == 0),
    "series": pd.Series,
}


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_that_are_too_large_to_differ_are_refused(kind):
    x = np.random.default_rng(0).integers(0, 1000, 200)
    fine = [x, x + 2**40, x + 2**52, 2**40 * x, np.full(200, 2**60)]
    for integers in fine:
        X = INTEGERS[kind](integers)
        validate_series(NeighborsDetector(), X, reset=True, allow_1d=True, allow_nan=1)
    X = INTEGERS[kind](x + 2**60)
    with pytest.raises(ValueError, match=r"X has integers from .* subtract an offset"):
        validate_series(NeighborsDetector(), X, reset=True, allow_1d=True, allow_nan=1)
    detector = NeighborsDetector()
    validate_series(detector, INTEGERS[kind](x), reset=True, allow_1d=True, allow_nan=1)
    validate_series(detector, X, reset=False, allow_1d=True, allow_nan=1)


def test_a_structured_array_is_refused():
    X = np.zeros(40, dtype=[("time", "f8"), ("value", "f8")])
    with pytest.raises(ValueError, match="numbers are needed"):
        validate_series(NeighborsDetector(), X, reset=True, allow_1d=True)


def test_integers_beyond_all_floats_are_refused():
    X = np.array([[10**400 + n] for n in range(40)], dtype=object)
    with pytest.raises(ValueError, match="integer that is too large for a float"):
        validate_series(NeighborsDetector(), X, reset=True)


NO_NUMBERS = {
    "strings": ["1", *"ab" * 20],
    "times": pd.date_range("2026", periods=41),
    "times in a zone": pd.date_range("2026", periods=41, tz="Europe/Berlin"),
    "categories of times": pd.Categorical(pd.date_range("2026", periods=41)),
    "periods": pd.period_range("2026", periods=41, freq="h"),
    "objects": np.array([pd.Period("2026"), *range(40)], dtype=object),
    "intervals": pd.interval_range(0, 41),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_what_is_no_number_is_refused_with_its_column(kind):
    numbers = pd.Series(np.arange(41), dtype=object)
    X = pd.DataFrame({"flow": numbers, "heat": NO_NUMBERS[kind]})
    with pytest.raises(ValueError, match="in column 'heat'; numbers are needed"):
        validate_series(NeighborsDetector(), X, reset=True)
    X.columns = ["same", "same"]
    for same in (X, X.iloc[:, 1]):
        with pytest.raises(ValueError, match="numbers are needed"):
            validate_series(NeighborsDetector(), same, reset=True, allow_1d=True)


def test_many_columns_of_objects_are_looked_at_once_each():
    X = pd.DataFrame(np.arange(90_000.0).reshape(300, 300), dtype=object)
    start = process_time()
    validate_series(NeighborsDetector(), X, reset=True)
    assert process_time() - start < 2  # all of them for each took 10 s


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16])
@pytest.mark.parametrize(
    "make",
    [
        lambda n: SlidingWindowTransformer(window_size=n(16)),
        lambda n: SlidingWindowTransformer(window_size=n(16), align="trailing"),
        lambda n: SlidingWindowTransformer(
            window_size=n(100), step=n(100), padding=None
        ),
        lambda n: STFTTransformer(n_fft=n(100)),
        lambda n: FFTTransformer(n_channels=n(2)),
    ],
)
def test_small_integers_of_numpy_are_integers_as_parameters(make, dtype):
    X = np.random.default_rng(0).normal(size=(340, 330))
    small, plain = make(dtype), make(int)
    transformed = small.fit_transform(X)
    np.testing.assert_array_equal(transformed, plain.fit_transform(X))
    names = small.get_feature_names_out()
    assert names.tolist() == plain.get_feature_names_out().tolist()
    if getattr(small, "padding", "") is None:
        scores = np.arange(len(transformed), dtype=float)
        np.testing.assert_array_equal(
            small.scores_to_timestamps(scores, np.int16(340)),
            plain.scores_to_timestamps(scores, 340),
        )


@pytest.mark.parametrize(
    "kind", ["polars", "polars series", "objects", "object column"]
)
def test_integers_too_large_for_what_sets_them_apart_are_refused_in_any_container(kind):
    values = [2**60 + n % 7 for n in range(60)]
    if kind.startswith("polars"):
        polars = pytest.importorskip("polars", reason="polars is not installed")
        X = polars.DataFrame({"a": values})
        X = X if kind == "polars" else X["a"]
    else:
        X = np.array(values, dtype=object)[:, None]
        X = X if kind == "objects" else pd.DataFrame(X, columns=["a"])
    with pytest.raises(ValueError, match="integers from 1152921504606846976 to"):
        NeighborsDetector().fit(X)


def test_missing_names_of_columns_are_those_of_fit(wave):
    frame = pd.DataFrame(wave(200, 2), columns=[1.0, np.nan])
    detector = NeighborsDetector().fit(frame)
    assert detector.decision_function(frame).shape == (200,)
    named = frame.set_axis(["a", "b"], axis=1)
    positions = NeighborsDetector().fit(named)
    with pytest.warns(UserWarning, match="feature names"):
        positions.decision_function(frame.set_axis([0, 1], axis=1))
