"""The end of a growing file as a live answer: its bytes as they are, or its lines as records with their offsets.

A record's id is the place behind it, so who comes back with the last one goes on with the next byte. A line that is
not ended yet is held back: whoever is cut off gets it whole the next time.
"""

import base64
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import islice

import anyio
import anyio.lowlevel

from fileserver.delivery.asgi import App, HeaderLines, Message, Receive, Scope, Send, while_connected
from fileserver.delivery.live import HEARTBEAT_S, Batches, Framing, LiveAnswer, LiveBytes, Record
from fileserver.http import tails
from fileserver.http.media_types import OCTET_STREAM, serve_as
from fileserver.http.tails import Amount, Position
from storage import After, Beginning, Entry, Json, Key, LastBytes, LastLines, Library, Origin, Piece, Reset, Tail

MOST_OF_LINE = 256 * 1024
"""A line that is longer (bytes) comes in several records."""
_AT_ONCE = 256  # records made between two turns of the event loop: some 3 ms
_TURN_S = 0.001  # a loop that never rests lets no thread have the interpreter: what waits for one waits for seconds

Headers = Callable[[str], HeaderLines]
"""The headers of a live answer with this content type."""


@dataclass(frozen=True, slots=True)
class Following:
    """An ASGI application that answers GET and HEAD with the end of a file and what is added to it.

    Raw without a framing. If it is not `follow`ing it ends with what there is. Raises NotFound and IsFolder before the
    answer has begun.
    """

    library: Library
    key: Key
    asked: Amount | Position
    framing: Framing | None
    headers: Headers
    stopping: anyio.Event
    is_following: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await while_connected(receive, partial(self._answer, scope, send))

    async def _answer(self, scope: Scope, send: Send) -> None:
        """The live answer waits for no departure of its own: that would take it from who waits outside of it."""
        async with self.library.tails.open(self.key, _beginning(self.asked)) as tail:
            live = await self._bytes(tail) if self.framing is None else self._records(tail, self.framing)
            await live(scope, _never, send)

    async def _bytes(self, tail: Tail) -> App:
        content_type = _raw_type(await self.library.describe(tail.reader))
        headers = (*self._protected(content_type), ("tail-offset", str(tail.offset)))
        return LiveBytes(headers, partial(_contents, tail, is_following=self.is_following), self.stopping)

    def _records(self, tail: Tail, framing: Framing) -> App:
        # Who has to be told of a reset is not there yet, should he be cut off before.
        place = str(self.asked) if tail.reset is not None else _id_of(tail.origin, tail.offset)
        source = partial(records, tail, is_following=self.is_following)
        return LiveAnswer(self._protected(framing.media_type), framing, source, self.stopping, last_id=place)

    def _protected(self, content_type: str) -> HeaderLines:
        return {**dict(self.headers(content_type)), **dict(serve_as(content_type).security_headers())}.items()


async def records(tail: Tail, *, heartbeat_s: float = HEARTBEAT_S, is_following: bool = True) -> Batches:
    """The lines of a tail, and what befell its file, as records; an empty batch in time while there are none.

    Bytes may well come meanwhile, of a line that is not ended. Who does not follow is told of that as well.
    """
    lines = _Lines(tail.origin)
    told_s = anyio.current_time()
    async with aclosing(tail.parts(heartbeat_s / 3) if is_following else _parts_so_far(tail)) as parts:
        async for part in parts:
            for batch in _batches(lines.take(part)):
                yield batch
                told_s = anyio.current_time()
                await anyio.sleep(_TURN_S)  # nobody waits for a client that has left, or takes all at once
            if anyio.current_time() - told_s > heartbeat_s / 2:
                yield ()
                told_s = anyio.current_time()
    if rest := tuple(lines.rest()):
        yield rest


