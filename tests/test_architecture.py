"""The tree is layered: no module imports from a layer above its own."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "skcoad"

# From the bottom up; what stands together may not import each other.
LAYERS = [
    {"_typing"},
    {
        "_arguments",
        "_version",
        "_device",
        "_duration",
        "_series",
        "_text",
        "_parallel",
        "_progress",
        "_rolling",
        "_threads",
        "_time",
        "_torch_state",
    },
    {"_spacing"},
    {"_grid"},
    {"_validation", "_warnings", "io", "metrics"},
    {"datasets"},
    {"preprocessing"},
    {"calibration"},
    {"neighbors"},
    {"model"},
    {"scoring", "thresholds"},
    {"plotting"},
    {"report"},
    {"detectors"},
    {"streaming"},
    {"compat", "export", "panel"},
    {"benchmark"},
    {"cli"},
    {"__main__"},
]
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
# What these keep private, no other package imports.
CLOSED = {"report", "streaming", "compat", "export", "panel"}
MAX_LINES = 500

MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"
)


def component(path):
    """Package or module directly below skcoad that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Names below skcoad that a file imports, also inside of functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "skcoad":
                names = [f"skcoad.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("skcoad."))


def test_every_component_has_a_layer():
    assert {component(path) for path in MODULES} <= HEIGHT.keys()


# `from skcoad import CoADDetector` goes through the lazy names of the package.
LAZY = {"CoADDetector": "detectors", "NeighborsDetector": "detectors"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_import_points_upwards(path):
    own = component(path)
    for module in imported(path):
        name = module.split(".")[1]
        other = LAZY.get(name, name)
        below = HEIGHT[other] < HEIGHT[own]
        assert other == own or below, f"{own} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_stands_on_the_detectors_is_imported_by_its_public_names(path):
    for module in imported(path):
        _, name, *inner = module.split(".")
        private = any(part.startswith("_") for part in inner)
        assert not (private and name in CLOSED - {component(path)}), module


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_is_of_a_readable_size(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES


def executed(tree):
    """Nodes of a module but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from executed(node)


def graph(folder):
    """Imports among the modules of one package."""
    modules = {path.stem: path for path in folder.glob("*.py")}
    prefix = ".".join(("skcoad", *folder.relative_to(PACKAGE).parts))
    edges = {}
    for name, path in modules.items():
        edges[name] = {
            node.module.removeprefix(prefix + ".")
            for node in executed(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith(prefix + ".")
        } & modules.keys()
    return edges


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in MODULES} - {PACKAGE}),
    ids=lambda folder: folder.name,
)
def test_no_package_has_a_circle_of_imports(folder):
    edges = graph(folder)
    while edges:
        leaves = {name for name, targets in edges.items() if not targets & edges.keys()}
        assert leaves, f"a circle among {sorted(edges)}"
        edges = {name: edges[name] for name in edges.keys() - leaves}
