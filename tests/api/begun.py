"""Jobs that a test begins, and what becomes of them."""

from typing import Any

import anyio
import httpx


async def begun(client: httpx.AsyncClient, **wish: str) -> str:
    """The address of a job that was begun."""
    answer = await client.post("/jobs", json=wish)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["href"]
    return answer.headers["location"]


async def seen(client: httpx.AsyncClient, href: str, *states: str) -> dict[str, Any]:
    """What a job tells when it is in one of these states."""
    with anyio.fail_after(30):
        while (told := (await client.get(href)).json())["state"] not in states:
            await anyio.sleep(0.02)
    found: dict[str, Any] = told
    return found


async def done(client: httpx.AsyncClient, **wish: str) -> dict[str, Any]:
    """What a job tells that did what was asked."""
    told = await seen(client, await begun(client, **wish), "done", "failed", "cancelled")
    assert told["state"] == "done", told
    return told
