import subprocess
import sys


def test_importing_the_benchmark_loads_no_library_of_a_detector():
    code = "import skcoad.benchmark, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "pyod", "stumpy", "numba", "matplotlib"} & set(loaded)
