"""An upload that cannot be is refused early: before its body is asked for, before a disk is full of it, and cleanly."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.files import GIB, MIB, known_bytes
from tests.support.server import Server, ServerFailed, running_server, server_on_small_disk, wait_until
from tests.support.wire import Answer, Connection, Truncated, form_bytes, request, request_bytes

_SMALL_DISK = 24 * MIB
_TOO_LARGE = 40 * MIB

# A server may have read a mebibyte, and the kernel's two socket buffers hold some more that nobody ever reads.
_MOST_TAKEN = 16 * MIB


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A writable server that takes at most a mebibyte for a file."""
    with running_server(tmp_path_factory.mktemp("small"), "--max-size", str(MIB)) as server:
        yield server


@pytest.fixture
def open_server(small_server: Server) -> Iterator[Server]:
    """The same with an empty folder."""
    yield small_server
    for key in small_server.stored():
        (small_server.root / key).unlink()


@pytest.fixture(scope="module")
def closed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lets nobody write."""
    with running_server(tmp_path_factory.mktemp("closed"), "--read-only") as server:
        yield server


def test_a_body_is_asked_for_once_it_may_come(open_server: Server) -> None:
    with Connection(open_server.port) as connection:
        connection.send(_expecting("PUT", "/files/asked.txt", 7))
        assert connection.next_head().status == 100
        connection.send(b"content")
        assert connection.answer().status == 201
    assert open_server.stored() == {"asked.txt": b"content"}


_REFUSED: dict[str, tuple[str, str, int, tuple[tuple[str, str], ...], set[int]]] = {
    "a name that may not be": ("PUT", "/files/../x", 7, (), {400, 403, 404}),
    "our own folder": ("PUT", "/files/.fileserver/x", 7, (), {400, 403, 404}),
    "too long": ("PUT", "/files/x", MIB + 1, (), {413}),
    "a precondition": ("PUT", "/files/x", 7, (("If-Match", '"other"'),), {412}),
    "a part": ("PUT", "/files/x", 7, (("Content-Range", "bytes 0-6/9"),), {400}),
    "no form": ("POST", "/files/", 7, (("Content-Type", "text/plain"),), {400, 415}),
    "a form without boundary": ("POST", "/files/", 7, (("Content-Type", "multipart/form-data"),), {400, 415}),
    "an unknown step": ("POST", "/transform?nonsense=1", 7, (("Content-Type", "text/csv"),), {400}),
}


@pytest.mark.parametrize("why", _REFUSED)
def test_a_body_that_would_be_refused_is_not_asked_for(open_server: Server, why: str) -> None:
    method, target, length, fields, statuses = _REFUSED[why]
    with Connection(open_server.port) as connection:
        connection.send(_expecting(method, target, length, *fields))
        head = connection.head()
        assert (head.status in statuses, head.interim) == (True, ()), head
        assert head.get("connection") == "close"
    assert open_server.stored() == {}


def test_a_client_that_keeps_a_refused_body_back_is_let_go(open_server: Server) -> None:
    with Connection(open_server.port) as connection:
        connection.send(_expecting("PUT", "/files/x", 10 * GIB))
        assert connection.answer().status == 413
        assert connection.read_to_end() == b""


@pytest.mark.parametrize(("method", "target"), [("PUT", "/files/x"), ("DELETE", "/files/x"), ("POST", "/files/")])
def test_a_read_only_server_asks_for_no_body(closed_server: Server, method: str, target: str) -> None:
    kind, _ = form_bytes()
    with Connection(closed_server.port) as connection:
        connection.send(_expecting(method, target, 7, kind))
        head = connection.head()
        assert (head.status in (403, 405), head.interim) == (True, ())
        assert head.status == 403 or "GET" in (head.get("allow") or "")
    assert closed_server.stored() == {}


def test_a_huge_body_that_is_refused_is_not_swallowed(open_server: Server) -> None:
    answer, sent = _pour(open_server, "/files/huge.bin", 10 * GIB)
    assert answer.status == 413
    assert sent < _MOST_TAKEN
    assert (open_server.stored(), open_server.drafts()) == ({}, [])


def test_a_huge_body_to_a_read_only_server_is_not_swallowed(closed_server: Server) -> None:
    answer, sent = _pour(closed_server, "/files/huge.bin", 10 * GIB)
    assert answer.status in (403, 405)
    assert sent < _MOST_TAKEN


@pytest.mark.parametrize("size", [MIB, MIB + 1])
def test_the_largest_size_is_kept_to_the_byte(open_server: Server, size: int) -> None:
    content = known_bytes(size)
    announced = request(open_server.port, "PUT", "/files/announced.bin", body=content).status
    chunked = request_bytes("PUT", "/files/chunked.bin", ("Transfer-Encoding", "chunked"), body=_chunked(content))
    kind, body = form_bytes(("form.bin", content))
    form = request(open_server.port, "POST", "/files/", kind, body=body).status
    with Connection(open_server.port) as connection:
        connection.send(chunked)
        poured = connection.answer().status
    if size <= MIB:
        assert (announced, poured) == (201, 201)
        assert form in (200, 201)
        assert set(open_server.stored().values()) == {content}
        assert len(open_server.stored()) == 3
    else:
        assert (announced, poured, form) == (413, 413, 413)
        assert open_server.stored() == {}
    assert open_server.drafts() == []


@pytest.mark.parametrize("way", ["announced", "chunked", "form"])
def test_a_full_disk_is_507_and_leaves_nothing(tmp_path: Path, way: str) -> None:
    with _server_short_of_room(tmp_path) as server:
        before = _used(server)
        assert request(server.port, "PUT", "/files/kept.bin", body=b"kept").status == 201
        assert _WAYS[way](server.port, known_bytes(_TOO_LARGE)).status == 507
        wait_until(server.drafts, lambda drafts: drafts == [])
        assert server.stored() == {"kept.bin": b"kept"}
        assert _used(server) - before < MIB, "room stays taken"
        assert request(server.port, "PUT", "/files/after.bin", body=known_bytes(8 * MIB)).status == 201


@contextmanager
def _server_short_of_room(root: Path) -> Iterator[Server]:
    """A server on a disk of its own that is soon full; where none may be mounted, one whose files may not grow."""
    try:
        with server_on_small_disk(root, _SMALL_DISK) as server:
            yield server
    except ServerFailed as failed:
        if "mount" not in str(failed) and "unshare" not in str(failed):
            raise
        with running_server(root, prefix=("prlimit", f"--fsize={_SMALL_DISK}")) as server:
            yield server


def _put_announced(port: int, content: bytes) -> Answer:
    return request(port, "PUT", "/files/large.bin", body=content)


def _put_chunked(port: int, content: bytes) -> Answer:
    return request(port, "PUT", "/files/large.bin", ("Transfer-Encoding", "chunked"), body=_chunked(content))


def _post_form(port: int, content: bytes) -> Answer:
    kind, body = form_bytes(("small.bin", b"small"), ("large.bin", content))
    return request(port, "POST", "/files/", kind, body=body)


_WAYS: dict[str, Callable[[int, bytes], Answer]] = {
    "announced": _put_announced,
    "chunked": _put_chunked,
    "form": _post_form,
}


def _used(server: Server) -> int:
    """Bytes that the files in the server's folder take, its own included."""
    return sum(path.lstat().st_size for path in server.root.rglob("*") if path.is_file())


