"""From a series to windows and spectra: periods, plans, missing values, transformers.

None of it needs torch.
"""

from __future__ import annotations

from skcoad.preprocessing._missing import interpolate_missing
from skcoad.preprocessing._outliers import (
    mask_gross_outliers,
    normal_dominant_period,
)
from skcoad.preprocessing._period import autocorrelation, dominant_period
from skcoad.preprocessing._plan import WindowPlan, fallback_period, plan_windows
from skcoad.preprocessing._spectral import FFTTransformer, STFTTransformer, stft_basis
from skcoad.preprocessing._windows import (
    SlidingWindowTransformer,
    sliding_windows,
    window_starts,
    windows_to_timestamps,
)

__all__ = [
    "FFTTransformer",
    "STFTTransformer",
    "SlidingWindowTransformer",
    "WindowPlan",
    "autocorrelation",
    "dominant_period",
    "fallback_period",
    "interpolate_missing",
    "mask_gross_outliers",
    "normal_dominant_period",
    "plan_windows",
    "sliding_windows",
    "stft_basis",
    "window_starts",
    "windows_to_timestamps",
]
