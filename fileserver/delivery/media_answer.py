"""What was made of stored media as an answer: with its own validator, in ranges, for good where its version is told.

A client that leaves ends the work for it.
"""

import hashlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import anyio.to_thread

from fileserver.delivery.asgi import Receive, Scope, Send, may_send_files, while_connected
from fileserver.delivery.derivatives import Derivative, Derivatives, Product, name_of
from fileserver.delivery.download import CHUNK_SIZE, PRIVATE, Sending, decision_of
from fileserver.delivery.virtual import described, keeping_of, made_of
from fileserver.http.decisions import Decision, Representation
from fileserver.http.entity_tags import EntityTag
from fileserver.http.fields import Fields
from fileserver.http.ranges import Span
from fileserver.media import HEAD_SIZE, detect
from storage import Entry, Key, Reader, StoreDamaged


@dataclass(frozen=True, slots=True)
class Text:
    """A small document: it is its own version."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class MadeByWorker:
    """What a worker makes. Without a media type it is what its bytes say."""

    derivative: Derivative
    media_type: str | None = None


Content: TypeAlias = Text | MadeByWorker


@dataclass(frozen=True, slots=True)
class MediaAnswer:
    """An ASGI application that answers GET and HEAD with what `content` says of an opened file.

    `version` is the one that was asked about, `name` what a browser would save it as. Raises NotFound, IsFolder,
    Replaced, MediaFault of every kind, StorageError.
    """

    derivatives: Derivatives
    key: Key
    version: str | None
    name: str
    content: Callable[[Reader, Entry], Awaitable[Content]]
    is_attachment: bool = False
    is_lasting: bool = True  # False: it tells of more than the file, and changes without it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        async with self.derivatives.library.open(self.key) as reader:
            entry = await described(self.derivatives.library, reader, self.version)

            async def answering() -> None:
                await self._answer(scope, send, reader, entry, await self.content(reader, entry))

            await while_connected(receive, answering)

    async def _answer(self, scope: Scope, send: Send, reader: Reader, entry: Entry, content: Content) -> None:
        match content:
            case Text(text, media_type):
                tag = hashlib.sha256(text).hexdigest()[:32]
                decision = self._decided(scope, entry, _Shown(len(text), tag, media_type))
                literal = made_of(decision, lambda span: (text[span.start : span.stop],))
                await Sending(reader, send, CHUNK_SIZE, has_zero_copy=False).send_decision(literal)
            case MadeByWorker(derivative, media_type):
                tag = name_of(entry, derivative)[:32]
                unmade = self._decided(scope, entry, _Shown(0, tag, media_type))
                if unmade.status == 304 and _is_named(scope, tag):  # who knows its tag knows that it can be made
                    await Sending(reader, send, CHUNK_SIZE, has_zero_copy=False).send_decision(unmade)
                    return
                async with self.derivatives.made(reader, derivative) as product:
                    shown = _Shown(product.size, tag, media_type or _detected(product))
                    decision = self._decided(scope, entry, shown)
                    sending = Sending(
                        _ProductReader(reader.entry, product), send, CHUNK_SIZE, has_zero_copy=may_send_files(scope)
                    )
                    await sending.send_decision(decision)

    def _decided(self, scope: Scope, entry: Entry, shown: "_Shown") -> Decision:
        file = Representation(
            size=shown.size,
            etag=EntityTag(shown.tag, is_weak=False),
            modified_ns=entry.modified_ns,
            media_type=shown.media_type,
            name=self.name,
            sha256=None,
        )
        keeping = keeping_of(self.version) if self.is_lasting else PRIVATE
        return decision_of(scope, file, attachment="" if self.is_attachment else None, cache_control=keeping)


@dataclass(frozen=True, slots=True)
class _Shown:
    size: int
    tag: str
    media_type: str | None


@dataclass(frozen=True, slots=True)
class _ProductReader:
    """A product as a reader, for as long as it is open."""

    entry: Entry
    product: Product

    def fileno(self) -> int:
        return self.product.descriptor

    async def chunks(self, span: Span, chunk_size: int) -> AsyncGenerator[bytes, None]:
        for start in range(span.start, span.stop, chunk_size):
            size = min(chunk_size, span.stop - start)
            chunk = await anyio.to_thread.run_sync(os.pread, self.product.descriptor, size, start)
            if len(chunk) < size:
                raise StoreDamaged(self.entry.key)
            yield chunk

    async def close(self) -> None:
        """Whoever has the product closes it."""


def _is_named(scope: Scope, tag: str) -> bool:
    """Conditions hold for what there is (RFC 9110 s.13.2.1): `*` and a time tell nothing of that."""
    return tag in (Fields.from_asgi(scope["headers"]).joined("if-none-match") or "")


def _detected(product: Product) -> str:
    return detect(os.pread(product.descriptor, HEAD_SIZE, 0), "")
