"""Numbers and lists as they stand in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["list_text", "value_text"]

DIGITS = 4
MAX_DIGITS = 17  # of double precision
MAX_LISTED = 3


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


def list_text(words: Sequence[str]) -> str:
    """List the first of some words, and how many others there are.

    Examples
    --------
    >>> from skcoad._text import list_text
    >>> list_text(["flow"]), list_text("abcdef")
    ('flow', 'a, b, c and 3 others')
    """
    shown = ", ".join(words[:MAX_LISTED])
    n_others = len(words) - MAX_LISTED
    if n_others <= 0:
        return shown
    return f"{shown} and {n_others} other{'s' if n_others > 1 else ''}"
