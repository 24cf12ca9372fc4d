import naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad import SlidingWindowTransformer
from skcoad.preprocessing._windows import (
    sliding_windows,
    window_starts,
    windows_to_timestamps,
)


@st.composite
def cuts(draw):
    """Length, window and step of a valid cut."""
    n = draw(st.integers(1, 60))
    window_size = draw(st.integers(1, n))
    return n, window_size, draw(st.integers(1, window_size))


values = st.floats(-1e6, 1e6)


@given(cuts())
def test_starts_equal_the_reference_implementation(cut):
    assert window_starts(*cut).tolist() == naive.window_starts(*cut)


@given(cuts())
def test_every_timestamp_is_covered_and_the_last_window_ends_the_series(cut):
    n, window_size, step = cut
    starts = window_starts(*cut)
    covered = set()
    for start in starts:
        covered.update(range(start, start + window_size))
    assert covered == set(range(n))
    assert starts[-1] + window_size == n
    assert (np.diff(starts) > 0).all()
    assert (np.diff(starts)[:-1] == step).all()


@given(cuts(), st.integers(0, 3))
def test_windows_equal_the_reference_implementation(cut, n_channels):
    n, window_size, step = cut
    shape = (n, n_channels) if n_channels else n
    x = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_array_equal(
        sliding_windows(x, window_size, step), naive.sliding_windows(x, *cut[1:])
    )


def test_windows_of_step_one_are_a_read_only_view():
    x = np.arange(10.0)
    windows = sliding_windows(x, 3)
    assert np.shares_memory(windows, x)
    assert not windows.flags.writeable


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((3, 4, 1), r"window_size=4 .* 3 timestamps"),
        ((3, 0, 1), "window_size=0"),
        ((9, 3, 0), "step=0"),
        ((9, 3, 4), "step=4 .* window_size=3"),
        ((0, 1, 1), "window_size=1 .* 0 timestamps"),
    ],
)
def test_impossible_cuts_are_errors_that_name_the_numbers(arguments, named):
    with pytest.raises(ValueError, match=named):
        window_starts(*arguments)


@given(st.data(), cuts(), st.sampled_from(["mean", "max"]))
def test_score_mapping_equals_the_reference_implementation(data, cut, aggregation):
    n, window_size, _ = cut
    n_windows = len(window_starts(*cut))
    scores = data.draw(arrays(float, (n_windows, window_size), elements=values))
    expected = naive.windows_to_timestamps(scores.tolist(), *cut, aggregation)
    np.testing.assert_allclose(
        windows_to_timestamps(scores, *cut, aggregation), expected, atol=1e-8
    )
    per_window = scores[:, 0]
    expected = naive.windows_to_timestamps(
        [[score] * window_size for score in per_window], *cut, aggregation
    )
    np.testing.assert_allclose(
        windows_to_timestamps(per_window, *cut, aggregation), expected, atol=1e-8
    )
    assert len(expected) == n


@given(cuts(), st.sampled_from(["mean", "max"]), values, st.booleans())
def test_constant_scores_stay_what_they_are(cut, aggregation, value, per_point):
    n, window_size, _ = cut
    n_windows = len(window_starts(*cut))
    scores = np.full((n_windows, window_size) if per_point else n_windows, value)
    back = windows_to_timestamps(scores, *cut, aggregation)
    np.testing.assert_allclose(back, np.full(n, value), rtol=1e-12, atol=1e-9)


@given(cuts())
def test_windows_mapped_back_are_the_series(cut):
    x = np.random.default_rng(0).normal(size=cut[0])
    windows = sliding_windows(x, *cut[1:])
    for aggregation in ("mean", "max"):
        back = windows_to_timestamps(windows, *cut, aggregation)
        np.testing.assert_allclose(back, x, rtol=1e-12)


@given(cuts(), st.integers(0, 2**32 - 1))
def test_the_maximum_is_nowhere_below_the_mean(cut, seed):
    scores = np.random.default_rng(seed).normal(size=len(window_starts(*cut)))
    mean = windows_to_timestamps(scores, *cut)
    assert (windows_to_timestamps(scores, *cut, "max") >= mean - 1e-9).all()


