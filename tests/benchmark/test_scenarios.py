import pytest

from skcoad.benchmark import scenario_report, scenario_suite, scenario_table
from skcoad.datasets import SCENARIOS


def result(detector, series, **metrics):
    return {
        "detector": detector,
        "series": series,
        "protocol": "kdd21",
        "seed": 0,
        "n_anomalous": 5,
        "metrics": metrics,
        "error": None,
    }


@pytest.fixture
def results():
    return [
        result("A", "spike-0", vus_pr=0.2, hit_at_1=1.0),
        result("A", "spike-1", vus_pr=0.6, hit_at_1=0.0),
        result("B", "spike-0", vus_pr=0.4, hit_at_1=1.0),
        result("B", "spike-1", vus_pr=0.5, hit_at_1=1.0),
        result("A", "two-0", vus_pr=0.9),
        result("B", "two-0", vus_pr=0.1),
        result("A", "none-0", vus_pr=0.01, hit_at_1=0.0),
        result("B", "none-0", vus_pr=0.01, hit_at_1=0.0),
    ]


def test_the_suite_has_each_scenario_so_many_times():
    names = [series.name for series in scenario_suite(2)]
    assert names == [f"{name}-{draw}" for name in SCENARIOS for draw in (0, 1)]
    with pytest.raises(ValueError, match="draws must be at least 1, got 0"):
        scenario_suite(0)


def test_a_value_is_the_mean_over_the_draws(results):
    table = scenario_table(results)
    assert list(table.index) == ["spike", "two", "none"]
    assert table.loc["spike"].to_dict() == pytest.approx({"A": 0.4, "B": 0.45})


def test_a_scenario_where_the_metric_is_undefined_is_left_out(results):
    table = scenario_table(results, metric="hit_at_1")
    assert list(table.index) == ["spike", "none"]
    assert table.loc["spike"].to_dict() == {"A": 0.5, "B": 1.0}


def test_the_report_counts_where_each_is_best_or_equal(results):
    text = scenario_report(results)
    assert "| scenario | A | B |" in text
    assert "| spike | 0.400 | 0.450 |" in text
    assert "of the 1 scenarios where any detector is above 0: A 0, B 1." in text
    assert "of the 3 scenarios where any detector is above 0: A 3, B 2." in text


@pytest.mark.parametrize("error", [None, "E"])
def test_of_scenarios_with_several_anomalies_no_hits_are_reported(error):
    one = result("A", "two-0", vus_pr=0.9) | {"n_events": 2, "error": error}
    text = scenario_report([one])
    assert "## vus_pr" in text
    assert "hit_at_1" not in text
