"""An HTTP/1.1 client with no opinions: what is sent is what the test wrote, byte for byte.

It normalises nothing, follows nothing, retries nothing; a test may stop in mid-head, read a little and leave, or leave
by reset. Reading is as strict as a good client's: a body that ends before its length or its last chunk is Truncated.
"""

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self, TypeAlias

End: TypeAlias = Literal["close", "reset"]


class Truncated(Exception):
    """The connection ended before the message did; carries the body bytes that came."""

    def __init__(self, received: bytes) -> None:
        super().__init__(f"the message was cut off after {len(received)} body bytes")
        self.received = received


@dataclass(frozen=True, slots=True)
class Head:
    """A response's status line and header section."""

    status: int
    fields: tuple[tuple[str, str], ...]
    interim: tuple["Head", ...] = ()
    """The 1xx heads that came before this one."""

    def get(self, name: str) -> str | None:
        """The value of a field, several lines joined with a comma; None when it is absent."""
        values = [value for key, value in self.fields if key == name.lower()]
        return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    head: Head
    body: bytes = field(repr=False)

    @property
    def status(self) -> int:
        """The final status."""
        return self.head.status


@dataclass(slots=True)
class Connection:
    """One TCP connection to a server on loopback.

    `receive_buffer` (bytes) makes a client that takes little at once, `source` one that comes from another address.
    """

    port: int
    timeout_s: float = 20
    receive_buffer: int | None = None
    source: str | None = None
    sent: int = 0
    """Bytes handed to the kernel so far."""
    _socket: socket.socket = field(init=False)
    _pending: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if self.receive_buffer is not None:  # before connecting, or the window is already agreed
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self._socket.settimeout(self.timeout_s)
        try:
            if self.source is not None:
                self._socket.bind((self.source, 0))
            self._socket.connect(("127.0.0.1", self.port))
        except OSError:
            self._socket.close()
            raise
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, content: bytes) -> None:
        """Send all of it; ConnectionError when the server has closed."""
        view = memoryview(content)
        while view:
            count = self._socket.send(view)
            self.sent += count
            view = view[count:]

    def head(self) -> Head:
        """The next final head, with the interim ones before it."""
        interim: list[Head] = []
        while (head := self.next_head()).status < 200 and head.status != 101:
            interim.append(head)
        return Head(head.status, head.fields, tuple(interim))

    def next_head(self) -> Head:
        """The next head of any status."""
        text = self._read_until(b"\r\n\r\n").decode("latin-1")
        first, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
        version, status, *_ = first.split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), f"not a status line: {first!r}"
        pairs = (line.split(":", 1) for line in lines)
        return Head(int(status), tuple((name.lower(), value.strip()) for name, value in pairs))

    def body(self, head: Head, *, method: str = "GET") -> bytes:
        """The body that belongs to `head` (RFC 9112 s.6.3); Truncated when it ends early."""
        if method == "HEAD" or head.status in (204, 304) or head.status < 200:
            return b""
        if (head.get("transfer-encoding") or "").lower() == "chunked":
            return self._chunked()
        if (length := head.get("content-length")) is not None:
            return self.read(int(length))
        return self.read_to_end()

    def answer(self, *, method: str = "GET") -> Answer:
        """The next whole response."""
        head = self.head()
        return Answer(head, self.body(head, method=method))

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes, or Truncated."""
        while len(self._pending) < count:
            if not self._receive():
                raise Truncated(bytes(self._pending))
        taken = bytes(self._pending[:count])
        del self._pending[:count]
        return taken

    def read_to_end(self) -> bytes:
        """All bytes until the server closes; a reset counts as a close."""
        while self._receive():
            pass
        taken = bytes(self._pending)
        self._pending.clear()
        return taken

    def ending(self) -> tuple[bytes, End]:
        """What the server still sends, and how it then ends the connection. Ask once: a reset is told but once."""
        try:
            while received := self._socket.recv(262144):
                self._pending += received
        except ConnectionResetError:
            end: End = "reset"
        else:
            end = "close"
        taken = bytes(self._pending)
        self._pending.clear()
        return taken, end

    @property
    def own_port(self) -> int:
        """The port at this end."""
        return int(self._socket.getsockname()[1])

    def finish(self) -> None:
        """Say that nothing more will be sent (FIN), and go on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Leave politely (FIN, or RST when unread bytes are waiting)."""
        self._socket.close()

    def reset(self) -> None:
        """Leave abruptly: RST, nothing more is sent or read."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _chunked(self) -> bytes:
        body = bytearray()
        while True:
            try:
                size = int(self._read_until(b"\r\n").split(b";")[0], 16)
                if size == 0:
                    assert self._read_until(b"\r\n") == b"\r\n", "trailers were sent"
                    return bytes(body)
                body += self.read(size)
                assert self.read(2) == b"\r\n", "a chunk does not end where it said"
            except Truncated as cut:
                raise Truncated(bytes(body) + cut.received) from None

    def _read_until(self, end: bytes) -> bytes:
        while (position := self._pending.find(end)) < 0:
            if not self._receive():
                raise Truncated(b"")
        return self.read(position + len(end))

    def _receive(self) -> bool:
        try:
            received = self._socket.recv(262144)
        except ConnectionResetError:
            return False
        self._pending += received
        return bool(received)


def request(
    port: int, method: str, target: str | bytes, *fields: tuple[str, str], body: bytes = b"", timeout_s: float = 20
) -> Answer:
    """One request on a connection of its own, and its whole answer. The target goes out as it stands.

    Content-Length is added where there is a body or the method calls for one, unless a field says otherwise.
    """
    with Connection(port, timeout_s) as connection:
        with suppress(ConnectionError):  # refused early: the answer is waiting all the same
            connection.send(request_bytes(method, target, *fields, body=body))
        return connection.answer(method=method)


def request_bytes(method: str, target: str | bytes, *fields: tuple[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire; the connection is to be closed after it unless a field says otherwise."""
    given = {name.lower() for name, _ in fields}
    defaults = [("Host", "127.0.0.1"), ("Connection", "close")]
    if body or method in ("PUT", "POST", "PATCH"):
        defaults.append(("Content-Length", str(len(body))))
    if "transfer-encoding" in given:
        given.add("content-length")
    lines = [*((name, value) for name, value in defaults if name.lower() not in given), *fields]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines).encode("utf-8", "surrogateescape")
    raw = target.encode("utf-8", "surrogateescape") if isinstance(target, str) else target
    return method.encode() + b" " + raw + b" HTTP/1.1\r\n" + head + b"\r\n" + body


def form_bytes(
    *parts: tuple[str | bytes, bytes], boundary: str = "a-boundary-of-ours", is_closed: bool = True
) -> tuple[tuple[str, str], bytes]:
    """The Content-Type field and body of a multipart form with a `file` part for each (file name, content).

    The name is put between quotes as it stands, so that a test may say anything a hostile client would.
    """
    pieces = []
    for name, content in parts:
        raw = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
        disposition = b'Content-Disposition: form-data; name="file"; filename="' + raw + b'"'
        head = [b"--" + boundary.encode(), disposition, b"Content-Type: application/octet-stream", b"", b""]
        pieces.append(b"\r\n".join(head) + content + b"\r\n")
    if is_closed:
        pieces.append(f"--{boundary}--\r\n".encode())
    return ("Content-Type", f"multipart/form-data; boundary={boundary}"), b"".join(pieces)
