"""Numbers as they stand in a sentence."""

from __future__ import annotations

import math

__all__ = ["value_text"]

DIGITS = 4
MAX_DIGITS = 17  # of double precision


def value_text(value: float, difference: float) -> str:
    """Write a value with the digits that tell it from one at some distance.

    Parameters
    ----------
    value : float
        What is written.
    difference : float
        Of a value that must not look the same.

    Returns
    -------
    str
        At least four significant digits; more where the difference is small.

    Examples
    --------
    >>> from skcoad._text import value_text
    >>> value_text(0.123456, 1.0), value_text(1_000_000.3, 0.4)
    ('0.1235', '1000000.3')
    """
    digits = DIGITS
    ratio = abs(value / difference) if difference else 0.0
    if 1 < ratio < math.inf:
        digits = min(MAX_DIGITS, max(DIGITS, math.ceil(math.log10(ratio)) + 2))
    return f"{value:.{digits}g}"
