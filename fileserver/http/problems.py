"""Errors as the client sees them: application/problem+json (RFC 9457)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TYPE_PREFIX = "urn:problem-type:fileserver:"
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of error: its stable name, the status it is answered with, and a title for people."""

    slug: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """The type's identifier (RFC 9457 s.3.1.1); that of a type registered elsewhere is its own."""
        return self.slug if ":" in self.slug else TYPE_PREFIX + self.slug


IANA = "https://iana.org/assignments/http-problem-types#"

BAD_ENCODING = ProblemType("bad-encoding", 422, "The table is not in its encoding")
BAD_PARAMETER = ProblemType("bad-parameter", 400, "A parameter cannot be understood")
CANNOT_CONVERT = ProblemType("cannot-convert", 422, "The media cannot be made into this")
CONTENT_RANGE_NOT_SUPPORTED = ProblemType("content-range-not-supported", 400, "Parts of a file are not taken")
CROSS_SITE = ProblemType("cross-site-refused", 403, "Another site may not do this")
DAMAGED_MEDIA = ProblemType("damaged-media", 422, "The media file is damaged")
DIGEST_MISMATCH = ProblemType("digest-mismatch", 400, "The bytes are not those that were promised")
FOLDER_IN_THE_WAY = ProblemType("folder-in-the-way", 409, "A file and a folder cannot have one name")
HEADER_TOO_LARGE = ProblemType("header-too-large", 431, "The header fields are too large")
TOO_MANY_CONNECTIONS = ProblemType("too-many-connections", 503, "The server has too many connections")
TOO_MANY_FROM_ADDRESS = ProblemType(
    "too-many-connections-from-address", 429, "Too many connections come from one address"
)
ENGINE_FAILED = ProblemType("engine-failed", 500, "The transform's worker failed")
FORM_TOO_COMPLEX = ProblemType("form-too-complex", 413, "The form has too many or too long parts")
INCONSISTENT_LENGTH = ProblemType(f"{IANA}inconsistent-upload-length", 400, "An upload is given two lengths")
INTERNAL = ProblemType("internal", 500, "The server failed")
INVALID_KEY = ProblemType("invalid-key", 400, "This cannot be the name of a file")
IS_FOLDER = ProblemType("is-a-folder", 404, "This is a folder")
JOB_CANCELLED = ProblemType("job-cancelled", 409, "The job was cancelled")
KEY_BUSY = ProblemType("key-busy", 409, "The file is being written")
KEY_TAKEN = ProblemType("key-taken", 409, "A file has this name already")
MALFORMED_DIGEST = ProblemType("malformed-digest", 400, "A digest cannot be read")
MALFORMED_FORM = ProblemType("malformed-form", 400, "The form cannot be read")
MALFORMED_REQUEST = ProblemType("malformed-request", 400, "The request is malformed")
MALFORMED_ROW = ProblemType("malformed-row", 422, "A row of the table cannot be read")
MALFORMED_TABLE = ProblemType("malformed-table", 422, "The table cannot be read")
MALFORMED_UPLOAD = ProblemType("malformed-upload", 400, "The upload cannot be understood")
MEDIA_BUSY = ProblemType("media-busy", 503, "Too much media work waits for its turn")
MEDIA_ENGINE_FAILED = ProblemType("media-engine-failed", 500, "The worker for media failed")
MEDIA_MISSING = ProblemType("media-missing", 501, "The server lacks what works on media")
MEDIA_OUT_OF_MEMORY = ProblemType("media-out-of-memory", 507, "The media file needs more memory than it may have")
MEDIA_OUT_OF_TIME = ProblemType("media-out-of-time", 422, "The media file takes longer than it may")
METHOD_NOT_ALLOWED = ProblemType("method-not-allowed", 405, "The resource does not have this method")
MISMATCHING_OFFSET = ProblemType(f"{IANA}mismatching-upload-offset", 409, "The upload is at another offset")
MISDIRECTED = ProblemType("misdirected-request", 421, "The request is meant for another server")
NEEDS_STORED_INPUT = ProblemType("needs-stored-input", 409, "The plan reads its table more than once")
NO_SPACE = ProblemType("no-space", 507, "The server has no room for this")
NO_SUCH_TRACK = ProblemType("no-such-track", 404, "The media file has no such part")
NOT_ACCEPTABLE = ProblemType("not-acceptable", 406, "No media type suits")
NOT_MEDIA = ProblemType("not-media", 415, "The file is not of the kind that this is made of")
NOT_FOUND = ProblemType("not-found", 404, "There is nothing here")
NOT_IMPLEMENTED = ProblemType("not-implemented", 501, "The server does not do this")
OTHER_SERVER = ProblemType("other-server", 502, "The destination is on another server")
OUT_OF_MEMORY = ProblemType("out-of-memory", 507, "The transform needs more memory than it may have")
OUT_OF_TIME = ProblemType("out-of-time", 422, "The transform takes longer than it may")
PLAN_FAULT = ProblemType("plan-fault", 400, "The transform cannot be carried out")
PRECONDITION_FAILED = ProblemType("precondition-failed", 412, "A precondition does not hold")
RANGE_NOT_SATISFIABLE = ProblemType("range-not-satisfiable", 416, "The file has no such bytes")
READ_ONLY = ProblemType("read-only", 403, "Nothing can be changed here")
REPLACED = ProblemType("replaced", 410, "The file has been replaced")
REQUEST_TIMEOUT = ProblemType("request-timeout", 408, "The request came too slowly")
SAME_PLACE = ProblemType("same-place", 403, "Source and destination are one place")
SQL_OFF = ProblemType("sql-off", 403, "SQL is not run here")
STORAGE_DEGRADED = ProblemType("storage-degraded", 503, "The storage keeps nothing any more")
STORAGE_UNAVAILABLE = ProblemType("storage-unavailable", 503, "The storage does not answer")
TOO_LARGE = ProblemType("too-large", 413, "The file is too large")
TABLE_FAULT = ProblemType("table-fault", 422, "The table cannot be transformed so")
TOO_MANY_COMMENTS = ProblemType("too-many-comments", 409, "The file has too many comments")
TOO_MANY_JOBS = ProblemType("too-many-jobs", 503, "Too many jobs wait for their turn")
TOO_MANY_REJECTS = ProblemType("too-many-rejects", 422, "Too many rows are at fault")
TOO_MANY_TRANSFORMS = ProblemType("too-many-transforms", 503, "Too many transforms wait for their turn")
TOO_MANY_UPLOADS = ProblemType("too-many-uploads", 429, "Too many uploads are open")
TRASH_OFF = ProblemType("trash-off", 403, "Nothing that is removed is kept here")
TUS_CHECKSUM_MISMATCH = ProblemType("tus-checksum-mismatch", 460, "The bytes have another checksum")
TUS_VERSION = ProblemType("tus-version-not-supported", 412, "This version of tus is not spoken here")
UNSUPPORTED_MEDIA_TYPE = ProblemType("unsupported-media-type", 415, "This media type is not taken")
TOO_MANY_REQUESTS = ProblemType("too-many-requests", 429, "Too many requests wait for an answer")
UPLOAD_BUSY = ProblemType("upload-busy", 423, "Another server is writing this upload")
UPLOAD_COMPLETE = ProblemType("upload-complete", 403, "The upload takes no more bytes")
UPLOAD_EXPIRED = ProblemType("upload-expired", 410, "The upload was left alone for too long")
UPLOAD_TAKEN_OVER = ProblemType("upload-taken-over", 409, "A newer request goes on with this upload")
URI_TOO_LONG = ProblemType("uri-too-long", 414, "The address is too long")
VERSION_NOT_SUPPORTED = ProblemType("http-version-not-supported", 505, "This version of HTTP is not spoken here")
REQUEST_REFUSED = ProblemType("request-refused", 400, "The request cannot be carried out")

