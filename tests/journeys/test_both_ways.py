"""A file comes the same to the last byte, whether the kernel sends it or we do; and the figures tell which way."""

import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.files import GIB, MIB, known_bytes, make_file
from tests.support.server import Serve, Server, running_server, wait_until
from tests.support.sparse import make_sparse
from tests.support.wire import Answer, Connection, Truncated, request, request_bytes

_KIB = 1024
_WAYS = ("--zero-copy", "--no-zero-copy")
_SIZES = (0, 1, *(size + by for size in (64 * _KIB, 256 * _KIB) for by in (-1, 0, 1)), 3 * MIB)
"""Around the sizes at which the way, or the number of its pieces, changes."""

_LARGE = known_bytes(3 * MIB)
_SENT = 'fileserver_sent_bytes_total{{way="{}"}}'

Field = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Both:
    """Two servers over one folder: the one sends without a copy, the other never does."""

    zero_copy: Server
    chunks: Server

    def same(self, method: str, name: str, *fields: Field) -> Answer:
        """The answer that both give."""
        one, other = (
            _without_chance(request(server.port, method, f"/files/{name}", *fields))
            for server in (self.zero_copy, self.chunks)
        )
        assert one == other
        return one


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both, over a file of each size."""
    folder = tmp_path_factory.mktemp("both-ways")
    for size in _SIZES:
        (folder / f"{size}.bin").write_bytes(known_bytes(size))
    with ExitStack() as stack:
        yield Both(*(stack.enter_context(running_server(folder, way)) for way in _WAYS))


@pytest.fixture(params=_WAYS)
def one(request: pytest.FixtureRequest, both: Both) -> Server:
    """Each of the two."""
    return both.zero_copy if request.param == _WAYS[0] else both.chunks


@pytest.mark.parametrize("size", _SIZES)
def test_a_whole_file(both: Both, size: int) -> None:
    answer = both.same("GET", f"{size}.bin")
    assert (answer.status, answer.body) == (200, known_bytes(size))
    assert answer.head.get("content-length") == str(size)


@pytest.mark.parametrize("size", _SIZES)
def test_its_head(both: Both, size: int) -> None:
    head, whole = both.same("HEAD", f"{size}.bin").head, both.same("GET", f"{size}.bin").head
    assert (head, head.status) == (whole, 200)


_RANGES = {
    "the first byte": ("0-0", slice(0, 1)),
    "the second": ("1-1", slice(1, 2)),
    "the first half": ("0-1572863", slice(0, 1572864)),
    "the middle": ("1000-1999999", slice(1000, 2_000_000)),
    "a little less than 64 KiB": ("7-65541", slice(7, 65542)),
    "64 KiB": ("7-65542", slice(7, 65543)),
    "a little more": ("7-65543", slice(7, 65544)),
    "the last byte": ("3145727-3145727", slice(-1, None)),
    "all but the first": ("1-", slice(1, None)),
    "a place within": ("3000000-", slice(3_000_000, None)),
    "more than there is": ("3000000-99999999", slice(3_000_000, None)),
    "a suffix of one": ("-1", slice(-1, None)),
    "a large suffix": ("-2000000", slice(-2_000_000, None)),
    "a suffix of more than all": ("-99999999", slice(0, None)),
    "all": ("0-", slice(0, None)),
}


@pytest.mark.parametrize("what", _RANGES)
def test_a_range(both: Both, what: str) -> None:
    field, span = _RANGES[what]
    answer = both.same("GET", f"{3 * MIB}.bin", ("Range", f"bytes={field}"))
    assert (answer.status, answer.body) == (206, _LARGE[span])


@pytest.mark.parametrize("size", [size for size in _SIZES if size])
def test_the_ends_of_a_file(both: Both, size: int) -> None:
    first = both.same("GET", f"{size}.bin", ("Range", "bytes=0-0"))
    last = both.same("GET", f"{size}.bin", ("Range", "bytes=-1"))
    assert first.body + last.body == known_bytes(size)[:1] + known_bytes(size)[-1:]


_MANY = {
    "small ones": ("0-9,1000-1009,-10", ((0, 10), (1000, 1010), (3 * MIB - 10, 3 * MIB))),
    "large ones": ("0-999999,2000000-2999999", ((0, 1_000_000), (2_000_000, 3_000_000))),
    "small and large": (
        "5-5,100000-999999,2000000-2000000,-600000",
        ((5, 6), (100_000, 1_000_000), (2_000_000, 2_000_001), (3 * MIB - 600_000, 3 * MIB)),
    ),
    "a large one last": ("0-0,500000-", ((0, 1), (500_000, 3 * MIB))),
}


@pytest.mark.parametrize("what", _MANY)
def test_many_ranges(both: Both, what: str) -> None:
    field, spans = _MANY[what]
    answer = both.same("GET", f"{3 * MIB}.bin", ("Range", f"bytes={field}"))
    assert answer.status == 206
    assert (answer.head.get("content-type") or "").startswith("multipart/byteranges")
    assert _parts(answer.body) == [(f"bytes {a}-{b - 1}/{3 * MIB}", _LARGE[a:b]) for a, b in spans]


@pytest.mark.parametrize("size", [1, 3 * MIB])
def test_a_range_that_is_not_there(both: Both, size: int) -> None:
    answer = both.same("GET", f"{size}.bin", ("Range", f"bytes={size}-"))
    assert (answer.status, answer.head.get("content-range")) == (416, f"bytes */{size}")


@pytest.mark.parametrize("field", ["0-", "0-0", "-1"])
def test_a_range_of_nothing(both: Both, field: str) -> None:
    """A server may ignore a Range (RFC 9110 s.14.2), and of an empty file that says more than 416."""
    answer = both.same("GET", "0.bin", ("Range", f"bytes={field}"))
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_client_has_is_not_sent(both: Both, method: str) -> None:
    etag = both.same("HEAD", f"{3 * MIB}.bin").head.get("etag") or ""
    answer = both.same(method, f"{3 * MIB}.bin", ("If-None-Match", etag))
    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize(("is_current", "status"), [(True, 206), (False, 200)])
def test_a_range_of_what_the_client_has(both: Both, status: int, *, is_current: bool) -> None:
    etag = both.same("HEAD", f"{3 * MIB}.bin").head.get("etag") or ""
    fields = ("Range", "bytes=100000-"), ("If-Range", etag if is_current else '"another"')
    answer = both.same("GET", f"{3 * MIB}.bin", *fields)
    assert (answer.status, answer.body) == (status, _LARGE[100_000:] if is_current else _LARGE)


def test_eight_ranges_at_once(one: Server) -> None:
    step = 3 * MIB // 8

    def part(number: int) -> bytes:
        field = ("Range", f"bytes={number * step}-{(number + 1) * step - 1}")
        return request(one.port, "GET", f"/files/{3 * MIB}.bin", field).body

    with ThreadPoolExecutor(8) as clients:
        assert b"".join(clients.map(part, range(8))) == _LARGE


def test_requests_one_after_another_over_one_connection(one: Server) -> None:
    with Connection(one.port) as connection:
        for size in (*_SIZES, *_SIZES):
            connection.send(request_bytes("GET", f"/files/{size}.bin", ("Connection", "keep-alive")))
            assert connection.answer().body == known_bytes(size)


@pytest.mark.parametrize("taken", [0, 1, 100_000, 3 * MIB - 1])
def test_a_download_goes_on_where_it_was_cut(one: Server, taken: int) -> None:
    target = f"/files/{3 * MIB}.bin"
    with Connection(one.port) as connection:
        connection.send(request_bytes("GET", target))
        head = connection.head()
        start = connection.read(taken)
        connection.reset()
    rest = request(one.port, "GET", target, ("Range", f"bytes={taken}-"), ("If-Range", head.get("etag") or ""))
    assert (rest.status, start + rest.body) == (206, _LARGE)


def test_a_file_beyond_four_gibibytes(both: Both) -> None:
    path, across, last = both.chunks.root / "sparse.bin", known_bytes(200_000, seed=2), known_bytes(100_000, seed=3)
    make_sparse(path, 5 * GIB, {4 * GIB - 100_000: across, 5 * GIB - 100_000: last})
    field = ("Range", f"bytes={4 * GIB - 100_000}-{4 * GIB + 99_999}")
    assert both.same("GET", "sparse.bin", field).body == across
    assert both.same("GET", "sparse.bin", ("Range", "bytes=-100000")).body == last
    assert both.same("HEAD", "sparse.bin").head.get("content-length") == str(5 * GIB)


@pytest.mark.parametrize("way", _WAYS)
def test_a_limited_download_takes_its_time_and_is_whole(serve: Serve, tmp_path: Path, way: str) -> None:
    content = known_bytes(300_000)
    (tmp_path / "limited.bin").write_bytes(content)
    server = serve(tmp_path, way, "--limit-rate", "200KB")
    started_s = time.monotonic()
    assert request(server.port, "GET", "/files/limited.bin").body == content
    assert time.monotonic() - started_s > 1


@pytest.mark.parametrize("way", _WAYS)
def test_a_server_that_stops_cuts_what_nobody_reads(serve: Serve, tmp_path: Path, way: str) -> None:
    make_file(tmp_path / "huge.bin", 64 * MIB)
    server = serve(tmp_path, way, "--drain-timeout", "0.1")
    with Connection(server.port, receive_buffer=16384) as connection:
        connection.send(request_bytes("GET", "/files/huge.bin"))
        head = connection.head()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0
        with pytest.raises(Truncated):
            connection.body(head)


@pytest.mark.parametrize(("way", "by_zero_copy"), [(_WAYS[0], 3 * MIB), (_WAYS[1], 0)])
def test_the_figures_tell_the_way(both: Both, way: str, by_zero_copy: int) -> None:
    server = both.zero_copy if way == _WAYS[0] else both.chunks
    before = _sent(server)
    request(server.port, "GET", f"/files/{3 * MIB}.bin")
    after = wait_until(lambda: _sent(server), lambda sent: sum(sent) - sum(before) >= 3 * MIB)
    assert after[0] - before[0] == by_zero_copy


def test_a_head_moves_nothing(both: Both) -> None:
    before = _sent(both.zero_copy)
    request(both.zero_copy.port, "HEAD", f"/files/{3 * MIB}.bin")
    assert _sent(both.zero_copy)[0] == before[0]


def _sent(server: Server) -> tuple[float, float]:
    """Bytes sent so far by zero copy and in chunks."""
    metrics = server.metrics()
    return metrics[_SENT.format("zerocopy")], metrics[_SENT.format("chunks")]


def _without_chance(answer: Answer) -> Answer:
    """The answer without its date, and with a boundary that is always the same."""
    boundary = re.search("boundary=([^;]+)", answer.head.get("content-type") or "")
    fields, body = answer.head.fields, answer.body
    if boundary is not None:
        fields = tuple((name, value.replace(boundary[1], "boundary")) for name, value in fields)
        body = body.replace(boundary[1].encode(), b"boundary")
    kept = tuple((name, value) for name, value in fields if name != "date")
    return Answer(type(answer.head)(answer.status, kept, answer.head.interim), body)


def _parts(body: bytes) -> list[tuple[str, bytes]]:
    """Content-Range and content of each part of a multipart/byteranges body (RFC 9110 s.14.6)."""
    assert body.endswith(b"\r\n--boundary--\r\n")
    parts = []
    for part in b"\r\n".join((b"", body)).removesuffix(b"\r\n--boundary--\r\n").split(b"\r\n--boundary\r\n")[1:]:
        head, content = part.split(b"\r\n\r\n", 1)
        fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n"))
        parts.append((fields["content-range"], content))
    return parts
