"""Tables opened for a worker: plain files by their descriptors, all else as bytes that come."""

import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import anyio.to_thread

from fileserver.delivery.asgi import Receive, body_of
from fileserver.delivery.read_ahead import ReadAhead
from fileserver.delivery.upload import NoFileInForm, checked, field_of, form_events, part_bytes
from fileserver.http.form_parts import FormEvent, PartBegin
from fileserver.tables import PlanFault
from storage import IsFolder, Key, Library, NotFound, Reader

FIELDS_SIZE = 1 << 20
"""Bytes that the fields before a form's file may have together: a plan is among them."""
CHUNK_SIZE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Table:
    """A table to read: by a descriptor of its own, or from `chunks`. `size` is that of all bytes, where it is known.

    `ahead` is where the chunks of a request come from. Those of a table that `is_checked` tell at their end whether
    they are what the client meant: they are read to it, also if fewer would do.
    """

    descriptor: int | None = None
    chunks: AsyncGenerator[bytes, None] | None = None
    size: int | None = None
    ahead: ReadAhead | None = None
    is_checked: bool = False


Source: TypeAlias = Callable[[Receive], AbstractAsyncContextManager[Table]]
"""Opens the table that a request asks to transform."""


class FieldAfterFile(Exception):
    """A form has more than its file after its file: what it says comes too late."""


@dataclass(slots=True)
class TableForm:
    """A form read up to its first file: the fields before it, its name, and the rest still to come."""

    events: AsyncGenerator[FormEvent, None]
    ahead: ReadAhead
    is_checked: bool
    fields: list[tuple[str, str]] = field(default_factory=list)
    filename: str = ""


async def begun_form(receive: Receive, content_type: str, *, digests: Mapping[str, bytes]) -> TableForm:
    """A form read up to its first file; `digests` are those of the whole form (by names of `hashlib`).

    Raises NoFileInForm, MalformedForm, FormTooComplex, FieldTooLong, DigestMismatch, ClientLeft.
    """
    ahead = ReadAhead(receive)
    events = form_events(checked(body_of(ahead.receive), digests), content_type)
    form = TableForm(events, ahead, is_checked=bool(digests))
    try:
        await _read_fields(form)
    except BaseException:
        await form.events.aclose()
        raise
    return form


@asynccontextmanager
async def form_table(_receive: Receive, *, form: TableForm) -> AsyncIterator[Table]:
    """The file of a form that was begun is the table. Its chunks raise what `begun_form` does, and FieldAfterFile."""
    async with aclosing(form.events), aclosing(_file_of(form.events)) as chunks:
        yield Table(chunks=chunks, ahead=form.ahead, is_checked=form.is_checked)


@asynccontextmanager
async def raw_table(receive: Receive, *, length: int | None, digests: Mapping[str, bytes]) -> AsyncIterator[Table]:
    """The request's body is the table. Its chunks raise ClientLeft, and DigestMismatch at their end."""
    ahead = ReadAhead(receive)
    async with aclosing(checked(body_of(ahead.receive), digests)) as chunks:
        yield Table(chunks=chunks, size=length, ahead=ahead, is_checked=bool(digests))


@asynccontextmanager
async def stored_table(_receive: Receive, *, library: Library, key: Key) -> AsyncIterator[Table]:
    """A stored file is the table. Raises NotFound, IsFolder."""
    async with library.open(key) as reader, table_of(reader) as table:
        yield table


@asynccontextmanager
async def table_of(reader: Reader) -> AsyncIterator[Table]:
    """The table that an opened file is, at a position of its own; the reader stays the caller's."""
    size = reader.entry.size
    if (file := reader.fileno()) is not None:
        descriptor = _opened_again(file)
        try:
            yield Table(descriptor=descriptor, size=size)
        finally:
            os.close(descriptor)
    else:
        async with aclosing(reader.chunks(range(size), CHUNK_SIZE)) as chunks:
            yield Table(chunks=chunks, size=size)


@asynccontextmanager
async def joined_files(library: Library, keys: Mapping[str, Key], folder: Path) -> AsyncIterator[dict[str, int]]:
    """Descriptors of other stored tables, by the names a worker knows them by. Raises PlanFault where there is none."""
    async with AsyncExitStack() as stack:
        descriptors: dict[str, int] = {}
        for name, key in keys.items():
            try:
                async with library.open(key) as reader:
                    descriptors[name] = await stack.enter_async_context(descriptor_of(reader, folder))
            except (NotFound, IsFolder) as error:
                raise PlanFault(f"no file is stored under {key}", _field_of(name)) from error
        yield descriptors


@asynccontextmanager
async def descriptor_of(reader: Reader, folder: Path) -> AsyncIterator[int]:
    """A descriptor of an opened file with a position of its own, of a copy in `folder` where the store has none."""
    file = reader.fileno()
    descriptor = await _copied(reader, folder) if file is None else _opened_again(file)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _field_of(name: str) -> str:
    """The part of the plan that a table is named in."""
    kind, _, which = name.partition(":")
    return f"steps[{which}].file" if kind == "join" else f"tables.{which}"


def _opened_again(file: int) -> int:
    """The same version of the file with a position of its own: two workers that read it would move a shared one."""
    return os.open(f"/proc/self/fd/{file}", os.O_RDONLY | os.O_CLOEXEC)


async def _copied(reader: Reader, folder: Path) -> int:
    """An unlinked file with the bytes of one that has no descriptor: those of an object store."""
    file, path = tempfile.mkstemp(dir=folder)
    os.unlink(path)
    try:
        async with aclosing(reader.chunks(range(reader.entry.size), CHUNK_SIZE)) as chunks:
            with open(file, "wb", closefd=False) as sink:  # noqa: ASYNC230
                async for chunk in chunks:
                    await anyio.to_thread.run_sync(sink.write, chunk)
        os.lseek(file, 0, os.SEEK_SET)
    except BaseException:
        os.close(file)
        raise
    return file


async def _read_fields(form: TableForm) -> None:
    left = FIELDS_SIZE
    async for event in form.events:
        if not isinstance(event, PartBegin):
            continue
        if event.filename:
            form.filename = event.filename
            return
        value = await field_of(form.events, left)
        left -= len(value.encode())
        if event.filename is None:  # a file input left empty sends a part without name and bytes
            form.fields.append((event.name, value))
    raise NoFileInForm


async def _file_of(events: AsyncGenerator[FormEvent, None]) -> AsyncGenerator[bytes, None]:
    async for chunk in part_bytes(events):
        yield chunk
    async for event in events:  # to the closing boundary: a form cut short is no whole table
        if isinstance(event, PartBegin) and event.filename != "":
            raise FieldAfterFile
