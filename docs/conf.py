"""Configuration of the site: ``nox -s docs`` or ``python -m sphinx docs build/site``.

Pictures, the reference of the public names and copies of the notebooks are made here,
so that they are those of the code that the site describes.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import latex2mathml.converter
from docutils import nodes
from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT)]

import pictures  # noqa: E402
import reference  # noqa: E402

from skcoad import __version__  # noqa: E402

# Pages that stand in the root of the repository.
PAGES = {
    "contributing.md": "CONTRIBUTING.md",
    "changes.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
}

project = "skcoad"
author = "the skcoad developers"
version = release = __version__
copyright = author  # noqa: A001
extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["README.md"]
nitpicky = True
# Of other libraries, whose documentation the build does not look up.
nitpick_ignore_regex = [(r"py:.*", r"(?!skcoad)[\w.]+\.[\w.]+")]

myst_enable_extensions = ["attrs_block", "dollarmath"]
myst_heading_anchors = 3
# Executed by the tests; with SITE_NOTEBOOKS=1 also here, for their pictures.
nb_execution_mode = "cache" if os.environ.get("SITE_NOTEBOOKS") else "off"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # numpydoc has them in words
autodoc_mock_imports = ["river"]  # an extra that the build does not need
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

copybutton_prompt_text = "$ "

html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}
html_title = "skcoad"
html_theme_options = {
    "show_prev_next": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "footer_start": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"start": [], "questions": []}  # which have no pages below them
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"


def make_sources(app: Sphinx) -> None:
    """Make what is not written by hand, and bring in what stands elsewhere."""
    pictures.draw(HERE / "pictures")
    reference.write(HERE / "reference")
    shutil.copytree(ROOT / "notebooks", HERE / "notebooks", dirs_exist_ok=True)
    for page, source in PAGES.items():
        text = (ROOT / source).read_text().replace("](docs/", "](")
        for other, name in PAGES.items():
            text = text.replace(f"]({name})", f"]({other})")
        (HERE / page).write_text(text)


def skip_foreign(
    app: Sphinx, what: str, name: str, member: object, skip: bool, options: object
) -> bool | None:
    """Leave out what another library adds to a class, and fields of a named tuple.

    The latter are described by its docstring.
    """
    if type(member).__name__ == "_tuplegetter":
        return True
    module = getattr(member, "__module__", None) or "skcoad"
    return None if module.startswith("skcoad") else True


def adapt(app: Sphinx, name: str, source: list[str]) -> None:
    """Link notebooks to their pages, and leave out patterns of pages to come."""
    text = source[0].replace("](../notebooks/", "](notebooks/")
    if name == "user":
        lines = text.splitlines(keepends=True)
        text = "".join(
            line
            for line in lines
            if not line.endswith("*\n") or any(HERE.glob(line.strip() + ".md"))
        )
    source[0] = text


def visit_math(self: Any, node: nodes.math) -> None:
    """Write a formula as MathML, which browsers show without a script."""
    display = "block" if isinstance(node, nodes.math_block) else "inline"
    self.body.append(latex2mathml.converter.convert(node.astext(), display=display))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Connect the above."""
    app.connect("builder-inited", make_sources)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("source-read", adapt)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
