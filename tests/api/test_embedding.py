"""The application mounted in another one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI

from fileserver.app import create_app, running
from fileserver.settings import Settings
from tests.api.conftest import client_of


@pytest.mark.parametrize("prefix", ["/library", "/a/b"])
async def test_links_and_locations_carry_the_prefix(root: Path, prefix: str) -> None:
    files = create_app(Settings(root=root))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running(files):
            yield

    outer = FastAPI(lifespan=lifespan)
    outer.mount(prefix, files)
    async with outer.router.lifespan_context(outer), client_of(outer) as client:
        put = await client.put(f"{prefix}/files/folder/é.txt", content=b"content")
        assert put.headers["location"] == f"{prefix}/files/folder/%C3%A9.txt"
        assert (await client.get(put.headers["location"])).content == b"content"
        (entry,) = (await client.get(f"{prefix}/files/folder/")).json()["entries"]
        assert entry["href"] == put.headers["location"]
        assert (await client.get(f"{prefix}/files/folder")).headers["location"] == f"{prefix}/files/folder/"
        page = await client.get(f"{prefix}/files/", headers={"accept": "text/html"})
        assert f'href="{prefix}/files/folder/"' in page.text
        assert (await client.request("PATCH", put.headers["location"])).headers["allow"].startswith("GET, HEAD, PUT")
        docs = await client.get(f"{prefix}/docs")
        assert f"{prefix}/openapi.json" in docs.text
        assert (await client.get(f"{prefix}/")).headers["location"] == f"{prefix}/files/"
        transformed = await client.get(f"{prefix}/transform/folder/é.txt")
        assert transformed.text.strip() == "content"
        assert transformed.headers["link"].startswith(f"<{prefix}/jobs/")


async def test_a_read_only_server_keeps_using_a_catalogue_that_is_there(root: Path) -> None:
    writer = create_app(Settings(root=root))
    async with running(writer), client_of(writer) as client:
        etag = (await client.put("/files/a", content=b"content")).headers["etag"]
    reader = create_app(Settings(root=root, allow_write=False))
    async with running(reader), client_of(reader) as client:
        assert (await client.get("/files/a")).headers["etag"] == etag
