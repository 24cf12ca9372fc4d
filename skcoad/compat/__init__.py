"""Interfaces of other libraries: scikit-learn, PyOD, river and TSB-AD."""
