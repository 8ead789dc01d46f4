"""A request body on its way into the library: one file by PUT, any number by a form, a piece of an upload."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

from fileserver.delivery.asgi import Receive, body_of
from fileserver.http.form_parts import FormEvent, FormLimits, FormParser, PartBegin, PartBytes, PartEnd
from storage import Condition, DigestMismatch, Entry, Key, Library, OpenUpload, PreconditionFailed, Received

FIELD_SIZE = 8192  # bytes a field that is no file may have


class FieldTooLong(Exception):
    """A form field that is no file is longer than it may be."""


class NoFileInForm(Exception):
    """The form holds no file."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a client says of the bytes it sends: their length, and digests by the names of `hashlib`."""

    length: int | None
    max_size: int | None
    digests: Mapping[str, bytes]


async def put_file(
    receive: Receive, library: Library, key: Key, *, promise: Promise, condition: Condition
) -> tuple[Entry, bool]:
    """Store the body under a key; answers the entry and whether the key is new.

    Raises what `Library.receive` and `Library.commit` raise, and ClientLeft; nothing is stored then.
    """
    async with aclosing(body_of(receive)) as body:
        receiving = library.receive(
            body, length=promise.length, max_size=promise.max_size, digests=promise.digests, key=key
        )
        async with receiving as received:
            return await library.commit(received, key, condition=condition)


async def append_body(
    receive: Receive, upload: OpenUpload, offset: int, *, size: int | None, digests: Mapping[str, bytes]
) -> None:
    """Append the body, of this size if that is known, to an upload.

    Raises what `OpenUpload.append` raises, and ClientLeft.
    """
    async with aclosing(body_of(receive)) as body:
        await upload.append(offset, body, size=size, digests=digests)


async def put_form_files(
    body: AsyncGenerator[bytes, None],
    library: Library,
    content_type: str,
    *,
    key_of: Callable[[str], Key],
    condition_of: Callable[[Mapping[str, str]], Condition],
    max_size: int | None,
    is_retried: bool = False,
) -> tuple[Entry, ...]:
    """Store every file of a multipart form, under the key that `key_of` makes of its file name.

    No file is stored before the form has come to its closing boundary, and none unless all may be. `condition_of` is
    given the fields of the form that are no files. With `is_retried` a file that is there already with the same bytes
    is one that an earlier try has stored. Raises MalformedForm, FormTooComplex, FieldTooLong, NoFileInForm, ClientLeft,
    what `key_of` raises, and what the library raises.
    """
    fields: dict[str, str] = {}
    received: list[tuple[Key, Received]] = []
    async with AsyncExitStack() as drafts, aclosing(form_events(body, content_type)) as events:
        async for event in events:
            if not isinstance(event, PartBegin):
                continue
            if event.filename is None:
                fields[event.name] = await field_of(events, FIELD_SIZE)
            elif event.filename != "":  # a file input left empty sends a part without name and bytes
                key = key_of(event.filename)
                receiving = library.receive(part_bytes(events), length=None, max_size=max_size, digests={}, key=key)
                received.append((key, await drafts.enter_async_context(receiving)))
        if not received:
            raise NoFileInForm
        conditions = [_or_same(condition_of(fields), each, is_retried=is_retried) for _, each in received]
        await _require(library, [key for key, _ in received], conditions)
        commits = zip(received, conditions, strict=True)
        return tuple([(await library.commit(each, key, condition=holds))[0] for (key, each), holds in commits])


def _or_same(condition: Condition, received: Received, *, is_retried: bool) -> Condition:
    def holds(current: Entry | None) -> bool:
        is_there = is_retried and current is not None and current.sha256 == received.sha256
        return is_there or condition(current)

    return holds


async def _require(library: Library, keys: Sequence[Key], conditions: Sequence[Condition]) -> None:
    """Raises PreconditionFailed where a file may not be stored, also because another of the form has its name."""
    before: set[Key] = set()
    for key, holds in zip(keys, conditions, strict=True):
        current = Entry(key, 0, 0, "", "") if key in before else await library.stat(key)
        if not holds(current):
            raise PreconditionFailed(key)
        before.add(key)


async def checked(body: AsyncGenerator[bytes, None], digests: Mapping[str, bytes]) -> AsyncGenerator[bytes, None]:
    """The body, which raises DigestMismatch at its end unless it has these digests (by names of `hashlib`)."""
    hashes = {name: hashlib.new(name) for name in digests}
    async with aclosing(body):
        async for chunk in body:
            for each in hashes.values():
                each.update(chunk)
            yield chunk
    for name, digest in digests.items():
        if hashes[name].digest() != digest:
            raise DigestMismatch(name)


async def form_events(body: AsyncGenerator[bytes, None], content_type: str) -> AsyncGenerator[FormEvent, None]:
    """The form's parts as they arrive; ends only after the closing boundary. Raises MalformedForm, ClientLeft."""
    parser = FormParser(content_type, FormLimits())
    async with aclosing(body):
        async for chunk in body:
            for event in parser.feed(chunk):
                yield event
    parser.finish()


async def part_bytes(events: AsyncIterator[FormEvent]) -> AsyncIterator[bytes]:
    """The bytes of the part that has just begun."""
    async for event in events:
        match event:
            case PartBytes(payload):
                yield payload
            case PartEnd():
                return


async def field_of(events: AsyncIterator[FormEvent], max_size: int) -> str:
    """The value of the field that has just begun. Raises FieldTooLong above so many bytes."""
    value = bytearray()
    async for payload in part_bytes(events):
        value += payload
        if len(value) > max_size:
            raise FieldTooLong
    return value.decode("utf-8", "replace")
