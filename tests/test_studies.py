"""The kernel of each study, benchmark and stress test runs, on a tiny series."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from skcoad import CoADDetector, NeighborsDetector
from skcoad.benchmark import BASELINES, Result
from skcoad.datasets import Series, make_series
from skcoad.io._schema import InvalidDetectorError
from skcoad.metrics import auc_pr
from skcoad.model import TrainingData, TrainingOptions, warmup_cosine
from skcoad.streaming import StreamingDetector

ROOT = Path(__file__).parents[1]
FOLDERS = ("studies", "benchmarks", "tests/stress")
SCRIPTS = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).glob("*.py"))
    if not path.name.startswith("_")
]
Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Import a script by its name, as if it were run from its folder."""
    for folder in FOLDERS:
        monkeypatch.syspath_prepend(ROOT / folder)
    return import_module


@pytest.fixture(scope="module")
def series() -> Series:
    return make_series(
        1000,
        period=16,
        anomalies=("noise",),
        train_length=700,
        name="tiny",
        random_state=0,
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_each_script_states_its_command_and_the_table_it_made(path: Path) -> None:
    docstring = path.read_text().split('"""')[1]
    folder = path.parent.relative_to(ROOT).as_posix()
    command = f"python {folder}/{path.name}"
    assert command in docstring
    if folder != "tests/stress":
        assert re.search(r"^Made .*\n?.*(docs/\w+|README)\.md", docstring, re.M)
        assert f"`{command}" in (path.parent / "README.md").read_text()


# Studies


def test_trials_name_detectors_and_parameters_that_exist() -> None:
    script = (ROOT / "studies" / "trials.sh").read_text()
    trials = re.findall(r"'([^'=]+)=(\w+):(\{.*?\})'", script, re.S)
    assert len(trials) == script.count("=CoAD") > 20
    for _, baseline, parameters in trials:
        assert baseline in BASELINES
        CoADDetector(**json.loads(parameters))._check_parameters()


def test_evidence_is_that_of_the_detector(load: Load, series: Series) -> None:
    module = load("evidence_study")
    excess = module.excess_distances(series, lengths=[1.0])
    model = NeighborsDetector().fit(series.train).model_
    assert model.neighbors is not None
    (neighbors,) = model.neighbors
    test = module.scaled_views(series)["values"][1]
    profile = neighbors.profile(test, torch.zeros_like(test, dtype=torch.bool))
    evidence = module.calibrated(excess)[:, 0]
    # The detector is calibrated apart at the ends of a series; the study is not.
    inside = slice(100, -100)
    assert_allclose(evidence[:, inside], profile.evidence[:, inside], 0.02, 0.02)


def test_evidence_study_evaluates_each_rule(load: Load, series: Series) -> None:
    module = load("evidence_study")
    result = module.study(series)
    assert len(result["metrics"]) == 28
    assert next(iter(result["metrics"])) == module.DEFAULT
    assert len(result["found_by"]) <= 20
    others = [
        {**result, "series": f"00{i}_UCR_Anomaly_{title}_1_2_3"}
        for i, title in enumerate(["sddb49", "NOISEsddb49", "resperation4"])
    ]
    tables = module.tables(others)
    assert tables.startswith("3 series")
    assert "(2 in all)" in tables
    assert "Chosen" not in module.tables(others[:2])


def test_rules_combine_evidence_as_their_names_say(load: Load) -> None:
    module = load("evidence_study")
    rng = np.random.default_rng(0)
    normal, test = torch.tensor(rng.normal(size=(2, 4, 5, 300)), dtype=torch.float32)
    excess = module.Excess(normal, test)
    evidence, scores = module.calibrated(excess), module.score_by_rules(excess)
    one = evidence[:, 2]
    assert_allclose(scores[module.DEFAULT], np.sqrt((one**2).mean(0)))
    assert_allclose(scores["five lengths, largest"], evidence.max((0, 1)))
    assert_allclose(scores["three lengths, mean"], evidence[:, [0, 2, 4]].mean((0, 1)))
    assert_allclose(scores["1 period, values, znormalized alone"], one[1])
    pair = np.sqrt((one[[0, 1]] ** 2).mean(0))
    assert_allclose(scores["1 period, without differences"], pair)
    without = np.sqrt((one[[0, 2, 3]] ** 2).mean(0))
    assert_allclose(scores["1 period, without values, znormalized"], without)


def test_a_rule_is_chosen_on_the_other_recordings(load: Load) -> None:
    module = load("evidence_study")

    def result(title: str, first: float, second: float) -> Result:
        values = {"a": first, "b": second}
        return {
            "series": f"001_UCR_Anomaly_{title}_1_2_3",
            "metrics": {
                rule: dict.fromkeys(module.METRICS, value)
                for rule, value in values.items()
            },
        }

    # Rule a is best by far on one recording, and b on both of the others.
    results = [result("x1", 1, 0), result("y1", 0, 0.4), result("DISTORTEDz", 0, 0.4)]
    left_out, chosen = module.leave_recordings_out(results, "auc_pr")
    assert left_out[:, 1].tolist() == [0, 0, 0]
    assert chosen == {"b": 1, "a": 2}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("004_UCR_Anomaly_DISTORTEDBIDMC1_2500_5400_5600", "BIDMC"),
        ("106_UCR_Anomaly_NOISEgaitHunt2_18500_31200_31850", "gait"),
        ("246_UCR_Anomaly_tilt12755mtable_100211_270800_271070", "tilt127"),
        ("086_UCR_Anomaly_DISTORTEDsddb49_20000_67950_68200", "sddb"),
    ],
)
def test_versions_of_a_recording_are_recognised(
    load: Load, name: str, expected: str
) -> None:
    assert load("_study").recording(name) == expected


