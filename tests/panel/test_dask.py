"""The example of the documents on a dask cluster, of which a worker is killed."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panel.detectors import Deadly, Deviation
from skcoad.io._results import read_results
from skcoad.panel import detect_panel

pytest.importorskip("distributed", reason="distributed is not installed (skcoad[dask])")

PAGE = Path(__file__).parents[2] / "docs" / "panels.md"


@pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX")
def test_a_killed_worker_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    sensors = {f"s{i}": rng.normal(size=1000) for i in range(12)}
    sensors["s2"][80:85] += 30
    sensors["s3"][0] = 1  # what the deadly detector is killed by
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    (example,) = [block for block in blocks if "dask" in block]
    namespace = {
        "sensors": sensors,
        "NeighborsDetector": lambda: Deadly("killed"),
        "detect_panel": detect_panel,
    }
    exec(compile(example, str(PAGE), "exec"), namespace)
    assert Path("killed").exists()  # so a worker was killed
    assert len(read_results("on_dask.jsonl")) == 12
    expected = detect_panel(sensors, Deviation(), limit=1)
    pd.testing.assert_frame_equal(namespace["found"], expected)
