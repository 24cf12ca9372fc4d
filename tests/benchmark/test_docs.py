import re
from pathlib import Path

from skcoad.benchmark import read_results
from skcoad.benchmark._protocols import METRICS

PAGE = Path(__file__).parents[2] / "docs" / "benchmark.md"


def test_the_code_of_the_page_runs_with_the_results_it_describes(
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
    text = PAGE.read_text()
    for name in METRICS:
        assert f"`{name}`" in text or f"`{name.removeprefix('hit_at')}`" in text
