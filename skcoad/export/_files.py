"""Write the scoring graph of a detector for other runtimes."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from sklearn.utils.validation import check_is_fitted

from skcoad._torch_state import own_torch_state
from skcoad._typing import Size
from skcoad._version import __version__
from skcoad.detectors import TimeSeriesDetector
from skcoad.export._graph import ScoringGraph
from skcoad.io._atomic import atomic_write, check_writable

__all__ = ["scoring_graph", "to_onnx", "to_torch_export"]

INT64 = 7  # of onnx.TensorProto
METADATA = "metadata.json"  # the extra file in what torch.export writes


def to_onnx(
    detector: TimeSeriesDetector,
    path: str | os.PathLike[str],
    *,
    chunk_size: Size = "auto",
) -> ScoringGraph:
    """Write the scores of a fitted detector as an ONNX graph.

    The graph has one input, ``X`` of shape (n_chunks, chunk_size, n_channels), float64:
    chunks of a series without missing values, in its units. Its outputs are ``scores``,
    float64 of shape (n_chunks, chunk_size), and ``channel_scores``, one more dimension;
    both in decades, as ``decision_function`` and ``channel_scores`` give them. All of
    the way is in the graph: scaling, neighbours, network, local statistics, residuals,
    smoothing, calibration, aggregation. The number of chunks is free.

    Nearest neighbours are exact, in place of near exact.

    Parameters
    ----------
    detector : CoADDetector or NeighborsDetector
        Fitted, with ``references="train"``.
    path : str or path-like
        File to write, whole or not at all; one that exists is replaced.
    chunk_size : int or "auto", default="auto"
        Timestamps in a chunk; see :class:`ScoringGraph`.

    Returns
    -------
    ScoringGraph
        The same graph in torch. Its sizes, and the detector's threshold and channels,
        are in the file's metadata: ``chunk_size``, ``stride``, ``halo``, ``step``,
        ``threshold``, ``segment_threshold``, ``channels`` (a JSON list), ``score_by``
        and ``skcoad`` (the version).

    Raises
    ------
    TypeError
        If this is no such detector, or `chunk_size` is neither an int nor "auto".
    NotFittedError
        If the detector is not fitted.
    ValueError
        If the detector cannot be exported: its references are not those of the training
        series, or the chunk is too short.
    ImportError
        If onnx or onnxscript is missing; ``pip install skcoad[onnx]`` has them.
    OSError
        If the file cannot be written; said before the work, where that is known.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.export import to_onnx
    >>> detector = NeighborsDetector().fit(np.sin(np.arange(1000.0) / 4))
    >>> graph = to_onnx(detector, "detector.onnx")  # doctest: +SKIP
    """
    for package in ("onnx", "onnxscript"):
        try:
            import_module(package)
        except ImportError as error:
            raise ImportError(
                f"to_onnx needs {package}: pip install skcoad[onnx]"
            ) from error
    check_writable(Path(path))
    graph = scoring_graph(detector, chunk_size)
    with own_torch_state():
        program = _program(graph)
        with quiet_exporter():
            exported: Any = torch.onnx.export(
                program,
                dynamo=True,
                input_names=["X"],
                output_names=["scores", "channel_scores"],
                custom_translation_table={
                    torch.ops.aten.searchsorted.Tensor: _searchsorted
                },
                verbose=False,
            )
    exported.model.metadata_props.update(_metadata(detector, graph))
    with atomic_write(path) as temporary:
        temporary.write_bytes(exported.model_proto.SerializeToString())
    return graph


def to_torch_export(
    detector: TimeSeriesDetector,
    path: str | os.PathLike[str],
    *,
    chunk_size: Size = "auto",
) -> ScoringGraph:
    """Write the scores of a fitted detector as a program of ``torch.export``.

    The same graph as by :func:`to_onnx`. ``torch.export.load(path).module()`` computes
    it without skcoad, and AOTInductor compiles it.

    Parameters
    ----------
    detector, path, chunk_size : TimeSeriesDetector, path-like, int or "auto"
        As for :func:`to_onnx`.

    Returns
    -------
    ScoringGraph
        The same graph in torch. The metadata of :func:`to_onnx` are in the extra file
        ``metadata.json``.

    Raises
    ------
    TypeError, NotFittedError, ValueError, OSError
        As for :func:`to_onnx`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import torch
    >>> from skcoad import NeighborsDetector
    >>> from skcoad.export import to_torch_export
    >>> X = np.sin(np.arange(1000.0) / 4)[:, None]
    >>> detector = NeighborsDetector(period=25).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     graph = to_torch_export(detector, Path(folder, "detector.pt2"))
    ...     loaded = torch.export.load(Path(folder, "detector.pt2")).module()
    >>> chunks = torch.from_numpy(X[None, : graph.chunk_size])
    >>> bool((loaded(chunks)[0] == graph(chunks)[0]).all())
    True
    """
    check_writable(Path(path))
    graph = scoring_graph(detector, chunk_size)
    with own_torch_state():
        program = _program(graph)
        metadata = json.dumps(_metadata(detector, graph))
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            torch.export.save(program, file, extra_files={METADATA: metadata})
    return graph


def scoring_graph(detector: TimeSeriesDetector, chunk_size: Size) -> ScoringGraph:
    """Graph of a fitted detector, with a copy of its model, on the CPU."""
    if not isinstance(detector, TimeSeriesDetector):
        raise TypeError(
            "only a CoADDetector or a NeighborsDetector can be exported, got "
            f"{type(detector).__name__}"
        )
    check_is_fitted(detector)
    model = deepcopy(detector.model_).cpu()
    graph = ScoringGraph(model, detector._scoring_options(), chunk_size)
    return graph.eval().requires_grad_(False)


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Silence what torch's exporter says of itself, but no errors.

    Warnings of deprecated calls and of the largest double as a float, and records of
    packages that are not needed and of constants that it has put elsewhere.
    """
    logger = logging.getLogger("torch.onnx._internal.exporter")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _program(graph: ScoringGraph) -> torch.export.ExportedProgram:
    # Two chunks: of one, torch would take the number for fixed.
    chunks = torch.zeros(2, graph.chunk_size, len(graph.channels), dtype=torch.float64)
    n_chunks = torch.export.Dim("n_chunks", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own deprecations
        return torch.export.export(
            graph, (chunks,), dynamic_shapes=({0: n_chunks},), strict=False
        )


def _metadata(detector: TimeSeriesDetector, graph: ScoringGraph) -> dict[str, str]:
    return {
        "chunk_size": str(graph.chunk_size),
        "stride": str(graph.stride),
        "halo": str(graph.halo),
        "step": str(graph.step),
        "threshold": repr(float(detector.threshold_)),
        "segment_threshold": repr(float(detector.segment_threshold_)),
        "channels": json.dumps([str(name) for name in detector.channel_names_]),
        "score_by": detector._scoring_options().score_by,
        "skcoad": __version__,
    }


def _searchsorted(
    sorted_sequence: Any, values: Any, *, out_int32: bool = False, right: bool = False
) -> Any:
    """What ONNX has no operator for, by comparison with every element."""
    import onnxscript

    op: Any = onnxscript.opset18  # annotated for tensors alone, but lists become them
    below = op.Less(op.Unsqueeze(sorted_sequence, [-2]), op.Unsqueeze(values, [-1]))
    return op.ReduceSum(op.Cast(below, to=INT64), [-1], keepdims=0)
