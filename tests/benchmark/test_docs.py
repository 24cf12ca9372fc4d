import re
from pathlib import Path

import numpy as np

from skcoad.benchmark import read_results
from skcoad.benchmark._protocols import measure

PAGE = Path(__file__).parents[2] / "docs" / "benchmark.md"


def test_the_code_of_the_page_runs_and_does_what_the_page_says(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    namespace = {}
    lines = []
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), namespace)
        lines.append(len(read_results("results.jsonl")))
    # Two detectors on three series; one more; five with two seeds.
    assert lines == [6, 9, 30]
    assert not any(result["error"] for result in read_results("results.jsonl"))
    assert "| Deviation |" in capsys.readouterr().out


def test_the_page_explains_every_metric():
    labels = np.array([0, 1, 0, 0])
    text = PAGE.read_text()
    for name in measure(labels, np.arange(4.0), 6):
        assert f"`{name}`" in text or f"`{name.removeprefix('hit_at')}`" in text
