"""A file that is still being uploaded as an answer: the bytes leave as they come, up to the file's end.

Its headers are those of a download, but for what is not decided yet: no ETag and no date, kept by nobody. Where the
length is promised it is the answer's, and ranges are of it; else the answer is as long as the file becomes.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

import anyio
import anyio.to_thread

from fileserver.delivery.asgi import App, Receive, Scope, Send, end, more, start, while_connected
from fileserver.delivery.download import CHUNK_SIZE, Rate
from fileserver.delivery.live import until_stopped
from fileserver.delivery.together import together
from fileserver.http.decisions import Decision, Representation, decide
from fileserver.http.entity_tags import EntityTag
from fileserver.http.fields import Fields
from storage import HEAD_SIZE, Arriving, Detect, Key, Uploads, name_of

_NOT_YET = EntityTag("arriving", is_weak=True)  # never sent; weak, so that no If-Match and no If-Range holds
_MATTERS = ("range", "if-range", "if-match", "if-none-match")  # dates say nothing of what has none (RFC 9110 s.13.1.3)
_UNDECIDED = frozenset({"etag", "last-modified", "cache-control", "vary", "accept-ranges"})
_LIVE = (("cache-control", "no-store"), ("x-accel-buffering", "no"))


@dataclass(frozen=True, slots=True)
class Follow:
    """An ASGI application that answers GET and HEAD with the file that is just being uploaded to a key.

    Where none is, `otherwise` answers. `attachment` is what `decide` takes; `limit_rate` is bytes per second. Whatever
    ends the answer before the file has come tears the connection: raises StoreDamaged, and Stopped.
    """

    uploads: Uploads
    key: Key
    attachment: str | None
    detect: Detect
    stopping: anyio.Event
    otherwise: App
    chunk_size: int = CHUNK_SIZE
    limit_rate: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        async with self.uploads.arriving(self.key) as arriving:
            if arriving is not None:
                await while_connected(receive, partial(self._follow, arriving, scope, send))
                return
        await self.otherwise(scope, receive, send)

    async def _follow(self, arriving: Arriving, scope: Scope, send: Send) -> None:
        head = await arriving.head(HEAD_SIZE)
        media_type = await anyio.to_thread.run_sync(self.detect, head, name_of(self.key)) if head else None
        decision = decided(scope["method"], Fields.from_asgi(scope["headers"]), arriving, media_type, self.attachment)
        await start(send, decision.status, decision.headers)
        if decision.body:
            sending = partial(self._send_body, arriving, decision, send)
            await together(sending, meanwhile=(partial(until_stopped, self.stopping),))
        await end(send)

    async def _send_body(self, arriving: Arriving, decision: Decision, send: Send) -> None:
        await more(send, b"")  # the head leaves at once, whenever the first byte comes
        for part in decision.body:
            if isinstance(part, bytes):
                await more(send, part)
                continue
            stop = None if arriving.length is None else part.stop
            async with aclosing(self._limited(arriving.chunks(part.start, stop, self.chunk_size))) as chunks:
                async for chunk in chunks:
                    await more(send, chunk)

    async def _limited(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """The chunks at the rate that bytes may leave at."""
        rate = None if self.limit_rate is None else Rate(self.limit_rate)
        async with aclosing(chunks):
            async for chunk in chunks:
                rest = range(len(chunk))
                while rest:
                    piece = rest if rate is None else await rate.take(rest)
                    yield chunk[piece.start : piece.stop]
                    rest = rest[len(piece) :]


def decided(
    method: str, fields: Fields, arriving: Arriving, media_type: str | None, attachment: str | None
) -> Decision:
    """The answer as that to a stored file would be; where the length is not known, with a body of no known length."""
    is_known = arriving.length is not None
    asked = Fields((name, line) for name in _MATTERS for line in fields.lines(name) if is_known or name != "range")
    size = 1 if arriving.length is None else arriving.length
    decision = decide(
        method,
        asked,
        Representation(size, _NOT_YET, 0, media_type, name_of(arriving.key), None),
        now_s=0,
        attachment=attachment,
        cache_control="",
        boundary=secrets.token_hex(16),
    )
    left_out = _UNDECIDED if is_known or decision.status != 200 else _UNDECIDED | {"content-length"}
    kept = (line for line in decision.headers if line[0] not in left_out)
    headers = (*kept, ("accept-ranges", "bytes" if is_known else "none"), *_LIVE)
    return Decision(decision.status, headers, decision.body)
