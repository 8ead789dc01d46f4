"""Uploads by the IETF draft on resumable uploads: requests read, carried out, answered."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from fileserver.api.beginning import begin, hexadecimal, is_repeated
from fileserver.api.completion import finish
from fileserver.api.errors import problem_of
from fileserver.api.requests import (
    content_digests,
    content_size,
    fields_of,
    media_type_of,
    must_be_writable,
    owner_of,
    repr_digests,
)
from fileserver.api.service import Answer, service_of
from fileserver.api.tus import key_named
from fileserver.api.upload_answers import NO_STORE, limit, state_of, unsupported, upload_href
from fileserver.api.upload_terms import Terms, conditions_of
from fileserver.delivery.asgi import interim
from fileserver.delivery.upload import FieldTooLong, NoFileInForm, append_body
from fileserver.http import resumable, tus
from fileserver.http.disposition import filename_of
from fileserver.http.form_parts import FormTooComplex, MalformedForm
from fileserver.http.problems import ProblemError
from fileserver.http.resumable import Piece
from fileserver.http.structured_fields import format_boolean
from storage import (
    DigestMismatch,
    Folder,
    FolderInTheWay,
    InvalidKey,
    Key,
    OffsetMismatch,
    OpenUpload,
    OtherFileSystem,
    PreconditionFailed,
    PromiseExceeded,
    TooLarge,
    UploadIsComplete,
    key_to_write,
)

# What no further request would mend: the bytes are not what they were said to be.
_UNREADABLE = (DigestMismatch, FieldTooLong, FormTooComplex, InvalidKey, MalformedForm, NoFileInForm)
# What is the case just now: the bytes are kept, and HEAD tries once more.
_REFUSED = (FolderInTheWay, OtherFileSystem, PreconditionFailed, ProblemError)


@dataclass(frozen=True, slots=True)
class Begun:
    """An ASGI application that makes an upload of a request, and takes in what it brings."""

    request: Request
    key: Key | None
    terms: Terms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        fields = fields_of(self.request)
        piece, digests = resumable.creation_of(fields), content_digests(fields)
        upload = await begin(self.request, self.key, self.terms, piece.length, is_ending=piece.is_ending)
        is_told = False
        if (version := resumable.interim_version(fields)) is not None:
            location = "location", upload_href(self.request, upload.upload_id)
            told = location, limit(self.request), ("upload-draft-interop-version", version)
            is_told = await interim(scope, send, resumable.INTERIM_STATUS, told)
        async with service_of(self.request).uploads.resume(upload.upload_id, owner=upload.owner) as opened:
            try:
                response = await _take(self.request, opened, piece, digests)
            except BaseException:
                if not is_told:
                    await opened.discard()  # nobody knows its address
                raise
        await response(scope, receive, send)


async def begin_file(request: Request, key: Key) -> Response:
    """An upload of what PUT would store."""
    fields = fields_of(request)
    terms = Terms(is_replacing=True, digests=hexadecimal(repr_digests(fields)), conditions=conditions_of(fields))
    return Answer(Begun(request, key, terms))


async def begin_in_folder(request: Request, folder: Folder, *, is_replacing: bool = False) -> Response:
    """An upload of a form, or of one file that Content-Disposition or Upload-Metadata names."""
    fields = fields_of(request)
    metadata = tus.parse_metadata(fields.lines("upload-metadata"))
    digests = hexadecimal(repr_digests(fields))
    content_type = fields.only("content-type") or ""
    if media_type_of(request) == "multipart/form-data":
        terms = Terms(is_replacing, digests, folder=folder, content_type=content_type)
        return Answer(Begun(request, None, terms))
    name = filename_of(fields.only("content-disposition") or "")
    key = key_named(metadata, folder) if name is None else key_to_write(folder + name)
    is_replacing = is_replacing or metadata.get("replace") == b"true"
    return Answer(Begun(request, key, Terms(is_replacing, digests, conditions_of(fields))))


async def append(request: Request, upload_id: str) -> Response:
    """Take in a piece of an upload."""
    must_be_writable(request)
    fields = fields_of(request)
    if media_type_of(request) != resumable.PART_TYPE:
        raise unsupported(resumable.PART_TYPE)
    piece, digests = resumable.append_of(fields), content_digests(fields)
    async with service_of(request).uploads.resume(upload_id, owner=owner_of(request)) as opened:
        if piece.is_last and is_repeated(opened, piece.offset, content_size(fields)):
            return await _complete(request, opened)
        if piece.offset != opened.offset:
            raise OffsetMismatch(opened.offset, piece.offset)
        if opened.upload.is_complete:
            raise UploadIsComplete(upload_id)
        await opened.promise(piece.length, is_ending=piece.is_ending)
        return await _take(request, opened, piece, digests)


async def tell(request: Request, upload_id: str) -> Response:
    """How far an upload is. One whose end was cut off by a crash is brought to it."""
    async with service_of(request).uploads.resume(upload_id, owner=owner_of(request)) as opened:
        if opened.is_full:
            await finish(request, opened)
        return Response(status_code=204, headers=_state(request, opened))


async def cancel(request: Request, upload_id: str) -> Response:
    """Forget an upload."""
    must_be_writable(request)
    await service_of(request).uploads.cancel(upload_id, owner=owner_of(request))
    return Response(status_code=204, headers=NO_STORE)


async def _take(request: Request, opened: OpenUpload, piece: Piece, digests: Mapping[str, bytes]) -> Response:
    size = content_size(fields_of(request))
    try:
        await append_body(request.receive, opened, piece.offset, size=size, digests=digests)
    except (TooLarge, PromiseExceeded):
        await opened.discard()  # the draft's word: what breaks a limit or its own promise is invalid from then on
        raise
    if piece.is_last or opened.is_full:
        return await _complete(request, opened)
    location = {"location": upload_href(request, opened.upload.upload_id)}
    if piece.offset == 0 and request.method != "PATCH":
        return Response(status_code=201, headers={**_state(request, opened), **location})
    return Response(status_code=204, headers=_state(request, opened))


async def _complete(request: Request, opened: OpenUpload) -> Response:
    if not opened.upload.is_complete:
        await opened.promise(opened.offset, is_ending=True)
    complete = {"upload-complete": format_boolean(True)}
    try:
        response = await finish(request, opened, repr_digests(fields_of(request)))
    except _UNREADABLE as error:
        await opened.discard()
        raise ProblemError(problem_of(error), complete.items()) from error
    except _REFUSED as error:
        raise ProblemError(problem_of(error), complete.items()) from error
    response.headers.update({**complete, "upload-offset": str(opened.offset)})
    return response


def _state(request: Request, opened: OpenUpload) -> dict[str, str]:
    state = state_of(opened)
    return {**dict(resumable.state_headers(state)), **dict([limit(request, state)]), **NO_STORE}
