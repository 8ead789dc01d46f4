"""What clients ask of a server that is about to fail them, each by its own protocol.

Any step ends in OSError or Truncated when the server goes. A change of a resumable kind that was cut off is run again:
it goes on where the server says that it is, which is never before what the server had acknowledged.
"""

import hashlib
import random
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

from tests.support.wire import Answer, Connection, Head, form_bytes, request_bytes
from tests.uploads.dialects import (
    INTEROP,
    LAST,
    MORE,
    OFFSET_TYPE,
    PARTIAL_TYPE,
    VERSION,
    Line,
    checksum,
    digest,
    metadata,
    told,
)

_BLOCK = 32_768  # bytes that a client sends at once
_MOST_PIECES = 4  # requests that bring the bytes of one upload
_SLOWEST_S = 0.3  # that one body takes


class BrokenPromise(AssertionError):
    """A server did not keep what it had promised."""


@dataclass(slots=True)
class Change(ABC):
    """What a key is to hold: `content`, or nothing any more when that is None."""

    is_resumable: ClassVar[bool] = False

    key: str
    content: bytes | None
    chance: random.Random
    is_new: bool
    """Whether the key holds nothing before."""
    goal: str | None = field(init=False)
    """The SHA-256 of the content."""

    def __post_init__(self) -> None:
        self.goal = None if self.content is None else hashlib.sha256(self.content).hexdigest()

    @abstractmethod
    def run(self, port: int) -> Answer:
        """Do all that is left to do; the last answer, which is a refusal unless it is of the 2xx."""

    def ask(self, port: int, method: str, target: str, *lines: Line, body: bytes = b"") -> Answer:
        """One request, often a slow one."""
        with Connection(port) as connection:
            self.send(connection, request_bytes(method, target, *lines, body=body))
            return connection.answer(method=method)

    def send(self, connection: Connection, message: bytes) -> None:
        """Send all of a message, unless the answer is there before."""
        slowness_s = self.chance.uniform(0, _SLOWEST_S) if self.chance.random() < 0.4 else 0
        starts = range(0, len(message), _BLOCK)
        with suppress(ConnectionError):
            for start in starts:
                connection.send(message[start : start + _BLOCK])
                if slowness_s:
                    time.sleep(slowness_s / len(starts))

    def often(self, line: Line) -> tuple[Line, ...]:
        """A line that every other request has."""
        return (line,) if self.chance.random() < 0.5 else ()


class Delete(Change):
    """DELETE."""

    def run(self, port: int) -> Answer:
        """See `Change.run`."""
        return self.ask(port, "DELETE", f"/files/{self.key}")


class Put(Change):
    """PUT."""

    def run(self, port: int) -> Answer:
        """See `Change.run`."""
        body = self.content or b""
        answer = self.ask(port, "PUT", f"/files/{self.key}", *self.often(digest("Repr-Digest", body)), body=body)
        return with_digest_of(answer, body)


class Form(Change):
    """A multipart form with one file."""

    def run(self, port: int) -> Answer:
        """See `Change.run`."""
        folder, _, name = self.key.rpartition("/")
        content_type, body = form_bytes((name, self.content or b""))
        target = f"/files/{folder}/".replace("//", "/") + ("" if self.is_new else "?replace=true")
        return self.ask(port, "POST", target, content_type, ("Accept", "application/json"), body=body)


@dataclass(slots=True)
class Resumable(Change):
    """An upload in several pieces, which has an address once the server has told it."""

    is_resumable: ClassVar[bool] = True

    target: str | None = None
    offset: int = 0
    """As far as the server has acknowledged."""
    is_over: bool = False
    """Whether the server has acknowledged the whole."""

    @abstractmethod
    def create(self, port: int) -> Answer:
        """Begin the upload; sets `target`, `offset` and `is_over`."""

    @abstractmethod
    def tell(self, port: int) -> Answer:
        """Ask how far the upload is."""

    @abstractmethod
    def append(self, port: int, piece: bytes, *, is_last: bool) -> Answer:
        """Send a piece; sets `is_over` where that was all."""

    def run(self, port: int) -> Answer:
        """See `Change.run`."""
        answer = self.create(port) if self.target is None else self.resume(port)
        while answer.status < 300 and not self.is_over:
            piece = self.next_piece()
            answer = self.append(port, piece, is_last=self.offset + len(piece) == len(self.bytes_))
            if answer.status < 300:
                self.offset += len(piece)
        return answer

    def resume(self, port: int) -> Answer:
        """Ask how far the upload is, and hold the server to what it has said before."""
        answer = self.tell(port)
        if 300 <= answer.status < 500:
            raise BrokenPromise(f"{self.target} of {self.key}, acknowledged to {self.offset}, is {answer.status}")
        if answer.status >= 500:
            return answer
        offset = int(told(answer, "upload-offset"))
        if not self.offset <= offset <= len(self.bytes_):
            raise BrokenPromise(f"{self.target} of {self.key}, acknowledged to {self.offset}, is at {offset}")
        self.offset = offset
        return answer

    @property
    def bytes_(self) -> bytes:
        """The content, which an upload always has."""
        return self.content or b""

    def next_piece(self) -> bytes:
        """Bytes from the offset on: often all that there are."""
        rest = len(self.bytes_) - self.offset
        size = rest if self.chance.random() < 1 / _MOST_PIECES else self.chance.randint(0, rest)
        return self.bytes_[self.offset : self.offset + size]


