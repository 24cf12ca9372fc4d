import io
from contextlib import nullcontext
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from skcoad import NeighborsDetector
from skcoad.plotting import Zoom, plot_explanation, plot_scores
from skcoad.plotting._style import (
    EVIDENCE,
    EXPECTED,
    FOUND,
    INK,
    LIMIT,
    MAX_COLUMNS,
    SCORE,
    TRAINING,
    TRUTH,
)
from skcoad.scoring import WORDS, AnomalySegment


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
    assert np.array_equal(lines(scores, SCORE)[0].get_ydata(), x**2)
    assert lines(scores, LIMIT)[0].get_ydata() == [0.9, 0.9]
    for axes in (series, scores):
        assert spans(axes, TRUTH) == [(100, 120), (399, 399)]
    assert lines(series, FOUND)[0].get_xdata().tolist() == [98, 121]
    assert lines(scores, FOUND)[0].get_xdata().tolist() == [110]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "true anomaly",
        "found",
        "threshold",
    ]


@pytest.mark.parametrize(
    ("threshold", "scale"),
    [(None, "linear"), (11, "linear"), (9, "symlog"), (0, "linear")],
)
def test_a_high_peak_does_not_flatten_the_others(x, threshold, scale):
    scores = np.ones(400)
    scores[200] = 100
    assert plot_scores(x, scores, threshold=threshold).axes[1].get_yscale() == scale


@pytest.mark.parametrize(
    ("threshold", "highest", "ticks"),
    [
        (2, 28, [0, 5, 10, 20]),
        (2, 3000, [0, 10, 100, 1000]),
        (0.3, 9, [0, 0.5, 1, 2, 5]),
    ],
)
def test_a_logarithmic_axis_has_round_ticks(x, threshold, highest, ticks):
    scores = np.ones(400)
    scores[200] = highest
    axes = plot_scores(x, scores, threshold=threshold).axes[1]
    assert axes.get_ylabel() == "anomaly score (log)"
    assert axes.get_yticks().tolist() == pytest.approx(ticks)


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
    where, drawn = line.get_xdata().astype(int), line.get_ydata()
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
    assert np.array_equal(figure.axes[0].lines[0].get_xdata(), date2num(hours))


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_gaps_and_constant_series_are_drawn(suffix):
    x = np.ones(5000)
    x[1000:1400] = np.nan
    plot_scores(x, np.zeros(5000), threshold=0).savefig(io.BytesIO(), format=suffix)


def test_a_missing_value_interrupts_the_line_and_a_lone_one_is_a_point():
    x = np.array([0, 1, np.nan, 3, np.nan, 5, 6, np.inf, 8.0])
    line, points = plot_scores(x, np.zeros(9)).axes[0].lines
    expected = [0, 1, np.nan, 3, np.nan, 5, 6, np.nan, 8]
    np.testing.assert_array_equal(line.get_ydata(), expected)
    assert points.get_xdata().tolist() == [3, 8]
    assert points.get_marker() == "."


