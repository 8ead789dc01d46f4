"""The schemas of what streams tell, record by record, and of jobs and comments: what no model of ours describes."""

from collections.abc import Mapping
from typing import Any, TypeAlias, get_args

from storage import ChangeKind

Schema: TypeAlias = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 0}
_TIME: Schema = {"type": "string", "format": "date-time", "description": "UTC (RFC 3339)."}
_HREF: Schema = {"type": "string", "format": "uri-reference"}
_KEY: Schema = {"type": "string", "description": "Bytes that are no UTF-8 are lone surrogates: `href` is always right."}
_SHA256: Schema = {"type": ["string", "null"], "description": "In hexadecimal digits; null where it is not known yet."}
_BY: Schema = {"const": "other", "description": "Done by others than the server."}
_POSITION: Schema = {"type": "string", "description": "What to come back with, as Last-Event-ID."}
_LAST_ID: Schema = {"type": ["string", "null"], "description": "Where the stream is: what to come back with."}

_ALL_KINDS: tuple[str, ...] = get_args(ChangeKind)
KINDS: Schema = {"type": "array", "items": {"type": "string", "enum": list(_ALL_KINDS)}}


def reference(name: str) -> Schema:
    """The schema that stands under this name among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def event_of(name: str) -> Schema:
    """An event of SSE whose data is such a record, as JSON."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": reference(name)}
    return {"type": "object", "properties": {"event": _TEXT, "id": _TEXT, "retry": _COUNT, "data": data}}


def _record(
    kind: str, description: str, members: Mapping[str, Schema], *, optional: Mapping[str, Schema] = {}
) -> Schema:
    """A JSON object whose `type` is its kind."""
    return {
        "title": kind,
        "description": description,
        "type": "object",
        "required": ["type", *members],
        "properties": {"type": {"const": kind}, **members, **optional},
    }


def _change(kind: str, description: str, members: Mapping[str, Schema], **optional: Schema) -> Schema:
    numbered = {"id": {"type": "integer", "description": "Its number; each is greater than the one before."}}
    return _record(kind, description, {**numbered, "time": _TIME, **members}, optional=optional)


def _one_of(*records: Schema | str) -> Schema:
    """Any of these records, or of the framing's own."""
    framing = ("MetaRecord", "HeartbeatRecord", "EndRecord", "ErrorRecord")
    return {"oneOf": [reference(each) if isinstance(each, str) else each for each in (*records, *framing)]}


