import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats

from skcoad.benchmark import (
    compare,
    compare_with_published,
    mean_metrics,
    plot_comparison,
    plot_critical_difference,
    read_published,
    report,
)
from skcoad.benchmark._statistics import _holm, critical_difference


def result(detector, series, value, *, seed=0, error=None, protocol="kdd21", **more):
    entry = {
        "detector": detector,
        "series": series,
        "protocol": protocol,
        "seed": seed,
        "n_anomalous": 3,
        "error": error,
    }
    if error is None:
        entry |= {
            "metrics": {"vus_pr": value, "auc_pr": value / 2, **more},
            "fit_seconds": 2.0,
            "score_seconds": 0.5,
            "peak_memory_mib": 200.0 + 100 * value,
            "base_memory_mib": 100.0,
        }
    return entry


def table_of(values):
    """Results from {detector: values by series}."""
    return [
        result(detector, f"s{i}", value)
        for detector, row in values.items()
        for i, value in enumerate(row)
    ]


def test_means_ranks_and_wins_are_those_counted_by_hand():
    table = compare(
        table_of({"A": [0.1, 0.5, 0.9], "B": [0.2, 0.5, 0.8], "C": [0.9, 0.8, 0.95]})
    )
    assert list(table.index) == ["C", "A", "B"]
    np.testing.assert_allclose(table["mean"], [2.65 / 3, 0.5, 0.5])
    np.testing.assert_allclose(table["median"], [0.9, 0.5, 0.5])
    np.testing.assert_allclose(table["rank"], [1, (3 + 2.5 + 2) / 3, (2 + 2.5 + 3) / 3])
    assert table.loc["A", ["wins", "ties", "losses"]].tolist() == [0, 0, 3]
    assert table.loc["C", ["wins", "ties", "losses"]].isna().all()
    np.testing.assert_allclose(table["fit_seconds"], 2.0)
    np.testing.assert_allclose(table["memory_mib"], [195, 190, 180])


def test_the_test_is_the_paired_one_with_holms_correction():
    rng = np.random.default_rng(0)
    base = rng.random(20)
    values = {
        "A": base,
        "B": base + 0.05 * rng.random(20),
        "C": base + 0.3 * rng.standard_normal(20),
    }
    table = compare(table_of(values), against="A")
    raw = {
        name: stats.wilcoxon(values[name] - base, zero_method="zsplit").pvalue
        for name in "BC"
    }
    assert raw["B"] < raw["C"]
    assert table["p"]["B"] == pytest.approx(2 * raw["B"])
    assert table["p"]["C"] == pytest.approx(max(2 * raw["B"], raw["C"]))
    assert np.isnan(table["p"]["A"])


