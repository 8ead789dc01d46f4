"""A request without parameters is answered as one whose parameters mean nothing, only sooner."""

import os
from pathlib import Path

import httpx
import pytest


@pytest.fixture(autouse=True)
def filled(root: Path) -> None:
    (root / "folder").mkdir()
    (root / "folder" / "é.txt").write_bytes(b"12345")
    (root / "a").write_bytes(b"content")
    (root / "link").symlink_to("a")
    (root / os.fsdecode(b"caf\xe9\n")).write_bytes(b"latin")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/x-ndjson"])
@pytest.mark.parametrize(
    "path",
    [
        "/files/a",
        "/files/caf%E9%0A",
        "/files/folder/%C3%A9.txt",
        "/files/folder/",
        "/files/",
        "/files/folder",
        "/files/missing",
        "/files/missing/",
        "/files/link",
        "/files/.fileserver/lock",
        "/files/a%00",
        "/files/a/../a",
        "/files/%2e%2e/a",
        "/health",
    ],
)
async def test_the_answer_is_the_same_with_and_without_the_way_through_the_parameters(
    client: httpx.AsyncClient, method: str, path: str, accept: str
) -> None:
    fields = {"accept": accept, "range": "bytes=0-2"}
    short = await client.request(method, path, headers=fields)
    long = await client.request(method, f"{path}?unknown", headers=fields)
    assert (short.status_code, short.content) == (long.status_code, long.content)
    if "location" in long.headers:  # what leads on takes the parameters along
        assert long.headers["location"] == f"{short.headers['location']}?unknown"
        del short.headers["location"], long.headers["location"]
    assert short.headers == long.headers


async def test_both_ways_are_counted_under_the_same_route(client: httpx.AsyncClient) -> None:
    for path in ("/files/a", "/files/a?unknown", "/files/missing", "/files/missing?unknown"):
        await client.get(path)
        await client.head(path)
    figures = (await client.get("/metrics")).text
    for method in ("GET", "HEAD"):
        for status in (200, 404):
            labels = f'method="{method}",route="/files/{{key:key}}",status="{status}"'
            assert f"fileserver_requests_total{{{labels}}} 2.0" in figures
