"""The examples in the docstrings of the pure rooms hold."""

import doctest
import importlib
import pkgutil

import pytest

import fileserver.http
import storage.keys

MODULES = [f"fileserver.http.{module.name}" for module in pkgutil.iter_modules(fileserver.http.__path__)]


@pytest.mark.parametrize("name", [*MODULES, storage.keys.__name__])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
