"""Resumable uploads by tus 1.0.0 (tus.io/protocols/resumable-upload), with its extensions."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from fileserver.http.dates import format_http_date
from fileserver.http.fields import Fields
from fileserver.http.upload_state import Headers, MalformedUpload, UploadState

VERSION = "1.0.0"
CHUNK_TYPE = "application/offset+octet-stream"
CHECKSUM_MISMATCH = 460
EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "termination",
    "checksum",
    "expiration",
    "concatenation",
)
CHECKSUMS: Mapping[str, int] = {"sha1": 20, "sha256": 32, "sha512": 64}
"""The algorithms, by their names in `hashlib` too, and their digests' bytes."""

RESUMABLE: Headers = (("tus-resumable", VERSION),)
_NUMBER = re.compile(r"\d{1,40}", re.ASCII)
_METADATA_SIZE = 4096  # it is kept as long as the upload is known
_LONGEST = (1 << 63) - 1  # bytes of a file, to any system
_PAIR = re.compile(r"([!-+\--~]+)(?: +([A-Za-z0-9+/]*={0,2}))?")
_FINAL = "final;"


@dataclass(frozen=True, slots=True)
class Creation:
    """What a request asks for that makes an upload. `parts` are the addresses of those that a final one is made of."""

    length: int | None
    metadata: Mapping[str, bytes]
    metadata_text: str
    concat: str
    parts: tuple[str, ...]
    has_content: bool


@dataclass(frozen=True, slots=True)
class Append:
    """Where a body goes; `length` is promised with it, if it was not before."""

    offset: int
    length: int | None


def creation_of(fields: Fields) -> Creation:
    """What a creation asks for. Raises MalformedUpload."""
    length, text, concat = _length(fields), fields.only("upload-metadata") or "", _concat(fields)
    is_final = concat.startswith(_FINAL)
    is_deferred = _is_deferred(fields)
    if is_final and (length is not None or is_deferred):
        raise MalformedUpload("A final upload has the length of its parts: leave Upload-Length out.")
    if not is_final and (length is None) is not is_deferred:
        raise MalformedUpload("Give either Upload-Length or Upload-Defer-Length: 1.")
    return Creation(
        length,
        parse_metadata(fields.lines("upload-metadata")),
        text,
        concat,
        tuple(concat.removeprefix(_FINAL).split()) if is_final else (),
        (fields.only("content-type") or "").partition(";")[0].strip().lower() == CHUNK_TYPE,
    )


def append_of(fields: Fields) -> Append:
    """Where a PATCH goes. Raises MalformedUpload."""
    offset = number(fields, "upload-offset")
    if offset is None:
        raise MalformedUpload("Upload-Offset is missing.")
    return Append(offset, _length(fields))


def checksum_of(fields: Fields) -> dict[str, bytes]:
    """The digest that the body has to have, by its algorithm; empty without one. Raises MalformedUpload."""
    lines = fields.lines("upload-checksum")
    if not lines:
        return {}
    algorithm, _, encoded = lines[0].partition(" ")
    if len(lines) > 1 or algorithm not in CHECKSUMS:
        raise MalformedUpload(f"Upload-Checksum is one of {', '.join(CHECKSUMS)}, a space and the digest in base64.")
    digest = _decoded(encoded.strip(" "), "Upload-Checksum")
    if len(digest) != CHECKSUMS[algorithm]:
        raise MalformedUpload("The digest of Upload-Checksum has not the length of its algorithm.")
    return {algorithm: digest}


def parse_metadata(lines: tuple[str, ...]) -> dict[str, bytes]:
    """The pairs of Upload-Metadata; a value may be empty. Raises MalformedUpload.

    >>> parse_metadata(("filename bm90ZS50eHQ=,is_draft",))
    {'filename': b'note.txt', 'is_draft': b''}
    """
    if len(lines) > 1 or len("".join(lines)) > _METADATA_SIZE:
        raise MalformedUpload(f"Upload-Metadata is one field of at most {_METADATA_SIZE} bytes.")
    pairs: dict[str, bytes] = {}
    for text in lines[0].split(",") if lines and lines[0] else ():
        match = _PAIR.fullmatch(text.strip(" "))
        if match is None or match[1] in pairs:
            raise MalformedUpload("Upload-Metadata has a pair that cannot be read, or a key twice.")
        pairs[match[1]] = _decoded(match[2] or "", "Upload-Metadata")
    return pairs


def number(fields: Fields, name: str) -> int | None:
    """A non-negative integer; None where the field is absent. Raises MalformedUpload."""
    lines = fields.lines(name)
    if not lines:
        return None
    if len(lines) > 1 or _NUMBER.fullmatch(lines[0]) is None:
        raise MalformedUpload(f"{name} is one non-negative integer.")
    return int(lines[0])


def state_headers(state: UploadState) -> Headers:
    """What HEAD tells of an upload."""
    length = ("upload-defer-length", "1") if state.length is None else ("upload-length", str(state.length))
    is_growing_final = state.concat.startswith(_FINAL) and not state.is_complete
    told: Headers = () if is_growing_final else (("upload-offset", str(state.offset)),)
    told = (*told, length, *expires(state))
    if state.metadata:
        told = (*told, ("upload-metadata", state.metadata))
    if state.concat:
        told = (*told, ("upload-concat", state.concat))
    return told


def expires(state: UploadState) -> Headers:
    """When an unfinished upload is thrown away (extension "expiration")."""
    return () if state.is_complete else (("upload-expires", format_http_date(state.expires_at_s)),)


def offers(max_size: int | None) -> Headers:
    """What OPTIONS tells of the server."""
    told = (
        *RESUMABLE,
        ("tus-version", VERSION),
        ("tus-extension", ",".join(EXTENSIONS)),
        ("tus-checksum-algorithm", ",".join(CHECKSUMS)),
    )
    return told if max_size is None else (*told, ("tus-max-size", str(max_size)))


def _length(fields: Fields) -> int | None:
    length = number(fields, "upload-length")
    if length is not None and length > _LONGEST:
        raise MalformedUpload("Upload-Length is longer than any file.")
    return length


def _is_deferred(fields: Fields) -> bool:
    lines = fields.lines("upload-defer-length")
    if lines not in {(), ("1",)}:
        raise MalformedUpload("Upload-Defer-Length is 1 or left out.")
    return bool(lines)


def _concat(fields: Fields) -> str:
    lines = fields.lines("upload-concat")
    text = lines[0] if lines else ""
    is_known = text in {"", "partial"} or (text.startswith(_FINAL) and text.removeprefix(_FINAL).strip(" ") != "")
    if len(lines) > 1 or not is_known:
        raise MalformedUpload("Upload-Concat is `partial`, or `final;` and the addresses of partial uploads.")
    return text


def _decoded(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # also where the text is not ASCII
        raise MalformedUpload(f"{name} is not base64.") from error
