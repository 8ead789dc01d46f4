"""The examples in the docstrings of the pure rooms hold."""

import doctest
import importlib
import pkgutil

import pytest

import fileserver.http

MODULES = [f"fileserver.http.{module.name}" for module in pkgutil.iter_modules(fileserver.http.__path__)]
OTHERS = ("storage.change", "storage.changes", "storage.keys", "fileserver.delivery.feed")


@pytest.mark.parametrize("name", [*MODULES, *OTHERS])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
