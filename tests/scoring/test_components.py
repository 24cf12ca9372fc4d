import naive
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skcoad.model._network import CoADNetwork, initialise
from skcoad.neighbors._channel import ChannelReference
from skcoad.preprocessing._plan import WindowPlan
from skcoad.scoring import _components as scoring
from skcoad.scoring._components import (
    ScoreComponents,
    combine,
    moving_average,
    pieces,
    score_parts,
)

series = arrays(float, st.integers(1, 40), elements=st.floats(-1e3, 1e3))
widths = st.integers(1, 60)


@given(series, widths)
def test_moving_average_equals_the_twin(x, width):
    expected = naive.moving_average(x.tolist(), width)
    np.testing.assert_allclose(moving_average(x, width), expected, atol=1e-9)


@given(series, widths, st.data())
def test_moving_average_over_gaps_equals_the_twin(x, width, data):
    missing = data.draw(arrays(bool, len(x)))
    expected = naive.moving_average(x.tolist(), width, missing)
    average = moving_average(x, width, missing)
    np.testing.assert_allclose(average, expected, atol=1e-8)


@given(series, widths)
def test_moving_average_keeps_the_length_and_stays_within_the_range(x, width):
    average = moving_average(x, width)
    assert average.shape == x.shape
    assert (x.min() - 1e-9 <= average).all()
    assert (average <= x.max() + 1e-9).all()


@given(st.integers(1, 40), widths, st.floats(-1e3, 1e3))
def test_moving_average_of_a_constant_is_the_constant(n, width, value):
    average = moving_average(np.full(n, value), width)
    np.testing.assert_allclose(average, value, atol=1e-9)


@given(series)
def test_moving_average_of_width_one_changes_nothing(x):
    np.testing.assert_allclose(moving_average(x, 1), x, atol=1e-9)


@given(series, widths, st.floats(-5, 5), st.floats(-5, 5))
def test_moving_average_is_linear(x, width, slope, level):
    np.testing.assert_allclose(
        moving_average(slope * x + level, width),
        slope * moving_average(x, width) + level,
        atol=1e-8,
    )


@given(series, st.integers(0, 20))
def test_moving_average_of_odd_width_has_no_direction(x, half):
    forwards = moving_average(x, 2 * half + 1)
    backwards = moving_average(x[::-1], 2 * half + 1)[::-1]
    np.testing.assert_allclose(forwards, backwards, atol=1e-9)


def test_moving_average_of_float32_is_computed_in_float64():
    x = np.full(100_000, 0.1, dtype=np.float32)
    average = moving_average(x, 1001)
    assert average.dtype == np.float64
    np.testing.assert_allclose(average, x[0], rtol=1e-12)


PLAN = WindowPlan(period=12, window_size=24, patch_size=4, step=7)


def make_network(with_reference=False, masking="soft"):
    network = CoADNetwork(4, 8, 2, "conv", "both", "max", masking, with_reference)
    initialise(network, torch.Generator().manual_seed(0))
    return network.eval()


