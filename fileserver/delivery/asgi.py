"""The few words of ASGI that this room speaks (asgi.readthedocs.io, HTTP specification 2.3)."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

import anyio

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
HeaderLines: TypeAlias = Iterable[tuple[str, str]]


class ClientLeft(Exception):
    """The connection ended before the request or the answer did. Nobody is there to be told."""


async def start(send: Send, status: int, headers: HeaderLines) -> None:
    """Send the status line and the headers."""
    encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": encoded})


async def more(send: Send, body: bytes) -> None:
    """Send a piece of the body; more follows."""
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def end(send: Send, body: bytes = b"") -> None:
    """Send the last piece of the body."""
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def body_of(receive: Receive) -> AsyncGenerator[bytes, None]:
    """The request's body as it arrives. Raises ClientLeft when it ends before its end."""
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        if body := message.get("body", b""):
            yield body
        has_more = message.get("more_body", False)


async def while_connected(receive: Receive, sending: Callable[[], Awaitable[None]]) -> None:
    """Run `sending` until it ends or the client leaves; a client that leaves cancels it.

    Only for requests whose body was read or is unwanted: whatever still comes of it is thrown away. What `sending`
    raises passes through as it is, not in a group.
    """
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel_on_departure, receive, tasks.cancel_scope)
        try:
            await sending()
        except OSError:
            pass  # how servers of specification 2.4 say that the client is gone; storage raises errors of its own
        except Exception as error:  # of any kind: it is raised again below, outside the group
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def cancel_on_departure(receive: Receive, scope: anyio.CancelScope) -> None:
    """Wait until the client leaves, then cancel."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
