"""Answers sent by gzip where the client takes it. For pages and listings alone: files leave as they are.

Sources: RFC 9110 s.8.4.1.3 (gzip), s.12.5.3 (Accept-Encoding), s.12.5.5 (Vary); RFC 1952.
"""

import zlib
from collections.abc import Iterable
from functools import partial
from typing import Final

import anyio.to_thread

from fileserver.delivery.asgi import App, Message, Receive, Scope, Send

_SMALL: Final = 1024  # bytes: a packet holds them anyway
_LONG: Final = 32 * 1024  # bytes; what takes the event loop more than half a millisecond is left to a thread
_LEVEL: Final = 5  # a listing gets 8 times smaller, at 60 MB/s; level 9 makes it 3 % smaller yet in 4 times the time
_GZIP: Final = 31  # wbits: the largest window, in gzip's frame


def compressed(app: App, *, is_accepted: bool) -> App:
    """An ASGI application that answers as `app` does, compressed if the client takes it, and says that this was asked.

    Each message of it can be read when it arrives.
    """
    return partial(_answer, app, is_accepted)


async def _answer(app: App, is_accepted: bool, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, _Compressing(send, is_accepted=is_accepted))


class _Compressing:
    """A `send` that compresses the body; an answer that says it is short passes through."""

    def __init__(self, send: Send, *, is_accepted: bool) -> None:
        self._send = send
        self._is_accepted = is_accepted
        self._packing: zlib._Compress | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._is_accepted and not _is_short(message):
                self._packing = zlib.compressobj(_LEVEL, wbits=_GZIP)
            message = {**message, "headers": _told(message["headers"], is_packed=self._packing is not None)}
        elif message["type"] == "http.response.body" and self._packing is not None:
            message = {**message, "body": await _packed(self._packing, message)}
        await self._send(message)


async def _packed(packing: "zlib._Compress", message: Message) -> bytes:
    content: bytes = message.get("body", b"")
    pack = partial(_pack, packing, content, has_more=message.get("more_body", False))
    return pack() if len(content) < _LONG else await anyio.to_thread.run_sync(pack)


def _pack(packing: "zlib._Compress", content: bytes, *, has_more: bool) -> bytes:
    if has_more and not content:
        return b""
    return packing.compress(content) + packing.flush(zlib.Z_SYNC_FLUSH if has_more else zlib.Z_FINISH)


def _is_short(message: Message) -> bool:
    lengths = [int(value) for name, value in message["headers"] if name == b"content-length"]
    return bool(lengths) and lengths[0] < _SMALL


def _told(headers: Iterable[tuple[bytes, bytes]], *, is_packed: bool) -> list[tuple[bytes, bytes]]:
    """The headers of the answer in its coding; the length of what is packed is not known yet."""
    if not is_packed:
        return [*headers, (b"vary", b"accept-encoding")]
    kept = [(name, value) for name, value in headers if name != b"content-length"]
    return [*kept, (b"vary", b"accept-encoding"), (b"content-encoding", b"gzip")]
