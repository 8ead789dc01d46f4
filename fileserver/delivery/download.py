"""A stored file as an answer: open once, decide, send exactly what was decided, close."""

import secrets
import time
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache

import anyio

from fileserver.delivery.asgi import (
    Receive,
    Scope,
    Send,
    body,
    end,
    may_send_files,
    send_file,
    start,
    until_departure,
)
from fileserver.http.decisions import Decision, Representation, decide
from fileserver.http.entity_tags import EntityTag
from fileserver.http.fields import Fields
from fileserver.http.ranges import Span
from storage import Entry, Key, Library, Reader, StoreDamaged, name_of

# Measured over loopback, a warm 512 MiB file, one client, medians of 3: GB/s, and CPU seconds for each GB
# (scripts/bench chunk_size):
#   chunk      aiofiles      generator in threads   pread in a pool, one ahead (this)
#    64 KiB    0.71  1.19    0.67  1.35             0.74  1.26
#   128 KiB    1.12  0.73    0.95  0.96             1.18  0.75
#   256 KiB    2.03  0.44    1.49  0.60             1.53  0.61
#   512 KiB    2.85  0.32    2.48  0.37             2.30  0.41
#     1 MiB    2.47  0.37    2.32  0.40             2.80  0.32
# The three ways are equal within the noise of runs; pread alone can be cancelled without its descriptor being closed
# under a thread that still reads it. 256 KiB keeps a thousand clients at half the memory of 512 KiB.
CHUNK_SIZE = 256 * 1024

# Below, one read and one write of head and body together cost less than a write and a sendfile.
ZERO_COPY_SIZE = 64 * 1024

# A piece is counted when it has left, so that /metrics tells of a long download while it lasts.
MOST_AT_ONCE = 64 << 20

PIECES_A_SECOND = 8
"""How finely a limited rate is cut."""

PRIVATE = "private, no-cache"
"""Cache-Control of stored files: kept by the browser alone, and asked about each time (RFC 9111 s.5.2.2)."""


@dataclass(frozen=True, slots=True)
class Download:
    """An ASGI application that answers GET and HEAD with one stored file.

    `attachment` is what `decide` takes; `limit_rate` is bytes per second. Raises NotFound and IsFolder before the
    answer has begun; StoreDamaged in the midst of it when the file shrinks, which tears the connection.
    """

    library: Library
    key: Key
    attachment: str | None
    chunk_size: int = CHUNK_SIZE
    limit_rate: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        async with self.library.open(self.key) as reader:
            file = representation_of(await self.library.describe(reader))
            decision = decision_of(scope, file, attachment=self.attachment, cache_control=PRIVATE)
            sending = Sending(reader, send, self.chunk_size, self.limit_rate, has_zero_copy=may_send_files(scope))
            await until_departure(scope, receive, lambda: sending.send_decision(decision))


def decision_of(scope: Scope, file: Representation, *, attachment: str | None, cache_control: str) -> Decision:
    """The answer to a request, now; `attachment` is what `decide` takes."""
    fields = Fields.from_asgi(scope["headers"])
    return decide(
        scope["method"],
        fields,
        file,
        now_s=int(time.time()),
        attachment=attachment,
        cache_control=cache_control,
        boundary=secrets.token_hex(16) if "," in (fields.joined("range") or "") else "",
    )


class Sending:
    """An answer on its way: each span of the file by the fastest way that the reader and the server both have."""

    def __init__(
        self, reader: Reader, send: Send, chunk_size: int, limit_rate: int | None = None, *, has_zero_copy: bool
    ) -> None:
        self._reader = reader
        self._send = send
        self._chunk_size = chunk_size
        self._rate = None if limit_rate is None else Rate(limit_rate)
        self._file = reader.fileno() if has_zero_copy else None

    async def send_decision(self, decision: Decision) -> None:
        """Send it whole. Raises StoreDamaged."""
        await start(self._send, decision.status, decision.headers)
        last = len(decision.body) - 1
        if last < 0:
            await end(self._send)
        for number, part in enumerate(decision.body):
            if isinstance(part, bytes):
                await body(self._send, part, has_more=number < last)
            else:
                await self._send_span(part, has_more=number < last)

    async def _send_span(self, span: Span, *, has_more: bool) -> None:
        while span:
            piece = span[:MOST_AT_ONCE] if self._rate is None else await self._rate.take(span)
            span = span[len(piece) :]
            await self._send_piece(piece, has_more=has_more or len(span) > 0)

    async def _send_piece(self, span: Span, *, has_more: bool) -> None:
        if self._file is not None and len(span) >= ZERO_COPY_SIZE:
            try:
                await send_file(self._send, self._file, span, has_more=has_more)
            except EOFError as error:
                raise StoreDamaged(self._reader.entry.key) from error
            return
        left = len(span)
        async with aclosing(self._reader.chunks(span, self._chunk_size)) as chunks:
            async for chunk in chunks:
                left -= len(chunk)
                await body(self._send, chunk, has_more=has_more or left > 0)


class Rate:
    """Lets bytes leave at a rate: each piece comes when those before it have had their time."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._started_s = time.monotonic()
        self._size = 0

    async def take(self, span: Span) -> Span:
        """Wait, and answer as much of the span as may leave now."""
        due_s = self._started_s + self._size / self._rate
        await anyio.sleep(max(0.0, due_s - time.monotonic()))
        piece = span[: max(1, self._rate // PIECES_A_SECOND)]
        self._size += len(piece)
        return piece


@lru_cache(maxsize=1024)
def representation_of(entry: Entry) -> Representation:
    """What HTTP needs to know of an entry."""
    return Representation(
        size=entry.size,
        etag=EntityTag(entry.etag, is_weak=False),
        modified_ns=entry.modified_ns,
        media_type=entry.media_type,
        name=name_of(entry.key),
        sha256=entry.sha256,
    )
