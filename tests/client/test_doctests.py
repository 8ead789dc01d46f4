"""The examples in the client's docstrings hold."""

import doctest
import importlib
import pkgutil

import pytest

import fileserver.client

MODULES = [f"fileserver.client.{module.name}" for module in pkgutil.iter_modules(fileserver.client.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