@given(cuts(), st.sampled_from(["mean", "max"]), st.booleans())
def test_scores_do_not_depend_on_how_many_windows_are_added_at_once(
    cut, aggregation, per_point
):
    window_size = cut[1]
    n_windows = len(window_starts(*cut))
    shape = (n_windows, window_size) if per_point else n_windows
    scores = np.random.default_rng(0).normal(size=shape)
    whole = windows_to_timestamps(scores, *cut, aggregation)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(
            "skcoad.preprocessing._windows.OVERLAP_CHUNK", 3 * window_size
        )
        in_chunks = windows_to_timestamps(scores, *cut, aggregation)
    np.testing.assert_allclose(in_chunks, whole, atol=1e-12)


def test_a_large_score_leaves_no_trace_in_later_small_ones():
    # Cumulative sums would: 1e16 + 1 - 1e16 is 0, not 1.
    scores = np.array([1e16, 1.0, 1.0, 1.0])
    np.testing.assert_allclose(windows_to_timestamps(scores, 8, 2, 2)[2:], 1.0)


def test_scores_of_the_wrong_shape_are_an_error_that_names_both_shapes():
    with pytest.raises(ValueError, match=r"\(4,\).*\(3,\) or \(3, 4\)"):
        windows_to_timestamps(np.zeros(4), 10, 4, 3)
    with pytest.raises(ValueError, match="aggregation='sum'"):
        windows_to_timestamps(np.zeros(3), 10, 4, 3, "sum")


@given(
    st.integers(1, 20),
    st.integers(1, 9),
    st.sampled_from(["center", "trailing"]),
    st.sampled_from(["edge", "reflect"]),
    st.integers(1, 3),
)
def test_padded_rows_equal_the_reference_implementation(
    n, window_size, align, padding, n_channels
):
    X = np.random.default_rng(0).normal(size=(n, n_channels))
    transformer = SlidingWindowTransformer(
        window_size=window_size, align=align, padding=padding
    ).fit(X)
    before = window_size - 1 if align == "trailing" else window_size // 2
    if padding == "reflect" and before >= n:
        with pytest.raises(ValueError, match=f"window_size={window_size}.* {n}$"):
            transformer.transform(X)
        return
    expected = [
        np.ravel(naive.row_of_timestamp(X, t, window_size, align, padding))
        for t in range(n)
    ]
    np.testing.assert_array_equal(transformer.transform(X), expected)


@given(cuts(), st.integers(1, 3))
def test_rows_without_padding_equal_the_reference_implementation_and_are_invertible(
    cut, n_channels
):
    n, window_size, step = cut
    X = np.random.default_rng(0).normal(size=(n, n_channels))
    transformer = SlidingWindowTransformer(
        window_size=window_size, step=step, padding=None
    ).fit(X)
    rows = transformer.transform(X)
    expected = [np.ravel(w) for w in naive.sliding_windows(X, window_size, step)]
    np.testing.assert_array_equal(rows, expected)
    back = transformer.scores_to_timestamps(rows[:, ::n_channels], n)
    np.testing.assert_allclose(back, X[:, 0])


@pytest.mark.parametrize("align", ["center", "trailing"])
def test_feature_names_tell_which_value_a_column_holds(align):
    n = 30
    frame = pd.DataFrame({"a": np.arange(n), "b": 100.0 + np.arange(n)})
    transformer = SlidingWindowTransformer(window_size=4, align=align)
    table = transformer.set_output(transform="pandas").fit_transform(frame)
    t = 12
    for name in table.columns:
        channel, offset = name.removesuffix("]").split("[t")
        assert table[name].iloc[t] == frame[channel].iloc[t + int(offset)]


