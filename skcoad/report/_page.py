"""The page itself."""

from __future__ import annotations

import html
import json
import os
import re
from importlib import resources
from importlib.util import find_spec
from typing import Any

from skcoad.io._atomic import atomic_write
from skcoad.report._arrays import encode_parts, encode_series
from skcoad.report._content import ExplainedSegment, PageContent

__all__ = ["Report", "check_name", "check_plotly"]

SUFFIXES = (".html", ".htm")


class Report:
    """A page that shows what was found in a series.

    Parameters
    ----------
    content : PageContent
        What to show.

    Attributes
    ----------
    html : str
        The page: self-contained, loads nothing.

    Raises
    ------
    ImportError
        If plotly is not installed.
    """

    def __init__(self, content: PageContent) -> None:
        check_plotly()
        from plotly.offline import get_plotlyjs

        data = encode_series(content) | {
            "threshold": content.threshold,
            "start": content.start,
            "segments": [_segment(segment) for segment in content.segments],
        }
        parts = {
            "title": html.escape(content.title),
            "style": _resource("page.css"),
            "plotly": get_plotlyjs(),
            "data": _json(data),
            "script": _resource("page.js"),
        }
        # In one pass, so that nothing that was filled in is taken for a place to fill.
        self.html = re.sub(
            r"\{\{(\w+)\}\}", lambda place: parts[place[1]], _resource("page.html")
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            File to write, whose name ends in .html or .htm; one that exists is
            replaced.

        Raises
        ------
        ValueError
            If its name ends otherwise.
        OSError
            If the file cannot be written.
        """
        check_name(path)
        with atomic_write(path) as partial:
            partial.write_text(self.html, encoding="utf-8")

    def __repr__(self) -> str:
        return f"Report({len(self.html) / 1e6:.1f} MB)"


def check_name(path: str | os.PathLike[str]) -> None:
    """Raise ValueError if a name does not end as that of a page."""
    if not os.fspath(path).lower().endswith(SUFFIXES):
        raise ValueError(f"the name of a report ends in .html, got {os.fspath(path)}")


def check_plotly() -> None:
    """Raise ImportError if plotly is not installed."""
    if find_spec("plotly") is None:
        raise ImportError(
            "a report needs plotly, which is not installed: pip install "
            "'skcoad[report]'"
        )


def _segment(segment: ExplainedSegment) -> dict[str, Any]:
    encoded = segment._asdict()
    encoded["parts"] = [part._asdict() for part in segment.parts]
    encoded["details"] = [
        {
            "channel": detail.channel,
            "start": detail.start,
            "arrays": encode_parts([detail.values, detail.expected, detail.nearest]),
        }
        for detail in segment.details
    ]
    return encoded


def _json(data: Any) -> str:
    """JSON that ends no script element, whatever its strings are."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _resource(name: str) -> str:
    folder = resources.files("skcoad.report")
    return (folder / name).read_text(encoding="utf-8")
