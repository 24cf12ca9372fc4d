"""The pictures of the site, of generated series: ``python docs/pictures.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view

import skcoad
from skcoad import CoADDetector, NeighborsDetector
from skcoad.benchmark import BASELINES, plot_comparison, run_benchmark
from skcoad.datasets import Series, make_scenario, make_series
from skcoad.model import PAPER_DISTORTIONS, CoADNetwork, distort
from skcoad.plotting import Zoom, plot_calibration, plot_loss, plot_scores
from skcoad.thresholds import PeaksOverThreshold

INK, BLUE, RED, GREEN, ORANGE = "#333333", "#0072B2", "#D55E00", "#009E73", "#E69F00"
PERIOD = 50


def overview() -> Figure:
    """A series, what was found in it, and how unusual it is."""
    kinds = ["flip", "noise", "time_warp"]
    series = make_series(3000, anomalies=kinds, random_state=0)
    series = replace(series, channel_names=("flow",))
    threshold = PeaksOverThreshold("1 per 1000 rows")
    detector = NeighborsDetector(contamination=threshold).fit(series.train)
    found = detector.find_segments(series.values, start=series.train_length)
    zooms = [
        Zoom(f"score {row.score:.0f}", row.start - PERIOD, row.end + PERIOD)
        for row in found.sort_values("start").itertuples()
    ]
    return plot_scores(
        series.values,
        detector.decision_function(series.values),
        labels=series.labels,
        threshold=detector.threshold_,
        train_length=series.train_length,
        channel_names=series.channel_names,
        segments=found,
        zooms=zooms[:3],
    )


def distortions() -> Figure:
    """The paper's four distortions of one window."""
    clean, _ = _windows(4)
    figure, axes = _figure(2, 2, 4.2)
    for ax, kind, window in zip(axes.flat, PAPER_DISTORTIONS, clean, strict=True):
        distorted, where = distort(
            window[None],
            period=PERIOD,
            kinds=[kind],
            lengths=(0.6, 0.6),
            generator=torch.Generator().manual_seed(1),
            fraction=1.0,
        )
        ax.plot(window, color=INK, alpha=0.4, label="normal window")
        changed = np.where(where[0], distorted[0], np.nan)
        ax.plot(changed, color=RED, linewidth=2, label="distorted segment")
        ax.set_title(kind.replace("_", " "), fontsize="medium", loc="left")
    axes[0, 0].legend(fontsize="small", frameon=False)
    return figure


def window() -> Figure:
    """What the network makes of a distorted window: Eq. 3 to 9."""
    windows, detector = _windows(4)
    clean = windows[:1]
    network = detector.network_
    distorted, where = distort(
        clean,
        period=PERIOD,
        kinds=["flip"],
        lengths=(0.8, 0.8),
        generator=torch.Generator().manual_seed(1),
        fraction=1.0,
    )
    with torch.no_grad():
        features = network.encode(distorted, None)
        branches = {
            name: torch.sigmoid(network.heads[name](features[name]))[0]
            for name in network.branches
        }
        out = network(distorted, None)

    figure, (top, middle, bottom) = _figure(3, 1, 6.2)
    top.plot(clean[0], color=INK, alpha=0.4, label="undistorted, the target")
    top.plot(distorted[0], color=RED, label="window $X$, distorted")
    top.plot(out.reconstruction[0], color=GREEN, label="reconstruction")
    points = {name: _points(p, network) for name, p in branches.items()}
    middle.plot(points["time"], color=ORANGE, label="$A_{time}$")
    middle.plot(points["frequency"], color=BLUE, label="$A_{freq}$")
    middle.plot(
        _points(out.mask[0], network),
        "--",
        color=INK,
        label="$A$, their maximum: the mask",
    )
    bottom.plot(_points(out.direct[0], network), color=INK, alpha=0.5, label="$A$")
    bottom.plot(_points(out.residual[0], network), color=GREEN, label="$A_r$")
    bottom.plot(
        _points(out.probability[0], network), color=RED, linewidth=2, label="$A_c$"
    )
    for ax in (middle, bottom):
        ax.set_ylim(-0.05, 1.3)
        ax.set_ylabel("probability")
    bottom.set_xlabel("timestamp in the window")
    inside = np.flatnonzero(where[0])
    for ax in (top, middle, bottom):
        ax.axvspan(inside[0], inside[-1], color=ORANGE, alpha=0.2, linewidth=0)
        ax.legend(fontsize="small", frameon=False, loc="upper right", ncols=3)
    top.set_ylim(None, top.get_ylim()[1] + 1.2)
    return figure


def neighbors() -> Figure:
    """A normal and an anomalous subsequence beside their nearest normal neighbours."""
    series = make_series(3000, anomalies=["flip"], random_state=0)
    anomaly = int(np.flatnonzero(series.labels)[0])
    normal = sliding_window_view(series.train[:, 0], PERIOD)
    figure, axes = _figure(1, 2, 2.8)
    starts = {"normal": series.train_length + 5 * PERIOD, "anomalous": anomaly}
    for ax, (title, start) in zip(axes, starts.items(), strict=True):
        query = series.values[start : start + PERIOD, 0]
        distances = np.sqrt(np.square(normal - query).mean(1))
        nearest = normal[distances.argmin()]
        ax.plot(nearest, color=GREEN, linewidth=2, label="nearest normal neighbour")
        ax.plot(query, color=INK, label=f"{title} subsequence")
        ax.fill_between(range(PERIOD), query, nearest, color=RED, alpha=0.25)
        ax.set_title(f"distance {distances.min():.2f}", fontsize="medium", loc="left")
        ax.legend(fontsize="small", frameon=False)
    return figure


