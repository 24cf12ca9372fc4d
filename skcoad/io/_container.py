"""A fitted detector as one file, without pickle: loading it runs no code.

The file is of the safetensors format. Arrays are its tensors; everything else is one
JSON object in its metadata, under the key ``skcoad``:

===============  =====================================================================
format           number of this layout, 1
skcoad           version of the package that wrote the file
sha256           digest of the whole file, with 64 zeros in the place of the digest
parameters       those of the constructor
plan             period, window, patch and step in timestamps
spacings         distance between the references of each pool, that of the changes
                 last; null without pools
feature_names    names of the channels, or null
n_iter           training steps done
threshold        of the scores
mu, sigma        mean and deviation of the training scores
===============  =====================================================================

Nothing in a file is believed: sizes are compared with one another before anything is
made of them, so what a file can ask for is bounded by its own size. The digest finds
accidents; it does not tell who wrote the file.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import secrets
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import safetensors.torch
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skcoad._validation import check_parameters
from skcoad._version import __version__
from skcoad.detectors._coad import _CONSTRAINTS, CoADDetector, _resolve_device
from skcoad.model._network import CoADNetwork
from skcoad.neighbors._channel import ChannelReference, changes, missing_changes
from skcoad.neighbors._index import ReferencePool, coarse_length
from skcoad.preprocessing._plan import WindowPlan, plan_windows

__all__ = ["InvalidDetectorError", "load_detector", "save_detector"]

FORMAT = 1
MAX_HEADER = 2**20  # bytes; usual ones have 10,000
KEY = "skcoad"  # in the metadata
UNSEALED = "0" * 64  # where the digest will stand

# What a pool holds beside the series. It is stored, for made anew elsewhere it would be
# rounded otherwise, and a small file could ask for much time and memory.
POOL_TENSORS = ("components", "held", "own")

# Single numbers, and which attributes of a detector they are.
NUMBERS = {"threshold": "threshold_", "mu": "_mu", "sigma": "_sigma"}

Json = dict[str, Any]


class InvalidDetectorError(ValueError):
    """The file holds no detector that this version can load."""


def save_detector(detector: CoADDetector, path: str | os.PathLike[str]) -> None:
    """Save a fitted detector to one file, without pickle.

    The file appears whole or not at all: an interrupt or a crash leaves what was there
    before.

    Parameters
    ----------
    detector : CoADDetector
        Fitted.
    path : str or path-like
        File to write; one that exists is replaced, with its permissions kept.

    Raises
    ------
    NotFittedError
        If the detector is not fitted.
    ValueError
        If a parameter is an object (a thresholder as `contamination`, a `RandomState`
        as `random_state`), or was changed since `fit` so that the file could not be
        loaded.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skcoad import CoADDetector
    >>> from skcoad.io._container import load_detector, save_detector
    >>> X = np.sin(np.arange(400.0) / 4)
    >>> detector = CoADDetector(max_steps=5, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_detector(detector, Path(folder, "detector.safetensors"))
    ...     twin = load_detector(Path(folder, "detector.safetensors"))
    >>> bool((twin.decision_function(X) == detector.decision_function(X)).all())
    True
    """
    check_is_fitted(detector)
    data = _seal(safetensors.torch.save(_tensors(detector), {KEY: _json(detector)}))
    try:
        _read(BytesIO(data), len(data), type(detector))
    except InvalidDetectorError as error:
        raise ValueError(
            f"the detector cannot be saved, for nobody could load it: {error}. Were "
            "its parameters or attributes changed after fit?"
        ) from error
    _write_atomically(data, Path(os.path.realpath(path)))


def load_detector(
    path: str | os.PathLike[str], cls: type[CoADDetector] = CoADDetector
) -> CoADDetector:
    """Load a detector that :func:`save_detector` wrote.

    Parameters
    ----------
    path : str or path-like
        File to read.
    cls : type, default=CoADDetector
        The detector's class.

    Returns
    -------
    CoADDetector
        Fitted. On the machine that saved it, its scores are the same to the last bit.
        It is on the device that was asked for in the constructor, ``"auto"`` decided
        anew, or on the CPU where there is no such device. Parameters that were lists
        are tuples, a `torch.device` is its name.

    Raises
    ------
    InvalidDetectorError
        If the file is damaged, is no such file, or needs a later version of skcoad.
    OSError
        If there is no such file, or it cannot be read.

    Examples
    --------
    See :func:`save_detector`.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise InvalidDetectorError(f"{os.fspath(path)}: is no regular file")
    try:
        with open(path, "rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size, cls)
    except InvalidDetectorError as error:
        raise InvalidDetectorError(f"{os.fspath(path)}: {error}") from error


def _json(detector: CoADDetector) -> str:
    """Everything about a detector but its arrays."""
    names = getattr(detector, "feature_names_in_", None)
    references = detector.references_
    content = {
        "format": FORMAT,
        "skcoad": __version__,
        "sha256": UNSEALED,
        "parameters": {
            name: _plain(name, value)
            for name, value in detector.get_params(deep=False).items()
        },
        "plan": [int(size) for size in detector.plan_],
        "spacings": None
        if references is None
        else [pool.spacing for pool in references[0].pools],
        "feature_names": None if names is None else list(names),
        "n_iter": detector.n_iter_,
    } | {
        name: float(getattr(detector, attribute)) for name, attribute in NUMBERS.items()
    }
    return json.dumps(content)


def _plain(name: str, value: Any) -> Any:
    """Return a parameter as JSON knows it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(name, item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(
        f"a detector with {name}={value!r} cannot be saved without pickle; use a number"
    )


def _tensors(detector: CoADDetector) -> dict[str, Tensor]:
    """All arrays of a detector, on the CPU."""
    arrays = {
        "center": np.asarray(detector.center_, dtype=np.float64),
        "scale": np.asarray(detector.scale_, dtype=np.float64),
        "decision_scores": np.asarray(detector.decision_scores_, dtype=np.float64),
        "labels": np.asarray(detector.labels_, dtype=np.uint8),
        "loss_curve": np.array(detector.loss_curve_, dtype=np.float64),
    }
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    for name, tensor in detector.network_.state_dict().items():
        tensors[f"network.{name}"] = tensor
    if detector.references_ is not None:
        # A row for each channel.
        references = detector.references_
        rows = {
            "series": [channel.values[0].series for channel in references],
            "missing": [channel.values[0].missing for channel in references],
            "change_scale": [
                torch.tensor(channel.change_scale, dtype=torch.float64)
                for channel in references
            ],
        }
        for number in range(len(references[0].pools)):
            for name in POOL_TENSORS:
                rows[f"{number}.{name}"] = [
                    getattr(channel.pools[number], name) for channel in references
                ]
        for name, row in rows.items():
            tensors[f"references.{name}"] = torch.stack(row)
    return {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}


def _seal(data: bytes) -> bytes:
    """Put the digest of a file into it."""
    digest = hashlib.sha256(data).hexdigest()
    return data.replace(UNSEALED.encode(), digest.encode(), 1)


def _write_atomically(data: bytes, path: Path) -> None:
    # In the same folder, hence on the same disk, where replacing is one operation.
    temporary = path.with_name(f".skcoad-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(file: BinaryIO, size: int, cls: type[CoADDetector]) -> CoADDetector:
    header, content = _read_header(file, size)
    try:
        body = file.read(size - len(header))
    except MemoryError as error:
        raise InvalidDetectorError(f"{size} bytes do not fit into memory") from error
    digest = hashlib.sha256(_unsealed(header, content))
    digest.update(body)
    if digest.hexdigest() != content["sha256"]:
        raise InvalidDetectorError("the checksum does not match: the file is damaged")
    try:
        tensors = safetensors.torch.load(header + body)
    except Exception as error:  # whatever the parser stumbles over
        raise InvalidDetectorError(f"no tensors to be read: {error}") from error
    return _detector(cls, content, tensors)


def _read_header(file: BinaryIO, size: int) -> tuple[bytes, Json]:
    """Header of a file, with its length in front, and our JSON object in it."""
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or length > size - 8:
        raise InvalidDetectorError(
            f"{size} bytes are too few: truncated, or other data"
        )
    if length > MAX_HEADER:
        raise InvalidDetectorError(f"a header of {length} bytes is above {MAX_HEADER}")
    header = file.read(length)
    table = _parsed(header, "the header")
    metadata = table.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(KEY), str):
        raise InvalidDetectorError("no detector of skcoad is in this file")
    content = _parsed(metadata[KEY], "the metadata")
    _check_format(content)
    # Before the rest is read: a file that is longer than its tensors may be very long.
    try:
        end = max(entry["data_offsets"][1] for entry in table.values())
    except (LookupError, TypeError, ValueError) as error:
        raise InvalidDetectorError("the header has no table of tensors") from error
    if end != size - 8 - length:
        raise InvalidDetectorError(
            f"{size - 8 - length} bytes of data where the header says {end}"
        )
    return prefix + header, content


def _parsed(text: str | bytes, what: str) -> Json:
    try:
        value = json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidDetectorError(f"{what} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidDetectorError(f"{what} is no JSON object")
    return value


def _check_format(content: Json) -> None:
    number = _get(content, "format", int)
    if number > FORMAT:
        writer = _get(content, "skcoad", str)[:40]
        raise InvalidDetectorError(
            f"format {number}, written by skcoad {writer}, is newer than what this "
            f"version, skcoad {__version__}, reads (up to format {FORMAT}); it needs "
            f"skcoad {writer} or later"
        )
    if number != FORMAT:
        raise InvalidDetectorError(f"there is no format {number}")


def _unsealed(header: bytes, content: Json) -> bytes:
    """Header as it was when the digest was computed."""
    digest = _get(content, "sha256", str)
    if not re.fullmatch("[0-9a-f]{64}", digest) or header.count(digest.encode()) != 1:
        raise InvalidDetectorError("there is no checksum")
    return header.replace(digest.encode(), UNSEALED.encode())


def _get(content: Json, name: str, kind: type) -> Any:
    value = content.get(name)
    if type(value) is not kind:  # not isinstance: True is no number
        raise InvalidDetectorError(f"{name} is missing, or no {kind.__name__}")
    return value


def _detector(
    cls: type[CoADDetector], content: Json, tensors: dict[str, Tensor]
) -> CoADDetector:
    detector = _unfitted(cls, _get(content, "parameters", dict))
    scores = _take(tensors, "decision_scores", torch.float64, None)
    center = _take(tensors, "center", torch.float64, None)
    n_timestamps, n_channels = len(scores), len(center)
    _check(n_channels > 0, "there are no channels")
    scale = _take(tensors, "scale", torch.float64, n_channels)
    _check(bool((scale > 0).all()), "a scale is not above 0")
    labels = _take(tensors, "labels", torch.uint8, n_timestamps)
    _check(bool((labels <= 1).all()), "a label is neither 0 nor 1")
    loss_curve = _take(tensors, "loss_curve", torch.float64, None)
    n_iter = _get(content, "n_iter", int)
    _check(len(loss_curve) <= n_iter, "there are more losses than steps")
    plan = _plan(_get(content, "plan", list), n_timestamps)
    device = _usable(detector.device)

    detector.center_, detector.scale_ = center.numpy(), scale.numpy()
    detector.plan_ = plan
    detector.period_, detector.window_size_, detector.patch_size_, detector.step_ = plan
    detector.device_ = device
    detector.network_ = _network(detector, plan.patch_size, tensors).to(device)
    detector.references_ = None
    if detector.max_references > 0:
        spacings = _get(content, "spacings", list)
        detector.references_ = _references(
            tensors, plan, spacings, (n_channels, n_timestamps), device
        )
    _check(not tensors, f"there are unknown tensors: {sorted(tensors)[:3]}")
    detector.n_iter_, detector.loss_curve_ = n_iter, loss_curve.tolist()
    detector.decision_scores_ = scores.numpy()
    detector.labels_ = labels.numpy().astype(int)
    for name, attribute in NUMBERS.items():
        value = _get(content, name, float)
        _check(math.isfinite(value), f"{name} is not finite")
        setattr(detector, attribute, np.float64(value))
    detector._classes = 2
    detector.n_features_in_ = n_channels
    if content.get("feature_names") is not None:
        names = _get(content, "feature_names", list)
        named = all(isinstance(name, str) for name in names)
        _check(named and len(names) == n_channels, "the channels' names do not fit")
        detector.feature_names_in_ = np.array(names, dtype=object)
    return detector


def _unfitted(cls: type[CoADDetector], parameters: Json) -> CoADDetector:
    """Make a detector with parameters that pass its own checks."""
    # Those that are missing came with a later version, whose defaults change nothing.
    unknown = parameters.keys() - set(cls._get_param_names())
    _check(not unknown, f"there are unknown parameters: {sorted(unknown)[:3]}")
    arguments: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in parameters.items()
    }
    detector = cls(**arguments)
    try:
        check_parameters(detector, _CONSTRAINTS)
        detector._check_parameters()
    except (TypeError, ValueError) as error:
        raise InvalidDetectorError(str(error)) from error
    return detector


def _plan(sizes: list[Any], n_timestamps: int) -> WindowPlan:
    whole = all(type(size) is int and size > 0 for size in sizes)
    _check(whole and len(sizes) == 4, "the plan is not four sizes")
    plan = WindowPlan(*sizes)
    try:
        checked = plan_windows(np.empty((n_timestamps, 1)), **plan._asdict())
    except ValueError as error:
        raise InvalidDetectorError(str(error)) from error
    _check(plan == checked, "the period is longer than the window")
    return plan


def _network(
    detector: CoADDetector, patch_size: int, tensors: dict[str, Tensor]
) -> CoADNetwork:
    n_layers, h = detector.n_layers, detector.hidden_size
    square = tensors.get("network.residual_head.hidden.weight")
    fits = square is not None and square.shape == (h, h) and n_layers <= len(tensors)
    _check(fits, f"the network is not of hidden_size={h}, n_layers={n_layers}")
    network = detector._network_on_meta(patch_size)
    state = {
        name: _take(tensors, f"network.{name}", parameter.dtype, *parameter.shape)
        for name, parameter in network.state_dict().items()
    }
    network = network.to_empty(device="cpu")
    network.load_state_dict(state)
    return network.eval()


def _references(
    tensors: dict[str, Tensor],
    plan: WindowPlan,
    spacings: list[Any],
    shape: tuple[int, int],
    device: torch.device,
) -> list[ChannelReference]:
    """References of all channels; `shape` is that of the training series."""
    n_channels, n_timestamps = shape
    series = _take(tensors, "references.series", torch.float32, *shape)
    missing = _take(tensors, "references.missing", torch.bool, *shape)
    scales = _take(tensors, "references.change_scale", torch.float64, n_channels)
    _check(bool((scales > 0).all()), "a scale is not above 0")
    lengths = [*plan.reference_lengths, plan.period]
    _check(len(spacings) == len(lengths), f"{len(lengths)} spacings are needed")
    stored = [
        _pool_tensors(
            tensors, f"references.{number}", n_channels, n_timestamps, length, spacing
        )
        for number, (length, spacing) in enumerate(zip(lengths, spacings, strict=True))
    ]
    references = []
    for channel, scale in enumerate(scales.tolist()):

        def own(rows: Tensor, channel: int = channel) -> Tensor:
            # In memory of its own, as it was, for equal rounding.
            return rows[channel].clone().to(device)

        x, gaps = own(series), own(missing)
        views = [(x, gaps)] * len(plan.reference_lengths)
        views.append((changes(x) / scale, missing_changes(gaps)))
        pools = [
            ReferencePool(
                *view, length, spacing, **{name: own(rows[name]) for name in rows}
            )
            for view, length, spacing, rows in zip(
                views, lengths, spacings, stored, strict=True
            )
        ]
        references.append(ChannelReference(plan, tuple(pools[:-1]), pools[-1], scale))
    return references


def _pool_tensors(
    tensors: dict[str, Tensor],
    prefix: str,
    n_channels: int,
    n_timestamps: int,
    length: int,
    spacing: Any,
) -> dict[str, Tensor]:
    """What the pools of one kind hold, a row for each channel."""
    n_positions = n_timestamps - length + 1
    whole = type(spacing) is int and 0 < spacing <= n_positions
    _check(whole, f"there is no spacing of {spacing}")
    n_held = math.ceil(n_positions / spacing)
    rows = {
        name: _take(tensors, f"{prefix}.{name}", torch.float32, n_channels, *shape)
        for name, shape in {
            "components": (coarse_length(length), None),
            "held": (None, n_held),
            "own": (n_held,),
        }.items()
    }
    n_components = rows["components"].shape[2]
    fits = 0 < n_components <= coarse_length(length)
    _check(fits and rows["held"].shape[1] == n_components, "components do not fit")
    _check(bool((rows["own"] >= 0).all()), "a distance is negative")
    return rows


def _take(
    tensors: dict[str, Tensor],
    name: str,
    dtype: torch.dtype,
    *shape: int | None,
    finite: bool = True,
) -> Tensor:
    """Remove a tensor from the others and check it; any size where shape has None."""
    tensor = tensors.pop(name, None)
    if tensor is None:
        raise InvalidDetectorError(f"tensor {name} is missing")
    fits = len(tensor.shape) == len(shape) and all(
        wanted in (None, size) for size, wanted in zip(tensor.shape, shape, strict=True)
    )
    _check(
        fits and tensor.dtype == dtype,
        f"tensor {name} is {tensor.dtype} of shape {tuple(tensor.shape)}, not {dtype} "
        f"of shape {shape}",
    )
    if dtype == torch.bool:
        _check(bool((tensor.view(torch.uint8) <= 1).all()), f"tensor {name} is no bool")
    elif finite:
        _check(bool(tensor.isfinite().all()), f"tensor {name} has NaN or infinity")
    # A file's bytes are read-only and not aligned as torch aligns its own.
    return tensor.clone()


def _check(condition: bool, otherwise: str) -> None:
    if not condition:
        raise InvalidDetectorError(otherwise)


def _usable(device: str | torch.device) -> torch.device:
    """The device that was asked for, or the CPU where it does not work."""
    try:
        return _resolve_device(device)
    except ValueError:
        return torch.device("cpu")