def test_exhaustive_join_is_brute_force(load: Load) -> None:
    rng = np.random.default_rng(0)
    x, y = (torch.tensor(rng.normal(size=n).cumsum()) for n in (90, 120))
    join = load("length_study").exhaustive_join
    expected = load("recall").brute_force(y, x.unfold(0, 12, 1))
    found = join(x, y, 12)
    assert (found.indices == expected.indices).all()
    assert_allclose(found.distances, expected.distances, rtol=1e-5)
    own = join(y, y, 12, itself=True)
    at = torch.arange(len(own.indices))
    assert ((own.indices - at).abs() >= 12).all()
    assert (own.distances > 0).all()


def test_the_anomaly_is_ranked_among_peaks_far_enough_apart(load: Load) -> None:
    labels, scores = np.zeros(2_000, dtype=int), np.zeros(2_000)
    labels[1_000:1_020] = 1
    scores[1_100] = 2  # within 100 timestamps of the anomaly
    scores[[300, 320, 1_500]] = 3, 4, 5
    assert load("length_study").find_peaks(labels, scores) == (3, 2, 1_500)


def test_domains_study_reads_each_collection_and_averages_over_its_series(
    load: Load, tmp_path: Path
) -> None:
    module = load("domains_study")
    x = np.sin(np.arange(500) / 4)
    labels = np.isin(np.arange(500), range(450, 460)).astype(int)
    (tmp_path / "ecg").mkdir()
    np.savetxt(tmp_path / "ecg" / "beat.out", np.c_[x, labels], delimiter=",")
    (tmp_path / "skab" / "valve1").mkdir(parents=True)
    rows = "".join(f"{a:.3f};{b}\n" for a, b in zip(x, labels, strict=True))
    (tmp_path / "skab" / "valve1" / "0.csv").write_text("flow;anomaly\n" + rows)
    skab, ecg = module.read(tmp_path)
    assert (skab.name, skab.train_length) == ("skab valve1/0", 400)
    assert (ecg.name, ecg.train_length) == ("ecg beat", 50)
    assert skab.labels.tolist() == ecg.labels.tolist() == labels.tolist()
    metrics = dict.fromkeys(module.METRICS, 0.25)
    results: list[Result] = [
        {"series": name, "detector": "IForest", "error": error, "metrics": metrics}
        for name, error in (("ecg a", None), ("ecg b", None), ("skab c", "E: no"))
    ]
    better = metrics | {"auc_pr": 0.5}
    results.append(results[0] | {"detector": "CoAD", "metrics": better})
    assert module.table(results).splitlines()[2:] == [
        "| ecg | CoAD | 1 | **0.250** | **0.500** | **0.250** | **0.250** |",
        "| ecg | IForest | 2 | **0.250** | 0.250 | **0.250** | **0.250** |",
    ]


