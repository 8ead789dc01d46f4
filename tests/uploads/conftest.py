"""One server for the folder, whose open uploads are nobody else's, and a client of each dialect."""

from collections.abc import Iterator

import pytest

from tests.support.server import Server, running_server
from tests.uploads.dialects import Draft, Tus


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A writable server with the defaults; tests take keys of their own. Beside its root there is nothing."""
    root = tmp_path_factory.mktemp("resumable") / "root"
    root.mkdir()
    with running_server(root) as server:
        yield server


@pytest.fixture
def tus(store: Server) -> Tus:
    """A client of tus."""
    return Tus(store)


@pytest.fixture
def draft(store: Server) -> Draft:
    """A client of the IETF's draft."""
    return Draft(store)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes at most a thousand bytes for a file."""
    with running_server(tmp_path_factory.mktemp("small"), "--max-size", "1000") as server:
        yield server
