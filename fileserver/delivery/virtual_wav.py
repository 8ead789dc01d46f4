"""The sound of a stored file as a WAV of exact length: decoded as it leaves, from where a client asks, a window ahead.

For players that take no HLS, and for sound without a gap. Nothing is stored; a client that leaves ends the work.
"""

import json
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import anyio

from fileserver.delivery.asgi import (
    Receive,
    Scope,
    Send,
    end,
    may_send_files,
    more,
    send_file,
    start,
    while_connected,
)
from fileserver.delivery.derivatives import Derivative, Derivatives
from fileserver.delivery.download import CHUNK_SIZE, ZERO_COPY_SIZE, Rate, decision_of
from fileserver.delivery.media_description import facts_of as media_facts
from fileserver.delivery.together import together
from fileserver.delivery.virtual import described, keeping_of, made_of, virtual_file
from fileserver.http.decisions import Decision
from fileserver.http.ranges import Span
from fileserver.media import DamagedMedia, MediaEngineFailed, NoSuchTrack
from fileserver.media.layout import laid_out
from fileserver.media.wav import WavFacts, facts_of, header, padding
from storage import Json, Key, Reader

FIRST_WINDOW = 256 << 10
"""Bytes of sound that are decoded before an answer begins: players ask for two bytes, or leave after some kilobytes."""
LARGEST_WINDOW = 4 << 20
"""Bytes that are decoded at once, after windows that double: a job for each costs some milliseconds. Two are in memory
for each client."""

MEDIA_TYPE = "audio/wav"


@dataclass(frozen=True, slots=True)
class WavDownload:
    """An ASGI application that answers GET and HEAD with a track of a stored file as a WAV.

    Without `track` it is the first of sound. `version` is the one that was asked about; `attachment`, `chunk_size` and
    `limit_rate` are those of `Download`.
    Raises NotFound, IsFolder, Replaced, StorageError, MediaFault of every kind: CannotConvert where the sound is lossy.
    """

    derivatives: Derivatives
    key: Key
    track: str | None
    name: str
    version: str | None = None
    attachment: str | None = None
    chunk_size: int = CHUNK_SIZE
    limit_rate: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        async with self.derivatives.library.open(self.key) as reader:
            await while_connected(receive, partial(self._answer, reader, scope, send))

    async def _answer(self, reader: Reader, scope: Scope, send: Send) -> None:
        entry = await described(self.derivatives.library, reader, self.version)
        track = await self._chosen(reader)
        facts = await self.derivatives.parsed(reader, Derivative("wav_facts", {"track": track}), _facts)
        layout = laid_out([header(facts), range(facts.size), padding(facts)])
        file = replace(virtual_file(entry, "wav", layout.size), media_type=MEDIA_TYPE, name=self.name)
        decision = decision_of(scope, file, attachment=self.attachment, cache_control=keeping_of(self.version))
        sound = _Sound(self.derivatives, reader, track, facts)
        rate = None if self.limit_rate is None else Rate(self.limit_rate)
        sending = _Sending(send, self.chunk_size, rate, may_send_files(scope))
        await sending.send_decision(made_of(decision, layout.parts), sound)

    async def _chosen(self, reader: Reader) -> str:
        if self.track is not None:
            return self.track
        sounds = (await media_facts(self.derivatives, reader)).sounds
        if not sounds:
            raise NoSuchTrack("the file has no sound")
        return sounds[0].id


def _facts(content: bytes) -> WavFacts:
    try:
        return facts_of(json.loads(content))
    except ValueError as error:
        raise MediaEngineFailed("the worker wrote nothing of the sound") from error


@dataclass(frozen=True, slots=True)
class _Sound:
    """The samples of a track, by where their bytes are among those of all."""

    derivatives: Derivatives
    reader: Reader
    track: str
    facts: WavFacts

    @asynccontextmanager
    async def made(self, window: Span) -> AsyncIterator[tuple[int, Span]]:
        """An open file, and where in it the bytes of the window are. Raises MediaFault."""
        if not window:
            yield -1, window
            return
        size = self.facts.block_size
        samples = range(window.start // size, -(-window.stop // size))
        terms: dict[str, Json] = {"track": self.track, "start": samples.start, "count": len(samples)}
        async with self.derivatives.made(self.reader, Derivative("wav", terms, is_kept=False)) as product:
            if product.size != len(samples) * size:
                raise DamagedMedia("the sound breaks off before its end")
            skipped = samples.start * size
            yield product.descriptor, range(window.start - skipped, window.stop - skipped)


@dataclass(frozen=True, slots=True)
class _Stage:
    """Some of an answer: bytes of our own, and then a window of the sound; either may be empty."""

    literal: bytes
    window: Span
    is_made: anyio.Event = field(default_factory=anyio.Event)
    is_sent: anyio.Event = field(default_factory=anyio.Event)


@dataclass(frozen=True, slots=True)
class _Sending:
    """An answer on its way, in two lanes: one has its window made while the other sends the one before."""

    send: Send
    chunk_size: int
    rate: Rate | None
    has_zero_copy: bool

    async def send_decision(self, decision: Decision, sound: _Sound) -> None:
        """Send it whole; it begins when its first window is there: what goes wrong until then can still be told."""
        stages = enumerate(_in_turn(_stages(decision.body, sound.facts.block_size)))

        async def lane() -> None:
            for number, (before, stage) in stages:  # both lanes take from it
                await before.is_made.wait()
                async with sound.made(stage.window) as (descriptor, span):
                    stage.is_made.set()
                    await before.is_sent.wait()
                    if number == 0:
                        await start(self.send, decision.status, decision.headers)
                    if stage.literal:
                        await more(self.send, stage.literal)
                    await self._send_window(descriptor, span)
                stage.is_sent.set()

        await together(lane, lane)
        await end(self.send)

    async def _send_window(self, descriptor: int, span: Span) -> None:
        while span:
            piece = span if self.rate is None else await self.rate.take(span)
            span = span[len(piece) :]
            if self.has_zero_copy and len(piece) >= ZERO_COPY_SIZE:
                await send_file(self.send, descriptor, piece, has_more=True)
                continue
            for first in range(piece.start, piece.stop, self.chunk_size):
                size = min(self.chunk_size, piece.stop - first)
                await more(self.send, os.pread(descriptor, size, first))  # it is in memory


def _in_turn(stages: Iterable[_Stage]) -> Iterator[tuple[_Stage, _Stage]]:
    """Each stage after the one before it."""
    before = _Stage(b"", range(0))
    before.is_made.set()
    before.is_sent.set()
    for stage in stages:
        yield before, stage
        before = stage


def _stages(parts: Iterable[bytes | Span], block_size: int) -> Iterator[_Stage]:
    """At least one: an answer without a body has a beginning all the same."""
    literal = b""
    for part in parts:
        if isinstance(part, bytes):
            literal += part
            continue
        for window in _windows(part, block_size):
            yield _Stage(literal, window)
            literal = b""
    yield _Stage(literal, range(0))


def _windows(span: Span, block_size: int) -> Iterator[Span]:
    """A span in windows that grow and end where a sample of all channels does: none is decoded twice."""
    size = FIRST_WINDOW
    while span:
        stop = (span.start + size) // block_size * block_size
        window = range(span.start, min(stop, span.stop))
        yield window
        span = span[len(window) :]
        size = min(2 * size, LARGEST_WINDOW)
