"""Whether data are those that a result in a file was computed from."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fingerprint"]


def fingerprint(text: str, *arrays: NDArray[Any]) -> str:
    """Return a hash of a text and of the elements of arrays.

    Parameters
    ----------
    text : str
        What the arrays' bytes do not say, such as their shapes.
    *arrays : ndarray
        Of any type.

    Returns
    -------
    str
        32 hexadecimal digits, the same in every process.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoad.io._fingerprint import fingerprint
    >>> flow = np.arange(5.0)
    >>> before = fingerprint("pump", flow)
    >>> flow[3] = 9
    >>> fingerprint("pump", flow) == before
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(text.encode(errors="backslashreplace"))
    for array in arrays:
        if array.dtype.hasobject:  # of which numpy has the addresses
            digest.update(repr(array.tolist()).encode(errors="backslashreplace"))
        else:
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
