"""What the clients share: a writable server, and a file that no buffer's size divides."""

from collections.abc import Iterator

import pytest

from tests.support.files import MIB, KnownFile, make_file
from tests.support.server import Server, running_server


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A writable server whose folder holds what the module's tests stored and nothing else."""
    with running_server(tmp_path_factory.mktemp("stored")) as server:
        yield server


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> KnownFile:
    """Eight MiB and a bit."""
    return make_file(tmp_path_factory.mktemp("mine") / "film.bin", 8 * MIB + 7)
