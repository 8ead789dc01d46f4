"""What all ways to write a file share: the conditions of a request, and what it is told of the stored file."""

import time

from fastapi import Request

from fileserver.api.requests import file_href
from fileserver.delivery.download import representation_of
from fileserver.http import problems
from fileserver.http.conditions import Validators, Verdict, evaluate
from fileserver.http.digests import format_digest, wants
from fileserver.http.fields import Fields
from fileserver.http.problems import Problem, ProblemError
from storage import Condition, Entry, Key, name_of


def condition_of(fields: Fields, method: str) -> Condition:
    """The request's preconditions, as a question that can be asked of what is stored (RFC 9110 s.13.2)."""

    def holds(current: Entry | None) -> bool:
        validators = None if current is None else _validators(current)
        return evaluate(method, fields, validators, now_s=int(time.time())) is Verdict.PROCEED

    return holds


def is_free(current: Entry | None) -> bool:
    """The condition of a write that replaces nothing."""
    return current is None


def key_taken(key: str) -> ProblemError:
    """A file has the name, and the request does not say that it may be replaced."""
    detail = f"There is a file {name_of(Key(key))} already. Say replace=true to replace it."
    return ProblemError(Problem(problems.KEY_TAKEN, detail))


def stored_headers(request: Request, key: Key, sha256: bytes | None, etag: str) -> dict[str, str]:
    """Where the stored file is, and which version."""
    headers = {
        "location": file_href(request, key),
        "etag": f'"{etag}"',
        "cache-control": "no-store",
        "content-length": "0",
    }
    if sha256 is not None and wants(request.headers.getlist("want-repr-digest"), "sha-256"):
        headers["repr-digest"] = format_digest("sha-256", sha256)
    return headers


def _validators(entry: Entry) -> Validators:
    return Validators(representation_of(entry).etag, entry.modified_ns // 1_000_000_000)