def test_equal_detectors_do_not_differ():
    table = compare(table_of({"A": [0.1, 0.2], "B": [0.1, 0.2]}))
    assert table["p"].tolist()[1] == 1.0
    assert table.loc["B", ["wins", "ties", "losses"]].tolist() == [0, 2, 0]


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holms_correction_equals_its_definition(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    expected, highest = [0.0] * len(p), 0.0
    for i, index in enumerate(order):
        highest = max(highest, (len(p) - i) * p[index])
        expected[index] = min(highest, 1.0)
    np.testing.assert_allclose(_holm(np.array([*p, np.nan]))[:-1], expected)


def test_a_failure_counts_as_0():
    results = [
        *table_of({"A": [0.4, 0.6], "B": [0.3]}),
        result("B", "s1", 0, error="E"),
    ]
    table = compare(results)
    assert table["mean"]["B"] == pytest.approx(0.15)
    assert table["failures"].tolist() == [0, 1]
    assert table["fit_seconds"]["B"] == 2.0  # of the run that did not fail


def test_a_detector_that_always_fails_has_a_row():
    results = [*table_of({"A": [0.4]}), result("B", "s0", 0, error="ValueError: no")]
    assert compare(results).loc["B", ["mean", "failures"]].tolist() == [0, 1]
    assert "- B on s0, seed 0: ValueError: no" in report(results)
    plot_comparison(results)


def test_a_report_on_failures_alone_lists_them():
    failed = [result("A", "s0", 0, error="E: a"), result("B", "s0", 0, error="E: b")]
    assert mean_metrics(failed).shape == (2, 0)
    text = report(failed)
    assert "Means of all metrics" not in text
    assert "- B on s0, seed 0: E: b" in text


def test_series_without_results_of_every_detector_are_left_out():
    results = table_of({"A": [0.4, 0.6, 0.8], "B": [0.3, 0.5]})
    assert compare(results)["mean"]["A"] == pytest.approx(0.5)
    assert report(results).startswith("2 of 3 series")


def test_series_without_anomalies_are_left_out():
    empty = [result(name, "s9", 0, error="no anomaly") for name in "AB"]
    for one in empty:
        one["n_anomalous"] = 0
    results = table_of({"A": [0.4], "B": [0.3]}) + empty
    assert compare(results)["mean"].tolist() == [0.4, 0.3]
    assert compare(results)["failures"].tolist() == [0, 0]


def test_of_several_results_of_one_run_the_last_counts():
    results = [result("A", "s0", 0.2), result("A", "s0", 0.8)]
    results.insert(0, result("A", "s0", 0.0, error="E: b"))
    assert compare(results).loc["A", ["mean", "failures"]].tolist() == [0.8, 0]
    assert mean_metrics(results).loc["A", "auc_pr"] == 0.4
    assert "## Failures" not in report(results)


def test_seeds_are_averaged_before_series_are_compared():
    results = [
        result("A", "s0", 0.2, seed=0),
        result("A", "s0", 0.4, seed=1),
        result("B", "s0", 0.3),
    ]
    table = compare(results)
    assert table["mean"].tolist() == pytest.approx([0.3, 0.3])


def test_a_metric_undefined_for_some_series_is_averaged_over_the_others():
    results = [
        result("A", "s0", 0.2, hit_at_1=1.0),
        result("A", "s1", 0.4),
        result("B", "s0", 0.2, hit_at_1=0.0),
        result("B", "s1", 0.4),
    ]
    assert mean_metrics(results)["hit_at_1"].to_dict() == {"A": 1.0, "B": 0.0}
    np.testing.assert_allclose(mean_metrics(results)["vus_pr"], 0.3)
    np.testing.assert_allclose(mean_metrics(results)["auc_pr"], 0.15)


@pytest.mark.parametrize("n_events", [1, 2])
def test_a_failure_is_0_only_where_the_metric_is_defined(n_events):
    failed = [
        result("A", "s1", 0, error="E"),
        result("A", "s1", 0.4, seed=1),
        result("A", "s2", 0, error="E"),  # without any run that did not fail
    ]
    for one in failed:
        one["n_events"] = n_events
    known = result("A", "s0", 0.2, hit_at_1=1.0) | {"n_events": 1}
    means = mean_metrics([known, *failed]).loc["A"]
    assert means["hit_at_1"] == (1.0 if n_events == 2 else pytest.approx(1 / 3))
    assert means["vus_pr"] == pytest.approx((0.2 + 0.2 + 0) / 3)


def test_results_of_early_versions_do_not_say_how_many_events_there_are():
    results = [result("A", "s0", 0.2, hit_at_1=1.0), result("A", "s1", 0, error="E")]
    assert mean_metrics(results).loc["A", "hit_at_1"] == 0.5


def test_the_report_is_markdown():
    text = report(table_of({"A": [0.1, 0.5], "B": [0.2, 0.25]}), against="B")
    assert "2 of 2 series" in text
    assert "against B;" in text
    assert "| A | 0.300 | 0.300 | 1.500 | 1 | 0 | 1 | " in text
    assert "| B | 0.225 | 0.225 | 1.500 |  |  |  |  | " in text
    assert "Failures" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows[:4]}) == 1


def test_the_critical_difference_equals_that_of_demsar():
    # Demsar 2006, table 5 (q = 2.569 for four) and the example of section 3.2.2.
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.01)
    assert critical_difference(1, 14) == 0


def test_the_figure_shows_ranks_and_costs(tmp_path):
    figure = plot_comparison(table_of({"A": [0.1, 0.5], "B": [0.2, 0.25]}))
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["A", "B"]
    assert {text.get_text() for text in right.texts} == {"A", "B"}
    figure.savefig(tmp_path / "figure.png")