class Tus(Resumable):
    """tus 1.0.0; over once it has its length."""

    def create(self, port: int) -> Answer:
        """See `Resumable.create`."""
        piece = self.next_piece() if self.chance.random() < 0.5 else b""
        names = {"key": self.key} if self.is_new else {"key": self.key, "replace": "true"}
        lines = VERSION, ("Upload-Length", str(len(self.bytes_))), metadata(**names)
        carried = (OFFSET_TYPE, *self.often(checksum(piece))) if piece else ()
        answer = self.ask(port, "POST", "/uploads", *lines, *carried, body=piece)
        if answer.status == 201:
            self.target, self.offset = told(answer, "location"), len(piece)
            self.is_over = self.offset == len(self.bytes_)
        return answer

    def tell(self, port: int) -> Answer:
        """See `Resumable.tell`. An upload that has its length is over by this at the latest."""
        answer = self.ask(port, "HEAD", self.target or "", VERSION)
        self.is_over = answer.head.get("upload-offset") == str(len(self.bytes_))
        return answer

    def append(self, port: int, piece: bytes, *, is_last: bool) -> Answer:
        """See `Resumable.append`."""
        lines = VERSION, OFFSET_TYPE, ("Upload-Offset", str(self.offset)), *self.often(checksum(piece))
        answer = self.ask(port, "PATCH", self.target or "", *lines, body=piece)
        self.is_over = is_last and answer.status == 204
        return with_digest_of(answer, self.bytes_) if self.is_over else answer


class Ietf(Resumable):
    """The IETF's draft; over once the server has answered a piece that was said to be the last."""

    def create(self, port: int) -> Answer:
        """See `Resumable.create`. Every other client learns the address before it sends the first piece."""
        piece = self.next_piece()
        is_last = len(piece) == len(self.bytes_)
        lines = (LAST if is_last else MORE), *self.often(INTEROP), *self.often(digest("Repr-Digest", self.bytes_))
        message = request_bytes("PUT", f"/files/{self.key}", *lines, body=piece)
        with Connection(port) as connection:
            head = self._begun(connection, message) if INTEROP in lines else self._sent(connection, message)
            answer = Answer(head, connection.body(head))
        if answer.status < 300:
            self.target = self.target or told(answer, "location")
            self.offset, self.is_over = len(piece), is_last
        return with_digest_of(answer, self.bytes_) if self.is_over else answer

    def tell(self, port: int) -> Answer:
        """See `Resumable.tell`."""
        answer = self.ask(port, "HEAD", self.target or "")
        self.is_over = answer.head.get("upload-complete") == "?1"
        return answer

    def append(self, port: int, piece: bytes, *, is_last: bool) -> Answer:
        """See `Resumable.append`."""
        lines = PARTIAL_TYPE, ("Upload-Offset", str(self.offset)), (LAST if is_last else MORE)
        answer = self.ask(
            port, "PATCH", self.target or "", *lines, *self.often(digest("Content-Digest", piece)), body=piece
        )
        self.is_over = is_last and answer.status in (200, 201)
        return with_digest_of(answer, self.bytes_) if self.is_over else answer

    def _begun(self, connection: Connection, message: bytes) -> Head:
        head, end, body = message.partition(b"\r\n\r\n")
        connection.send(head + end)
        begun = connection.next_head()
        if begun.status == 104:
            self.target = begun.get("location")
            self.send(connection, body)
        return connection.head() if begun.status < 200 else begun

    def _sent(self, connection: Connection, message: bytes) -> Head:
        self.send(connection, message)
        return connection.head()


def with_digest_of(answer: Answer, content: bytes) -> Answer:
    """The answer; BrokenPromise when it acknowledges other bytes than these."""
    expected = f'"{hashlib.sha256(content).hexdigest()}"', digest("Repr-Digest", content)[1]
    told_of = answer.head.get("etag"), answer.head.get("repr-digest")
    if answer.status < 300 and told_of != expected:
        raise BrokenPromise(f"{told_of} acknowledges {expected}")
    return answer
