"""A fitted detector as one file (:mod:`skcoad.io`), and back.

The JSON object of the file has these entries beside those of the container:

=================  ===================================================================
class              name of the detector's class
parameters         those of the constructor
model              configuration of the model (:class:`skcoad.model.ModelConfig`)
feature_names      names of the channels, or null
channel_names      names that are integers, or null; other names are not kept
n_iter             training steps done, or null for a detector without training
threshold          of the scores
segment_threshold  above which segments are found
mu, sigma          mean and standard deviation of the training scores
times              unit and time zone of the training series' times, or null
thresholder        a threshold of :mod:`skcoad.thresholds` and what it was fitted
                   with, or null
=================  ===================================================================

Its tensors are the ``state_dict`` of the model, with the prefix ``model.``, and
``decision_scores``, ``labels`` and ``loss_curve``; ``threshold_scores``, those that the
threshold was fitted to, if there is one, and ``threshold_missing``, if rows of it were
missing; and ``times``, if they are known.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skcoad._device import resolve_device
from skcoad._torch_state import own_torch_state
from skcoad._typing import FloatArray
from skcoad.detectors._format1 import upgrade
from skcoad.io._atomic import atomic_write
from skcoad.io._container import pack, read_container, unpack
from skcoad.io._plain import plain
from skcoad.io._schema import (
    InvalidDetectorError,
    Json,
    get,
    require,
    take,
)
from skcoad.io._times import times_content, times_index
from skcoad.model import CoADModel, ModelConfig
from skcoad.preprocessing._missing_fraction import check_missing_fraction
from skcoad.thresholds import (
    ConformalThreshold,
    PeaksOverThreshold,
    QuantileThreshold,
    ScoreThreshold,
)

__all__ = ["load_detector", "restore", "save_detector", "state", "write"]

# Single numbers, and which attributes of a detector they are.
NUMBERS = {
    "threshold": "threshold_",
    "segment_threshold": "segment_threshold_",
    "mu": "_mu",
    "sigma": "_sigma",
}
MODEL = "model."  # prefix of the model's tensors
THRESHOLDS: dict[str, type[ScoreThreshold]] = {
    cls.__name__: cls
    for cls in (ConformalThreshold, PeaksOverThreshold, QuantileThreshold)
}


def save_detector(detector: Any, path: str | os.PathLike[str]) -> None:
    """Save a fitted detector; see :meth:`skcoad.CoADDetector.save`."""
    write(path, *state(detector), lambda *read: restore(*read, type(detector)))


def write(
    path: str | os.PathLike[str],
    content: Json,
    tensors: dict[str, Tensor],
    restored: Callable[[Json, dict[str, Tensor]], object],
) -> None:
    """Write a file, if it will load.

    Parameters
    ----------
    path : str or path-like
        File to write; it appears whole or not at all.
    content : dict
        What JSON knows.
    tensors : dict of str to Tensor
        Contiguous, on the CPU.
    restored : callable
        What will load the file, given its content and tensors.

    Raises
    ------
    ValueError
        If the file would not load.
    OSError
        If it cannot be written.
    """
    data = pack(content, tensors)
    try:
        restored(*unpack(BytesIO(data), len(data)))
    except InvalidDetectorError as error:
        raise ValueError(
            f"the detector cannot be saved: the file would not load ({error}). Were "
            "its parameters or attributes changed after fit?"
        ) from error
    with atomic_write(path) as partial:
        partial.write_bytes(data)


def load_detector(path: str | os.PathLike[str], *classes: type[Any]) -> Any:
    """Load a detector of one of these classes; see :meth:`skcoad.CoADDetector.load`."""
    try:
        with own_torch_state():
            content, tensors = read_container(path)
            if content["format"] == 1:
                content, tensors = upgrade(content, tensors)
            return restore(content, tensors, *classes)
    except InvalidDetectorError as error:
        raise InvalidDetectorError(f"{os.fspath(path)}: {error}") from error


def state(detector: Any) -> tuple[Json, dict[str, Tensor]]:
    """Return what a fitted detector is made of: what JSON knows, and tensors."""
    check_is_fitted(detector)
    return _content(detector), _tensors(detector)


def restore(content: Json, tensors: dict[str, Tensor], *classes: type[Any]) -> Any:
    """Make a detector of one of these classes of its :func:`state`.

    Raises
    ------
    InvalidDetectorError
        If it is no such state.
    """
    return _detector(_class(content, classes), content, tensors)


def _content(detector: Any) -> Json:
    names = getattr(detector, "feature_names_in_", None)
    content: Json = {
        "class": type(detector).__name__,
        "parameters": plain(detector.get_params(deep=False), _as_json),
        "model": detector.model_.config.to_dict(),
        "feature_names": None if names is None else list(names),
        "channel_names": _integers(detector._column_labels),
        "n_iter": getattr(detector, "n_iter_", None),
    }
    for name, attribute in NUMBERS.items():
        content[name] = float(getattr(detector, attribute))
    content["times"] = times_content(detector.training_times_)
    content["thresholder"] = None
    if detector.thresholder_ is not None:
        content["thresholder"] = _threshold_content(detector.thresholder_) | {
            "separation": detector.thresholder_.separation_,
            "interval": detector.thresholder_.interval_,
        }
    return content


def _integers(names: list[Any] | None) -> list[int] | None:
    """Names of channels that are all integers; None of others."""
    integers = names is not None and all(type(name) is int for name in names)
    return names if integers else None


def _threshold_content(threshold: ScoreThreshold) -> Json:
    return {
        "class": type(threshold).__name__,
        "parameters": plain(threshold.get_params(deep=False), _as_json),
    }


def _as_json(value: Any) -> Any:
    if isinstance(value, torch.device):
        return str(value)
    if type(value) in THRESHOLDS.values():
        return _threshold_content(value)
    raise ValueError(
        f"a detector with the parameter {value!r} cannot be saved without pickle; "
        "use a number, or a threshold of skcoad.thresholds"
    )


def _tensors(detector: Any) -> dict[str, Tensor]:
    arrays = {
        "decision_scores": np.asarray(detector.decision_scores_, dtype=np.float64),
        "labels": np.asarray(detector.labels_, dtype=np.uint8),
        "loss_curve": np.array(getattr(detector, "loss_curve_", []), dtype=np.float64),
    }
    if detector.thresholder_ is not None:
        arrays["threshold_scores"] = detector.thresholder_.scores_
        if detector.thresholder_.missing_.any():
            missing = detector.thresholder_.missing_.astype(np.uint8)
            arrays["threshold_missing"] = missing
    if detector.training_times_ is not None:
        arrays["times"] = detector.training_times_.asi8.copy()
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    for name, tensor in detector.model_.state_dict().items():
        tensors[MODEL + name] = tensor
    # Each in memory of its own: safetensors refuses tensors that share it.
    return {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}


def _detector(cls: type[Any], content: Json, tensors: dict[str, Tensor]) -> Any:
    detector = _unfitted(cls, get(content, "parameters", dict))
    scores = take(tensors, "decision_scores", torch.float64, None)
    labels = take(tensors, "labels", torch.uint8, len(scores))
    require(bool((labels <= 1).all()), "a label is neither 0 nor 1")
    loss_curve = take(tensors, "loss_curve", torch.float64, None)
    detector.thresholder_ = _fitted_threshold(content, tensors)
    detector.training_times_ = times_index(content, tensors)
    state = {
        name.removeprefix(MODEL): tensors.pop(name)
        for name in list(tensors)
        if name.startswith(MODEL)
    }
    require(not tensors, f"there are unknown tensors: {sorted(tensors)[:3]}")
    device = _usable(detector.device)
    config = get(content, "model", dict)
    if content["format"] == 1:
        state = _with_neighbors(config, state)
    detector.model_ = _model(config, state, len(scores)).to(device)
    if content.get("n_iter") is not None:
        n_iter = get(content, "n_iter", int)
        require(len(loss_curve) <= n_iter, "there are more losses than steps")
        detector.n_iter_, detector.loss_curve_ = n_iter, loss_curve.tolist()
    detector.decision_scores_ = scores.numpy()
    detector.labels_ = labels.numpy().astype(int)
    for number, attribute in NUMBERS.items():
        setattr(detector, attribute, np.float64(get(content, number, float)))
    detector._classes = 2
    detector.n_features_in_ = detector.model_.config.n_channels
    if content["format"] == 1:
        try:
            X = _training_series(detector.model_)
            check_missing_fraction(X)
            detector._set_scores(X, X)
        except (ValueError, FloatingPointError) as error:
            raise InvalidDetectorError(f"no scores can be computed: {error}") from error
    times, length = detector.training_times_, detector.model_.config.n_timestamps
    require(times is None or len(times) == length, "the times do not fit")
    if content.get("feature_names") is not None:
        names = get(content, "feature_names", list)
        named = all(isinstance(name, str) for name in names)
        fits = named and len(names) == detector.n_features_in_
        require(fits, "the channels' names do not fit")
        detector.feature_names_in_ = np.array(names, dtype=object)
    detector._column_labels = None
    if content.get("channel_names") is not None:
        integers = _integers(get(content, "channel_names", list)) or []
        fits = len(integers) == detector.n_features_in_
        require(fits, "the channels' names do not fit")
        detector._column_labels = integers
    return detector


def _class(content: Json, classes: tuple[type[Any], ...]) -> type[Any]:
    name = get(content, "class", str)
    by_name = {cls.__name__: cls for cls in classes}
    wanted = " or a ".join(by_name)
    require(name in by_name, f"it holds a {name[:40]}, not a {wanted}")
    return by_name[name]


def _unfitted(cls: type[Any], parameters: Json) -> Any:
    """Make a detector with parameters that pass its own checks."""
    # Those that are missing came with a later version, whose defaults change nothing.
    unknown = parameters.keys() - set(cls._get_param_names())
    require(not unknown, f"there are unknown parameters: {sorted(unknown)[:3]}")
    arguments: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in parameters.items()
    }
    if isinstance(arguments.get("contamination"), dict):
        arguments["contamination"] = _threshold(arguments["contamination"])
    detector = cls(**arguments)
    try:
        detector._check_parameters()
    except (TypeError, ValueError) as error:
        raise InvalidDetectorError(str(error)) from error
    return detector


def _threshold(content: Json) -> ScoreThreshold:
    """Make a threshold with parameters that pass its own checks."""
    name = get(content, "class", str)
    require(name in THRESHOLDS, f"there is no threshold {name[:40]!r}")
    parameters = get(content, "parameters", dict)
    unknown = parameters.keys() - set(THRESHOLDS[name]._get_param_names())
    require(not unknown, f"there are unknown parameters: {sorted(unknown)[:3]}")
    threshold = THRESHOLDS[name](**parameters)
    try:
        threshold.check(interval=1.0)  # a rate in time is fine here
    except ValueError as error:
        raise InvalidDetectorError(f"the threshold does not fit: {error}") from error
    return threshold


def _fitted_threshold(
    content: Json, tensors: dict[str, Tensor]
) -> ScoreThreshold | None:
    if content.get("thresholder") is None:
        return None
    fitted = get(content, "thresholder", dict)
    scores = take(tensors, "threshold_scores", torch.float64, None)
    missing = None
    if "threshold_missing" in tensors:
        missing = take(tensors, "threshold_missing", torch.uint8, len(scores)).numpy()
    interval = fitted.get("interval")
    if interval is not None:
        interval = get(fitted, "interval", float)
        require(interval > 0, "the interval of the rows is not above 0")
    separation = get(fitted, "separation", int)
    try:
        return _threshold(fitted).fit(
            scores.numpy(), separation=separation, interval=interval, missing=missing
        )
    except ValueError as error:
        raise InvalidDetectorError(f"the threshold does not fit: {error}") from error


def _model(content: Json, state: dict[str, Tensor], n_timestamps: int) -> CoADModel:
    config = _config(content)
    try:
        # Rows that were missing by their times have no score.
        if config.n_timestamps < n_timestamps:
            raise ValueError(
                f"the model is of {config.n_timestamps} timestamps, and {n_timestamps} "
                "have scores"
            )
        return CoADModel.from_state(config, state)
    except ValueError as error:
        raise InvalidDetectorError(f"the model does not fit: {error}") from error


def _config(content: Json) -> ModelConfig:
    try:
        return ModelConfig.from_dict(content)
    except (TypeError, ValueError, LookupError) as error:
        raise InvalidDetectorError(f"the model does not fit: {error}") from error


def _with_neighbors(config: Json, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """State of format 1 with what is learned of its series, not yet calibrated."""
    state, configuration = dict(state), _config(config)
    scaled = [
        (
            state.pop(f"neighbors.{channel}.series"),
            state.pop(f"neighbors.{channel}.missing"),
        )
        for channel in range(configuration.n_channels)
    ]
    with torch.device("meta"):
        model = CoADModel(configuration)
    model.learn_normal(scaled)
    learned = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not name.startswith(("scaler.", "network."))
    }
    return learned | state


def _training_series(model: CoADModel) -> FloatArray:
    """The series that the neighbours of a model were found in, in the input's units."""
    channels = []
    for channel, neighbors in enumerate(model.neighbors or ()):
        x = model.scaler.inverse_transform(neighbors.series.cpu().numpy(), channel)
        x[neighbors.missing.cpu().numpy()] = np.nan
        channels.append(x)
    return np.stack(channels, 1)


def _usable(device: str | torch.device) -> torch.device:
    """The device that was asked for, or the CPU where it does not work."""
    try:
        return resolve_device(device)
    except ValueError:
        return torch.device("cpu")
