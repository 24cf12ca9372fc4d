"""Panels on a dask cluster, of which a worker is killed."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config

from panel.detectors import Deadly, Deviation
from skcoad.io._results import read_results
from skcoad.panel import detect_panel

distributed = pytest.importorskip(
    "distributed", reason="distributed is not installed (skcoad[dask])"
)


@pytest.fixture
def cluster(monkeypatch):
    """Two workers, each a process that is started again when it dies."""
    import dask

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as started,
        distributed.Client(started),
    ):
        yield started


@pytest.fixture
def panel():
    rng = np.random.default_rng(0)
    panel = {f"s{i}": rng.normal(size=1000) for i in range(12)}
    for name in ("s2", "s7"):
        panel[name][80:85] += 30
    panel["s3"][0] = 1  # what the deadly detector is killed by
    return panel


def test_a_killed_worker_costs_nothing(cluster, panel, tmp_path):
    marker, out = tmp_path / "killed", tmp_path / "panel.jsonl"
    with parallel_config("dask"):
        found = detect_panel(panel, Deadly(str(marker)), limit=1, out=out)
    assert marker.exists()  # a worker was killed
    assert len(read_results(out)) == 12
    expected = detect_panel(panel, Deviation(), limit=1)
    pd.testing.assert_frame_equal(found, expected)
