"""An application whose workers run the stand-in of tests/delivery: what the API says, whatever the engine does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from fileserver.app import create_app, running
from fileserver.settings import Settings
from fileserver.workers import Pool, PoolLimits
from tests.api.conftest import client_of

HEADER = b"a,b\n"
CSV = {"content-type": "text/csv"}


@asynccontextmanager
async def opened(root: Path, *, jobs: int = 4, queue: int = 16, **settings: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    app = create_app(Settings.model_validate({"root": root, **settings}))
    app.state.service.workshop.pool = Pool("tests.delivery.stand_in", PoolLimits(jobs=jobs, queue=queue))
    async with running(app), client_of(app) as client:
        yield client
