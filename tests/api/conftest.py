"""An application over a folder, and a client of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from fileserver.app import create_app, running
from fileserver.settings import Settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder that is served."""
    path = tmp_path / "root"
    path.mkdir()
    return path


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client whose requests go straight into the application."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://files.test")


@pytest.fixture
async def client(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that may be written to."""
    app = create_app(Settings(root=root, max_size=1000))
    async with running(app), client_of(app) as opened:
        yield opened


@pytest.fixture
async def reader(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a read-only server."""
    app = create_app(Settings(root=root, allow_write=False))
    async with running(app), client_of(app) as opened:
        yield opened
