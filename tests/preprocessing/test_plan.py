import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcoad.preprocessing._plan import (
    MIN_PATCHES,
    WindowPlan,
    fallback_period,
    plan_windows,
)

lengths = st.integers(4, 600)
QUERIES = [1, 2, 16]


def make_series(kind, n, n_channels, period, seed):
    noise = np.random.default_rng(seed).normal(size=(n, n_channels))
    if kind == "constant":
        return np.zeros((n, n_channels))
    if kind == "walk":
        return noise.cumsum(0)
    if kind == "wave":
        return np.sin(2 * np.pi * np.arange(n)[:, None] / period) + 0.1 * noise
    return noise


series = st.builds(
    make_series,
    st.sampled_from(["constant", "noise", "walk", "wave"]),
    lengths,
    st.integers(1, 2),
    st.integers(8, 100),
    st.integers(0, 99),
)


def check_is_valid(plan, n):
    assert all(isinstance(size, int) for size in plan)
    assert 1 <= plan.period <= plan.window_size <= n
    assert plan.window_size % plan.patch_size == 0
    assert plan.window_size // plan.patch_size >= MIN_PATCHES
    assert 1 <= plan.step <= plan.window_size
    for queries in QUERIES:
        assert 1 <= plan.query_stride(queries) <= plan.step


@given(series, st.floats(1, 20))
def test_every_series_from_four_timestamps_on_has_a_valid_plan(x, window_periods):
    check_is_valid(plan_windows(x, window_periods=window_periods), len(x))


sizes = st.one_of(st.just("auto"), st.integers(1, 80))


@given(series, sizes, sizes, sizes, sizes, st.floats(1, 20))
def test_what_is_given_is_kept_or_is_an_error(
    x, period, window_size, patch_size, step, window_periods
):
    given_sizes = {"window_size": window_size, "patch_size": patch_size, "step": step}
    try:
        plan = plan_windows(
            x, period=period, window_periods=window_periods, **given_sizes
        )
    except ValueError as error:
        message = str(error)
    else:
        message = ""
    if message:
        # It names at least one of the numbers that were given, by value.
        sizes_given = (period, *given_sizes.values())
        numbers = [str(size) for size in sizes_given if size != "auto"]
        assert any(number in message for number in numbers)
        return
    check_is_valid(plan, len(x))
    assert window_size in ("auto", plan.window_size)
    assert patch_size in ("auto", plan.patch_size)
    if step != "auto":
        unit = max(1, plan.period // 16)
        assert plan.step in (step, step // unit * unit)
    assert period in ("auto", plan.period)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"period": 501}, "period=501 is longer than half of the series of 1000"),
        ({"period": 50, "window_size": 48}, "period=50 is longer than window_size=48"),
    ],
)
def test_a_period_that_does_not_fit_is_an_error(sizes, message):
    with pytest.raises(ValueError, match=message):
        plan_windows(np.zeros((1000, 1)), **sizes)


@given(series, sizes, st.floats(1, 20))
def test_the_query_stride_divides_the_step(x, step, window_periods):
    # Otherwise a slice is queried at other timestamps than the whole.
    try:
        plan = plan_windows(x, step=step, window_periods=window_periods)
    except ValueError:
        return
    for queries in QUERIES:
        assert plan.step % plan.query_stride(queries) == 0


@given(series, sizes, st.floats(1, 20))
def test_queries_are_as_far_apart_as_step_and_period_allow(x, step, window_periods):
    try:
        plan = plan_windows(x, step=step, window_periods=window_periods)
    except ValueError:
        return
    unit = max(1, plan.period // 16)
    wanted = plan.window_size / 2 if step == "auto" else step
    assert plan.query_stride(16) == min(unit, plan.step)
    assert wanted - unit < plan.step <= max(unit, wanted)


@pytest.mark.parametrize(
    ("step", "rounded"), [(1, 1), (61, 61), (62, 62), (97, 62), (124, 124), (997, 992)]
)
def test_a_step_is_rounded_down_to_whole_queries(step, rounded):
    assert plan_windows(np.zeros((5000, 1)), period=1000, step=step).step == rounded


@given(lengths)
def test_a_series_in_which_nothing_repeats_has_the_fallback_period(n):
    plan = plan_windows(np.zeros((n, 1)))
    assert plan.period == min(fallback_period(n), plan.window_size)
    assert plan.period <= max(2, n // 8)
    assert plan_windows(np.zeros((5000, 1))).period == 125


@pytest.mark.parametrize(
    ("n", "expected"),
    [(4, 2), (16, 2), (23, 2), (24, 3), (999, 124), (1000, 125), (10**6, 125)],
)
def test_the_fallback_period_is_125_but_at_most_an_eighth_of_the_series(n, expected):
    assert fallback_period(n) == expected


@pytest.mark.parametrize(
    ("sizes", "named"),
    [
        ({"window_size": 101}, "window of 101 .* series of 100"),
        ({"window_size": 30, "patch_size": 7}, "window_size=30 .* patch_size=7"),
        ({"window_size": 12, "patch_size": 4}, "window_size=12 .* patch_size=4"),
        ({"window_size": 20, "step": 21}, "step=21 .* window_size=20"),
        ({"patch_size": 26}, "patch_size=26.* 100"),
    ],
)
def test_sizes_that_do_not_fit_are_errors_that_name_them(sizes, named):
    with pytest.raises(ValueError, match=named):
        plan_windows(np.zeros((100, 1)), **sizes)


@pytest.mark.parametrize(
    ("n", "sizes", "expected"),
    [
        (4, {}, (2, 4, 1, 2)),
        (16, {}, (2, 4, 1, 2)),
        (40, {}, (5, 10, 2, 5)),
        (63, {}, (7, 15, 3, 7)),
        (64, {}, (8, 16, 4, 8)),
        (100, {}, (12, 24, 4, 12)),
        (5000, {}, (125, 248, 8, 119)),
        (5000, {"window_periods": 4}, (125, 496, 16, 245)),
        (5000, {"period": 900, "window_periods": 4}, (900, 2528, 79, 1232)),
        (1000, {"window_size": 15}, (15, 15, 3, 7)),
        (1000, {"window_size": 17}, (17, 17, 1, 8)),
        (1000, {"window_size": 640}, (125, 640, 20, 315)),
        (20, {"patch_size": 5}, (2, 20, 5, 10)),
        (100, {"window_size": 100, "patch_size": 25, "step": 100}, (12, 100, 25, 100)),
    ],
)
def test_sizes_that_are_not_given_follow_from_the_others(n, sizes, expected):
    # Nothing repeats: without a given period it is 125, or an eighth of the series.
    assert plan_windows(np.zeros((n, 1)), **sizes) == expected


@pytest.mark.parametrize(
    ("queries", "stride"),
    [(1, 24), (2, 24), (4, 12), (5, 8), (16, 3), (50, 1), (99, 1)],
)
def test_the_query_stride_is_the_largest_divisor_of_the_step_with_enough_queries(
    queries, stride
):
    assert WindowPlan(50, 100, 4, 24).query_stride(queries) == stride


def test_the_receptive_field_is_two_windows_and_two_periods():
    # That nothing beyond it counts is tested with the neighbours and the detector.
    assert WindowPlan(50, 100, 4, 24).receptive_field == 300
    assert WindowPlan(12, 24, 4, 12).receptive_field == 72
