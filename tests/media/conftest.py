"""Media files for tests, each made once for the whole run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.media_files import made, shared_folder

MediaFile = Callable[[str], Path]


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where they are made; nothing else is written there."""
    return shared_folder(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def media_file(media_folder: Path) -> MediaFile:
    """`media_file("h264-ac3.mkv")`: the path of a file of `tests.support.media_files.MATRIX`. Not to be changed."""
    return lambda name: made(name, media_folder)
