"""Files: written whole or not at all, and read without trust.

Nothing here knows a detector: :mod:`skcoad.detectors` says what the files mean.
"""
