"""The site is built as CI builds it: without a warning, with all that is public."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("myst_nb", reason="the extra docs is not installed")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # -W: a broken link, an unknown name or invalid markup is an error.
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs"]
    done = subprocess.run(
        [*command, "-d", folder / "doctrees", folder / "html"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_public_name_has_an_entry(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sphinx.util.inventory import InventoryFile

    monkeypatch.syspath_prepend(ROOT / "docs")
    import reference

    inventory: Any = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    entries = {name for kind in inventory.data.values() for name in kind}
    exported = reference.public_names()
    names = {f"{module}.{name}" for module in exported for name in exported[module]}
    assert len(names) > 100
    assert names - entries == set()


def test_the_pages_work_without_a_network(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert "<math" in text or page.name != "method.html"
        for loaded in ('<script src="http', '<link rel="stylesheet" href="http'):
            assert loaded not in text, page