def calibration() -> Figure:
    """How often normal data exceed a score, asked and realised."""
    series = make_series(20_000, anomalies=(), random_state=0)
    detector = NeighborsDetector().fit(series.train)
    figure, ax = _figure(1, 1, 3.6)
    scores = {
        "training series": detector.decision_scores_,
        "new normal data": detector.decision_function(series.test),
    }
    plot_calibration(scores, ax=ax)
    return figure


def loss() -> Figure:
    """The loss of three trainings, with another seed and with one distortion."""
    series = make_series(4000, period=PERIOD, anomalies=(), random_state=0)
    figure, ax = _figure(1, 1, 2.8)
    curves = {}
    for name, how in {
        "default": {},
        "another seed": {"random_state": 1},
        "flipped segments alone": {"distortions": ("flip",)},
    }.items():
        detector = CoADDetector(**{"max_references": 0, "random_state": 0} | how)
        curves[name] = detector.fit(series.train).loss_curve_
    plot_loss(curves, ax=ax)
    return figure


def comparison() -> Figure:
    """Ranks and costs of three detectors on eight generated series."""
    names = ("KMeansAD", "IForest", "RobustZScore")
    detectors = {name: BASELINES[name] for name in names}
    detectors["Neighbors"] = NeighborsDetector()
    series = [
        replace(
            make_series(1500, anomalies=["flip"], random_state=i), name=f"series {i}"
        )
        for i in range(8)
    ]
    with TemporaryDirectory() as folder:
        results = run_benchmark(detectors, series, Path(folder, "results.jsonl"))
    return plot_comparison(results)


def gap() -> Figure:
    """Missing values are no alarm, and hide none beside them."""
    series = make_series(3000, anomalies=["noise"], train_length=1500, random_state=1)
    values = series.values.copy()
    values[1700:1850] = np.nan
    return _above(values[1500:], _fit(series).decision_function(values[1500:]))


def drift() -> Figure:
    """Scores of a series that grows, by two choices of `references`."""
    series = make_scenario("flipped_cycle_in_exponential_growth")
    figure, (top, bottom) = _figure(2, 1, 4.6)
    top.plot(series.test, color=INK, linewidth=0.6)
    top.set_ylabel("value")
    for references, color in (("train", RED), ("past", BLUE)):
        detector = NeighborsDetector(references=references).fit(series.train)
        scores = detector.decision_function(series.test)
        label = f'references="{references}"'
        bottom.plot(scores, color=color, linewidth=0.8, label=label)
    inside = np.flatnonzero(series.test_labels)
    for ax in (top, bottom):
        ax.axvspan(inside[0], inside[-1], color=ORANGE, alpha=0.35, linewidth=0)
    bottom.set(ylabel="score, decades", xlabel="timestamp")
    bottom.legend(fontsize="small", frameon=False, loc="upper left")
    return figure


def channels() -> Figure:
    """Three channels, of which one is anomalous."""
    series = make_series(2500, n_channels=3, anomalies=["flip"], random_state=2)
    detector = _fit(series)
    return plot_scores(
        series.test,
        detector.decision_function(series.test),
        channel_scores=detector.channel_scores(series.test),
        labels=series.test_labels,
        threshold=detector.segment_threshold_,
        channel_names=("flow", "pressure", "heat"),
        segments=detector.find_segments(series.test),
    )


PICTURES: tuple[Callable[[], Figure], ...] = (
    *(overview, distortions, window, neighbors, calibration, loss, gap),
    *(drift, channels, comparison),
)


def draw(folder: Path) -> None:
    """Draw those pictures that a folder does not have, or has from older code.

    What draws is compared, here and in the package, not all that computes.
    """
    folder.mkdir(exist_ok=True)
    package = Path(skcoad.__file__).parent
    code = [Path(__file__), package / "benchmark" / "_plots.py"]
    code += (package / "plotting").glob("*.py")
    newest = max(path.stat().st_mtime for path in code)
    for picture in PICTURES:
        path = folder / f"{picture.__name__}.png"
        if not path.exists() or path.stat().st_mtime < newest:
            picture().savefig(path, dpi=130, facecolor="white")


def _figure(n_rows: int, n_columns: int, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, sharex=True)
    for ax in np.ravel(axes):
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize="small")
    return figure, axes


def _fit(series: Series) -> NeighborsDetector:
    threshold = PeaksOverThreshold("1 per 1000 rows")
    return NeighborsDetector(contamination=threshold).fit(series.train)


def _above(values: np.ndarray, scores: np.ndarray) -> Figure:
    figure, (top, bottom) = _figure(2, 1, 3.6)
    top.plot(values, color=INK, linewidth=0.8)
    top.set_ylabel("value")
    bottom.plot(scores, color=BLUE, linewidth=0.8)
    bottom.set(ylabel="score, decades", xlabel="timestamp", yscale="symlog")
    return figure


@cache
def _windows(n_windows: int) -> tuple[torch.Tensor, CoADDetector]:
    """Normal windows, scaled, and the paper's network, trained on others."""
    series = make_series(4000, period=PERIOD, anomalies=(), random_state=0)
    detector = CoADDetector(max_references=0, random_state=0).fit(series.train)
    scaled = ((series.test - detector.center_) / detector.scale_)[:, 0]
    windows = sliding_window_view(scaled, detector.window_size_)[:: 10 * PERIOD]
    return torch.tensor(windows[:n_windows].copy(), dtype=torch.float32), detector


def _points(patches: torch.Tensor, network: CoADNetwork) -> np.ndarray:
    return patches.repeat_interleave(network.patch_size).numpy()


if __name__ == "__main__":
    draw(Path(__file__).parent / "pictures")
