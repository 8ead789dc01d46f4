"""The few words of ASGI that this room speaks (asgi.readthedocs.io, HTTP specification 2.4, and its extensions)."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeAlias

import anyio

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
HeaderLines: TypeAlias = Iterable[tuple[str, str]]


_ZEROCOPY = "http.response.zerocopysend"
_INTERIM = "http.response.interim"  # of our own server, see fileserver/server/exchange.py


class ClientLeft(Exception):
    """The connection ended before the request or the answer did. Nobody is there to be told."""


async def start(send: Send, status: int, headers: HeaderLines) -> None:
    """Send the status line and the headers."""
    await send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})


async def body(send: Send, content: bytes, *, has_more: bool) -> None:
    """Send a piece of the body."""
    await send({"type": "http.response.body", "body": content, "more_body": has_more})


async def more(send: Send, content: bytes) -> None:
    """Send a piece of the body; more follows."""
    await body(send, content, has_more=True)


async def end(send: Send, content: bytes = b"") -> None:
    """Send the last piece of the body."""
    await body(send, content, has_more=False)


async def send_file(send: Send, descriptor: int, span: range, *, has_more: bool) -> None:
    """Send a span of an open file as a piece of the body, where `may_send_files`. Raises EOFError if shorter."""
    await send({"type": _ZEROCOPY, "file": descriptor, "offset": span.start, "count": len(span), "more_body": has_more})


async def interim(scope: Scope, send: Send, status: int, headers: HeaderLines) -> bool:
    """Send an interim answer (RFC 9110 s.15.2) before the final one, where server and client know such.

    Whether it was sent.
    """
    is_known = _INTERIM in scope.get("extensions", {}) and scope["http_version"] == "1.1"
    if is_known:
        await send({"type": _INTERIM, "status": status, "headers": _encoded(headers)})
    return is_known


def may_send_files(scope: Scope) -> bool:
    """Whether the server sends files without a copy (ASGI's extension "Zero Copy Send")."""
    return _ZEROCOPY in scope.get("extensions", {})


def _tells_of_departure(scope: Scope) -> bool:
    """Whether `send` raises OSError once the client has left (specification 2.4); else only `receive` tells."""
    return str(scope["asgi"].get("spec_version", "2.0")) >= "2.4"


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


async def until_departure(scope: Scope, receive: Receive, sending: Callable[[], Awaitable[None]]) -> None:
    """Run `sending` until it ends or the client leaves: for what sends all the time, where `send` tells of that."""
    if not _tells_of_departure(scope):
        await while_connected(receive, sending)
        return
    with suppress(OSError):  # storage raises errors of its own
        await sending()


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


def _encoded(headers: HeaderLines) -> list[tuple[bytes, bytes]]:
    return list(map(_encoded_line, headers))


@lru_cache(maxsize=4096)
def _encoded_line(line: tuple[str, str]) -> tuple[bytes, bytes]:
    name, value = line
    return name.encode("ascii"), value.encode("latin-1")