def test_feature_names_without_padding_count_from_the_start_of_the_row():
    X = np.arange(12.0)[:, None]
    transformer = SlidingWindowTransformer(window_size=3, step=3, padding=None).fit(X)
    names = ["x0[t+0]", "x0[t+1]", "x0[t+2]"]
    assert transformer.get_feature_names_out().tolist() == names
    names = ["flow[t+0]", "flow[t+1]", "flow[t+2]"]
    assert transformer.get_feature_names_out(["flow"]).tolist() == names


def test_output_is_pandas_with_the_index_of_the_input_on_request():
    index = pd.date_range("2020", periods=9, freq="h")
    frame = pd.DataFrame({"a": np.arange(9.0)}, index=index)
    transformer = SlidingWindowTransformer(window_size=2).set_output(transform="pandas")
    table = transformer.fit_transform(frame)
    assert table.columns.tolist() == ["a[t-1]", "a[t+0]"]
    pd.testing.assert_index_equal(table.index, index)


@pytest.mark.parametrize("step", [1, 2])
def test_windows_without_padding_have_the_labels_of_their_first_timestamps(step):
    index = pd.date_range("2020", periods=9, freq="h")
    frame = pd.DataFrame({"a": np.arange(9.0)}, index=index)
    transformer = SlidingWindowTransformer(window_size=2, step=step, padding=None)
    expected = transformer.fit_transform(frame)
    table = transformer.set_output(transform="pandas").transform(frame)
    np.testing.assert_array_equal(table, expected)
    assert table.columns.tolist() == ["a[t+0]", "a[t+1]"]
    assert table.index.tolist() == index[table["a[t+0]"].astype(int)].tolist()
    positions = transformer.fit_transform(frame.to_numpy()).index
    assert positions.tolist() == list(range(len(table)))


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"window_size": 0}, "window_size"),
        ({"window_size": 2.5}, "window_size"),
        ({"step": 0, "padding": None}, "step"),
        ({"align": "left"}, "align"),
        ({"padding": "zeros"}, "padding"),
        ({"step": 2}, "step=2 needs padding=None"),
    ],
)
def test_bad_parameters_are_errors_that_name_them(parameters, named):
    with pytest.raises(ValueError, match=named):
        SlidingWindowTransformer(**parameters).fit(np.zeros((9, 1)))


def test_scores_of_padded_rows_need_no_mapping():
    transformer = SlidingWindowTransformer(window_size=3).fit(np.zeros((9, 1)))
    with pytest.raises(ValueError, match="padding='edge'"):
        transformer.scores_to_timestamps(np.zeros(9), 9)


def test_a_series_shorter_than_a_window_is_an_error_that_names_both():
    transformer = SlidingWindowTransformer(window_size=9, padding=None)
    with pytest.raises(ValueError, match=r"window_size=9 .* 4 timestamps"):
        transformer.fit_transform(np.zeros((4, 1)))


def test_by_default_windows_are_one_apart_and_scores_are_averaged():
    assert window_starts(6, 4).tolist() == [0, 1, 2]
    back = windows_to_timestamps(np.array([0.0, 2.0, 4.0]), 6, 4)
    np.testing.assert_allclose(back, [0, 1, 2, 2, 3, 4])


def test_a_mirror_of_as_many_values_as_there_are_is_an_error():
    transformer = SlidingWindowTransformer(
        window_size=4, align="trailing", padding="reflect"
    )
    with pytest.raises(ValueError, match="more than 3 timestamps, got 3"):
        transformer.fit_transform(np.zeros((3, 1)))
    assert len(transformer.fit_transform(np.zeros((4, 1)))) == 4


def test_other_channels_than_in_fit_are_an_error():
    transformer = SlidingWindowTransformer(window_size=2).fit(np.zeros((9, 2)))
    with pytest.raises(ValueError, match=r"1 feature.* 2 features"):
        transformer.transform(np.zeros((9, 1)))


def test_feature_names_are_objects_as_in_scikit_learn():
    transformer = SlidingWindowTransformer(window_size=2).fit(np.zeros((9, 1)))
    assert transformer.get_feature_names_out().dtype == object