def test_choice_study_judges_a_choice_on_the_recordings_left_out(
    load: Load, tmp_path: Path
) -> None:
    module = load("choice_study")
    scores = {
        "A": {"x1": 0.9, "x2": 0.7, "y": 0.2},
        "B": {"x1": 0.1, "x2": 0.1, "y": 1},
    }
    path = tmp_path / "results.jsonl"
    lines = [
        json.dumps(
            {
                "detector": detector,
                "series": f"001_UCR_Anomaly_{name}_1_2_3",
                "metrics": dict.fromkeys(module.METRICS, value),
            }
        )
        for detector, values in scores.items()
        for name, value in values.items()
    ]
    path.write_text("\n".join(lines) + "\n")
    table = module.means([path])
    metrics, chosen = module.left_out(table, "auc_pr")
    # Without the recording x, B is better, and has 0.1 on its two series.
    assert chosen == {"A": 1, "B": 1}
    assert metrics["auc_pr"] == pytest.approx((0.1 + 0.1 + 0.2) / 3)
    assert "| B | 40.0 | 0.400 | 0.400 |" in module.report(table)
    path.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(ValueError, match="detectors differ in their series"):
        module.means([path])


def test_length_study_compares_the_searches(load: Load, series: Series) -> None:
    module = load("length_study")
    name = "001_UCR_Anomaly_tiny_700_800_816"
    tiny = Series(series.values, series.labels, series.train_length, name)
    result = module.study(tiny)
    assert 0.9 < result["accuracy"]["JoinIndex"]["recall"] <= 1
    assert result["accuracy"]["JoinIndex"]["ratio"] == pytest.approx(1, abs=0.01)
    missed = {
        **result,
        "ranks": dict.fromkeys((*module.SEARCHES, "four views"), 2),
        "n_views_first": 3,
        "suspects": ["drift"],
    }
    assert "| 001 tiny | 1,000 | 700 |" in module.tables([missed])
    assert "| drift | 1 |" in module.tables([missed])


def test_suspects_follow_from_what_finds_the_anomaly(load: Load) -> None:
    module = load("length_study")

    def suspects(pool: int, exact: int, **how: Any) -> list[str]:
        ranks = {("values", "euclidean", 1.0): 2, ("values", "znormalized", 1.0): 1}
        defaults = {"farther": 1.0, "training_peak": 1.0, "out_of_range": False}
        peaks = {
            "SubsequenceIndex": module.Peaks(pool, 2.0, 0),
            "exhaustive": module.Peaks(exact, 2.0, 0),
        }
        ranks = how.pop("ranks", ranks)
        return module.name_suspects(peaks, ranks, **{**defaults, **how})

    assert suspects(1, 1) == []
    assert suspects(2, 1) == ["search"]
    assert suspects(2, 2) == ["mean or amplitude"]
    assert suspects(2, 2, farther=3.0) == ["mean or amplitude", "drift"]
    assert suspects(2, 2, ranks={}) == ["rare normal shape in test"]
    rare = suspects(2, 2, ranks={}, training_peak=3.0)
    assert rare == ["rare normal shape in training"]


