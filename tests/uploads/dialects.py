"""Clients of both dialects over raw connections, and the fields that both are made of."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.support.server import Server
from tests.support.wire import Answer, Connection, request, request_bytes

Line = tuple[str, str]

VERSION: Line = ("Tus-Resumable", "1.0.0")
OFFSET_TYPE: Line = ("Content-Type", "application/offset+octet-stream")
PARTIAL_TYPE: Line = ("Content-Type", "application/partial-upload")
MORE: Line = ("Upload-Complete", "?0")
LAST: Line = ("Upload-Complete", "?1")
INTEROP: Line = ("Upload-Draft-Interop-Version", "8")

MISMATCHING_OFFSET = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"
INCONSISTENT_LENGTH = "https://iana.org/assignments/http-problem-types#inconsistent-upload-length"

_numbers = count()


@dataclass(frozen=True, slots=True)
class Tus:
    """A client of tus 1.0.0."""

    server: Server

    def ask(self, method: str, target: str | bytes, *lines: Line, body: bytes = b"") -> Answer:
        """One request, with the version unless a line says another."""
        version = () if any(name == VERSION[0] for name, _ in lines) else (VERSION,)
        return request(self.server.port, method, target, *version, *lines, body=body)

    def create(self, key: str, length: int, *lines: Line) -> str:
        """The address of a new upload."""
        made = self.ask("POST", "/uploads", ("Upload-Length", str(length)), metadata(key=key), *lines)
        assert made.status == 201, made
        return told(made, "location")

    def begin(self, key: str, length: int, start: bytes) -> str:
        """The address of a new upload that has its first bytes."""
        target = self.create(key, length)
        if start:
            assert self.patch(target, 0, start).status == 204
        return target

    def patch(self, target: str, offset: int, body: bytes = b"", *lines: Line) -> Answer:
        """Append at this offset."""
        return self.ask("PATCH", target, OFFSET_TYPE, ("Upload-Offset", str(offset)), *lines, body=body)

    def offset(self, target: str) -> int:
        """How many bytes there are."""
        head = self.ask("HEAD", target)
        assert head.status == 200, head
        return int(told(head, "upload-offset"))


@dataclass(frozen=True, slots=True)
class Draft:
    """A client of the IETF's draft."""

    server: Server

    def ask(self, method: str, target: str | bytes, *lines: Line, body: bytes = b"") -> Answer:
        """One request."""
        return request(self.server.port, method, target, *lines, body=body)

    def create(self, key: str, start: bytes = b"", *lines: Line) -> str:
        """The address of a new upload that has its first bytes."""
        made = self.ask("PUT", f"/files/{key}", MORE, *lines, body=start)
        assert made.status == 201, made
        return told(made, "location")

    def patch(self, target: str, offset: int, body: bytes = b"", *lines: Line) -> Answer:
        """Append at this offset; more will come unless a line says that this is the last."""
        is_said = any(name == MORE[0] for name, _ in lines)
        state = () if is_said else (MORE,)
        return self.ask("PATCH", target, PARTIAL_TYPE, ("Upload-Offset", str(offset)), *state, *lines, body=body)

    def finish(self, target: str, offset: int, body: bytes = b"", *lines: Line) -> Answer:
        """Append the last bytes."""
        return self.patch(target, offset, body, LAST, *lines)

    def offset(self, target: str) -> int:
        """How many bytes there are."""
        head = self.ask("HEAD", target)
        assert head.status in (200, 204), head
        return int(told(head, "upload-offset"))


def fresh_key(name: str = "file.bin") -> str:
    """A key that no test had yet."""
    return f"{next(_numbers)}/{name}"


def metadata(**pairs: str | bytes) -> Line:
    """Upload-Metadata of these pairs."""
    encoded = {name: value.encode() if isinstance(value, str) else value for name, value in pairs.items()}
    text = ",".join(f"{name} {base64.b64encode(value).decode()}".rstrip() for name, value in encoded.items())
    return "Upload-Metadata", text


def digest(name: str, content: bytes, *algorithms: str) -> Line:
    """A digest field (RFC 9530) of the content; by SHA-256 if no algorithm is said."""
    hashes = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
    values = ((each, hashes[each](content).digest()) for each in algorithms or ("sha-256",))
    return name, ", ".join(f"{each}=:{base64.b64encode(value).decode()}:" for each, value in values)


def checksum(content: bytes, algorithm: str = "sha1") -> Line:
    """Upload-Checksum of the content."""
    value = hashlib.new(algorithm, content).digest()
    return "Upload-Checksum", f"{algorithm} {base64.b64encode(value).decode()}"


def told(answer: Answer, name: str) -> str:
    """A field of the answer, which must be there."""
    value = answer.head.get(name)
    assert value is not None, (name, answer)
    return value


def problem_of(answer: Answer) -> dict[str, object]:
    """The answer as problem+json (RFC 9457)."""
    assert told(answer, "content-type").startswith("application/problem+json")
    document = json.loads(answer.body)
    assert document["status"] == answer.status
    assert isinstance(document, dict)
    return document


def assert_problem(answer: Answer, status: int, slug: str) -> None:
    """The answer is this problem of ours."""
    assert answer.status == status, (answer, answer.body)
    assert problem_of(answer)["type"] == f"urn:problem-type:fileserver:{slug}"


def draft_path(server: Server, target: str) -> Path:
    """Where the bytes of an upload lie until it is complete."""
    return server.root / ".fileserver" / "drafts" / target.rpartition("/")[2]


def draft_size(server: Server, target: str) -> int:
    """How many bytes of an upload are on the disk; -1 when it has no file there."""
    path = draft_path(server, target)
    return path.stat().st_size if path.exists() else -1


def stored(server: Server, key: str) -> bytes | None:
    """The file under a key."""
    path = server.root / key
    return path.read_bytes() if path.is_file() else None


def assert_stored(server: Server, key: str, content: bytes) -> None:
    """The file has these bytes, and is known by their digest."""
    assert stored(server, key) == content
    assert told(request(server.port, "HEAD", f"/files/{key}"), "repr-digest") == digest("", content)[1]


def chunked(*pieces: bytes) -> bytes:
    """A body in chunks, complete (RFC 9112 s.7.1)."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@contextmanager
def asked_for(server: Server, method: str, target: str, length: int, *lines: Line) -> Iterator[Connection]:
    """A connection whose request is being carried out: the server has asked for the body."""
    with Connection(server.port) as connection:
        head = (("Content-Length", str(length)), ("Expect", "100-continue"), ("Connection", "keep-alive"))
        connection.send(request_bytes(method, target, *head, *lines))
        while (interim := connection.next_head()).status != 100:
            assert interim.status == 104, interim
        yield connection


def tus_patch(offset: int) -> tuple[Line, ...]:
    """The lines of a PATCH of tus at this offset."""
    return VERSION, OFFSET_TYPE, ("Upload-Offset", str(offset))
