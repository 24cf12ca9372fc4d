"""Interfaces of other libraries: scikit-learn, PyOD and river."""