def test_period_study_evaluates_each_period(load: Load, series: Series) -> None:
    module = load("period_study")
    result = module.study(series)
    assert list(result["periods"].values())[:3] == [16, 17, 15]
    assert result["metrics"].keys() == result["periods"].keys()
    assert module.table([result]).count("\n") == 3 + len(result["periods"])


def test_ends_study_counts_in_slices_without_the_anomaly(load: Load) -> None:
    module = load("ends_study")
    series = make_series(
        3000, period=16, anomalies=("flip",), train_length=700, name="001_tiny_1_2_3"
    )
    slices = module.normal_slices(series, 128, 8)
    assert 20 <= len(slices) <= 40
    assert all(len(one) == 128 for one in slices)
    anomaly = series.test[np.flatnonzero(series.test_labels)[0]]
    assert not any((one == anomaly).all(1).any() for one in slices)
    result = module.study(series)
    assert 0 <= result["means of few"][0] <= result["as means of all"][0] <= 1
    assert result["means of few"][2] == result["as means of all"][2]
    assert module.table([result, {**result, "n_slices": 0}]).count("\n") == 5


def test_network_study_has_the_score_of_the_detector_among_its_rules(
    load: Load, series: Series
) -> None:
    module = load("network_study")
    run = module.Run(series, "archive", "tiny", 0)
    result = module.study(run, max_steps=2)
    detector = CoADDetector(max_steps=2, random_state=0).fit(series.train)
    scores = detector.decision_function(series.test)
    default = result["metrics"][module.DEFAULT]
    assert default["auc_pr"] == pytest.approx(auc_pr(series.test_labels, scores))
    assert module.table([result]).count("\n") == 1 + len(result["metrics"])


def test_network_study_compares_in_pairs_by_recording(load: Load) -> None:
    module = load("network_study")
    values = [("a", 0.5), ("a", 0.7), ("b", 0.1), ("c", 0.3)]
    results = [
        {
            "group": "archive",
            "recording": source,
            "metrics": {
                module.DEFAULT: dict.fromkeys(module.METRICS, value),
                module.NEIGHBORS: dict.fromkeys(module.METRICS, 0.3),
            },
        }
        for source, value in values
    ]
    rows = module.paired_table(results).splitlines()
    mean, better, worse = (0.3 - 0.2 + 0) / 3, 1, 1
    assert f"| 3 | {mean:+.3f} ± " in rows[2]
    assert f" | {better} | {worse} | " in rows[2]


def test_network_study_separates_what_both_find(load: Load) -> None:
    module = load("network_study")
    names = list(module.METRICS)
    results = [
        {
            "group": "archive",
            "metrics": {
                module.NEIGHBORS: dict(zip(names, (found, 0.5, 0.5), strict=True)),
                module.DEFAULT: dict(zip(names, (by_default, gain, 0.4), strict=True)),
            },
        }
        for found, by_default, gain in ((1, 1, 0.6), (1, 1, 0.8), (1, 0, 0.1))
    ]
    several = {"auc_pr": 0.1, "vus_pr": 0.1}  # anomalies: a hit is not defined
    results.append(
        {
            "group": "generated",
            "metrics": {module.NEIGHBORS: several, module.DEFAULT: several},
        }
    )
    assert module.found_table(results).splitlines()[2:] == [
        "| archive | yes | no | 1 | -0.400 | -0.100 |",
        "| archive | yes | yes | 2 | +0.200 | -0.100 |",
    ]


def test_network_study_takes_few_series_of_each_recording(
    load: Load, series: Series
) -> None:
    module = load("network_study")
    archive = [
        Series(series.values, series.labels, 700, f"00{i}_UCR_Anomaly_ECG{i}_1_2_3")
        for i in range(5)
    ]
    chosen = module.runs(archive, range(1001), [0, 1])
    groups = [run.group for run in chosen if run.seed == 1]
    assert groups.count("archive") == module.PER_RECORDING
    assert groups.count("generated") == 4
    assert len({run.name for run in chosen}) == len(chosen)
    longer = module.runs(archive, range(1001, 2000), [0], ["archive"])
    assert not longer


