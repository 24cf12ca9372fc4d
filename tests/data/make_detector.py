"""Make the fixture of a version: a saved detector, and a series with its scores.

    python tests/data/make_detector.py

Run once for each version that changes the format; files of earlier versions stay.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from skcoad import CoADDetector, __version__
from skcoad.io._container import FORMAT

HERE = Path(__file__).parent


def make_series(n_timestamps: int) -> pd.DataFrame:
    """Two channels, and a segment of the first that is unlike the rest."""
    time = np.arange(n_timestamps)
    flow = np.sin(2 * np.pi * time / 20) + 0.1 * np.sin(1.7 * time)
    flow[60:70] = 0
    pressure = np.cos(2 * np.pi * time / 20) + 0.1 * np.sin(2.3 * time)
    return pd.DataFrame({"flow": flow, "pressure": pressure})


def main() -> None:
    """Write both files."""
    train = make_series(300).iloc[100:]
    train.iloc[50:55, 1] = np.nan
    detector = CoADDetector(
        hidden_size=8, max_references=64, max_steps=60, device="cpu", random_state=0
    ).fit(train)
    name = f"detector-{__version__}-format{FORMAT}"
    detector.save(HERE / f"{name}.safetensors")
    test = make_series(120)
    test.assign(score=detector.decision_function(test)).to_csv(
        HERE / f"{name}.csv", index=False, float_format="%.9g"
    )


if __name__ == "__main__":
    main()
