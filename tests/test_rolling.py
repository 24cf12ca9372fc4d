import naive
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad._rolling import coverage_weight, overlap_add, rolling_sum

seeds = st.integers(0, 2**32 - 1)
values = st.floats(-100, 100)


@st.composite
def rows_and_width(draw, dtype, elements):
    n = draw(st.integers(1, 40))
    rows = draw(arrays(dtype, (draw(st.integers(1, 3)), n), elements=elements))
    return rows, draw(st.integers(1, n))


@given(rows_and_width(float, values))
def test_the_rolling_sum_equals_the_reference_implementation(case):
    rows, width = case
    sums = rolling_sum(torch.tensor(rows), width)
    expected = [naive.rolling_sum(row, width) for row in rows.tolist()]
    np.testing.assert_allclose(sums, expected, atol=1e-10)


@given(
    st.one_of(
        rows_and_width(bool, st.booleans()),
        rows_and_width(np.int32, st.integers(-(2**31), 2**31 - 1)),
    )
)
def test_the_rolling_sum_of_integers_and_truth_values_is_an_exact_integer(case):
    rows, width = case
    sums = rolling_sum(torch.tensor(rows), width)
    assert sums.dtype == torch.int64
    assert sums.tolist() == [naive.rolling_sum(row, width) for row in rows.tolist()]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_the_rolling_sum_is_in_double_precision(dtype):
    x = torch.full((100_000,), 0.1, dtype=dtype)
    sums = rolling_sum(x, 1000)
    assert sums.dtype == torch.float64
    np.testing.assert_allclose(sums, 1000 * x[0].item(), rtol=1e-9)


def test_a_large_value_leaves_no_rounding_behind_in_a_rolling_sum():
    x = torch.rand(300, generator=torch.Generator().manual_seed(0)).double()
    expected = rolling_sum(x, 20)
    x[100] = 1e17
    sums = rolling_sum(x, 20)
    beside = np.r_[:81, 101:281]
    np.testing.assert_array_equal(sums[beside], expected[beside])
    np.testing.assert_allclose(sums[81:101], 1e17)


@given(rows_and_width(float, values), st.data())
def test_rolling_sums_of_neighbouring_windows_add_up(case, data):
    rows, width = case
    first = data.draw(st.integers(0, width))
    x = torch.tensor(rows)
    n = x.shape[1] - width + 1
    parts = torch.zeros(len(x), n, dtype=torch.float64)
    if first > 0:
        parts += rolling_sum(x, first)[:, :n]
    if first < width:
        parts += rolling_sum(x, width - first)[:, first : first + n]
    torch.testing.assert_close(rolling_sum(x, width), parts, atol=1e-10, rtol=0)


def test_a_rolling_sum_keeps_all_dimensions_but_the_last():
    x = torch.randn(2, 3, 9, generator=torch.Generator().manual_seed(0))
    sums = rolling_sum(x, 4)
    assert sums.shape == (2, 3, 6)
    torch.testing.assert_close(sums, x.double().unfold(-1, 4, 1).sum(-1))


@st.composite
def overlaps(draw):
    """Series of a batch, windows to add to them, and where these start."""
    n = draw(st.integers(1, 30))
    n_rows, size = draw(st.integers(1, 3)), draw(st.integers(1, n))
    starts = draw(st.lists(st.integers(0, n - size), max_size=8))
    total = draw(arrays(float, (n_rows, n), elements=values))
    windows = draw(arrays(float, (n_rows, len(starts), size), elements=values))
    return total, windows, np.array(starts, dtype=np.int64)


@given(overlaps(), st.sampled_from(["sum", "amax"]))
def test_overlap_add_equals_the_reference_implementation(case, reduce):
    total, windows, starts = case
    expected = [
        naive.overlap_add(row, of_row, starts, reduce)
        for row, of_row in zip(total.tolist(), windows.tolist(), strict=True)
    ]
    windows, starts = torch.tensor(windows), torch.tensor(starts)
    batch, alone = torch.tensor(total), torch.tensor(total)
    overlap_add(batch, windows, starts, reduce)
    np.testing.assert_allclose(batch, expected, atol=1e-10)
    for row, of_row in zip(alone, windows, strict=True):
        overlap_add(row, of_row, starts, reduce)
    torch.testing.assert_close(alone, batch, atol=1e-10, rtol=0)


@given(overlaps())
def test_overlap_add_is_the_adjoint_of_cutting_windows(case):
    x, windows, starts = (torch.tensor(part) for part in case)
    total = torch.zeros_like(x)
    overlap_add(total, windows, starts)
    cut = x.unfold(1, windows.shape[2], 1)[:, starts]
    torch.testing.assert_close((total * x).sum(), (windows * cut).sum())


@given(overlaps(), seeds, st.sampled_from(["sum", "amax"]))
def test_the_order_of_the_windows_does_not_matter(case, seed, reduce):
    total, windows, starts = (torch.tensor(part) for part in case)
    order = np.random.default_rng(seed).permutation(len(starts))
    reordered = total.clone()
    overlap_add(total, windows, starts, reduce)
    overlap_add(reordered, windows[:, order], starts[order], reduce)
    torch.testing.assert_close(reordered, total, atol=1e-10, rtol=0)


def test_windows_that_are_views_are_added_as_well():
    x = torch.arange(6.0)
    total, starts = torch.zeros(6), torch.arange(4)
    overlap_add(total, x.unfold(0, 3, 1), starts)
    assert (total / torch.tensor([1.0, 2, 3, 3, 2, 1])).tolist() == x.tolist()
    expanded = torch.zeros(2, 6)
    overlap_add(expanded, torch.ones(1, 4, 1).expand(2, 4, 3), starts)
    assert expanded.tolist() == 2 * [[1, 2, 3, 3, 2, 1]]


@given(arrays(bool, st.integers(1, 50)), st.integers(1, 20))
def test_the_coverage_weight_equals_the_reference_implementation(missing, power):
    observed_fraction = torch.tensor(1 - missing.mean())
    weight = coverage_weight(observed_fraction, power).item()
    assert weight == pytest.approx(naive.coverage_weight(missing, power), rel=1e-5)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 20))
def test_the_coverage_weight_rises_with_the_observed_fraction(one, other, power):
    fractions = torch.tensor([0.0, *sorted([one, other]), 1.0], dtype=torch.float64)
    weight = coverage_weight(fractions, power)
    assert (weight.diff() >= 0).all()
    assert weight[0].item() == pytest.approx(1e-6)  # never 0: it is divided by
    assert weight[-1] == 1