def test_paper_study_measures_each_rule(load: Load, series: Series) -> None:
    module = load("paper_study")
    result = module.study(module.Run(series, "conv", 2, "default"))
    detector = CoADDetector.paper(encoder="conv", max_steps=2, random_state=0)
    scores = detector.fit(series.train).decision_function(series.test)
    own = result["metrics"]["sum, in standard deviations"]
    assert own["auc_pr"] == pytest.approx(auc_pr(series.test_labels, scores))
    assert module.table([result]).count("\n") == 1 + len(result["metrics"])


def test_paper_study_removes_one_difference_at_a_time(
    load: Load, series: Series
) -> None:
    module = load("paper_study")

    def fitted(variant: str) -> CoADDetector:
        run = module.Run(series, "conv", 1, variant)
        detector: CoADDetector = module.make_detector(run)
        return detector.fit(series.train)

    default, step, narrow = map(fitted, ("default", "step", "narrow"))
    assert (default.step_, step.step_) == (32, 16)  # of a period of 16
    assert default.network_.to_points.in_features == 144
    assert narrow.network_.to_points.in_features == 24
    assert narrow.network_.residual_head.hidden.in_features == 144
    x = torch.from_numpy(series.train[:, 0]).float()
    missing = torch.zeros_like(x, dtype=torch.bool)
    data = TrainingData(default.plan_, [x], [missing], None)
    options = TrainingOptions(batch_size=12)
    batch = module.with_clean_copies(data, options, torch.Generator().manual_seed(0))
    assert batch.normal.shape == batch.distorted.shape == (12, 64)
    assert torch.equal(batch.normal[:6], batch.distorted[6:])
    assert not torch.equal(batch.normal[:6], batch.distorted[:6])
    assert batch.distortion_mask[:6].any()
    assert not batch.distortion_mask[6:].any()


def test_threshold_study_counts_what_a_detector_would_flag(
    load: Load, series: Series
) -> None:
    pytest.importorskip("libspot", reason="SPOT is of libspot")
    module = load("threshold_study")
    result = module.study(series)
    labelled = np.flatnonzero(series.test_labels)
    assert 0 < result["normal"] < len(series.test) - len(labelled)
    counts = result["alarms"]["1000"]
    assert counts["conformal"] is None  # of 700 rows
    assert counts["peaks"] <= min(counts["peaks, held back"], counts["peaks, training"])
    threshold = module.PeaksOverThreshold("1 per 1000 rows")
    detector = NeighborsDetector(contamination=threshold).fit(series.train)
    scores = detector.decision_function(series.test)
    period = detector.period_
    every = module.count_events(scores, detector.threshold_, separation=period)
    assert counts["peaks"] <= every
    rows = module.table([{**result, "series": "UCR: tiny"}]).splitlines()
    assert len(rows) == 2 + len(module.ROWS)
    assert rows[2].startswith("| UCR (1) | 1000 |")
    assert "-" in rows[2]


def test_threshold_study_generates_series_without_anomalies(load: Load) -> None:
    generated = list(load("threshold_study").generated(1))
    assert len({one.name for one in generated}) == len(generated) == 8
    assert not any(one.labels.any() for one in generated)


def test_validation_study_measures_each_setting(load: Load, series: Series) -> None:
    module = load("validation_study")
    assert module.is_long_enough(series)
    few: dict[str, Any] = {"max_steps": 2}
    settings = {"neighbours": few, "none": {**few, "max_references": 0}}
    result = module.study(series, settings)
    for measured in result["measured"].values():
        assert measured["loss"] > 0
        assert 0 <= measured["found"] <= 1
    assert "| none |" in module.summary([result, result])
    for parameters in module.SETTINGS.values():
        CoADDetector(**parameters)._check_parameters()


