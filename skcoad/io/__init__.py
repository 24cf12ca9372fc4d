"""Files: written whole or not at all, and read without trust.

Nothing here knows a detector; see :mod:`skcoad.detectors` for what the files mean.
"""
