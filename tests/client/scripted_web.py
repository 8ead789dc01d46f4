"""A web server whose every answer a test decides, and a tus server that fails as it is told."""

import socket
import struct
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fields = dict[str, str]


@dataclass(slots=True)
class Asked:
    """A request whose body is still to be read."""

    method: str
    path: str
    fields: Fields
    """By names in lower case."""
    read: Callable[[int], bytes]
    """The next bytes of the body, at most so many."""

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return int(self.fields.get("content-length", "0"))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; Content-Length is added where no field says it."""

    status: int = 200
    fields: Fields = field(default_factory=dict)
    body: bytes = b""
    sent: int | None = None
    """How many bytes of the body go out before the connection is cut; None for all, without a cut."""
    drips: bool = False
    """Instead of the cut, the rest goes out 1 KiB at a time, some fifty a second."""


Said = Reply | Literal["cut"]
Script = Callable[[Asked], Said]


@contextmanager
def scripted_web(script: Script) -> Iterator[str]:
    """A server on loopback that answers by the script; yields its origin. "cut" is no answer, but a reset."""
    server = _WebServer(script)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.is_ending.set()
        server.shutdown()
        serving.join()
        server.server_close()


class _WebServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.is_ending = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _WebServer

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.rest = int(self.headers.get("content-length") or 0)
        asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, self._read)
        reply = self.server.script(asked)
        if reply == "cut":
            self._cut()
        else:
            self._answer(reply, asked)

    def _read(self, count: int) -> bytes:
        block = self.rfile.read(min(count, self.rest))
        self.rest -= len(block)
        return block

    def _answer(self, reply: Reply, asked: Asked) -> None:
        length = {} if reply.status == 204 else {"Content-Length": str(len(reply.body))}
        self.send_response_only(reply.status)
        for name, value in {**length, **reply.fields}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if asked.method == "HEAD" else reply.body[: reply.sent])
        if reply.drips:
            self._drip(reply.body[reply.sent :])
        elif reply.sent is not None:
            self._cut()
        elif self.rest:
            self._linger()

    def _drip(self, body: bytes) -> None:
        for start in range(0, len(body), 1024):
            self.wfile.write(body[start : start + 1024])
            if self.server.is_ending.wait(0.02):
                break

    def _cut(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)
        self.close_connection = True

    def _linger(self) -> None:
        """Read what is not wanted, or the reset would overtake the answer."""
        self.connection.shutdown(socket.SHUT_WR)
        while self.rfile.read1(65536):
            pass
        self.close_connection = True


def ranged(asked: Asked, content: bytes, **fields: str) -> Reply:
    """What an honest server answers to a GET or HEAD, with these fields besides (`etag="..."`)."""
    own = {"Accept-Ranges": "bytes", **{name.replace("_", "-"): value for name, value in fields.items()}}
    wanted = asked.fields.get("range")
    if wanted is None or asked.fields.get("if-range", fields.get("etag")) != fields.get("etag"):
        return Reply(200, own, content)
    first, last = (int(digits) for digits in wanted.removeprefix("bytes=").split("-"))
    return Reply(206, {**own, "Content-Range": f"bytes {first}-{last}/{len(content)}"}, content[first : last + 1])


@dataclass(slots=True)
class FakeTus:
    """A tus server with one upload at a time, at /tus/; `script` is what it does."""

    extensions: str = "creation,termination"
    max_request: int | None = None
    """Larger PATCH requests are refused with 413."""
    dies_above: int | None = None
    """Connections with larger PATCH requests are cut, and none of their bytes kept."""
    cuts: list[int] = field(default_factory=list)
    """Cut the next PATCH requests after so many bytes each, which are kept."""
    completion: Fields = field(default_factory=dict)
    """What the completing answer tells besides."""
    creations: int = 0
    length: int = -1
    content: bytearray = field(default_factory=bytearray)
    metadata: Fields = field(default_factory=dict)
    requests: list[tuple[str, int]] = field(default_factory=list)
    """Method and body size of each request."""

    def script(self, asked: Asked) -> Said:
        """The answer to a request."""
        self.requests.append((asked.method, asked.length))
        match asked.method:
            case "OPTIONS" if asked.path == "/tus/":
                told = {"Tus-Version": "1.0.0", "Tus-Extension": self.extensions, "Tus-Checksum-Algorithm": "sha1"}
                return Reply(204, told)
            case "POST":
                return self._created(asked)
            case "HEAD" if self.length >= 0:
                return Reply(200, {"Upload-Offset": str(len(self.content)), "Upload-Length": str(self.length)})
            case "PATCH" if self.length >= 0:
                return self._appended(asked)
            case "DELETE":
                self.length = -1
                return Reply(204)
        return Reply(404)

    def forget(self) -> None:
        """Know nothing of the upload any more."""
        self.length = -1
        self.content.clear()

    def _created(self, asked: Asked) -> Reply:
        self.forget()
        self.creations += 1
        self.length = int(asked.fields["upload-length"])
        pairs = (pair.split(" ") for pair in asked.fields["upload-metadata"].split(","))
        self.metadata = {key: b64decode(value).decode() for key, value in pairs}
        return Reply(201, {"Location": f"/tus/{self.creations}"})

    def _appended(self, asked: Asked) -> Said:
        if self.max_request is not None and asked.length > self.max_request:
            return Reply(413, {"Content-Type": "text/html"}, b"<h1>413</h1>")
        if self.dies_above is not None and asked.length > self.dies_above:
            asked.read(1000)
            return "cut"
        if int(asked.fields["upload-offset"]) != len(self.content):
            return Reply(409, {"Upload-Offset": str(len(self.content))})
        if self.cuts:
            self.content += asked.read(self.cuts.pop(0))
            return "cut"
        self.content += asked.read(asked.length)
        is_complete = len(self.content) == self.length
        return Reply(204, {"Upload-Offset": str(len(self.content)), **(self.completion if is_complete else {})})
