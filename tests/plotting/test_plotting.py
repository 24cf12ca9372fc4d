import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from skcoad.plotting import Zoom, plot_explanation, plot_scores
from skcoad.plotting._style import FOUND, INK, LIMIT, MAX_COLUMNS, TRUTH
from skcoad.scoring import AnomalySegment


def lines(axes, color):
    return [line for line in axes.lines if line.get_color() == color]


def spans(axes, color):
    """Left and right end of each shaded part."""
    boxes = (  # a rectangle, before matplotlib 3.9 a polygon
        patch.get_path().get_extents(patch.get_patch_transform())
        for patch in axes.patches
        if patch.get_facecolor()[:3] == to_rgba(color)[:3]
    )
    return [(box.x0, box.x1) for box in boxes]


@pytest.fixture
def x(wave):
    return wave(400)[:, 0]


def test_series_scores_threshold_and_labels_are_where_they_belong(x):
    labels = np.zeros(400)
    labels[100:120] = labels[399] = 1
    figure = plot_scores(
        x,
        x**2,
        labels=labels,
        threshold=0.9,
        segments=[AnomalySegment(98, 121, 110, 1.0)],
    )
    series, scores = figure.axes
    assert np.array_equal(lines(series, INK)[0].get_ydata(), x)
    assert np.array_equal(lines(scores, FOUND)[0].get_ydata(), x**2)
    assert lines(scores, LIMIT)[0].get_ydata() == [0.9, 0.9]
    for axes in (series, scores):
        assert spans(axes, TRUTH) == [(100, 120), (399, 399)]
    assert lines(series, FOUND)[0].get_xdata().tolist() == [98, 121]
    assert lines(scores, FOUND)[1].get_xdata().tolist() == [110]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "true anomaly",
        "found",
        "threshold",
    ]


def test_each_channel_has_its_row_and_its_name(wave):
    x = wave(300, n_channels=3)
    figure = plot_scores(x, x[:, 0], channel_names=["flow", "heat", "load"])
    *rows, scores = figure.axes
    assert [axes.get_title(loc="left") for axes in rows] == ["flow", "heat", "load"]
    for axes, channel in zip(rows, x.T, strict=True):
        assert np.array_equal(axes.lines[0].get_ydata(), channel)
    assert scores.get_ylabel() == "anomaly score"


def test_a_zoom_shows_its_part_of_its_channel(wave):
    x = wave(300, n_channels=2)
    figure = plot_scores(
        x,
        x[:, 0],
        zooms=[Zoom("late", 200, 260, 1), Zoom("early", 0, 50)],
        segments=[AnomalySegment(190, 210, 200, 1.0), AnomalySegment(60, 70, 65, 1.0)],
    )
    late, early = figure.axes[3:]
    assert [late.get_title(), early.get_title()] == ["late", "early"]
    assert np.array_equal(lines(late, INK)[0].get_ydata(), x[200:260, 1])
    assert np.array_equal(lines(early, INK)[0].get_ydata(), x[:50, 0])
    # A mark does not stick out of the part that is shown.
    assert [line.get_xdata().tolist() for line in lines(late, FOUND)] == [[200, 210]]
    assert lines(early, FOUND) == []


@pytest.mark.parametrize("n", [MAX_COLUMNS * 2 + 1, 12_345, 100_000])
def test_a_long_series_keeps_the_extremes_of_every_column(n):
    x = np.random.default_rng(0).normal(size=n)
    line = plot_scores(x, x).axes[0].lines[0]
    where, drawn = line.get_xdata(), line.get_ydata()
    assert len(drawn) <= 3 * MAX_COLUMNS
    assert (np.diff(where) >= 0).all()
    assert np.array_equal(drawn, x[where])
    width = -(-n // MAX_COLUMNS)
    for start in range(0, n, width):
        inside = drawn[(where >= start) & (where < start + width)]
        assert inside.min() == x[start : start + width].min()
        assert inside.max() == x[start : start + width].max()


def test_timestamps_are_on_the_axes(x):
    hours = np.datetime64("2024-02-28T00") + np.arange(400)
    figure = plot_scores(
        x, x, timestamps=hours, zooms=[Zoom("day", 24, 48)], train_length=100
    )
    figure.canvas.draw()
    ticks = [text.get_text() for text in figure.axes[1].get_xticklabels()]
    assert "Mar" in ticks
    assert np.array_equal(figure.axes[0].lines[0].get_xdata(), hours)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_gaps_and_constant_series_are_drawn(suffix):
    x = np.ones(5000)
    x[1000:1400] = np.nan
    plot_scores(x, np.zeros(5000), threshold=0).savefig(io.BytesIO(), format=suffix)


def test_no_global_state_of_matplotlib_is_touched(x):
    import matplotlib.pyplot as plt

    before = (dict(mpl.rcParams), mpl.get_backend())
    plot_scores(x, x, zooms=[Zoom("all", 0, 400)]).savefig(io.BytesIO())
    assert plt.get_fignums() == []
    assert (dict(mpl.rcParams), mpl.get_backend()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": np.zeros((2, 2, 2))}, r"x must have shape .* got \(2, 2, 2\)"),
        ({"x": []}, r"not be empty, got \(0, 1\)"),
        ({"scores": [1, 2]}, r"scores must have shape \(3,\), got \(2,\)"),
        ({"scores": [1, np.nan, 2]}, "scores must be finite"),
        ({"labels": [1]}, r"labels must have shape \(3,\), got \(1,\)"),
        ({"labels": [0, 1, 2]}, "only 0 .normal. and 1 .anomalous., got 2"),
        ({"timestamps": [1]}, r"timestamps must have shape \(3,\), got \(1,\)"),
        ({"channel_names": ["a", "b"]}, "1 channels but 2 channel_names"),
        ({"zooms": [Zoom("z", 1, 4)]}, "part of the 3 timestamps, got 1 to 4"),
    ],
)
def test_scores_that_do_not_fit_the_series_are_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_scores(**({"x": [1, 2, 3], "scores": [1, 2, 3]} | arguments))


def test_an_explanation_shows_every_part(fitted, x):
    (components,) = fitted.explain(x)
    figure = plot_explanation(
        x, components, labels=np.arange(400) == 7, channel_name="ecg"
    )
    series, decision, error, distance = figure.axes
    drawn = [
        *((series, part) for part in (components.reconstruction, x)),
        *((decision, part) for part in (components.probability, components.mask)),
        (error, components.error),
        *((distance, part) for part in components[-4:]),
    ]
    for axes, part in drawn:
        assert any(np.array_equal(line.get_ydata(), part) for line in axes.lines)
    for axes in figure.axes:
        assert spans(axes, TRUTH) == [(7, 8)]
    assert series.get_ylabel() == "ecg"
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {
        "true anomaly",
        "series",
        "reconstruction",
        "probability",
        "mask",
        "values",
        "shape of values",
        "first differences",
        "shape of differences",
    }


def test_an_explanation_of_another_series_is_an_error(fitted, x):
    (components,) = fitted.explain(x)
    with pytest.raises(
        ValueError, match=r"components.probability must have shape \(399,\)"
    ):
        plot_explanation(x[:-1], components)
    with pytest.raises(ValueError, match=r"x must be one channel .* got \(400, 1\)"):
        plot_explanation(x[:, None], components)
