"""A transform as an answer: the table that leaves as it comes, held until it is whole, or stored."""

import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import anyio

from fileserver.delivery.asgi import ClientLeft, HeaderLines, Receive, Scope, Send, end, start
from fileserver.delivery.exchange import Exchange, TransformRequest, Way, exchanged, stored_output
from fileserver.delivery.listing import Href, row_of
from fileserver.delivery.workshop import Workshop
from fileserver.http.digests import format_digest
from fileserver.http.disposition import content_disposition
from fileserver.tables import Counts
from fileserver.tables.media_types import file_extension, media_type
from storage import Condition, Entry, Key, Library

SMALL_SIZE = 64 * 1024
"""Bytes of output up to which an answer is held until it is whole, so that its counts fit into the headers."""
HOLD_S = 0.1
"""How long such an answer is held at most: a stream has to start."""
SMALL_TABLE_SIZE = 4 << 20
"""Bytes of a table that is worked through in a moment: its answer may be held for `HOLD_SMALL_S` instead."""
HOLD_SMALL_S = 5.0


@dataclass(frozen=True, slots=True)
class Transforming:
    """An ASGI application that answers with a transformed table.

    Nothing is sent before there is output: what is wrong until then is raised (see `exchanged`) and can still become a
    proper error. Later faults tear the connection.
    """

    workshop: Workshop
    library: Library
    request: TransformRequest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. HEAD opens the table and says what kind of answer GET would give."""
        if scope["method"] == "HEAD":
            async with self.request.source(receive):
                await start(send, 200, headers_of(self.request, None))
                await end(send)
            return

        async def finish(exchange: Exchange) -> None:
            await (_send_whole if is_held else _send_stream)(exchange, send)

        # Who speaks HTTP/1.0 knows no chunks, and would take the end of the connection for that of the table.
        is_held = self.request.asked.plan.delivery == "complete" or scope["http_version"] == "1.0"
        way: Way = "whole" if is_held else "stream"
        try:
            await exchanged(self.workshop, self.library, self.request, way, receive, finish)
        except ClientLeft:
            return  # nobody is there to be told


@dataclass(frozen=True, slots=True)
class StoringResult:
    """An ASGI application that stores a transformed table under a key, and answers with its entry and the counts."""

    workshop: Workshop
    library: Library
    request: TransformRequest
    key: Key
    condition: Condition
    max_size: int | None
    href: Href

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with 201. Raises what `exchanged` does."""

        async def finish(exchange: Exchange) -> None:
            entry = await stored_output(
                exchange, self.library, self.key, condition=self.condition, max_size=self.max_size
            )
            body = self._told(entry, exchange)
            await exchange.start(
                send, (*self._headers(entry, exchange), ("content-length", str(len(body)))), status=201
            )
            await exchange.end(send, body)

        try:
            await exchanged(self.workshop, self.library, self.request, "store", receive, finish)
        except ClientLeft:
            return

    def _headers(self, entry: Entry, exchange: Exchange) -> HeaderLines:
        return (
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("location", self.href(entry.key)),
            ("etag", f'"{entry.etag}"'),
            *_counted(exchange.work.counts),
            *_job_headers(exchange),
        )

    def _told(self, entry: Entry, exchange: Exchange) -> bytes:
        counts = exchange.work.counts
        told = {
            "entry": row_of(entry, self.href),
            "rows_in": counts.rows_in,
            "rows_out": counts.rows_out,
            "rows_rejected": counts.rows_rejected,
            "job": self.request.job_href(exchange.job.id),
        }
        return json.dumps(told, separators=(",", ":")).encode()


def headers_of(request: TransformRequest, exchange: Exchange | None) -> HeaderLines:
    """The head of an answer, as far as it is known before the output; of a job, where there is one."""
    output = request.asked.plan.output
    begun = {} if exchange is None else exchange.work.begun
    name = request.download or (request.name and _renamed(request.name, file_extension(output)))
    disposition = (("content-disposition", _disposition(name, request)),) if name else ()
    return (
        ("content-type", str(begun.get("media_type") or media_type(output))),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-accel-buffering", "no"),
        ("accept-ranges", "none"),
        *disposition,
        *(() if exchange is None else (*_understood(begun), *_job_headers(exchange))),
    )


def _disposition(name: str, request: TransformRequest) -> str:
    return content_disposition("inline" if request.download is None else "attachment", name)


def _understood(begun: Mapping[str, Any]) -> HeaderLines:
    """How the worker reads the table, and when rows leave."""
    encoding = begun.get("dialect", {}).get("encoding")
    told = (("transform-encoding", str(encoding)),) if encoding else ()
    return (*told, ("transform-plan", str(begun.get("plan", "streaming"))))


async def _send_stream(exchange: Exchange, send: Send) -> None:
    """Answer with the output as it comes; one that is small and whole in a moment with its length and counts."""
    held, is_whole = await _held(exchange)
    await exchange.work.has_begun.wait()
    known: HeaderLines = ()
    if is_whole:
        await exchange.job.end("done")
        known = (("content-length", str(sum(map(len, held)))), *_counted(exchange.work.counts))
    await exchange.start(send, (*headers_of(exchange.request, exchange), *known))
    for chunk in held:
        await exchange.more(send, chunk)
    if not is_whole:
        await _send_rest(exchange, send)
    await exchange.end(send)


async def _send_whole(exchange: Exchange, send: Send) -> None:
    """Answer when all of the output is there, with its length, digest and counts."""
    await exchange.spill.is_whole()
    known = (("content-length", str(exchange.spill.size)), *_counted(exchange.work.counts))
    digest = () if exchange.digest is None else (("repr-digest", format_digest("sha-256", exchange.digest.digest())),)
    await exchange.start(send, (*headers_of(exchange.request, exchange), *known, *digest))
    await _send_rest(exchange, send)
    await exchange.end(send)


async def _send_rest(exchange: Exchange, send: Send) -> None:
    async with aclosing(exchange.output()) as output:
        async for chunk in output:
            await exchange.more(send, chunk)
    await exchange.job.end("done")


async def _held(exchange: Exchange) -> tuple[list[bytes], bool]:
    """The first output, and whether it is all: as much as is small, or as comes in a moment."""
    first = await exchange.spill.take()
    held, size = [first or b""], len(first or b"")
    is_whole = first is None
    with anyio.move_on_after(_patience_s(exchange)):
        while not is_whole and size < SMALL_SIZE:
            chunk = await exchange.spill.take()
            is_whole = chunk is None
            held.append(chunk or b"")
            size += len(chunk or b"")
    return held, is_whole


def _patience_s(exchange: Exchange) -> float:
    if not exchange.is_read:
        return 0  # more comes in any case while more is sent to us
    return HOLD_SMALL_S if exchange.input_size <= SMALL_TABLE_SIZE else HOLD_S


def _job_headers(exchange: Exchange) -> HeaderLines:
    href = exchange.request.job_href(exchange.job.id)
    return (("transform-id", exchange.job.id), ("link", f'<{href}>; rel="describedby"'))


def _counted(counts: Counts) -> HeaderLines:
    return (
        ("transform-rows-in", str(counts.rows_in)),
        ("transform-rows-out", str(counts.rows_out)),
        ("transform-rows-rejected", str(counts.rows_rejected)),
    )


def _renamed(name: str, extension: str) -> str:
    stem, dot, _ = name.rpartition(".")
    return f"{stem if dot and stem else name}.{extension}"