def _expecting(method: str, target: str, length: int, *fields: tuple[str, str]) -> bytes:
    """A head alone, whose body waits for a 100."""
    promise = (("Content-Length", str(length)), ("Expect", "100-continue"), ("Connection", "keep-alive"))
    return request_bytes(method, target, *promise, *fields)


def _chunked(content: bytes) -> bytes:
    """The content in chunks of 64 KiB (RFC 9112 s.7.1)."""
    pieces = [content[start : start + 65536] for start in range(0, len(content), 65536)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _pour(server: Server, target: str, length: int) -> tuple[Answer, int]:
    """Announce `length` bytes and send until the server has had enough; its answer, and the bytes the kernel took."""
    with Connection(server.port) as connection:
        connection.send(request_bytes("PUT", target, ("Content-Length", str(length)), ("Connection", "keep-alive")))
        pourer = threading.Thread(target=_send_until_closed, args=(connection, length))
        pourer.start()
        try:
            answer = connection.answer()
            assert answer.head.get("connection") == "close"
        finally:
            pourer.join(30)
        assert not pourer.is_alive(), "the server neither reads nor closes"
        return answer, connection.sent


def _send_until_closed(connection: Connection, length: int) -> None:
    block = bytes(MIB)
    try:
        while connection.sent < length:
            connection.send(block)
    except (OSError, Truncated):
        return
