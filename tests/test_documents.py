"""What README, guide and notebook show is run, so that it stays true."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from skcoad.cli import main
from skcoad.cli._main import _parser

ROOT = Path(__file__).parents[1]
# Their tests are beside those of what they describe.
TESTED_ELSEWHERE = {"benchmark.md", "panels.md"}
DOCUMENTS = [
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if path.name not in TESTED_ELSEWHERE and "```python" in path.read_text()
]
# Modules that need more than the extra `dev`: a document ends at its first block with
# one where a package is not installed.
OPTIONAL = {
    "skcoad.export": ("onnx", "onnxscript", "onnxruntime"),
    "skcoad.compat.river": ("river",),
}
# What the build of the site makes; the build checks links to it.
MADE = ("pictures/", "reference/", "contributing.md", "changes.md", "security.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_python_blocks_of_documents_run(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.S)
    assert blocks
    monkeypatch.chdir(tmp_path)  # the guide saves a detector
    namespace: dict[str, object] = {}
    for number, block in enumerate(blocks):
        for module, packages in OPTIONAL.items():
            for package in packages if module in block else ():
                pytest.importorskip(package, reason=f"{package} is not installed")
        exec(compile(block, f"{document}, block {number}", "exec"), namespace)


def test_the_first_page_runs_as_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "start.md").read_text()
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for language, block in re.findall(r"```(python|bash|text)\n(.*?)```", text, re.S):
        if language == "python":
            exec(compile(block, "start.md", "exec"), namespace)
        elif language == "bash":
            command, *arguments = shlex.split(block.replace("\\\n", " "))
            assert command == "skcoad"
            assert main(arguments) == 0
        else:
            assert block in capsys.readouterr().out
    assert (tmp_path / "found.csv").exists()
    assert (tmp_path / "found.png").exists()
    assert (tmp_path / "found.html").exists()


COMMANDS = [
    (path.name, line)
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for block in re.findall(r"```bash\n(.*?)```", path.read_text(), re.S)
    for line in block.replace("\\\n", " ").splitlines()
    if re.match(r"(skcoad|python) ", line)
]


@pytest.mark.parametrize(("document", "line"), COMMANDS)
def test_commands_of_documents_are_those_there_are(document: str, line: str) -> None:
    command, *words = shlex.split(line, comments=True)
    if command == "skcoad":
        parser = _parser(for_benchmark=words[0] == "benchmark")
        parser.parse_args(words)  # exits where an option is unknown
    else:
        assert (ROOT / words[0]).exists()


def test_no_code_of_documents_is_left_out() -> None:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        opened = re.findall(r"^ *```(.*)$", path.read_text(), re.M)[::2]
        # What is text or a session at a prompt cannot be run; anything else is.
        known = {"python", "bash", "text", "console", "{toctree}", "{eval-rst}"}
        assert set(opened) <= known, path


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    assert len(documents) >= 5
    for document in documents:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text()):
            if not target.startswith(MADE):
                assert (document.parent / target).exists(), f"{document}: {target}"


def test_each_guarantee_names_tests_that_are_there() -> None:
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "guarantees.md").read_text())
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in sources] == []


def test_ci_runs_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    command = re.search(r"# the tests\n(.*?)\n```", readme, re.S)
    assert command
    script = (ROOT / ".ci" / "run").read_text()
    for part in command.group(1).split(" && "):
        assert part in script


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_notebooks_run(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # In this process; `nox -s docs` runs them in their own, and shows the output.
    namespace: dict[str, object] = {}
    for number, cell in enumerate(json.loads(path.read_text())["cells"]):
        if cell["cell_type"] == "code":
            source = "".join(cell["source"]).replace("%matplotlib inline\n", "")
            exec(compile(source, f"{path.name}, cell {number}", "exec"), namespace)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    assert cells[0]["source"][0].startswith("# ")
    assert not any(cell.get("outputs") for cell in cells)


def test_every_notebook_is_on_the_site() -> None:
    page = (ROOT / "docs" / "notebooks.md").read_text()
    listed = re.findall(r"^notebooks/(.+)$", page, re.M)
    assert sorted(listed) == [
        path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    ]
