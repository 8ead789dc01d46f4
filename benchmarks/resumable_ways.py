"""The ways to send one file: whole by PUT, or through an upload resource, in PATCHes of tus or of the IETF draft.

One kept connection, and a client that only hands the same bytes to the kernel again: it costs less than any server.
"""

import hashlib
import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from benchmarks.load import LoadFailed

CHUNK = 8 << 20
NAME = "upload"
TUS = {"Tus-Resumable": "1.0.0"}

Body = memoryview | Iterable[memoryview] | None


@dataclass(frozen=True, slots=True)
class Content:
    """A file of so many bytes, at least one: a chunk of noise, again and again."""

    size: int
    chunk: memoryview = field(default_factory=lambda: memoryview(os.urandom(CHUNK)))

    def chunks(self) -> Iterator[memoryview]:
        """All of it; the last chunk may be shorter."""
        for start in range(0, self.size, CHUNK):
            yield self.chunk[: self.size - start]

    def sha256(self) -> str:
        """The digest that the stored file must have."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


Way = Callable[[HTTPConnection, Content], str]
"""Sends the content and returns the path of the URL where it is then. Raises LoadFailed."""


def ask(
    connection: HTTPConnection, method: str, path: str, headers: dict[str, str], *, body: Body = None, status: int
) -> Message:
    """The head of the answer, which must have that status. Raises LoadFailed."""
    try:
        connection.request(method, path, body, headers)
        with connection.getresponse() as answer:
            answer.read()
    except (OSError, HTTPException) as failed:
        raise LoadFailed(f"{method} {path}: {failed!r}") from failed
    if answer.status != status:
        raise LoadFailed(f"{method} {path} is answered with {answer.status}, not {status}")
    return answer.headers


def by_put(connection: HTTPConnection, content: Content) -> str:
    """One plain PUT."""
    path = f"/files/{NAME}"
    ask(connection, "PUT", path, {"Content-Length": str(content.size)}, body=content.chunks(), status=201)
    return path


def by_tus(connection: HTTPConnection, content: Content) -> str:
    """tus 1.0.0, a PATCH for each chunk."""
    upload, offset = tus_creation(connection, content), 0
    for chunk in content.chunks():
        answer = tus_append(connection, upload, offset, chunk, size=len(chunk))
        offset += len(chunk)
    return answer.get("Content-Location", upload)


def by_tus_whole(connection: HTTPConnection, content: Content) -> str:
    """tus 1.0.0, one PATCH for all."""
    upload = tus_creation(connection, content)
    return tus_append(connection, upload, 0, content.chunks(), size=content.size).get("Content-Location", upload)


def tus_creation(connection: HTTPConnection, content: Content) -> str:
    """The path of a new upload resource."""
    metadata = f"filename {b64encode(NAME.encode()).decode()}"
    headers = {**TUS, "Upload-Length": str(content.size), "Upload-Metadata": metadata}
    return location(ask(connection, "POST", "/uploads", headers, status=201))


def tus_append(connection: HTTPConnection, upload: str, offset: int, body: Body, *, size: int) -> Message:
    """The answer to one PATCH. Raises LoadFailed if it does not acknowledge every byte."""
    kind = {"Content-Type": "application/offset+octet-stream", "Content-Length": str(size)}
    answer = ask(connection, "PATCH", upload, {**TUS, **kind, "Upload-Offset": str(offset)}, body=body, status=204)
    acknowledged(answer, offset + size)
    return answer


def by_draft(connection: HTTPConnection, content: Content) -> str:
    """The IETF draft, a PATCH for each chunk; the last one completes."""
    headers = {"Upload-Complete": "?0", "Upload-Length": str(content.size)}
    upload, offset = location(ask(connection, "PUT", f"/files/{NAME}", headers, status=201)), 0
    for chunk in content.chunks():
        end = offset + len(chunk)
        is_last = end == content.size
        state = {"Upload-Offset": str(offset), "Upload-Complete": "?1" if is_last else "?0"}
        headers = {"Content-Type": "application/partial-upload", **state}
        answer = ask(connection, "PATCH", upload, headers, body=chunk, status=201 if is_last else 204)
        acknowledged(answer, end)
        offset = end
    return location(answer)


def acknowledged(answer: Message, offset: int) -> None:
    """Raise LoadFailed if the answer tells another offset."""
    if answer["Upload-Offset"] != str(offset):
        raise LoadFailed(f"the offset is {answer['Upload-Offset']}, not {offset}")


def location(answer: Message) -> str:
    """The path of its Location, which may be a whole URL. Raises LoadFailed if there is none."""
    if answer["Location"] is None:
        raise LoadFailed("the answer has no Location")
    return urlsplit(answer["Location"]).path
