import doctest
import pkgutil
from importlib import import_module

import pytest

import skcoad

MODULES = [
    module.name
    for module in pkgutil.walk_packages(skcoad.__path__, "skcoad.")
    if not module.name.endswith("__main__")
]


OPTIONAL = {"skcoad.compat.river": "river"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_say_what_happens(name):
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name], reason="an extra is not installed")
    assert doctest.testmod(import_module(name)).failed == 0
