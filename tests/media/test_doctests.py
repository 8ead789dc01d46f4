"""The examples in the docstrings of this room hold."""

import doctest
import importlib
import pkgutil

import pytest

import fileserver.media


@pytest.mark.parametrize(
    "name", [module.name for module in pkgutil.walk_packages(fileserver.media.__path__, "fileserver.media.")]
)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
