"""Resumable uploads by the IETF (draft-ietf-httpbis-resumable-upload), interop versions 8 and 6: the same fields."""

from dataclasses import dataclass

from fileserver.http.fields import Fields
from fileserver.http.structured_fields import boolean, format_boolean, integer
from fileserver.http.upload_state import Headers, MalformedUpload, UploadState

PART_TYPE = "application/partial-upload"
INTERIM_STATUS = 104  # Upload Resumption Supported
_OLD_VERSION = 6
_VERSIONS = frozenset({_OLD_VERSION, 8})


@dataclass(frozen=True, slots=True)
class Piece:
    """What a request says of the bytes it brings.

    `is_last`: the upload is complete with them. `length` is that of the whole upload, where it can be told from the
    request (s. "Length"). `is_ending`: the upload is complete once it has its length.
    """

    offset: int
    is_last: bool
    length: int | None
    is_ending: bool


class InconsistentLength(ValueError):
    """A request says two lengths of one upload."""


def creates_upload(fields: Fields) -> bool:
    """Whether a request invites the server to make an upload of it (s. "Upload Creation")."""
    return boolean(fields, "upload-complete") is not None


def interim_version(fields: Fields) -> str | None:
    """The version of the draft that client and server both speak: only with one the client is told by a 104."""
    version = integer(fields, "upload-draft-interop-version")
    return str(version) if version in _VERSIONS else None


def creation_of(fields: Fields) -> Piece:
    """The first piece of an upload. Raises InconsistentLength."""
    return _piece(fields, 0, is_last=boolean(fields, "upload-complete") is True)


def append_of(fields: Fields) -> Piece:
    """A further piece. Raises MalformedUpload, InconsistentLength."""
    offset, is_last = integer(fields, "upload-offset"), boolean(fields, "upload-complete")
    if offset is None or is_last is None:
        raise MalformedUpload("Upload-Offset and Upload-Complete are needed: an integer, and ?0 or ?1.")
    return _piece(fields, offset, is_last=is_last)


def _piece(fields: Fields, offset: int, *, is_last: bool) -> Piece:
    content_length = fields.only("content-length")
    said = integer(fields, "upload-length")
    implied = offset + int(content_length) if is_last and content_length is not None else None
    if None not in {said, implied} and said != implied:
        raise InconsistentLength
    length = implied if said is None else said
    # tus-js-client, of version 6, never says ?1 of a stream whose length it has told
    is_old = integer(fields, "upload-draft-interop-version") == _OLD_VERSION
    return Piece(offset, is_last, length, is_ending=is_old or (is_last and length is not None))


def state_headers(state: UploadState) -> Headers:
    """What HEAD tells of an upload, its limits aside."""
    length: Headers = () if state.length is None else (("upload-length", str(state.length)),)
    return (
        ("upload-offset", str(state.offset)),
        ("upload-complete", format_boolean(state.is_complete)),
        *length,
    )


def limit(max_size: int | None, max_age_s: int) -> str:
    """Upload-Limit, a dictionary.

    >>> limit(1000, 60)
    'max-size=1000, max-age=60'
    """
    sizes = "" if max_size is None else f"max-size={max_size}, "
    return f"{sizes}max-age={max_age_s}"
