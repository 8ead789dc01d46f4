"""The beginning of an upload, whichever dialect asks for it."""

from collections.abc import Mapping

from fastapi import Request

from fileserver.api.requests import fields_of, must_be_whole, owner_of
from fileserver.api.service import service_of
from fileserver.api.upload_terms import Terms
from fileserver.api.writes import key_taken
from storage import Key, OpenUpload, PreconditionFailed, TooLarge, Upload


async def begin(request: Request, key: Key | None, terms: Terms, length: int | None, *, is_ending: bool) -> Upload:
    """A new upload of the request's owner, unless it is known already that it cannot become what it is for.

    Raises PreconditionFailed, ProblemError, FolderInTheWay, TooLarge, TooManyUploads, NoSpace.
    """
    must_be_whole(fields_of(request))
    max_size = service_of(request).settings.max_size
    if length is not None and max_size is not None and length > max_size:
        raise TooLarge(max_size)
    if key is not None and not terms.holds(await service_of(request).library.stat(key)):
        raise PreconditionFailed(key) if terms.conditions else key_taken(key)
    return await service_of(request).uploads.create(
        owner=owner_of(request), key=key, length=length, is_ending=is_ending, terms=terms.text()
    )


def is_repeated(opened: OpenUpload, offset: int, size: int | None) -> bool:
    """Whether a request only asks again for the last answer of a complete upload, which it may have missed."""
    return opened.upload.is_complete and offset == opened.offset and size == 0


def hexadecimal(digests: Mapping[str, bytes]) -> dict[str, str]:
    """Digests as terms keep them."""
    return {name: digest.hex() for name, digest in digests.items()}
