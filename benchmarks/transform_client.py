"""A client of transforms: it sends and reads at the same time, and takes no answer for whole that is not."""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from socket import SHUT_RDWR, socket
from urllib.parse import urlencode

from benchmarks.load import LoadFailed

ANSWER_S = 600.0
READ_SIZE = 1 << 20

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its bytes, its digest where one was asked for, and seconds since the request began."""

    size: int
    sha256: str
    first_byte_s: float
    seconds: float


def asked(port: int, path: str, query: Query, upload: Path | None = None, *, is_hashed: bool = False) -> Answer:
    """Send the file, or nothing, and read the answer meanwhile. Raises LoadFailed unless it is a 200 with its end."""
    digest, size, first_byte_s, started_s = hashlib.sha256(), 0, 0.0, time.perf_counter()
    with answering(port, path, query, upload) as response:
        for piece in _pieces(response):
            if not size:
                first_byte_s = time.perf_counter() - started_s
            size += len(piece)
            if is_hashed:
                digest.update(piece)
    return Answer(size, digest.hexdigest() if is_hashed else "", first_byte_s, time.perf_counter() - started_s)


@contextmanager
def answering(port: int, path: str, query: Query, upload: Path | None = None) -> Iterator[HTTPResponse]:
    """The head of the answer; its body is still to be read while a thread sends the file."""
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    target = f"{path}?{urlencode(query)}"
    connection.putrequest("GET" if upload is None else "POST", target, skip_accept_encoding=True)
    if upload is not None:
        connection.putheader("Content-Type", "text/csv")
        connection.putheader("Content-Length", str(upload.stat().st_size))
    connection.endheaders()
    wire = connection.sock
    sender = threading.Thread(target=_send, args=(wire, upload), daemon=True)
    sender.start()
    try:
        response = connection.getresponse()
        if response.status != 200:
            raise LoadFailed(f"{target}: {response.status} {response.read(2000).decode(errors='replace')}")
        yield response
    except (HTTPException, OSError) as failed:
        raise LoadFailed(f"{target}: {failed!r}") from failed
    finally:
        with suppress(OSError):
            wire.shutdown(SHUT_RDWR)  # closing alone would leave the sender where it waits
        sender.join()
        connection.close()


def _send(wire: socket, upload: Path | None) -> None:
    if upload is not None:
        with suppress(OSError), upload.open("rb") as file:  # a server may have enough before the end: the answer tells
            wire.sendfile(file)


def _pieces(response: HTTPResponse) -> Iterator[memoryview]:
    room = memoryview(bytearray(READ_SIZE))
    first = response.read(1)  # apart, or the first piece would be told of when it is full
    if first:
        yield memoryview(first)
    while count := response.readinto(room):
        yield room[:count]
    if response.length:
        raise LoadFailed(f"the answer lacks {response.length} bytes")
