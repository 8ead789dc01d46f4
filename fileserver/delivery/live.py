"""Answers that have no end, or whose end is far: records in one of two framings, or raw bytes.

Every framing has a defined end. NDJSON closes with a record `end`, or with one `error` and a torn connection; SSE
closes after an event `error`, or simply ends; raw bytes that are not all that was meant end in a torn connection.
Nothing is queued for a client: what it has not taken keeps the source waiting.
"""

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

import anyio

from fileserver.delivery.asgi import HeaderLines, Receive, Scope, Send, end, more, start, while_connected
from fileserver.delivery.together import together
from fileserver.http import event_stream
from fileserver.lifespan import Stopped
from storage import Json, StorageError

HEARTBEAT_S = 15.0
"""Proxies take a minute of silence for death (nginx's proxy_read_timeout); so do some home routers."""
RETRY_MS = 2000
_AT_ONCE = 64  # records; a comment has up to 24 KB, most have 300 bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One event of SSE, one line of NDJSON; `last_id` is what a client shows to go on after it."""

    kind: str
    content: Mapping[str, Json]
    last_id: str | None = None


HEARTBEAT = "heartbeat"
"""The kind of a record that only says how far the stream is."""


class Framing(Protocol):
    """How records become bytes."""

    @property
    def media_type(self) -> str:
        """The media type of the whole."""
        ...

    @property
    def is_torn_by_faults(self) -> bool:
        """Whether a stream that fails has no proper end."""
        ...

    def begin(self, last_id: str | None) -> bytes:
        """What comes first: where the stream begins."""
        ...

    def records(self, records: Iterable[Record]) -> bytes:
        """The records, each whole."""
        ...

    def end(self, counts: Mapping[str, Json]) -> bytes:
        """What comes last when all went well."""
        ...

    def fault(self, code: str, detail: str) -> bytes:
        """What comes last when it did not."""
        ...


class Events:
    """SSE. It has no last word: a client that was told all comes back, and waits."""

    media_type = event_stream.MEDIA_TYPE
    is_torn_by_faults = False

    def begin(self, last_id: str | None) -> bytes:
        """When to come back, and where the stream begins."""
        return event_stream.preamble(retry_ms=RETRY_MS, last_id=last_id)

    def records(self, records: Iterable[Record]) -> bytes:
        """Each as an event of its kind with JSON as its data; a heartbeat as an id without an event, or a comment."""
        return b"".join(map(_event, records))

    def end(self, counts: Mapping[str, Json]) -> bytes:
        """Nothing."""
        return b""

    def fault(self, code: str, detail: str) -> bytes:
        """An event `error`."""
        return _event(Record("error", {"code": code, "detail": detail}))


class Lines:
    """NDJSON: a JSON object a line, `type` its first member."""

    media_type = "application/x-ndjson"
    is_torn_by_faults = True

    def begin(self, last_id: str | None) -> bytes:
        """A record `meta`."""
        return _line(Record("meta", {"last_id": last_id, "heartbeat_s": HEARTBEAT_S}))

    def records(self, records: Iterable[Record]) -> bytes:
        """A line each."""
        return b"".join(map(_line, records))

    def end(self, counts: Mapping[str, Json]) -> bytes:
        """A record `end`."""
        return _line(Record("end", counts))

    def fault(self, code: str, detail: str) -> bytes:
        """A record `error`."""
        return _line(Record("error", {"code": code, "detail": detail}))


EVENTS = Events()
LINES = Lines()


def heartbeat(last_id: str | None) -> Record:
    """A sign of life: nothing has come, or nothing that was asked for, up to here."""
    return Record(
        HEARTBEAT, {"last_id": last_id}, last_id
    )  # a record: not every reader of lines passes over empty ones


def framing_of(media_type: str) -> Framing:
    """The framing with this media type."""
    return EVENTS if media_type == EVENTS.media_type else LINES


