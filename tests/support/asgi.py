"""A small ASGI server for one request: scripted events in, recorded messages out, departures on cue.

httpx's ASGITransport joins a whole body before it returns, so nothing can be said with it about streaming, leaving or
cancelling. This driver plays exactly what it is told. Promises:

- `receive` hands out the scripted events in order, then waits until the client is gone and says `http.disconnect`, as a
  real server does. It never invents an end of the body.
- `send` records each message with its body bytes copied. From the departure on it raises OSError, as servers of ASGI
  spec 2.4 do, and records nothing more.
- Every `receive` and `send` gives way to the loop once, so each is a place where a cancellation may land.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# ASGI's own loose shapes, spelled as Starlette and uvicorn spell them.
Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ZEROCOPY = "http.response.zerocopysend"

# An application under test suspends tens of times; a run that never ends is a fault of the test, not of patience.
_MOST_AWAITS = 10_000
_DEADLINE_S = 30


@dataclass(slots=True)
class Exchange:
    """What an application did with one request: its messages in order and how it ended."""

    messages: list[Message] = field(default_factory=list)
    received: int = 0
    """How many scripted events the application took."""
    error: BaseException | None = None
    """What left the application, CancelledError included; None after a clean return."""

    @property
    def status(self) -> int:
        """The status of the (one) final response start; AssertionError when none was sent."""
        return int(self._start["status"])

    @property
    def headers(self) -> dict[str, str]:
        """The response's fields by lower-case name; a repeated field is joined with a comma."""
        joined: dict[str, str] = {}
        for name, value in self._start["headers"]:
            key, text = bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1")
            joined[key] = f"{joined[key]}, {text}" if key in joined else text
        return joined

    @property
    def body(self) -> bytes:
        """All body bytes in order, those of zero-copy sends as well."""
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def is_complete(self) -> bool:
        """Whether the last body message said that nothing more comes."""
        bodies = [m for m in self.messages if m["type"] in ("http.response.body", ZEROCOPY)]
        return bool(bodies) and not bodies[-1].get("more_body", False)

    @property
    def _start(self) -> Message:
        starts = [message for message in self.messages if message["type"] == "http.response.start"]
        assert len(starts) == 1, f"{len(starts)} response starts among {[m['type'] for m in self.messages]}"
        return starts[0]


