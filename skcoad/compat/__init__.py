"""Interfaces of other libraries: scikit-learn and PyOD."""