def test_ranks_have_half_the_critical_difference_on_either_side():
    scores = {"A": [0.1, 0.5, 0.3], "B": [0.2, 0.25, 0.1], "C": [0.3, 0.6, 0.4]}
    results = table_of(scores)
    ax = Figure().subplots()
    assert plot_critical_difference(results, ax=ax) is ax
    assert [label.get_text() for label in ax.get_yticklabels()] == ["B", "A", "C"]
    (bars,) = ax.containers
    ranks = bars.lines[0].get_xdata().astype(float)
    np.testing.assert_allclose(ranks, [8 / 3, 7 / 3, 1])
    segments = bars.lines[2][0].get_segments()
    widths = [segment[1, 0] - segment[0, 0] for segment in segments]
    np.testing.assert_allclose(widths, critical_difference(3, 3))


def test_names_of_detectors_are_drawn_as_they_are(tmp_path):
    figure = Figure()
    results = table_of({"$^$": [0.1, 0.5], "a$b^$c": [0.2, 0.25]})
    assert plot_comparison(results, figure=figure) is figure
    left, right = figure.axes
    assert {label.get_text() for label in left.get_yticklabels()} == {"$^$", "a$b^$c"}
    assert {text.get_text() for text in right.texts} == {"$^$", "a$b^$c"}
    figure.savefig(tmp_path / "figure.png")


@pytest.mark.parametrize(
    ("results", "arguments", "message"),
    [
        ([], {}, r"results must be of one protocol, got \[\]"),
        (
            [result("A", "s", 0), result("A", "s", 0, protocol="tsb-ad")],
            {},
            r"got \['kdd21', 'tsb-ad'\]",
        ),
        ([result("A", "s", 0)], {"metric": "x"}, r"one of \['auc_pr', 'vus_pr'\]"),
        ([result("A", "s", 0)], {"against": "B"}, r"one of \['A'\], got 'B'"),
        (
            [result("A", "s", 0), result("B", "t", 0)],
            {},
            "no series has an anomaly and results of every detector",
        ),
    ],
)
def test_incomparable_results_are_an_error(results, arguments, message):
    with pytest.raises(ValueError, match=message):
        compare(results, **arguments)


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "published.csv"
    path.write_text(
        "file,LOF,Sub-PCA,ts_len,seq_anomaly\ns0.csv,0.5,0.1,100,1\n"
        "s1.csv,0.3,0.2,100,1\nother.csv,0.9,0.9,100,1\n"
    )
    return path


def test_published_results_are_shown_on_the_series_in_both(published):
    assert list(read_published(published).columns) == ["LOF", "Sub-PCA"]
    ours = table_of({"A": [0.6, 0.1, 0.9], "LOF": [0.1, 0.1, 0.1]})
    table = compare_with_published(ours, published)
    assert list(table.index) == ["LOF", "A", "Sub-PCA", "LOF"]
    assert table["published"].tolist() == [True, False, True, False]
    np.testing.assert_allclose(table["mean"], [0.4, 0.35, 0.15, 0.1])
    assert set(table["n_series"]) == {2}


def test_only_columns_of_numbers_are_published_methods(tmp_path):
    path = tmp_path / "published.csv"
    path.write_text("file,domain,LOF,ts_len\n001,ecg,0.5,100\n002,gait,0.3,100\n")
    assert read_published(path)["LOF"].to_dict() == {"001": 0.5, "002": 0.3}
    table = compare_with_published([result("A", "001", 0.6)], path)
    assert table["mean"].to_dict() == {"A": 0.6, "LOF": 0.5}
    path.write_text('file,LOF\ns0,"0,5"\n')
    with pytest.raises(ValueError, match=r"no column of numbers .* \['file', 'LOF'\]"):
        read_published(path)


def test_published_results_of_other_series_are_an_error(published, tmp_path):
    with pytest.raises(ValueError, match="none of the 1 series is among the 3 of"):
        compare_with_published([result("A", "s7", 0.5)], published)
    (tmp_path / "table.csv").write_text("name,LOF\ns0,1\n")
    with pytest.raises(ValueError, match=r"no column 'file', only \['name', 'LOF'\]"):
        read_published(tmp_path / "table.csv")
