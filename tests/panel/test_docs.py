import re
from pathlib import Path

import pytest

from skcoad.panel import read_panel

PAGE = Path(__file__).parents[2] / "docs" / "panels.md"


@pytest.fixture
def blocks():
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)


def test_the_code_of_the_page_runs_and_finds_what_it_hides(
    blocks, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    tables = []
    for block in blocks:
        if "dask" in block:  # run by test_dask.py
            continue
        exec(compile(block, str(PAGE), "exec"), namespace)
        tables.append(namespace["found"])
    assert len(tables) == 3
    for table in tables:
        assert table["series"][0] == "sensor 3"
        assert len(table) == 8
    assert len(read_panel("found.jsonl")) == 8
    assert "2024-01-29" in capsys.readouterr().out
