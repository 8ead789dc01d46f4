"""Fixtures of the whole suite."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.server import Serve, Server, running_server

# Shells have their background jobs ignore it, and programs that the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, the loop the server runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The one server that tests share: a writable folder of its own, defaults everywhere."""
    with running_server(tmp_path_factory.mktemp("files")) as running:
        yield running


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server the test wants for itself: `serve(root, *arguments, prefix=())`; ended with the test."""
    with ExitStack() as stack:

        def start(root: Path, *args: str, prefix: Sequence[str] = ()) -> Server:
            return stack.enter_context(running_server(root, *args, prefix=prefix))

        yield start
