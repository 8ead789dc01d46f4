"""Fixtures of the workers' tests."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The private folder of a job."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"