def test_a_study_continues_where_it_stopped(
    load: Load, series: Series, tmp_path: Path
) -> None:
    studied = []

    def study(one: Series) -> Result:
        studied.append(one.name)
        return {"series": one.name, "length": len(one.values)}

    other = Series(series.values, series.labels, series.train_length, "other")
    run_study, out = load("_study").run_study, tmp_path / "results.jsonl"
    run_study(study, [series], out, 1)
    results = run_study(study, [other, series], out, 1)
    assert [result["series"] for result in results] == ["other", "tiny"]
    assert studied == ["tiny", "other"]


@pytest.mark.parametrize(
    "name",
    [
        *("WithoutResidualHead", "ConstantRate", "AveragedWeights", "Curriculum"),
        *("Pretrained", "TwoSeeds", "TwoScales"),
    ],
)
def test_each_variant_differs_from_the_default(
    load: Load, series: Series, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters: dict[str, Any] = {"max_steps": 3, "random_state": 0}
    module = load("_variants")
    variant = getattr(module, name)(**parameters)
    if name == "Pretrained":  # on few short series
        monkeypatch.setattr(module, "N_PRETRAINING_CHANNELS", 1)
        variant.pretraining_steps = 2
        parameters["patch_size"] = variant.patch_size = 1
    default = CoADDetector(**parameters).fit(series.train)
    scores = variant.fit(series.train).decision_function(series.test)
    assert np.isfinite(scores).all()
    assert (scores != default.decision_function(series.test)).any()


def test_without_residual_head_there_is_one_probability(
    load: Load, series: Series
) -> None:
    variant = load("_variants").WithoutResidualHead(max_steps=1, random_state=0)
    network = variant.fit(series.train).network_
    x = torch.zeros(2, variant.window_size_)
    output = network(x, x)
    assert output.residual is output.direct


def test_constant_rate_is_half_of_the_highest(load: Load) -> None:
    schedule = load("_variants").ConstantRate()._training_arguments()["schedule"]
    assert {schedule(progress) for progress in (0.0, 0.5, 1.0)} == {0.5}
    assert warmup_cosine(0.0) < 0.5


def test_curriculum_goes_from_long_to_all_distortions(
    load: Load, series: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("_variants")
    lengths = []

    def record(data: object, options: TrainingOptions, generator: object) -> None:
        lengths.append(options.distortion_lengths)

    monkeypatch.setattr(module, "sample_batch", record)
    sample = module.CurriculumSampler(max_steps=4)
    plan = NeighborsDetector().fit(series.train).plan_
    for _ in range(4):
        sample(TrainingData(plan, [], [], None), TrainingOptions(), None)
    assert lengths == [(1.0, 1.0), (0.55, 1.0), (0.1, 1.0), (0.1, 1.0)]


def test_levers_are_the_variants(load: Load) -> None:
    variants, detectors = load("_variants"), load("levers").VARIANTS
    assert type(detectors["CoAD"]) is CoADDetector
    kinds = {type(detector) for detector in detectors.values()}
    assert variants.AveragedWeights in kinds
    for detector in detectors.values():
        detector._check_parameters()


# Benchmarks


@pytest.mark.parametrize("metric", ["euclidean", "znormalized"])
def test_recall_agrees_with_its_definition(load: Load, metric: str) -> None:
    rng = np.random.default_rng(0)
    values, query = rng.normal(size=60), rng.normal(size=8)
    found = load("recall").brute_force(
        torch.tensor(values), torch.tensor(query)[None], metric
    )

    def normalized(x: np.ndarray) -> np.ndarray:
        if metric == "euclidean":
            return x - 0.8 * x.mean()
        return (x - x.mean()) / np.sqrt(x.var() + 0.02**2)

    distances = [
        np.sqrt(np.mean((normalized(values[i : i + 8]) - normalized(query)) ** 2))
        for i in range(53)
    ]
    assert found.indices[0] == np.argmin(distances)
    assert_allclose(found.distances[0], min(distances), rtol=1e-6)


def test_recall_is_a_fraction_and_no_distance_is_below_the_true_one(
    load: Load,
) -> None:
    measure = load("recall").measure_query
    coarse = measure(16, 600, 0.05, n_queries=50, max_references=20)
    fine = measure(16, 600, 0.05, n_queries=50, max_references=600)
    assert 0 <= coarse.recall <= fine.recall <= 1
    assert coarse.distance_ratio >= fine.distance_ratio >= 1 - 1e-5
    assert coarse.mean_distance == fine.mean_distance > 0


@pytest.mark.parametrize("metric", ["euclidean", "znormalized"])
def test_a_join_of_a_short_series_is_nearly_exact(load: Load, metric: str) -> None:
    module = load("recall")
    parts = module.make_parts(16, 600, 0.05, 50, 0)
    accuracy = module.measure_join(parts, 16, metric)
    assert accuracy.recall > 0.8
    assert 1 - 1e-5 <= accuracy.distance_ratio < 1.02
    assert accuracy.points_per_second > 0


def test_brute_force_finds_a_copy(load: Load) -> None:
    series = torch.from_numpy(np.random.default_rng(0).normal(size=300)).float()
    found = load("recall").brute_force(series, series[None, 77:97])
    assert found.indices[0] == 77
    assert found.distances[0] < 1e-6


@pytest.mark.parametrize(
    "name", ["the defaults", "drawing the batch alone", "bfloat16 autocast"]
)
def test_a_training_step_can_be_timed(load: Load, name: str) -> None:
    module = load("step_cost")
    step = module.make_step(n_timestamps=300, period=16, **module.VARIANTS[name])
    seconds = module.time_steps({name: step}, n_steps=1, n_rounds=1)
    assert seconds[name] > 0


def test_a_step_updates_the_network_unless_the_batch_is_all(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("step_cost")
    updates = []
    monkeypatch.setattr(module, "train_step", lambda *args: updates.append(args))
    module.make_step(n_timestamps=300, period=16, update=False)()
    assert not updates
    module.make_step(n_timestamps=300, period=16)()
    assert len(updates) == 1


def test_variants_of_the_step_are_parameters_of_the_detector(load: Load) -> None:
    own = {"update", "bfloat16", "compiled"}
    for variant in load("step_cost").VARIANTS.values():
        parameters = {key: variant[key] for key in variant.keys() - own}
        CoADDetector(**parameters)._check_parameters()


@pytest.mark.parametrize("work", ["score", "fit"])
def test_memory_is_measured(load: Load, work: str, tmp_path: Path) -> None:
    module = load("memory")
    if not module.reset_peak_memory():
        pytest.skip("the peak memory can be reset on Linux only")
    path = tmp_path / "series.npy"
    module.write_series(path, 300, 2)
    result = module.measure(work, path, path, max_steps=1)
    assert (result["n_timestamps"], result["n_channels"]) == (300, 2)
    assert module.row(result).count("|") == module.HEADER.count("|")


@pytest.mark.parametrize(
    "method", ["NeighborsDetector, one for each", "PyOD TimeSeriesOD in a loop"]
)
def test_the_cost_of_a_panel_is_measured(load: Load, method: str) -> None:
    module = load("panel_cost")
    found = module.METHODS[method](2)
    assert len(found) == 2
    assert min(found) >= module.N_TRAIN
    row, seconds = module.measure(method, 2)
    assert row.startswith(f"| {method} | 2 | ")
    assert seconds > 0


def test_the_cost_of_a_stream_is_measured_row_by_row_and_in_chunks(load: Load) -> None:
    module = load("streaming_cost")
    rows = []
    times = module.row_times(rows.append, np.arange(5.0))
    assert len(times) == len(rows) == 5
    assert (times > 0).all()
    assert module.chunk_speed(rows.extend, [np.arange(3.0)] * 2) > 0
    assert module.line("x", np.ones(4), 5000.0) == (
        "| x | 1.00 | 1.00 | 1.00 | 1.00 | 5,000 |"
    )


def test_the_time_of_a_stream_is_divided_into_its_steps(load: Load) -> None:
    module = load("streaming_cost")
    x = make_series(1000, period=16, anomalies=()).values[:, 0]
    detector = NeighborsDetector(period=16).fit(x[:900])
    one_by_one = StreamingDetector(detector, final_every=10**6)
    for steps, update in (
        (module.ROW_STEPS, one_by_one.update),
        (module.CHUNK_STEPS, StreamingDetector(detector).update),
    ):

        def run(update: Callable[[Any], Any] = update) -> None:
            update(x[:600])
            update(x[600])

        shares = module.shares(run, steps)
        assert list(shares) == [*steps, "the rest"]
        assert sum(shares.values()) == pytest.approx(1)
        assert all(0 < share < 1 for share in shares.values())  # no name is out of date


def test_a_stream_is_compared_with_the_whole(
    load: Load, series: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("stream_equality")
    monkeypatch.setattr(module, "LARGEST_PORTION", 50)
    detector = module.DETECTORS["neighbors"]
    result = module.compare(detector, series, n_rows=250, seed=0)
    assert result["rows"] == 250
    assert result["portions"] > 5
    assert result["without"] == result["above 1e-4"] == 0
    assert result["largest"] < 1e-4
    lines = module.report([result]).splitlines()
    assert lines[-1].startswith("| tiny | ")

    whole = NeighborsDetector().fit(series.train).decision_function(series.test)
    whole[7] += 0.5
    whole[8] = np.nan
    monkeypatch.setattr(module, "streamed", lambda *_: (whole, 1))
    result = module.compare(detector, series, n_rows=300, seed=0)
    assert result["without"] == result["above 1e-4"] == 1
    assert result["largest"] == pytest.approx(0.5)


def test_vus_is_timed_without_tsb_ad(load: Load) -> None:
    module = load("vus_speed")
    row = module.row(500, window=10, seed=0, with_tsb_ad=False)
    assert row.startswith("| 500 | 1 | ")
    assert row.count("|") == module.HEADER.count("|")


# Stress tests


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("fuzz") / "valid"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tests/stress")
        import_module("fuzz_persistence").make_valid(path)
    return path.read_bytes()


def test_fuzzing_starts_from_files_that_load(
    load: Load, valid: bytes, tmp_path: Path
) -> None:
    module = load("fuzz_persistence")
    path = tmp_path / "detector"
    path.write_bytes(module.pack(*module.unpack(valid)))
    CoADDetector.load(path)
    content, _ = module.unpack(valid)
    assert content["model"]["plan"] in module.objects(content)


@pytest.mark.filterwarnings("ignore")  # of values that are out of range on purpose
def test_every_mutation_loads_or_is_invalid(
    load: Load, valid: bytes, tmp_path: Path
) -> None:
    module = load("fuzz_persistence")
    path = tmp_path / "detector"
    for kind, mutate in module.MUTATIONS.items():
        for number in range(5):
            path.write_bytes(mutate(valid, random.Random(f"{kind} {number}")))
            try:
                CoADDetector.load(path)
            except InvalidDetectorError:
                continue


def test_kills_are_judged_by_the_lines_of_the_file(load: Load) -> None:
    check = load("kill_benchmark").check
    line = b'{"detector": "A", "series": "s", "protocol": "kdd21", "seed": 0}\n'
    assert check(b"", line) == []
    assert len(check(line, b"")) == 1
    assert len(check(line, line + line)) == 1
