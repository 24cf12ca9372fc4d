"""Files: written whole or not at all, and read without trust.

No detector is known here: :mod:`skcoad.detectors` defines what the files mean.
"""