class _Lines:
    """Cuts what comes into lines."""

    def __init__(self, origin: Origin) -> None:
        self._held = bytearray()
        self._offset = 0  # of what is held
        self._origin = origin

    def take(self, part: Piece | Reset) -> Iterator[Record]:
        """The records that a part completes; all have to be taken."""
        if isinstance(part, Reset):
            yield from self.rest()
            place = _id_of(part.origin, 0)
            yield Record("reset", {"reason": part.reason, "offset": 0, "id": place}, place)
        else:
            yield from self._lines(part)

    def rest(self) -> Iterator[Record]:
        """The line that is not ended, as far as it has come."""
        if self._held:
            yield self._record(len(self._held))

    def _lines(self, piece: Piece) -> Iterator[Record]:
        if not self._held:
            self._offset, self._origin = piece.offset, piece.origin
        start = 0
        while (stop := piece.content.find(b"\n", start) + 1) > 0:
            self._held += piece.content[start:stop]
            yield from self._cut()
            yield self._record(len(self._held))
            start = stop
        self._held += piece.content[start:]
        yield from self._cut()

    def _cut(self) -> Iterator[Record]:
        while len(self._held) > MOST_OF_LINE:
            yield self._record(_character_start(self._held, MOST_OF_LINE))

    def _record(self, size: int) -> Record:
        """The first bytes held, which are held no longer."""
        line = bytes(self._held[:size])
        offset, self._offset = self._offset, self._offset + size
        del self._held[:size]
        place = _id_of(self._origin, self._offset)
        return Record("line", {"offset": offset, **_line_content(line), "id": place}, place)


def _line_content(line: bytes) -> dict[str, Json]:
    """The text of a line, with its bytes where they are no UTF-8; `partial` where no line's end is at its end."""
    is_partial = not line.endswith(b"\n")
    content = line if is_partial else line[:-1].removesuffix(b"\r")
    partial_mark: dict[str, Json] = {"partial": True} if is_partial else {}
    try:
        return {"line": content.decode(), **partial_mark}
    except UnicodeDecodeError:
        raw = base64.b64encode(content).decode()
        return {"line": content.decode(errors="replace"), "raw": raw, **partial_mark}


def _character_start(content: bytearray, position: int) -> int:
    """The last place up to a position that is not within a character of UTF-8, which has four bytes at most."""
    starts = (start for start in range(position, position - 4, -1) if content[start] & 0xC0 != 0x80)
    return next(starts, position)


def _batches(made: Iterator[Record]) -> Iterator[Sequence[Record]]:
    while batch := tuple(islice(made, _AT_ONCE)):
        yield batch


async def _contents(tail: Tail, *, is_following: bool) -> AsyncGenerator[bytes, None]:
    async with aclosing(tail.parts(HEARTBEAT_S) if is_following else _parts_so_far(tail)) as parts:
        async for part in parts:
            yield part.content if isinstance(part, Piece) else b""


async def _parts_so_far(tail: Tail) -> AsyncGenerator[Piece | Reset, None]:
    """What the file has now; what is added while a slow client takes that is not waited for."""
    size = _size_of(tail)
    async with aclosing(tail.parts(0)) as parts:
        async for part in parts:
            if isinstance(part, Piece) and not part.content:
                return
            yield part
            if tail.offset >= size:
                return


def _size_of(tail: Tail) -> int:
    """How many bytes there are now: a local file may have grown since it was opened."""
    number = tail.reader.fileno()
    return tail.reader.entry.size if number is None else os.fstat(number).st_size


def _beginning(asked: Amount | Position) -> Beginning:
    match asked:
        case tails.Lines(count):
            return LastLines(count)
        case tails.Bytes(size):
            return LastBytes(size)
        case Position(offset, fingerprint):
            return After(offset, fingerprint)


def _id_of(origin: Origin, offset: int) -> str:
    return str(Position(offset, origin.fingerprint(offset)))


def _raw_type(entry: Entry) -> str:
    """Text as plain text, whose charset is no more than a guess: a browser shows it and runs none of it."""
    base, _, _ = serve_as(entry.media_type).content_type.partition(";")
    is_text = base.startswith("text/") or base in {"application/json", "application/x-ndjson"}
    return "text/plain; charset=utf-8" if is_text else OCTET_STREAM


async def _never() -> Message:
    await anyio.sleep_forever()
    raise AssertionError
