"""Uploads by tus: requests read, carried out, answered."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from secrets import token_hex

from fastapi import Request, Response

from fileserver.api.beginning import begin, hexadecimal, is_repeated
from fileserver.api.completion import finish
from fileserver.api.requests import (
    content_digests,
    content_size,
    fields_of,
    media_type_of,
    merged,
    must_be_writable,
    owner_of,
    repr_digests,
)
from fileserver.api.service import service_of
from fileserver.api.upload_answers import NO_STORE, state_of, unsupported, upload_url
from fileserver.api.upload_terms import Terms, conditions_of, terms_of
from fileserver.delivery.upload import append_body
from fileserver.http import problems, tus
from fileserver.http.problems import Problem, ProblemError
from fileserver.http.upload_state import MalformedUpload
from storage import (
    DigestMismatch,
    Folder,
    Key,
    LengthMismatch,
    OffsetMismatch,
    OpenUpload,
    StorageError,
    UploadIsComplete,
    key_to_write,
)

_MOST_PARTS = 256
_HOST = r"(?:[^/?#\s\[\]]+|\[[0-9a-f:.]+\](?::\d+)?)"
_ADDRESS = re.compile(rf"(?:https?://{_HOST})?(?:/[^?#,\s]*)?/uploads/([A-Za-z0-9_-]{{1,64}})", re.IGNORECASE)
_NAMES = ("key", "relativePath", "filename", "name")
"""Where clients say what a file is called, the most telling first."""


def is_meant(request: Request) -> bool:
    """Whether a request speaks tus."""
    return "tus-resumable" in request.headers


def is_piece(request: Request) -> bool:
    """Whether a request brings bytes as tus does."""
    return media_type_of(request) == tus.CHUNK_TYPE


async def create(request: Request, folder: Folder, *, is_replacing: bool) -> Response:
    """Make an upload: of a file in the folder, of a part of one, or of parts that are there."""
    require_version(request)
    must_be_writable(request)
    fields = fields_of(request)
    asked = tus.creation_of(fields)
    terms = Terms(
        is_replacing=is_replacing or asked.metadata.get("replace") == b"true",
        digests=hexadecimal(repr_digests(fields)),
        conditions=conditions_of(fields),
        metadata=asked.metadata_text,
        concat=asked.concat,
    )
    key = None if asked.concat == "partial" else key_named(asked.metadata, folder)
    uploads = service_of(request).uploads
    parts = _parts(asked)
    if key is not None and parts and (done := await _done_before(request, key, terms)) is not None:
        return done
    length = await _length(request, parts) if parts else asked.length
    upload = await begin(request, key, terms, length, is_ending=True)
    async with uploads.resume(upload.upload_id, owner=upload.owner) as opened:
        try:
            headers = await _begun(request, opened, asked, parts)
        except BaseException:
            await opened.discard()  # nobody knows its address
            raise
    for part in parts:
        with suppress(StorageError):
            await uploads.cancel(part, owner=upload.owner)
    return _answer(201, {"location": upload_url(request, upload.upload_id), **headers})


async def append(request: Request, upload_id: str) -> Response:
    """Take in a piece of an upload."""
    require_version(request)
    must_be_writable(request)
    fields = fields_of(request)
    if not is_piece(request):
        raise unsupported(tus.CHUNK_TYPE)
    asked = tus.append_of(fields)
    async with service_of(request).uploads.resume(upload_id, owner=owner_of(request)) as opened:
        if terms_of(opened.upload.terms).concat.startswith("final;"):
            raise UploadIsComplete(upload_id)
        if not is_repeated(opened, asked.offset, content_size(fields)):
            if asked.offset != opened.offset:
                raise OffsetMismatch(opened.offset, asked.offset)
            if opened.upload.is_complete:
                raise UploadIsComplete(upload_id)
            await opened.promise(asked.length, is_ending=True)
            await _take(request, opened, asked.offset)
        return _answer(204, await _ended(request, opened))


async def tell(request: Request, upload_id: str) -> Response:
    """How far an upload is. One whose end was cut off by a crash is brought to it."""
    require_version(request)
    async with service_of(request).uploads.resume(upload_id, owner=owner_of(request)) as opened:
        if not opened.upload.is_complete:
            await opened.promise(None, is_ending=True)  # its length is its end in tus, whatever the other dialect says
        if opened.is_full and opened.upload.key is not None:
            await finish(request, opened)
        return _answer(200, dict(tus.state_headers(state_of(opened))))


async def terminate(request: Request, upload_id: str) -> Response:
    """Forget an upload."""
    require_version(request)
    must_be_writable(request)
    await service_of(request).uploads.cancel(upload_id, owner=owner_of(request))
    return _answer(204, {})


async def override(request: Request, upload_id: str) -> Response:
    """POST in place of a method that a client cannot send."""
    match request.headers.get("x-http-method-override", "").upper():
        case "PATCH":
            return await append(request, upload_id)
        case "DELETE":
            return await terminate(request, upload_id)
        case "HEAD":
            return await tell(request, upload_id)
        case _:
            raise MalformedUpload("X-HTTP-Method-Override is PATCH, DELETE or HEAD.")


def key_named(metadata: Mapping[str, bytes], folder: Folder) -> Key:
    """The key that the metadata name. Raises InvalidKey, MalformedUpload."""
    for name in _NAMES:
        value = metadata.get(name, b"")
        is_absent = name == "relativePath" and value == b"null"  # how Uppy says that there is none
        if value and not is_absent:
            try:
                return key_to_write(folder + value.decode())
            except UnicodeDecodeError as error:
                raise MalformedUpload(f"The {name} of Upload-Metadata is not UTF-8.") from error
    return key_to_write(f"{folder}upload-{token_hex(8)}")


def part_id(address: str) -> str:
    """The id of an upload by its address, of which the host is the client's business. Raises MalformedUpload."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise MalformedUpload("Upload-Concat names something that is no upload.")
    return match[1]


