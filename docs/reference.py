"""The reference: a page for each public package, with an entry for all it exports."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from sphinx.ext.autodoc.mock import mock
from sphinx.pycode import ModuleAnalyzer

import skcoad

# From these bases on, what a class inherits is another library's.
FOREIGN = "BaseDetector, BaseEstimator, Module, Warning, tuple, dict"

INDEX = """\
# Reference

Every public name, by the package that exports it. Names that start with an underscore,
and modules whose names do, are private.

```{{toctree}}
:maxdepth: 1

{pages}
```
"""


def public_names() -> dict[str, list[str]]:
    """Find the public modules and what they export.

    Returns
    -------
    dict
        The ``__all__`` of each module that has one and whose path has no underscore.
    """
    modules = ["skcoad"] + [
        module.name
        for module in pkgutil.walk_packages(skcoad.__path__, "skcoad.")
        if "._" not in module.name and not module.name.endswith("__main__")
    ]
    with mock(["river"]):  # an extra that the build does not need
        exported = {
            name: getattr(import_module(name), "__all__", ()) for name in modules
        }
    return {name: list(names) for name, names in exported.items() if names}


def write(folder: Path) -> None:
    """Write the pages into a folder; one that is as it should be is left alone."""
    folder.mkdir(exist_ok=True)
    exported = public_names()
    pages = {f"{module}.md": _page(module, exported) for module in exported}
    pages["index.md"] = INDEX.format(pages="\n".join(exported))
    for file, text in pages.items():
        path = folder / file
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def _page(module: str, exported: dict[str, list[str]]) -> str:
    entries = [_entry(module, name, exported) for name in exported[module]]
    return "\n\n".join([f"# {module}", _directive("automodule", module), *entries])


def _entry(module: str, name: str, exported: dict[str, list[str]]) -> str:
    what = getattr(import_module(module), name)
    origin = getattr(what, "__module__", "")
    homes = [
        package
        for package, names in exported.items()
        if name in names and f"{origin}.".startswith(f"{package}.")
    ]
    own = f":module: {module}"
    if not homes or not callable(what):
        return _directive("py:data", name, own, "", *_data(module, name, what))
    home = max(homes, key=len)
    is_class = inspect.isclass(what)
    if home != module:  # each is described once
        role, kind = ("class", "py:class") if is_class else ("func", "py:function")
        return _directive(kind, name, own, "", f"See :{role}:`{home}.{name}`.")
    if is_class:
        options = (":members:", f":inherited-members: {FOREIGN}")
        return _directive("autoclass", f"{module}.{name}", *options)
    return _directive("autofunction", f"{module}.{name}")


def _data(module: str, name: str, value: object) -> list[str]:
    """Describe a constant: what its module says of it, and what it holds."""
    prefix = f"{module}."
    modules = [module] + [
        found.name
        for found in pkgutil.walk_packages(
            getattr(import_module(module), "__path__", ()), prefix
        )
    ]
    lines: list[str] = []
    for source in modules:
        documented = ModuleAnalyzer.for_module(source).find_attr_docs()
        if ("", name) in documented:
            lines = documented["", name]
    if isinstance(value, (Mapping, tuple)):
        lines = [*lines, "", "Holds " + ", ".join(f"``{key}``" for key in value) + "."]
    return lines


def _directive(kind: str, argument: str, *content: str) -> str:
    body = "".join(f"   {line}".rstrip() + "\n" for line in content)
    return f"```{{eval-rst}}\n.. {kind}:: {argument}\n{body}```"
