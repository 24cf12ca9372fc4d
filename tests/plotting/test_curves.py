import io

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from skcoad import NeighborsDetector
from skcoad.plotting import plot_calibration, plot_loss
from skcoad.plotting._style import CURVES

DRAWS = [plot_calibration, plot_loss]


def uniform_rarity(n):
    """Scores that are exceeded as often as they say: 1 of 10 above 1, and so on."""
    return -np.log10((np.arange(n) + 0.5) / n)


def realised(line, score):
    """The rate that a curve shows for the rate that a score asks for."""
    asked, rates = line.get_data()
    nearest = np.abs(np.log10(asked) + score).argmin()
    assert asked[nearest] == pytest.approx(10**-score)
    return rates[nearest]


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_a_score_of_2_is_asked_to_be_exceeded_by_1_of_100(factor):
    scores = uniform_rarity(100_000) + np.log10(factor)
    ax = plot_calibration(scores.clip(0))
    for score in (1.0, 2.0, 3.0):
        expected = np.mean(scores > score)
        assert expected == pytest.approx(factor * 10**-score, rel=0.02)
        assert realised(ax.lines[0], score) == expected


def test_the_curve_is_the_share_of_larger_scores_and_ends_with_the_last(fitted, wave):
    scores = fitted.decision_function(wave(400, seed=3))
    asked, rates = plot_calibration(scores).lines[0].get_data()
    expected = np.array([np.mean(scores > s) for s in -np.log10(asked)])
    # To the next score, since the logarithm of a power is rounded.
    assert (
        np.nanmax(np.abs(np.where(expected > 0, expected, np.nan) - rates)) <= 1 / 400
    )
    assert np.isnan(rates[expected == 0]).all()
    assert asked[0] == 1
    assert 0 <= np.log10(400) + np.log10(asked[-1]) + 0.02 <= 0.04


def test_normal_data_of_a_detector_run_near_the_diagonal(wave):
    X = wave(6000)
    detector = NeighborsDetector().fit(X[:3000])
    scores = {"train": detector.decision_scores_, "new": detector.decision_function(X)}
    train, new, diagonal = plot_calibration(scores).lines
    assert realised(train, 1.0) == pytest.approx(0.1, rel=0.1)
    assert realised(new, 1.0) == pytest.approx(0.1, rel=0.5)
    np.testing.assert_array_equal(*diagonal.get_data())


def test_each_detector_has_its_curve_and_its_name():
    scores = {name: uniform_rarity(n) for n, name in enumerate(["a$b^", *"cdefgh"], 50)}
    ax = plot_calibration(scores)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [*scores, "as asked", "half to twice"]
    looks = [(line.get_color(), line.get_linestyle()) for line in ax.lines]
    assert len(set(looks)) == len(looks)
    # The axes end where the longest series can tell no more.
    assert ax.get_xlim()[0] == pytest.approx(1 / 57, rel=0.05)
    ax.figure.savefig(io.BytesIO())


def test_losses_are_drawn_at_their_steps(tiny, wave):
    detector = tiny(max_steps=45).fit(wave())
    ax = plot_loss(detector.loss_curve_)
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), [1, 21, 41])
    assert line.get_xdata()[-1] <= detector.n_iter_
    np.testing.assert_array_equal(line.get_ydata(), detector.loss_curve_)
    assert ax.get_legend() is None
    both = plot_loss({"one": [3, 2], "other": [2, 1, 0]})
    assert [line.get_label() for line in both.lines] == ["one", "other"]
    assert [to_hex(line.get_color()) for line in both.lines] == [
        to_hex(color) for color in CURVES[:2]
    ]


@pytest.mark.parametrize("draw", DRAWS)
def test_axes_that_are_given_are_drawn_into(draw):
    left, right = Figure().subplots(1, 2)
    assert draw([0.5, 0.2], ax=right) is right
    assert not left.lines
    assert draw([0.5, 0.2]).figure is not right.figure


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "there is no"),
        ([], "at least one number"),
        ({"a": [[1.0]]}, r"a must have shape \(n,\)"),
        ({"a": [1.0, np.nan]}, "a must be finite"),
    ],
)
def test_what_is_no_curve_is_an_error(draw, given, message):
    with pytest.raises(ValueError, match=message):
        draw(given)


def test_a_score_below_0_is_no_rarity():
    with pytest.raises(ValueError, match="scores must be at least 0, got -1"):
        plot_calibration([1.0, -1.0])