def http_scope(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Iterable[tuple[str, str]] = (),
    query: str = "",
    extensions: Sequence[str] = (),
) -> Scope:
    """The scope of one HTTP/1.1 request, as uvicorn builds it (spec 2.3, loopback client)."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
        "extensions": {name: {} for name in extensions},
    }


def body_events(*chunks: bytes, is_complete: bool = True) -> tuple[Message, ...]:
    """`http.request` events for these chunks; an incomplete body leaves `more_body` true on the last."""
    pieces = chunks or (b"",)
    return tuple(
        {"type": "http.request", "body": piece, "more_body": not is_complete or number < len(pieces)}
        for number, piece in enumerate(pieces, start=1)
    )


async def drive(
    app: App,
    scope: Scope,
    events: Sequence[Message] | None = None,
    *,
    disconnect_at_send: int | None = None,
    disconnect_after_events: bool = False,
    cancel_at_await: int | None = None,
    on_send: Callable[[Message], Awaitable[None]] | None = None,
) -> Exchange:
    """Call `app` once and report what it did; whatever it raises is in the report, never raised here.

    `events` default to one empty, complete body. `disconnect_at_send=n` makes the client vanish during the n-th send
    (1 is the response start): that send and all later ones raise OSError. `disconnect_after_events` makes it vanish as
    soon as the script is used up. `cancel_at_await=n` cancels the application's task at its n-th suspension. `on_send`
    is awaited before a message is recorded: a slow client, or a look at the world in mid-answer.
    """
    client = _Client(body_events() if events is None else events, disconnect_at_send, disconnect_after_events, on_send)
    running = asyncio.ensure_future(_CancelledAt(app(scope, client.receive, client.send), cancel_at_await))
    try:
        finished, _ = await asyncio.wait([running], timeout=_DEADLINE_S)
    finally:
        running.cancel()
    assert finished, f"the application still ran after {_DEADLINE_S} s, having sent {client.exchange.messages!r:.500}"
    client.exchange.error = asyncio.CancelledError() if running.cancelled() else running.exception()
    return client.exchange


async def each_cancellation(attempt: Callable[[int], Awaitable[Exchange]]) -> AsyncIterator[tuple[int, Exchange]]:
    """Call `attempt(n)` for n = 1, 2, ... and yield each exchange until one was no longer cancelled by its n.

    `attempt` passes its number on as `cancel_at_await`. The last exchange yielded is the undisturbed one, so that a
    test which looks at every round also sees that the request works.
    """
    for number in range(1, _MOST_AWAITS):
        exchange = await attempt(number)
        yield number, exchange
        if not isinstance(exchange.error, asyncio.CancelledError):
            return
    raise AssertionError(f"still cancelled at await {_MOST_AWAITS}")


class _Client:
    """The other end: plays the script, keeps the record, and leaves when told."""

    def __init__(
        self,
        events: Sequence[Message],
        disconnect_at_send: int | None,
        disconnect_after_events: bool,
        on_send: Callable[[Message], Awaitable[None]] | None,
    ) -> None:
        self.exchange = Exchange()
        self._events = list(events)
        self._disconnect_at_send = disconnect_at_send
        self._disconnect_after_events = disconnect_after_events
        self._on_send = on_send
        self._sends = 0
        self._gone = asyncio.Event()

    async def receive(self) -> Message:
        await asyncio.sleep(0)
        if self._events and not self._gone.is_set():
            self.exchange.received += 1
            return self._events.pop(0)
        if self._disconnect_after_events:
            self._gone.set()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await asyncio.sleep(0)
        self._sends += 1
        if self._sends == self._disconnect_at_send:
            self._gone.set()
        if self._gone.is_set():
            raise OSError("the client is gone")
        if self._on_send is not None:
            await self._on_send(message)
        self.exchange.messages.append(_recorded(message))
        if message["type"] in ("http.response.body", ZEROCOPY) and not message.get("more_body", False):
            self._gone.set()  # servers report the end of a finished exchange as a disconnect


def _recorded(message: Message) -> Message:
    """The message with its bytes copied: a buffer the sender reuses must not change the record."""
    if message["type"] == ZEROCOPY:
        return {**message, "body": _bytes_of_zerocopy(message)}
    if "body" in message:
        return {**message, "body": bytes(message["body"])}
    return dict(message)


def _bytes_of_zerocopy(message: Message) -> bytes:
    """What a zero-copy send would put on the wire, read without moving the descriptor's position."""
    file = message["file"]
    descriptor = file if isinstance(file, int) else file.fileno()
    offset, count = message.get("offset"), message.get("count")
    start = os.lseek(descriptor, 0, os.SEEK_CUR) if offset is None else offset
    return os.pread(descriptor, os.fstat(descriptor).st_size - start if count is None else count, start)


class _CancelledAt:
    """An awaitable that asks its own task to stop at the n-th time it would suspend; None is never."""

    def __init__(self, application: Awaitable[None], number: int | None) -> None:
        self._steps = application.__await__()
        self._number = number

    def __await__(self) -> Generator[Any, Any, None]:
        suspensions = 0
        thrown: BaseException | None = None
        while True:
            try:
                awaited = next(self._steps) if thrown is None else self._throw(thrown)
            except StopIteration:
                return
            suspensions += 1
            if suspensions == self._number:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield awaited
            except BaseException as error:  # what the loop throws in, the application answers
                thrown = error
            else:
                thrown = None

    def _throw(self, error: BaseException) -> Any:
        assert isinstance(self._steps, Generator)
        return self._steps.throw(error)