REGISTRY: Mapping[str, ProblemType] = {
    each.slug: each for each in list(globals().values()) if isinstance(each, ProblemType)
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One error: its type, what happened this time, and members of its own (RFC 9457 s.3.2).

    `instance` is a reference to where it happened (s.3.1.5), left out where the request's own address says it.
    """

    type: ProblemType
    detail: str
    extensions: Mapping[str, str | int] = field(default_factory=dict)
    instance: str | None = None

    def body(self) -> bytes:
        """The JSON document; characters beyond ASCII are escaped, so that even broken names survive.

        >>> Problem(ProblemType("s", 400, "T"), "\\udcff", {"row": 3}).body()
        b'{"type":"urn:problem-type:fileserver:s","title":"T","status":400,"detail":"\\\\udcff","row":3}'
        """
        members: dict[str, str | int] = {
            "type": self.type.uri,
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
        }
        if self.instance is not None:
            members["instance"] = self.instance
        everything = {**members, **self.extensions, **members}  # no extension stands for a member of the standard
        return json.dumps(everything, separators=(",", ":")).encode()

    def headers(self) -> Headers:
        """The fields that go with the body; no cache keeps an error, no browser takes it for another type."""
        return (
            ("content-type", "application/problem+json"),
            ("content-length", str(len(self.body()))),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        )


class ProblemError(Exception):
    """Raised where a request cannot be answered otherwise."""

    def __init__(self, problem: Problem, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(problem.type.slug)
        self.problem = problem
        self.headers: Headers = tuple(headers)