def test_scattered_missing_values_hide_no_extremes_of_a_long_series():
    rng = np.random.default_rng(0)
    x = rng.normal(size=50_000)
    x[rng.random(50_000) < 0.3] = np.nan
    x[20_000:20_100] = np.nan
    drawn = plot_scores(x, np.zeros(50_000)).axes[0].lines[0].get_ydata()
    whole = x[: 50_000 // 25 * 25].reshape(-1, 25)
    seen = ~np.isnan(whole).all(axis=1)
    assert not seen.all()
    assert np.isin(np.nanmax(whole[seen], axis=1), drawn).all()
    assert np.isin(np.nanmin(whole[seen], axis=1), drawn).all()
    assert np.isnan(drawn).sum() == 2 * (~seen).sum()


def test_nothing_is_drawn_where_timestamps_are_missing(x):
    time = np.r_[0:150, 200:450].astype("timedelta64[h]") + np.datetime64("2024-01-01")
    figure = plot_scores(x, np.zeros(400), timestamps=time, zooms=[Zoom("", 100, 200)])
    for axes, hole in zip(figure.axes, (150, 150, 50), strict=True):
        y = axes.lines[0].get_ydata()
        assert np.flatnonzero(np.isnan(y)).tolist() == [hole]


def test_a_hole_in_time_is_a_hole_in_the_heat_map(wave):
    time = np.r_[0:150, 200:350].astype(float)
    figure = plot_scores(wave(300, 9), np.zeros(300), timestamps=time)
    (image,) = figure.axes[-2].images
    colors = image.get_array()
    assert colors.shape == (4, 301)
    assert np.unique(np.argwhere(np.ma.getmaskarray(colors))[:, 1]).tolist() == [150]
    assert list(image.get_extent()[:2]) == [0, 350]


def test_the_score_is_not_drawn_where_no_channel_has_a_value(wave):
    x = wave(300, 2)
    x[100:150] = np.nan
    x[200:250, 0] = np.nan
    scores = plot_scores(x, np.arange(300.0)).axes[-1].lines[0].get_ydata()
    assert np.flatnonzero(np.isnan(scores)).tolist() == list(range(100, 150))


def test_a_zoom_takes_a_channel_by_its_name(wave):
    x = pd.DataFrame(wave(400, 2), columns=["flow", "heat"])
    figure = plot_scores(x, x["flow"] ** 2, zooms=[Zoom("", 200, 230, "heat")])
    np.testing.assert_array_equal(
        figure.axes[-1].lines[0].get_ydata(), x["heat"][200:230]
    )


def test_a_zoom_shows_what_was_expected_where_a_value_was_observed(wave):
    x = wave(300, 2)
    x[210:215, 1] = np.nan
    figure = plot_scores(x, x[:, 0] ** 0, expected=x + 1, zooms=[Zoom("", 200, 230, 1)])
    (line,) = lines(figure.axes[-1], EXPECTED)
    np.testing.assert_array_equal(line.get_ydata(), x[200:230, 1] + 1)


def test_of_many_channels_the_most_anomalous_come_first(wave):
    x = wave(300, 60)
    channel_scores = np.random.default_rng(0).random((300, 60))
    order = [7, 59, 0, 30, 31, 5, 44]
    for height, channel in enumerate(order):
        channel_scores[200 + height, channel] = 20 - height
    channel_scores[50, 3] = 99  # in the training part
    channel_scores[250, 4], x[250, 4] = 99, np.nan  # at a missing value
    names = [f"pump {i}" for i in range(60)]
    figure = plot_scores(
        x,
        channel_scores.mean(axis=1),
        channel_scores=channel_scores,
        channel_names=names,
        train_length=100,
    )
    *rows, heat, _ = figure.axes
    assert [axes.get_title(loc="left") for axes in rows] == [
        names[channel] for channel in order[:5]
    ]
    (image,) = heat.images
    colors = image.get_array()
    assert colors.shape == (55, 300)
    assert heat.get_yticklabels()[0].get_text() == "pump 5"
    assert np.ma.getdata(colors)[0].tolist() == channel_scores[:, 5].tolist()
    assert np.ma.getdata(colors)[1].tolist() == channel_scores[:, 44].tolist()
    assert np.argwhere(np.ma.getmaskarray(colors))[:, 1].tolist() == [250]


def test_without_scores_of_channels_the_heat_map_shows_standardised_values(wave):
    x = 5 + 3 * wave(300, 9)
    x[:, 8] = 7
    figure = plot_scores(x, np.zeros(300))
    colors = figure.axes[-2].images[0].get_array()
    expected = (x[:, 5] - np.median(x[:, 5])) / x[:, 5].std()
    np.testing.assert_allclose(colors[0], expected)
    assert not colors[3].any()


def test_no_peak_of_any_of_many_channels_is_lost_in_the_heat_map():
    rng = np.random.default_rng(0)
    channel_scores = rng.random((5000, 500))
    at, channels = rng.integers(0, 5000, 495), rng.permutation(500)[:495]
    channel_scores[at, channels] = 10 + rng.random(495)
    figure = plot_scores(
        np.zeros((5000, 500)), np.zeros(5000), channel_scores=channel_scores
    )
    rows, columns = figure.axes[-2].images[0].get_array().shape
    assert rows <= 200
    assert columns <= 600
    colors = figure.axes[-2].images[0].get_array()
    highest = np.sort(channel_scores.max(axis=0))[::-1][5:]
    np.testing.assert_array_equal(colors.max(axis=1), highest[::3])
    figure.savefig(io.BytesIO())


NAMES = [
    "$^$",
    "a$b^$c",
    "cost $/h, $/day",
    "温度",
    "line\nbreak",
    "x" * 300,
    "\\frac{",
    5,
]


@pytest.mark.parametrize("n_channels", [1, 3, 20])
def test_names_are_drawn_as_they_are(wave, n_channels):
    x = wave(100, n_channels)
    names = (NAMES * 3)[:n_channels]
    zooms = [Zoom(str(names[0]), 20, 40)]
    figure = plot_scores(x, x[:, 0] ** 2, channel_names=names, zooms=zooms)
    texts = figure.findobj(lambda artist: hasattr(artist, "get_parse_math"))
    shown = {text.get_text(): text for text in texts}
    for name in ("$^$", "cost $/h, $/day")[: 1 + (n_channels > 1)]:
        assert not shown[name].get_parse_math()
    lacking = pytest.warns(UserWarning, match="Glyph")  # what the font does not have
    with lacking if n_channels > 3 else nullcontext():
        figure.savefig(io.BytesIO())


HOUR = np.timedelta64(1, "h")
START = np.datetime64("2024-02-28", "ns")


@pytest.mark.parametrize(
    ("timestamps", "first", "label"),
    [
        (None, 0, "timestamp"),
        (np.arange(400) / 8 - 3, -3, ""),
        (1711753200_000000000 + np.arange(400), 1711753200e9, ""),
        (np.full(400, 3), 3, ""),
        (START + np.arange(400), 0, "ns after 2024-02-28 00:00:00"),
        (START + 1000 * np.arange(400), 0, "µs after 2024-02-28 00:00:00"),
        (START + HOUR * np.arange(400), date2num(START), ""),
        (
            np.datetime64("1700", "Y") + np.arange(400),
            date2num(np.datetime64("1700")),
            "",
        ),
        (np.datetime64("9700", "Y") + np.arange(400), 9700, "year"),
        (
            np.datetime64("9999-12-01T00", "h") + np.arange(400),
            0,
            "days after 9999-12-01 00:00:00",
        ),
        (np.arange(400) * np.timedelta64(90, "s"), 0, "hours"),
        (
            pd.period_range("2024-01", periods=400, freq="M"),
            date2num(np.datetime64("2024")),
            "",
        ),
        (
            pd.date_range("2024-03-30", periods=400, freq="h", tz="Europe/Berlin"),
            date2num(np.datetime64("2024-03-29T23")),
            "",
        ),
        (
            [t.to_pydatetime() for t in pd.date_range("2024", periods=400, freq="h")],
            date2num(np.datetime64("2024")),
            "",
        ),
    ],
)
def test_times_of_any_scale_are_drawn_without_a_warning(x, timestamps, first, label):
    zooms = [Zoom("part", 100, 130), Zoom("one", 100, 101)]
    figure = plot_scores(x, x**2, timestamps=timestamps, zooms=zooms)
    figure.savefig(io.BytesIO())
    assert figure.axes[0].lines[0].get_xdata()[0] == pytest.approx(first, abs=0.1)
    assert figure.axes[1].get_xlabel() == label
    for axes in figure.axes[1:]:
        assert len(axes.get_xticks()) >= 1


@pytest.mark.parametrize("n_channels", [1, 12])
@pytest.mark.parametrize(
    "x",
    [
        1e9,
        np.nan,
        np.inf,
        1.7e308 * (-1) ** np.arange(60),
        1e-320,
        [1e15, 1e15 + 1] * 30,
    ],
)
def test_values_of_any_size_are_drawn_without_a_warning(x, n_channels):
    values = np.broadcast_to(np.transpose([x]), (60, n_channels))
    scores = np.full(60, 1e308)
    scores[30] = 0
    for channel_scores in (None, np.zeros(values.shape)):
        figure = plot_scores(
            values,
            scores,
            channel_scores=channel_scores,
            zooms=[Zoom("", 0, 9)],
            train_length=60,
        )
        figure.savefig(io.BytesIO())


def test_a_series_of_one_timestamp_is_drawn():
    time = np.array(["2024-01-01"], dtype="M8[s]")
    plot_scores([1.0], [2.0], timestamps=time).savefig(io.BytesIO())


def test_dates_are_shown_in_their_zone(x):
    time = pd.date_range("2024-03-30", periods=400, freq="h", tz="Asia/Tokyo")
    figure = plot_scores(x, x**2, timestamps=time, zooms=[Zoom("", 0, 8)])
    figure.canvas.draw()
    assert figure.axes[2].get_xticklabels()[0].get_text() in ("Mar-30", "30", "00:00")


def test_a_frame_names_channels_timestamps_and_segments(wave):
    time = pd.date_range("2024-01-01", periods=600, freq="h")
    X = pd.DataFrame(wave(600, 2), columns=["flow", "heat"], index=time)
    X.iloc[400:412, 1] = 3
    detector = NeighborsDetector(period=25).fit(X[:300])
    found = detector.find_segments(X, threshold=3, limit=1)
    figure = plot_scores(X, detector.decision_function(X), segments=found)
    flow, heat, scores = figure.axes
    assert [axes.get_title(loc="left") for axes in (flow, heat)] == ["flow", "heat"]
    after = found["end"][0] + pd.Timedelta("1h")
    marked = date2num([found["start"][0], after])
    assert np.array_equal(lines(flow, FOUND)[0].get_xdata(), marked)
    assert lines(scores, FOUND)[0].get_xdata() == date2num(found["peak"][0])
    with pytest.raises(ValueError, match="a label that is not in the index of x"):
        plot_scores(X[:100], np.zeros(100), segments=found)


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2024-01-01", periods=600, freq="h", tz="Europe/Berlin"),
        pd.timedelta_range("0s", periods=600, freq="s"),
        pd.Index(np.arange(600) / 2),
        pd.RangeIndex(600),
    ],
    ids=["dates", "durations", "numbers", "positions"],
)
def test_segments_of_a_frame_are_found_by_the_timestamps_of_an_array(wave, times):
    X = pd.DataFrame(wave(600), index=times)
    X.iloc[400:412] = 3
    detector = NeighborsDetector(period=25).fit(X[:300])
    found = detector.search(X, threshold=3, limit=1)

    def marked(x, segments, timestamps=times):
        figure = plot_scores(x, found.scores, timestamps=timestamps, segments=segments)
        return lines(figure.axes[0], FOUND)[0].get_xdata().tolist()

    expected = marked(X, found.segments)
    for x in (X, X.to_numpy()):
        assert marked(x, found.table) == marked(x, found.segments) == expected
    assert plot_scores(X.to_numpy(), found.scores, segments=found.table[:0]).axes
    if isinstance(times, pd.RangeIndex):
        return
    with pytest.raises(ValueError, match="and x has no index; give timestamps"):
        marked(X.to_numpy(), found.table, None)
    with pytest.raises(ValueError, match="a label that is not in timestamps"):
        marked(X.to_numpy(), found.table, times[::-1] + 1000 * (times[1] - times[0]))