Batches: TypeAlias = AsyncGenerator[Sequence[Record], None]
"""Records as they come; none of them, but a batch, at least every `HEARTBEAT_S`."""


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """An ASGI application that answers GET and HEAD with records as they come.

    `source` is called once, and what it makes is closed however the answer ends. When `stopping` is set the answer ends
    at once, as if the source did.
    """

    headers: HeaderLines
    framing: Framing
    source: Callable[[], Batches]
    stopping: anyio.Event
    last_id: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await while_connected(receive, partial(self._sent, scope, send))

    async def _sent(self, scope: Scope, send: Send) -> None:
        await start(send, 200, self.headers)
        if scope["method"] == "HEAD":
            await end(send)
            return
        told = _Told(self.last_id)
        try:
            await together(partial(self._send_records, send, told), meanwhile=(partial(until_stopped, self.stopping),))
        except StorageError as error:
            await self._send_fault(send, error)
        except Stopped:
            await end(send, self.framing.end({"records": told.records, "reason": "server-stopping"}))
        else:
            await end(send, self.framing.end({"records": told.records}))

    async def _send_records(self, send: Send, told: "_Told") -> None:
        await more(send, self.framing.begin(self.last_id))
        async with aclosing(self.source()) as batches:
            async for batch in batches:
                for records in _sliced(batch) if batch else ((heartbeat(told.last_id),),):
                    await more(send, self.framing.records(records))
                told.add(batch)

    async def _send_fault(self, send: Send, error: StorageError) -> None:
        """Say that the stream is not whole, and end it as the framing does. Raises the error where that is a tear."""
        await more(send, self.framing.fault("storage-failed", "The storage failed. Come again later."))
        if self.framing.is_torn_by_faults:
            raise error
        await end(send)


@dataclass(frozen=True, slots=True)
class LiveBytes:
    """An ASGI application that answers GET and HEAD with bytes as they come; the source yields none as a pause.

    Whatever ends the answer before its source ends tears the connection: raises Stopped, and what the source raises.
    """

    headers: HeaderLines
    source: Callable[[], AsyncGenerator[bytes, None]]
    stopping: anyio.Event

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await while_connected(receive, partial(self._sent, scope, send))

    async def _sent(self, scope: Scope, send: Send) -> None:
        await start(send, 200, self.headers)
        if scope["method"] != "HEAD":
            await together(partial(self._send_bytes, send), meanwhile=(partial(until_stopped, self.stopping),))
        await end(send)

    async def _send_bytes(self, send: Send) -> None:
        await more(send, b"")  # the head leaves at once, whenever the first byte comes
        async with aclosing(self.source()) as chunks:
            async for chunk in chunks:
                if chunk:
                    await more(send, chunk)


@dataclass(slots=True)
class _Told:
    """How far an answer has come."""

    last_id: str | None
    records: int = 0

    def add(self, batch: Sequence[Record]) -> None:
        self.records += sum(record.kind != HEARTBEAT for record in batch)
        if batch and batch[-1].last_id is not None:
            self.last_id = batch[-1].last_id


def _sliced(batch: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """A few at a time: what a slow client has not taken is held in memory."""
    for start_at in range(0, len(batch), _AT_ONCE):
        yield batch[start_at : start_at + _AT_ONCE]


async def until_stopped(stopping: anyio.Event) -> None:
    """Wait until the server is told to stop, and raise Stopped."""
    await stopping.wait()
    raise Stopped


def _event(record: Record) -> bytes:
    if record.kind == HEARTBEAT:
        return event_stream.comment() if record.last_id is None else event_stream.position(record.last_id)
    return event_stream.event(_json(record), kind=record.kind, last_id=record.last_id)


def _line(record: Record) -> bytes:
    return _json(record).encode("ascii") + b"\n"


def _json(record: Record) -> str:
    """One line of ASCII: names whose bytes are no UTF-8 survive as lone surrogates."""
    return json.dumps({"type": record.kind, **record.content}, separators=(",", ":"))
