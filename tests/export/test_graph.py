"""The scoring graph beside the detector, in torch."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skcoad import CoADDetector, NeighborsDetector
from skcoad.export._files import scoring_graph


def in_chunks(graph, X):
    """Scores of a series, as the example of `to_onnx` puts them together."""
    scores, last, done = np.empty(len(X)), len(X) - graph.chunk_size, 0
    on_grid = last // graph.step * graph.step
    for start in sorted({*range(0, last, graph.stride), on_grid, last}):
        chunk = torch.from_numpy(X[None, start : start + graph.chunk_size])
        scores[done : start + graph.chunk_size] = graph(chunk)[0][0, done - start :]
        done = start + graph.chunk_size - graph.halo
    return scores


def unusual(wave, n_timestamps, n_channels=1):
    X = wave(n_timestamps, n_channels, seed=1)
    X[200:206] = X[200]
    X[300, 0] += 3
    return X


DETECTORS = {
    "neighbours": NeighborsDetector(),
    "mean": NeighborsDetector(channel_aggregation="mean"),
    "max": NeighborsDetector(channel_aggregation="max"),
    "joint": CoADDetector(max_steps=3, random_state=0),
    "largest": CoADDetector(
        max_steps=3, random_state=0, score_aggregation="max", smoothing=0
    ),
    "classification": CoADDetector(
        max_steps=3, random_state=0, score_by="classification"
    ),
    "reconstruction": CoADDetector(
        max_steps=3, random_state=0, score_by="reconstruction"
    ),
    "by neighbours": CoADDetector(max_steps=3, random_state=0, score_by="neighbors"),
    "gru": CoADDetector(max_steps=3, random_state=0, encoder="gru"),
    "paper": CoADDetector.paper(max_steps=3, random_state=0, window_periods=2),
}


# The joins find every exact neighbour in so short a series.
@pytest.mark.parametrize(
    ("name", "n_channels"),
    [(name, 1) for name in DETECTORS]
    + [(name, 3) for name in ("neighbours", "mean", "max", "joint", "paper")],
)
def test_scores_of_a_chunk_are_those_of_the_detector(name, n_channels, wave):
    detector = DETECTORS[name].fit(wave(500, n_channels))
    graph = scoring_graph(detector, "auto")
    X = unusual(wave, graph.chunk_size, n_channels)
    scores, channel_scores = graph(torch.from_numpy(X[None]))
    expected = detector.decision_function(X)
    np.testing.assert_allclose(scores[0], expected, rtol=1e-4, atol=1e-4)
    expected = detector.channel_scores(X)
    np.testing.assert_allclose(channel_scores[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cycle", [np.arange(25) < 9, np.abs(np.arange(25) - 12)])
def test_what_repeats_exactly_has_the_scores_of_the_detector(cycle):
    X = np.tile(cycle.astype(float), 60)[:, None]
    detector = NeighborsDetector(period=25).fit(X[:500])
    graph = scoring_graph(detector, "auto")
    X = X[: graph.chunk_size].copy()
    X[200:206] = X[200]
    scores, _ = graph(torch.from_numpy(X[None]))
    np.testing.assert_allclose(
        scores[0], detector.decision_function(X), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("n_after", [0, 1, 17])
def test_scores_in_chunks_are_those_of_the_series(wave, n_after):
    detector = CoADDetector(max_steps=3, random_state=0).fit(wave(500))
    graph = scoring_graph(detector, 500)
    assert graph.stride % detector.step_ == 0
    n_timestamps = graph.chunk_size + 3 * graph.stride  # the last one on the grid
    X = unusual(wave, n_timestamps + n_after)
    expected, scores = detector.decision_function(X), in_chunks(graph, X)
    # What comes after the last chunk on the grid has other windows.
    n_same = n_timestamps - graph.halo if n_after else n_timestamps
    np.testing.assert_allclose(scores[:n_same], expected[:n_same], rtol=1e-4, atol=1e-4)


def test_a_training_series_with_missing_values_can_be_exported(wave):
    X = wave(500)
    X[100:110] = np.nan
    detector = NeighborsDetector().fit(X)
    graph = scoring_graph(detector, "auto")
    X = unusual(wave, graph.chunk_size)
    scores = graph(torch.from_numpy(X[None]))[0][0]
    np.testing.assert_allclose(scores, detector.decision_function(X), atol=1e-4)


def test_values_far_outside_have_finite_scores(wave):
    detector = NeighborsDetector().fit(wave(500))
    graph = scoring_graph(detector, "auto")
    X = wave(graph.chunk_size)
    X[100] = 1e300
    assert graph(torch.from_numpy(X[None]))[0].isfinite().all()


@pytest.mark.parametrize("name", ["neighbours", "joint", "gru", "paper"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_a_value_that_is_not_finite_influences_is_nan(name, value, wave):
    detector = DETECTORS[name].fit(wave(500, 2))
    graph = scoring_graph(detector, "auto")
    X = np.stack([unusual(wave, graph.chunk_size, 2)] * 2)
    complete = [part.numpy() for part in graph(torch.from_numpy(X))]
    at = 2 * graph.halo
    X[1, at, 0] = value
    near = np.abs(np.arange(graph.chunk_size) - at) <= graph.halo
    for part, expected in zip(graph(torch.from_numpy(X)), complete, strict=True):
        scores = part.numpy()
        assert np.isnan(scores[1, near]).all()
        np.testing.assert_array_equal(scores[0], expected[0])
        np.testing.assert_allclose(
            scores[1, ~near], expected[1, ~near], rtol=1e-4, atol=1e-4
        )


def test_the_detector_stays_as_it_was(wave):
    X = wave(500)
    detector = CoADDetector(max_steps=3, random_state=0).fit(X)
    scoring_graph(detector, "auto")
    assert all(p.requires_grad for p in detector.model_.network.parameters())
    scores = detector.decision_function(X)
    np.testing.assert_array_equal(scores, detector.decision_scores_)


def test_what_cannot_be_exported_is_an_error_that_says_why(wave):
    with pytest.raises(NotFittedError):
        scoring_graph(NeighborsDetector(), "auto")
    with pytest.raises(ValueError, match="references='past' cannot be exported"):
        scoring_graph(NeighborsDetector(references="past").fit(wave()), "auto")
    with pytest.raises(
        ValueError, match=r"chunk_size=100 is less than two halos .*, 2"
    ):
        scoring_graph(NeighborsDetector().fit(wave()), 100)


def test_what_is_no_detector_of_this_package_is_an_error(wave):
    pipeline = make_pipeline(NeighborsDetector()).fit(wave())
    with pytest.raises(TypeError, match=r"NeighborsDetector can be .*, got Pipeline"):
        scoring_graph(pipeline, "auto")


@pytest.mark.parametrize("chunk_size", [500.7, None, "big"])
def test_a_chunk_size_that_is_no_number_of_rows_is_an_error(chunk_size, wave):
    detector = NeighborsDetector().fit(wave())
    message = f'chunk_size must be an int or "auto", got {chunk_size!r}'
    with pytest.raises(TypeError, match=message):
        scoring_graph(detector, chunk_size)