def test_labels_that_repeat_do_not_say_where_segments_are(wave):
    X = pd.DataFrame(wave(600), index=np.arange(600) // 2)
    X.iloc[400:412] = 3
    detector = NeighborsDetector(period=25).fit(X[:300])
    found = detector.search(X, threshold=3)
    with pytest.raises(ValueError, match=r"has 0 more than once.*are by position"):
        plot_scores(X, found.scores, segments=found.table)
    for some in (found.segments, found.table[:0]):
        assert plot_scores(X, found.scores, segments=some).axes


@pytest.mark.parametrize("draw", ["scores", "explanation"])
@pytest.mark.parametrize("sub", [False, True])
def test_a_figure_that_is_given_is_drawn_into(fitted, x, draw, sub):
    whole = Figure(layout="constrained" if sub else None)
    figure = whole.subfigures(1, 2)[0] if sub else whole
    if draw == "scores":
        assert plot_scores(x, x**2, threshold=1, figure=figure) is figure
    else:
        assert (
            plot_explanation(x, fitted.explain(x).components[0], figure=figure)
            is figure
        )
    assert len(figure.axes) == {"scores": 2, "explanation": 4}[draw]
    whole.savefig(io.BytesIO())


def test_things_in_one_figure_have_colours_of_their_own(fitted, x):
    colors = [INK, TRUTH, FOUND, LIMIT, EXPECTED, SCORE, TRAINING]
    assert len(set(colors)) == len(colors)
    figure = plot_explanation(
        x, fitted.explain(x).components[0], labels=np.arange(400) == 7
    )
    drawn = [line.get_color() for axes in figure.axes for line in axes.lines]
    assert len(set(drawn)) == len(drawn) == 9
    for one, other in combinations([*drawn, TRUTH], 2):
        assert np.abs(np.subtract(to_rgba(one), to_rgba(other))).max() > 0.1


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
        ({"channel_names": "a"}, "channel_names must be a sequence of names, got 'a'"),
        ({"train_length": -1}, "between 0 and the 3 timestamps, got -1"),
        ({"train_length": 4}, "between 0 and the 3 timestamps, got 4"),
        ({"zooms": [Zoom("z", 1, 4)]}, "part of the 3 timestamps, got 1 to 4"),
        ({"zooms": [Zoom("z", 1, 2, 1)]}, "there are 1 channels, none is 1: value"),
        ({"zooms": [Zoom("z", 1, 2, "b")]}, "none is 'b': value"),
        ({"timestamps": ["a", "b", "c"]}, "must be numbers or times, got 'a'"),
        (
            {"timestamps": np.array(["2024", "2025", "NaT"], dtype="M8[D]")},
            "the timestamp of row 2 is missing",
        ),
        ({"expected": [1, 2]}, r"expected must have shape \(3, 1\), got \(2, 1\)"),
        ({"channel_scores": [1]}, r"channel_scores must have shape \(3, 1\), got"),
    ],
)
def test_scores_that_do_not_fit_the_series_are_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_scores(**({"x": [1, 2, 3], "scores": [1, 2, 3]} | arguments))