def make_series(n):
    return torch.randn(n, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("n", [24, 25, 31, 38, 61])
@pytest.mark.parametrize("aggregation", ["mean", "max"])
@pytest.mark.parametrize("with_reference", [False, True])
@pytest.mark.parametrize("step", [1, 7, 24])
def test_scores_of_timestamps_equal_the_twin(
    n, aggregation, with_reference, step, monkeypatch
):
    plan = PLAN._replace(step=step)
    network, x = make_network(with_reference), make_series(n)
    reference = None
    if with_reference:
        reference = ChannelReference.build(make_series(200), plan, 200)
    monkeypatch.setattr(scoring, "POINTS_AT_ONCE", 3 * 24)
    nowhere = torch.zeros(n, dtype=torch.bool)
    parts = score_parts(network, x, nowhere, reference, plan, aggregation)
    counterpart, *excess = [None, *torch.zeros(2, n)]
    if with_reference:
        counterpart, *excess = reference.compare(x, nowhere)
    np.testing.assert_allclose(parts.value_excess, excess[0], atol=1e-5)
    np.testing.assert_allclose(parts.change_excess, excess[1], atol=1e-5)
    starts = naive.window_starts(n, 24, step)
    probability, error = naive.score_parts(
        network, x, counterpart, starts, 24, 4, aggregation
    )
    np.testing.assert_allclose(parts.probability, probability, atol=1e-5)
    np.testing.assert_allclose(parts.error, error, atol=1e-5)
    for part in parts:
        assert part.shape == (n,)
        assert np.isfinite(part).all()


@pytest.mark.parametrize("masking", ["soft", "hard", "random", "grating"])
def test_batches_of_any_size_give_the_same_parts(masking, monkeypatch):
    network, x = make_network(masking=masking), make_series(100)
    nowhere = torch.zeros(100, dtype=torch.bool)
    whole = score_parts(network, x, nowhere, None, PLAN, "mean")
    for n_points in (1, 50, 130):
        monkeypatch.setattr(scoring, "POINTS_AT_ONCE", n_points)
        pieces = score_parts(network, x, nowhere, None, PLAN, "mean")
        for one, other in zip(whole, pieces, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def make_parts(n=50):
    rng = np.random.default_rng(0)
    return ScoreComponents(*rng.random((4, n)), *rng.normal(size=(2, n)))


NOWHERE = np.zeros(50, dtype=bool)


@pytest.mark.parametrize(
    ("score_by", "with_reference", "chosen"),
    [
        ("joint", False, ["probability", "error"]),  # Eq. 11
        ("classification", False, ["probability"]),
        ("classification", True, ["probability"]),
        ("reconstruction", False, ["error"]),
        ("reconstruction", True, ["error"]),
    ],
)
def test_each_score_is_the_sum_of_its_smoothed_parts(score_by, with_reference, chosen):
    parts = make_parts()
    missing = np.arange(50) % 7 == 0
    score = combine(parts, missing, score_by, with_reference, 5)
    smoothed = [moving_average(getattr(parts, name), 5, missing) for name in chosen]
    np.testing.assert_allclose(score, sum(smoothed))


def test_the_joint_score_with_references_equals_the_twin():
    parts = make_parts()
    score = combine(parts, NOWHERE, "joint", True, 5)
    expected = naive.joint_score(
        parts.probability.tolist(),
        parts.error.tolist(),
        parts.value_excess.tolist(),
        parts.change_excess.tolist(),
        5,
    )
    np.testing.assert_allclose(score, expected)


def test_what_only_one_of_the_parts_finds_strange_counts_little():
    parts = ScoreComponents(*np.zeros((6, 3)))
    parts.probability[:] = 0, 1, 1
    parts.error[:] = 0, 1, 1
    parts.value_excess[:] = 1, 0, 1
    parts.change_excess[:] = 1, 0, 1
    score = combine(parts, np.zeros(3, dtype=bool), "joint", True, 1)
    assert score[2] > 1.5 * max(score[:2])
    assert (score > 0).all()


def test_inside_a_long_gap_the_score_is_zero():
    missing = np.zeros(50, dtype=bool)
    missing[10:30] = True
    for score_by in ("joint", "classification", "reconstruction"):
        for with_reference in (False, True):
            score = combine(make_parts(), missing, score_by, with_reference, 3)
            assert (score[12:28] == 0).all()
            assert np.isfinite(score).all()


@given(
    st.integers(1, 2000), st.integers(1, 50), st.integers(0, 200), st.integers(1, 99)
)
def test_pieces_follow_one_another_and_know_their_surroundings(n, step, margin, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "PIECE", size)
        cuts = list(pieces(n, step, margin))
    assert [i for _, kept in cuts for i in range(n)[kept]] == list(range(n))
    for piece, kept in cuts:
        assert piece.start % step == 0
        assert piece.start <= max(0, kept.start - margin)
        assert piece.stop >= min(n, kept.stop + margin)


@pytest.mark.parametrize("aggregation", ["mean", "max"])
def test_what_is_missing_has_no_error_and_windows_with_gaps_little_say(aggregation):
    network, x = make_network(), make_series(61)
    missing = torch.zeros(61, dtype=torch.bool)
    missing[5:7] = True
    missing[28:50] = True
    parts = score_parts(network, x, missing, None, PLAN, aggregation)
    heard = [[] for _ in range(61)]  # probability, mask, reconstruction, error, weight
    for start in naive.window_starts(61, 24, 7):
        window, gaps = x[start : start + 24], missing[start : start + 24]
        output = network(window[None], None, gaps[None])
        known = 1 - gaps.sum().item() / 24
        for offset in range(24):
            value = output.reconstruction[0, offset].item()
            error = 0 if gaps[offset] else abs(value - window[offset].item())
            a = output.probability[0, offset // 4].item()
            mask = output.mask[0, offset // 4].item()
            weight = max(known**scoring.GAP_AVERSION, 1e-6)
            heard[start + offset].append((a, mask, value, error, weight))
    for t, rows in enumerate(heard):
        *columns, weights = zip(*rows, strict=True)
        expected = [np.average(column, weights=weights) for column in columns]
        if aggregation == "max":
            expected[0], expected[3] = max(columns[0]), max(columns[3])
        values = [parts.probability, parts.mask, parts.reconstruction, parts.error]
        np.testing.assert_allclose([part[t] for part in values], expected, atol=1e-4)
