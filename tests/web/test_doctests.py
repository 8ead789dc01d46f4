"""The examples in the docstrings of this room hold."""

import doctest
import importlib
import pkgutil

import pytest

import fileserver.web


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(fileserver.web.__path__)])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"fileserver.web.{name}")).failed == 0