def test_an_explanation_shows_every_part(fitted, x):
    (components,) = fitted.explain(x).components
    figure = plot_explanation(
        x, components, labels=np.arange(400) == 7, channel_name="ecg"
    )
    series, decision, error, distance = figure.axes
    loudest = sorted(EVIDENCE, key=lambda name: -getattr(components, name).max())[:4]
    drawn = [
        *((series, part) for part in (components.reconstruction, x)),
        *((decision, part) for part in (components.probability, components.mask)),
        (error, components.error),
        *((distance, getattr(components, name)) for name in loudest),
    ]
    for axes, part in drawn:
        assert any(np.array_equal(line.get_ydata(), part) for line in axes.lines)
    for axes in figure.axes:
        assert spans(axes, TRUTH) == [(7, 8)]
    assert series.get_ylabel() == "ecg"
    texts = [
        [t.get_text() for t in axes.get_legend().get_texts()] for axes in figure.axes
    ]
    assert texts == [
        ["true anomaly", "reconstruction", "series"],
        ["probability", "mask"],
        ["error"],
        [WORDS[name].label for name in EVIDENCE if name in loudest],
    ]


def test_an_explanation_of_another_series_is_an_error(fitted, x):
    (components,) = fitted.explain(x).components
    with pytest.raises(
        ValueError, match=r"components.probability must have shape \(399,\)"
    ):
        plot_explanation(x[:-1], components)
    with pytest.raises(ValueError, match=r"x must be one channel .* got \(400, 1\)"):
        plot_explanation(x[:, None], components)


def test_positions_are_written_in_full(x):
    figure = plot_scores(x, x**2, timestamps=120_000 + np.arange(400))
    figure.savefig(io.BytesIO())
    axis = figure.axes[-1].xaxis
    assert axis.get_offset_text().get_text() == ""
    assert "120200" in [label.get_text() for label in axis.get_ticklabels()]


def test_without_a_network_its_row_is_left_out(fitted, wave):
    X = wave()
    alone = NeighborsDetector().fit(X).explain(X).plot()
    labels = [axes.get_ylabel() for axes in alone.axes]
    assert labels == ["channel 0", "error", "evidence,\ndecades", "parts of\nthe score"]
    assert fitted.explain(X).plot().axes[1].get_ylabel() == "classifier"
