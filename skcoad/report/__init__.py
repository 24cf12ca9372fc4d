"""What was found in a series, as one page to open in a browser.

The page holds its data and plotly's JavaScript, loads nothing, and works offline.
Follow the files: ``_content.py`` says what a page shows, ``_arrays.py`` encodes the
series, ``_page.py`` fills ``page.html`` with ``page.css`` and ``page.js``.
"""

from __future__ import annotations

from skcoad.report._content import (
    Channel,
    Detail,
    ExplainedSegment,
    PageContent,
    Part,
)
from skcoad.report._page import Report, check_name, check_plotly

__all__ = [
    "Channel",
    "Detail",
    "ExplainedSegment",
    "PageContent",
    "Part",
    "Report",
    "check_name",
    "check_plotly",
]
