"""A fitted detector as a file that other runtimes compute scores with.

Follow the files: ``_search.py`` finds exact nearest neighbours without branches,
``_cover.py`` brings windows back to timestamps, ``_graph.py`` is the whole way from
values to scores, and ``_files.py`` writes it for ONNX and for ``torch.export``.
"""

from __future__ import annotations

from skcoad.export._files import to_onnx, to_torch_export
from skcoad.export._graph import ScoringGraph

__all__ = ["ScoringGraph", "to_onnx", "to_torch_export"]