def require_version(request: Request) -> None:
    """Raises ProblemError unless the request speaks the version that we do."""
    if request.headers.getlist("tus-resumable") != [tus.VERSION]:
        problem = Problem(
            problems.TUS_VERSION, f"Say Tus-Resumable: {tus.VERSION}, or Upload-Complete for the draft of the IETF."
        )
        raise ProblemError(problem, (("tus-version", tus.VERSION), *tus.RESUMABLE))


def _parts(asked: tus.Creation) -> tuple[str, ...]:
    parts = tuple(map(part_id, asked.parts))
    if len(parts) > len(set(parts)) or len(parts) > _MOST_PARTS:
        raise MalformedUpload(f"A final upload has each of its parts once, and {_MOST_PARTS} at most.")
    return parts


async def _length(request: Request, parts: Sequence[str]) -> int:
    try:
        return await service_of(request).uploads.length_of(parts, owner=owner_of(request))
    except LengthMismatch as error:
        raise MalformedUpload("A final upload is made of partial uploads that are whole.") from error


async def _done_before(request: Request, key: Key, terms: Terms) -> Response | None:
    """The answer to a client that joins parts once more, for it missed the answer: the parts are gone by then."""
    uploads = service_of(request).uploads
    done = await uploads.done_before(owner=owner_of(request), key=key, terms=terms.text())
    if done is None:
        return None
    async with uploads.resume(done.upload_id, owner=done.owner) as opened:
        headers = await _ended(request, opened)
    return _answer(201, {"location": upload_url(request, done.upload_id), **headers})


async def _begun(request: Request, opened: OpenUpload, asked: tus.Creation, parts: Sequence[str]) -> dict[str, str]:
    if parts:
        await service_of(request).uploads.concatenate(opened, parts)
    elif asked.has_content:
        await _take(request, opened, 0)
    return await _ended(request, opened)


async def _take(request: Request, opened: OpenUpload, offset: int) -> None:
    fields = fields_of(request)
    checksum = tus.checksum_of(fields)
    digests = merged(checksum, content_digests(fields))
    try:
        await append_body(request.receive, opened, offset, size=content_size(fields), digests=digests)
    except DigestMismatch as error:
        if error.algorithm in checksum:
            detail = "The bytes were thrown away: send them again."
            raise ProblemError(Problem(problems.TUS_CHECKSUM_MISMATCH, detail)) from error
        raise


async def _ended(request: Request, opened: OpenUpload) -> dict[str, str]:
    """Publish the upload if it is full; what is told of it, and of the file then."""
    if not opened.is_full:
        return _progress(opened)
    answer = await finish(request, opened, repr_digests(fields_of(request)))
    told = {name: answer.headers[name] for name in ("etag", "repr-digest") if name in answer.headers}
    if "location" in answer.headers:
        told["content-location"] = answer.headers["location"]
    return {**_progress(opened), **told}


def _progress(opened: OpenUpload) -> dict[str, str]:
    return {"upload-offset": str(opened.offset), **dict(tus.expires(state_of(opened)))}


def _answer(status: int, headers: Mapping[str, str]) -> Response:
    return Response(status_code=status, headers={**headers, **dict(tus.RESUMABLE), **NO_STORE})