_OF_A_FILE = {"key": _KEY, "href": _HREF}
_VERSION = {**_OF_A_FILE, "size": _COUNT, "etag": _TEXT}
_CHANGES = (
    _change(
        "created",
        "A file is there that was not, or a folder (then `key` ends in `/`, and nothing is told of its size).",
        _OF_A_FILE,
        size=_COUNT,
        etag=_TEXT,
        sha256=_SHA256,
        by=_BY,
    ),
    _change("replaced", "A file has other bytes.", _VERSION, sha256=_SHA256, by=_BY),
    _change("deleted", "A file is there no more, or a folder with all that was in it.", _OF_A_FILE, by=_BY),
    _change(
        "moved",
        "A file, or a folder with all that is in it (then `key` and `from` end in `/`), has another name.",
        {**_OF_A_FILE, "from": _KEY},
        size=_COUNT,
        etag=_TEXT,
        sha256=_SHA256,
        by=_BY,
    ),
    _change(
        "upload",
        "How far an upload has come.",
        {"upload": _TEXT, "offset": _COUNT, "length": _COUNT_OR_NULL, "state": {"enum": ["receiving", "discarded"]}},
        **_OF_A_FILE,
    ),
    _change(
        "job",
        "How far a job has come, with counts of its work.",
        {"job": _TEXT, "work": _TEXT, "state": _TEXT, "bytes_done": _COUNT, "bytes_total": _COUNT_OR_NULL},
        **_OF_A_FILE,
    ),
    _change(
        "comment",
        "Something was said about a file, or taken back.",
        {**_OF_A_FILE, "comment": {"oneOf": [reference("Comment"), reference("DeletedComment")]}},
    ),
    _record(
        "reset",
        "What was asked for is not kept any more: look at the files anew. The stream goes on from here.",
        {"id": {"type": "integer"}},
    ),
)
_TAIL = (
    _record(
        "line",
        "A line of the file.",
        {"offset": _COUNT, "line": _TEXT, "id": _POSITION},
        optional={
            "raw": {"type": "string", "contentEncoding": "base64", "description": "The line, where it is no UTF-8."},
            "partial": {"const": True, "description": "The line's end is not in it."},
        },
    ),
    _record(
        "reset",
        "What follows is another file, or this one again, from its first byte on.",
        {"reason": {"enum": ["rotated", "truncated"]}, "offset": {"const": 0}, "id": _POSITION},
    ),
)
_JOB: Schema = {
    "title": "Job",
    "description": "Work that takes longer than a moment. Counts of its work, and what was asked for, are members too.",
    "type": "object",
    "required": ["id", "href", "work", "state", "created", "changed", "bytes_total", "bytes_done", "fault", "saved"],
    "properties": {
        "id": _TEXT,
        "href": _HREF,
        "work": {"enum": ["transform", "verify", "hash", "index"]},
        "prefix": {"type": "string", "description": "Of `verify` and `hash`: what keys begin with."},
        "key": _KEY,
        "state": {"enum": ["waiting", "running", "done", "failed", "cancelled"]},
        "created": _TIME,
        "changed": _TIME,
        "bytes_total": _COUNT_OR_NULL,
        "bytes_done": _COUNT,
        "bytes_out": _COUNT,
        "rate": {"type": ["integer", "null"], "description": "Bytes a second."},
        "time_left_s": {"type": ["number", "null"], "description": "Seconds; null where nobody knows."},
        "fault": {"type": ["object", "null"], "description": "Why it failed: `code`, `reason` and where."},
        "saved": {"type": "array", "items": {"type": "object"}, "description": "The files that it has stored."},
        "rejects": _HREF,
        "findings": _HREF,
    },
}
_COMMENT: Schema = {
    "title": "Comment",
    "description": "Plain text about a file, a moment of its playing (seconds), or a byte.",
    "type": "object",
    "required": ["id", "key", "time", "author", "text", "media_time", "byte_offset"],
    "properties": {
        "id": {"type": "integer"},
        "key": _KEY,
        "time": _TIME,
        "author": _TEXT_OR_NULL,
        "text": _TEXT,
        "media_time": {"type": ["number", "null"]},
        "byte_offset": _COUNT_OR_NULL,
    },
}
_DELETED: Schema = {
    "title": "DeletedComment",
    "type": "object",
    "required": ["id", "is_deleted"],
    "properties": {"id": {"type": "integer"}, "is_deleted": {"const": True}},
}
_PAGE: Schema = {
    "title": "CommentPage",
    "type": "object",
    "required": ["comments", "next"],
    "properties": {
        "comments": {"type": "array", "items": reference("Comment")},
        "next": {**_TEXT_OR_NULL, "description": "The address of the next page."},
    },
}
_ROW: Schema = {
    "title": "ListedRow",
    "description": "A file or folder in a listing.",
    "type": "object",
    "required": ["key", "name", "type", "size", "modified", "media_type", "etag", "sha256", "href"],
    "properties": {
        "key": _KEY,
        "name": _TEXT,
        "type": {"enum": ["file", "folder"]},
        "size": _COUNT_OR_NULL,
        "modified": _TIME,
        "media_type": _TEXT_OR_NULL,
        "etag": _TEXT_OR_NULL,
        "sha256": _SHA256,
        "href": _HREF,
    },
}
_META = _record("meta", "The first record of NDJSON.", {"last_id": _LAST_ID, "heartbeat_s": {"type": "number"}})
_HEARTBEAT = _record("heartbeat", "A sign of life of NDJSON.", {"last_id": _LAST_ID})
_ERROR = _record("error", "The stream is not whole: it ends here.", {"code": _TEXT, "detail": _TEXT})
_END: Schema = _record(
    "end",
    "The last record of NDJSON: so many `records` were told before, or `rows` of a table or listing.",
    {},
    optional={"records": _COUNT, "rows": _COUNT, "reason": {"const": "server-stopping"}},
)

COMPONENTS: Mapping[str, Schema] = {
    "Job": _JOB,
    "Comment": _COMMENT,
    "DeletedComment": _DELETED,
    "CommentPage": _PAGE,
    "CommentOrPage": {"oneOf": [reference("Comment"), reference("CommentPage")]},
    "ListedRow": _ROW,
    "MetaRecord": _META,
    "HeartbeatRecord": _HEARTBEAT,
    "EndRecord": _END,
    "ErrorRecord": _ERROR,
    "ChangeRecord": _one_of(*_CHANGES),
    "TailRecord": _one_of(*_TAIL),
    "TailRecordOrRow": {"oneOf": [reference("TailRecord"), reference("ListedRow")]},
    "JobRecord": _one_of({"allOf": [_record("job", "The job as it is.", {}), reference("Job")]}),
    "CommentRecord": _one_of({"allOf": [_record("comment", "A comment.", {}), reference("Comment")]}),
}
"""By the names that answers refer to. A record of SSE is one of these too, without `meta`, `heartbeat` and `end`."""
