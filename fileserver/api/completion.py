"""The end of an upload, whichever dialect brought it there: its bytes become what they were sent for."""

from collections.abc import Mapping

from fastapi import Request, Response

from fileserver.api.forms import store_form
from fileserver.api.requests import file_href
from fileserver.api.upload_terms import Terms, terms_of
from fileserver.api.writes import key_taken, stored_headers
from storage import DigestMismatch, Folder, OpenUpload, PreconditionFailed

_NONE: Mapping[str, bytes] = {}


async def finish(request: Request, opened: OpenUpload, digests: Mapping[str, bytes] = _NONE) -> Response:
    """Publish an upload that is full, if it was not before; answers what the plain upload would have.

    Who asks again after a form is not told its files once more. `digests` are those that the request at the end wants
    the whole to have, besides those of the request at the beginning. Raises DigestMismatch (the upload is gone then),
    PreconditionFailed, ProblemError, and what the library and forms raise.
    """
    terms = terms_of(opened.upload.terms)
    if not opened.upload.is_complete:
        await _check(opened, {**terms.whole(), **digests})
    if terms.folder is not None:
        return await _finish_form(request, opened, terms)
    try:
        upload = await opened.commit(condition=terms.holds)
    except PreconditionFailed as error:
        if terms.conditions:
            raise
        raise key_taken(error.key) from error
    if upload.key is None or upload.sha256 is None:
        return Response(status_code=204)  # a part of another upload
    headers = stored_headers(request, upload.key, upload.sha256, upload.sha256.hex())
    return Response(status_code=201 if upload.is_new else 200, headers=headers)


async def _check(opened: OpenUpload, digests: Mapping[str, bytes]) -> None:
    try:
        await opened.check(digests)
    except DigestMismatch:
        await opened.discard()
        raise


async def _finish_form(request: Request, opened: OpenUpload, terms: Terms) -> Response:
    folder = Folder(terms.folder or "")
    if opened.upload.is_complete:
        headers = {"location": file_href(request, folder), "cache-control": "no-store"}
        return Response(status_code=201, headers=headers)
    answer = await store_form(
        request, opened.content(), folder, terms.content_type, is_replacing=terms.is_replacing, is_retried=True
    )
    await opened.conclude()
    return answer
