"""A client of live streams over a socket: records as they come, in either framing, and a listener that comes back.

Reading is strict: a chunked body without its last chunk is Truncated, an event that was not ended by an empty line is
not an event (WHATWG HTML, section 9.2.6), and a line of NDJSON without its LF is none.
"""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from tests.support.wire import Connection, Head, Truncated, request_bytes

Framing: TypeAlias = Literal["sse", "ndjson"]

ACCEPT = {"sse": "text/event-stream", "ndjson": "application/x-ndjson"}
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r(?=[^\n]))")
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Record:
    """What one event of SSE or one line of NDJSON says."""

    kind: str
    content: dict[str, Any]
    last_id: str | None


@dataclass(slots=True)
class Stream:
    """One live answer. Iterate over it for its records; it is exhausted at the answer's proper end."""

    connection: Connection
    framing: Framing
    head: Head
    retry_ms: int | None = None
    last_id: str | None = None
    """What to come back with: as the stream itself has said, with or without an event."""
    _lines: Iterator[bytes] = field(init=False)

    def __post_init__(self) -> None:
        ends = _LINE if self.framing == "sse" else re.compile(rb"([^\n]*)(\n)")
        self._lines = _lines(chunks(self.connection), ends)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def __iter__(self) -> Iterator[Record]:
        return (record for record in self._said() if record is not None)

    def next(self) -> Record:
        """The next record; StopIteration at the proper end, Truncated at any other."""
        return next(iter(self))

    def until(self, kind: str, **content: Any) -> Record:
        """The first record from here on of this kind with this content, whatever else it says."""
        return next(record for record in self if record.kind == kind and content.items() <= record.content.items())

    def begun(self) -> Self:
        """This stream, once it has said where it begins."""
        if self.framing == "ndjson":
            first = self.next()
            assert first.kind == "meta", first
        else:
            next(self._blocks())
        return self

    def silence(self) -> None:
        """Wait until the server has said that nothing came; AssertionError when something did."""
        said = next(self._said())
        assert said is None, said

    def _said(self) -> Iterator[Record | None]:
        """Records, and None for each sign of life."""
        return self._events() if self.framing == "sse" else self._rows()

    def _rows(self) -> Iterator[Record | None]:
        for line in self._lines:
            row = json.loads(line)
            kind = row.pop("type")
            said = row.get("last_id", row.get("id", self.last_id))
            self.last_id = None if said is None else str(said)
            yield None if kind == "heartbeat" else Record(kind, row, self.last_id)

    def _events(self) -> Iterator[Record | None]:
        for block in self._blocks():
            data = [value for name, value in block if name == "data"]
            kind = next((value for name, value in reversed(block) if name == "event"), "message")
            if data:
                content = json.loads("\n".join(data))
                assert content.pop("type") == kind, block
                yield Record(kind, content, self.last_id)
            elif not any(name == "retry" for name, _ in block):
                yield None

    def _blocks(self) -> Iterator[list[tuple[str, str]]]:
        """The fields up to each empty line. Only there an id counts: one whose event was cut off was not seen."""
        block: list[tuple[str, str]] = []
        for line in self._lines:
            name, _, value = line.decode().partition(":")
            if line:
                block.append((name, value.removeprefix(" ")))
                continue
            self.last_id = next((value for name, value in reversed(block) if name == "id"), self.last_id)
            self.retry_ms = next((int(value) for name, value in block if name == "retry"), self.retry_ms)
            yield block
            block = []


def listen(
    port: int,
    target: str = "/events",
    *fields: tuple[str, str],
    framing: Framing = "sse",
    timeout_s: float = 20,
    receive_buffer: int | None = None,
) -> Stream:
    """An open stream whose head has come. AssertionError when the answer is none."""
    connection = Connection(port, timeout_s, receive_buffer)
    try:
        connection.send(request_bytes("GET", target, ("Accept", ACCEPT[framing]), *fields))
        head = connection.head()
        assert head.status == 200, (head, connection.body(head))
        assert (head.get("content-type") or "").startswith(ACCEPT[framing]), head
    except BaseException:
        connection.close()
        raise
    return Stream(connection, framing, head)


def chunks(connection: Connection) -> Iterator[bytes]:
    """The pieces of a chunked body as they come. Raises Truncated where it has no end."""
    while True:
        size = int(_size_line(connection), 16)
        piece = connection.read(size)
        assert connection.read(2) == b"\r\n", "a chunk does not end where it said"
        if not size:
            return
        yield piece


class Listener:
    """Listens in a thread of its own, comes back with the last id whenever it is cut off, and keeps all it was told."""

    def __init__(self, port: int, target: str = "/events", *, framing: Framing = "sse", last_id: str | None = None):
        self.records: list[Record] = []
        self.times = 0
        """How often it got through to the server."""
        self._asked = port, target
        self._last_id = last_id
        self._framing: Framing = framing
        self._is_over = threading.Event()
        self._stream: Stream | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        if self._stream is not None:
            with suppress(OSError):
                self._stream.connection.finish()  # ends the reading, also one that waits
        self._thread.join(30)
        assert not self._thread.is_alive(), "the listener does not end"
        if self._failure is not None and kind is None:
            raise self._failure

    @property
    def last_id(self) -> str | None:
        """What it would come back with now; None before the server has said where it is."""
        return (self._stream and self._stream.last_id) or self._last_id

    def keys(self, kind: str) -> list[str]:
        """The keys of the changes of this kind so far, in order."""
        return [record.content["key"] for record in tuple(self.records) if record.kind == kind]

    def numbers(self) -> list[int]:
        """The numbers of all changes so far, in order."""
        return [record.content["id"] for record in tuple(self.records) if "key" in record.content]

    def _run(self) -> None:
        try:
            while not self._is_over.is_set():
                with suppress(OSError, Truncated):
                    self._listen()
                time.sleep(_PAUSE_S)  # as a client waits before it comes back
        except BaseException as failure:  # of any kind: it is raised where the listener is used
            self._failure = failure

    def _listen(self) -> None:
        self._last_id = self.last_id
        fields = () if self._last_id is None else (("Last-Event-ID", self._last_id),)
        with listen(*self._asked, *fields, framing=self._framing, timeout_s=60) as self._stream:
            self.times += 1
            for record in self._stream:
                self.records.append(record)


def _size_line(connection: Connection) -> bytes:
    line = connection.read(1)
    while not line.endswith(b"\r\n"):
        line += connection.read(1)
    return line


def _lines(pieces: Iterator[bytes], ends: re.Pattern[bytes]) -> Iterator[bytes]:
    """Whole lines without their ends."""
    pending = b""
    for piece in pieces:
        pending += piece
        position = 0
        while (line := ends.match(pending, position)) is not None:
            yield line[1]
            position = line.end()
        pending = pending[position:]
