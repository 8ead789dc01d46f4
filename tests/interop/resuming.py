"""The least client that can resume: asks how far the upload is, sends a piece from there, and asks again when cut off.

It checks what no client of others does: that no offset it is told lies before one that it was told earlier.
"""

import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

from tests.support.wire import Connection, Head, Truncated, request, request_bytes

Fields: TypeAlias = Mapping[str, str]

_MOST_ATTEMPTS = 2000


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a protocol wants said: on every request, on creation, and on a PATCH that is or is not the last."""

    always: Fields
    creation: Fields
    media_type: str
    is_completion_told: bool

    def appending(self, offset: int, *, is_last: bool) -> Fields:
        """The fields of a PATCH."""
        told = {"Upload-Complete": "?1" if is_last else "?0"} if self.is_completion_told else {}
        return {**self.always, "Content-Type": self.media_type, "Upload-Offset": str(offset), **told}


TUS = Dialect(
    always={"Tus-Resumable": "1.0.0"},
    creation={},
    media_type="application/offset+octet-stream",
    is_completion_told=False,
)
DRAFT = Dialect(
    always={},
    creation={"Upload-Complete": "?0", "Upload-Draft-Interop-Version": "8"},
    media_type="application/partial-upload",
    is_completion_told=True,
)


def created(port: int, dialect: Dialect, key: str, size: int) -> str:
    """The path of a new upload that is to become the file of this key."""
    metadata = {"Upload-Metadata": f"key {base64.b64encode(key.encode()).decode()}", "Upload-Length": str(size)}
    fields = {**dialect.always, **dialect.creation, **metadata}
    answer = request(port, "POST", "/uploads", *fields.items())
    assert answer.status == 201, answer.body
    return urlsplit(answer.head.get("location") or "").path


@dataclass(slots=True)
class Sender:
    """Sends one content to one upload, over a network that may break at any byte."""

    port: int
    path: str
    content: bytes
    dialect: Dialect
    pieces: random.Random
    """Draws how much a PATCH carries, up to `most`."""
    most: int
    attempts: int = 0
    told: list[int] = field(default_factory=lambda: [0])
    """Every offset that the server told, in order."""

    def send(self) -> None:
        """Return when the server has said that all has come."""
        while self.attempts < _MOST_ATTEMPTS:
            self.attempts += 1
            try:
                with Connection(self.port) as connection:
                    self._go_on(connection)
            except (ConnectionError, Truncated):
                continue
            return
        raise AssertionError(f"still not whole after {_MOST_ATTEMPTS} connections: {self.told[-10:]}")

    def _go_on(self, connection: Connection) -> None:
        """Ask once, then send to the end."""
        head = self._answered(connection, "HEAD", self.dialect.always, b"")
        while not self._is_complete(head):
            start = self.told[-1]
            piece = self.content[start : start + self.pieces.randint(1, self.most)]
            fields = self.dialect.appending(start, is_last=start + len(piece) == len(self.content))
            head = self._answered(connection, "PATCH", fields, piece)

    def _answered(self, connection: Connection, method: str, fields: Fields, body: bytes) -> Head:
        connection.send(request_bytes(method, self.path, ("Connection", "keep-alive"), *fields.items(), body=body))
        answer = connection.answer(method=method)
        assert 200 <= answer.status < 300, f"{answer.status} to {method} at {self.told[-1]}: {answer.body!r}"
        offset = int(answer.head.get("upload-offset") or -1)
        assert self.told[-1] <= offset <= len(self.content), f"{offset} after {self.told[-10:]}"
        self.told.append(offset)
        return answer.head

    def _is_complete(self, head: Head) -> bool:
        if self.dialect.is_completion_told:
            return head.get("upload-complete") == "?1"
        return self.told[-1] == len(self.content)
