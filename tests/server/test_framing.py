"""What is no good HTTP/1.1 is refused with a whole answer, unheard by the application; what is good is served."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.support.files import MIB, known_bytes
from tests.support.heads import MALFORMED, NOT_DONE, TOO_LARGE, Table, fields, get, head_of, put, put_chunked
from tests.support.refusals import assert_refusal, assert_refused, assert_refuses, unheard
from tests.support.server import Serve, Server, running_server, wait_until
from tests.support.wire import Connection, Truncated, request, request_bytes

_HELLO = b"hello, world\n"
_LARGE = known_bytes(8 * MIB)
"""More than the kernel holds of an answer that is not read."""

# Deadlines that no test reaches: whatever is refused here is refused for what was sent.
_PATIENT = ("--header-timeout", "600", "--keep-alive-timeout", "600", "--min-rate", "0")

# A server may have read a mebibyte, and the kernel's two socket buffers hold some more that nobody ever reads.
_MOST_TAKEN = 16 * MIB


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A patient server with two files."""
    with running_server(_folder(tmp_path_factory), *_PATIENT) as running:
        yield running


@pytest.fixture(scope="module", params=["--zero-copy", "--no-zero-copy"])
def sender(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same, once for each way of sending a file."""
    with running_server(_folder(tmp_path_factory), *_PATIENT, request.param) as running:
        yield running


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with small limits of its own."""
    limits = ("--max-request-line", "100", "--max-header-size", "1024", "--max-header-fields", "8")
    with running_server(_folder(tmp_path_factory), *_PATIENT, *limits) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(server: Server) -> Iterator[None]:
    """No test meets what a failed one has let through."""
    yield
    (server.root / "never.bin").unlink(missing_ok=True)


def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("framing")
    (folder / "hello.txt").write_bytes(_HELLO)
    (folder / "large.bin").write_bytes(_LARGE)
    return folder


_REFUSED: Table = {**MALFORMED, **NOT_DONE, **TOO_LARGE}


@pytest.mark.parametrize("why", _REFUSED)
def test_what_is_no_good_head_is_refused(server: Server, why: str) -> None:
    sent, statuses = _REFUSED[why]
    with unheard(server):
        assert_refuses(server.port, sent, *statuses)


@pytest.mark.parametrize("why", ["a folded line", "two lengths", "no Host", "gzip, chunked", "HTTP/2.0", "many fields"])
def test_what_comes_byte_by_byte_is_refused_too(server: Server, why: str) -> None:
    sent, statuses = _REFUSED[why]
    with unheard(server), Connection(server.port) as connection:
        with suppress(ConnectionError):
            for place in range(len(sent)):
                connection.send(sent[place : place + 1])
        assert_refusal(connection.answer(), *statuses)


_SERVED = {
    "HTTP/1.0 without Host": get(host=None, version=b"1.0"),
    "HTTP/1.0 with Host": get(version=b"1.0"),
    "an empty line first": b"\r\n" + get(b"Connection: close"),
    "an absolute target": head_of(b"GET http://localhost/files/hello.txt HTTP/1.1", b"Host: localhost"),
    "an absolute target in capitals": head_of(
        b"GET HTTP://LOCALHOST:80/files/hello.txt HTTP/1.1", b"Host: LOCALHOST:80"
    ),
    "a Host with an empty port": get(host=b"Host: localhost:"),
    "spaces around a Host": get(host=b"Host: \t localhost \t"),
    "a Host in brackets": get(host=b"Host: [::1]:8000"),
    "names in any letters": get(host=b"hOsT: localhost"),
    "a value of nothing": get(b"X-A:"),
    "a tab in a value": get(b"X-A: a\tb"),
    "a value beyond ASCII": get(b"X-A: caf\xe9 \xe2\x82\xac"),
    "a length of no body": get(b"Content-Length: 0"),
    "as many fields as may be": get(*fields(127)),
    "as much in fields as may nearly be": get(*fields(60, 1000)),
    "as long a query as may be": head_of(
        b"GET /files/hello.txt?%s HTTP/1.1" % (b"a" * (8192 - len("/files/hello.txt?"))), b"Host: localhost"
    ),
}


@pytest.mark.parametrize("what", _SERVED)
def test_what_is_unusual_but_good_is_served(server: Server, what: str) -> None:
    with Connection(server.port) as connection:
        connection.send(_SERVED[what])
        answer = connection.answer()
        assert (answer.status, answer.body) == (200, _HELLO)


_NARROW: Table = {
    "a target": (head_of(b"GET /%s HTTP/1.1" % (b"a" * 100), b"Host: localhost"), (414,)),
    "the bytes of fields": (get(b"X-A: " + b"a" * 1024), (431,)),
    "the number of fields": (get(*fields(8)), (431,)),
}


@pytest.mark.parametrize("what", _NARROW)
def test_the_settings_set_the_limits_of_a_head(narrow: Server, what: str) -> None:
    sent, statuses = _NARROW[what]
    with unheard(narrow):
        assert_refuses(narrow.port, sent, *statuses)


def test_a_head_within_narrow_limits_is_served(narrow: Server) -> None:
    with Connection(narrow.port) as connection:
        connection.send(get(*fields(7, 100)))
        assert connection.answer().body == _HELLO


# What is sent first, what then again and again, and the statuses it may be refused with.
_ENDLESS: dict[str, tuple[bytes, bytes, tuple[int, ...]]] = {
    "fields": (get()[:-2], b"X-A: aaaaaaaa\r\n" * 1000, (431,)),
    "a value": (get()[:-2] + b"X-A: ", b"a" * 16384, (431,)),
    "a name": (get()[:-2] + b"X", b"a" * 16384, (431,)),
    "a space after a name": (get()[:-2] + b"X-A:", b" " * 16384, (431,)),
    "a target": (b"GET /", b"a" * 16384, (414,)),
    "a query": (b"GET /?", b"a" * 16384, (414,)),
    "an authority": (b"GET http://", b"a" * 16384, (400, 414)),
    "a method": (b"G", b"E" * 16384, (400,)),
    "empty lines": (b"", b"\r\n" * 8192, (400, 431)),
    "a chunk's extension": (put_chunked(b"5;"), b"a" * 16384, (400,)),
    "a chunk's size": (put_chunked(), b"0" * 16384, (400,)),
    "extensions of small chunks": (put_chunked(), b"1;%s\r\na\r\n" % (b"a" * 100) * 100, (400,)),
    "trailer fields": (put_chunked(b"5\r\nnever\r\n0\r\n"), b"X-A: aaaaaaaa\r\n" * 1000, (400, 431)),
    "a trailer field": (put_chunked(b"5\r\nnever\r\n0\r\nX-A: "), b"a" * 16384, (400, 431)),
}


@pytest.mark.parametrize("what", _ENDLESS)
def test_what_never_ends_is_refused_soon(server: Server, what: str) -> None:
    start, piece, statuses = _ENDLESS[what]
    with Connection(server.port) as connection:
        with suppress(ConnectionError):
            connection.send(start)
            while connection.sent < 2 * _MOST_TAKEN:
                connection.send(piece)
        assert_refusal(connection.answer(), *statuses)
        assert connection.sent < _MOST_TAKEN
    _assert_nothing_came(server)


def test_a_refused_client_that_stays_is_let_go(server: Server) -> None:
    assert request(server.port, "GET", "/files/hello.txt").status == 200
    before = wait_until(lambda: server.stats().descriptors["socket"])
    with Connection(server.port) as connection:
        connection.send(get(b"X-A : a"))
        assert_refused(connection, 400)
        wait_until(lambda: server.stats().descriptors["socket"], lambda count: count <= before)


_BROKEN_CHUNKS = {
    "a size of letters": put_chunked(b"zz\r\nnever\r\n0\r\n\r\n"),
    "a negative size": put_chunked(b"-5\r\nnever\r\n0\r\n\r\n"),
    "a size with its base": put_chunked(b"0x5\r\nnever\r\n0\r\n\r\n"),
    "a size beyond all numbers": put_chunked(b"10000000000000005\r\nnever\r\n0\r\n\r\n"),
    "a size of nothing": put_chunked(b"\r\nnever\r\n0\r\n\r\n"),
    "a space before the size": put_chunked(b" 5\r\nnever\r\n0\r\n\r\n"),
    "bare LF after the size": put_chunked(b"5\nnever\r\n0\r\n\r\n"),
    "bare LF after the data": put_chunked(b"5\r\nnever\n0\r\n\r\n"),
    "more data than said": put_chunked(b"4\r\nnever\r\n0\r\n\r\n"),
    "less data than said": put_chunked(b"6\r\nnever\r\n0\r\n\r\n"),
    "bare LF in an extension": put_chunked(b"5;a\nnever\r\n0\r\n\r\n"),
    "a folded trailer": put_chunked(b"5\r\nnever\r\n0\r\nX-A: a\r\n b\r\n\r\n"),
    "extensions longer than data": put_chunked(b"1;%s\r\na\r\n" % (b"a" * 200) * 5000, b"0\r\n\r\n"),
    "trailers longer than data": put_chunked(b"5\r\nnever\r\n0\r\n", b"X-A: aaaaaaaaaaaaaa\r\n" * 50_000, b"\r\n"),
}


@pytest.mark.parametrize("why", _BROKEN_CHUNKS)
def test_a_body_of_broken_chunks_is_refused_and_not_stored(server: Server, why: str) -> None:
    with Connection(server.port) as connection:
        with suppress(ConnectionError):
            connection.send(_BROKEN_CHUNKS[why])
        assert_refusal(connection.answer(), 400)
    _assert_nothing_came(server)


_GOOD_CHUNKS = {
    "one": b"5\r\nhello\r\n0\r\n\r\n",
    "of a byte each, a million": b"1\r\na\r\n" * 1_000_000 + b"0\r\n\r\n",
    "sizes in any letters, with zeros": b"000A\r\n0123456789\r\n0a\r\n0123456789\r\n00\r\n\r\n",
    "with extensions": b'5;name;name=value;name="a quoted value"\r\nhello\r\n0;last\r\n\r\n',
    "with trailers": b"5\r\nhello\r\n0\r\nX-Signature: 0123\r\nX-Other: a\r\n\r\n",
    "none": b"0\r\n\r\n",
}


@pytest.mark.parametrize("what", _GOOD_CHUNKS)
def test_a_body_of_good_chunks_is_taken(server: Server, what: str) -> None:
    with Connection(server.port) as connection:
        connection.send(put_chunked(_GOOD_CHUNKS[what]).replace(b"chunked", b"CHUNKED", 1))
        assert connection.answer().status == 201


def test_a_trailer_is_no_header(server: Server) -> None:
    """The access line tells of header fields when the request is over, and would tell of these."""
    body = b"5\r\nhello\r\n0\r\nUser-Agent: smuggled\r\nRange: bytes=0-\r\nHost: evil.example\r\n\r\n"
    with Connection(server.port) as connection:
        connection.send(put_chunked(body).replace(b"never", b"trailed") + get())
        assert connection.answer().status == 201
        assert connection.answer().body == _HELLO
    lines = wait_until(lambda: [line for line in server.access_lines() if line.get("path") == "/files/trailed.bin"])
    assert [(line["user_agent"], line["range"]) for line in lines] == [(None, None)]


def test_a_trailer_does_not_decide_about_the_connection(server: Server) -> None:
    """Whatever comes of it, client and server agree: the next request is answered, or the end was announced."""
    with Connection(server.port) as connection:
        connection.send(put_chunked(b"5\r\nhello\r\n0\r\nConnection: close\r\n\r\n").replace(b"never", b"closed"))
        answer = connection.answer()
        assert answer.status == 201
        if answer.head.get("connection") == "close":
            assert connection.ending() == (b"", "close")
        else:
            connection.send(get())
            assert connection.answer().body == _HELLO


_BEHIND = (
    "a folded line",
    "a length before chunked",
    "gzip, chunked",
    "HTTP/2.0",
    "a long target",
    "long values together",
)


@pytest.mark.parametrize("why", _BEHIND)
@pytest.mark.parametrize("when", ["at once", "midway"])
def test_a_bad_request_does_not_harm_the_answer_before_it(sender: Server, why: str, when: str) -> None:
    bad, statuses = _REFUSED[why]
    good = get().replace(b"hello.txt", b"large.bin")
    with Connection(sender.port, receive_buffer=65536) as connection:
        connection.send(good + (bad if when == "at once" else b""))
        head = connection.head()
        start = connection.read(MIB)
        if when == "midway":
            connection.send(bad)
        assert start + connection.read(len(_LARGE) - MIB) == _LARGE
        assert head.status == 200
        assert_refused(connection, *statuses)


def test_a_bad_request_waits_for_an_answer_that_takes_its_time(serve: Serve, tmp_path: Path) -> None:
    content = _LARGE[: 128 * 1024]
    (tmp_path / "slow.bin").write_bytes(content)
    server = serve(tmp_path, *_PATIENT, "--limit-rate", "256KiB")
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(server.port)) for _ in _BEHIND]
        for connection, why in zip(connections, _BEHIND, strict=True):
            connection.send(get().replace(b"hello.txt", b"slow.bin") + _REFUSED[why][0])
        for connection, why in zip(connections, _BEHIND, strict=True):
            assert connection.answer().body == content
            assert_refused(connection, *_REFUSED[why][1])


def test_several_good_requests_before_a_bad_one_are_all_answered(server: Server) -> None:
    put = request_bytes("PUT", "/files/piped.bin", ("Connection", "keep-alive"), body=b"piped")
    with Connection(server.port) as connection:
        connection.send(put + get() + get().replace(b"hello.txt", b"piped.bin") + get(b"X-A : a") + get())
        assert [connection.answer().body for _ in range(3)][1:] == [_HELLO, b"piped"]
        assert_refused(connection, 400)


def test_good_requests_in_a_pipeline_are_answered_in_order(server: Server) -> None:
    for number in range(100):
        (server.root / f"piped-{number}.txt").write_text(f"the content of {number}")
    wanted = b"".join(get().replace(b"hello.txt", b"piped-%d.txt" % number) for number in range(100))
    with Connection(server.port) as connection:
        connection.send(wanted)
        bodies = [connection.answer().body.decode() for _ in range(100)]
    assert bodies == [f"the content of {number}" for number in range(100)]


def test_nothing_behind_a_last_request_is_answered(server: Server) -> None:
    with Connection(server.port) as connection:
        connection.send(get(b"Connection: close") + get())
        assert connection.answer().body == _HELLO
        assert connection.read_to_end() == b""


_UPGRADES = {
    "h2c": (b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA", b"Connection: Upgrade, HTTP2-Settings"),
    "websocket": (
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
    "something unheard of": (b"Upgrade: pigeon/1", b"Connection: keep-alive, upgrade"),
}


@pytest.mark.parametrize("what", _UPGRADES)
def test_an_upgrade_is_ignored(server: Server, what: str) -> None:
    with Connection(server.port) as connection:
        connection.send(get(*_UPGRADES[what]).replace(b"hello.txt", b"large.bin"))
        head = connection.head()
        assert (head.status, head.interim, head.get("upgrade")) == (200, (), None)
        assert connection.body(head) == _LARGE
        connection.send(get())
        assert connection.answer().body == _HELLO


def test_an_upgrade_with_a_body_keeps_its_body(server: Server) -> None:
    """As Java's HttpClient sends it unless told otherwise."""
    sent = put(*_UPGRADES["h2c"], b"Content-Length: 5", body=b"hello").replace(b"never", b"upgraded")
    with Connection(server.port) as connection:
        connection.send(sent)
        assert connection.answer().status == 201
    assert (server.root / "upgraded.bin").read_bytes() == b"hello"


def test_curl_that_would_rather_speak_http2_gets_both(server: Server) -> None:
    url = f"{server.url}/files/hello.txt"
    command = ["curl", "--silent", "--show-error", "--fail", "--http2", "-w", "%{http_version} ", url, url]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (_HELLO + b"1.1 ") * 2


def test_a_body_is_asked_for_when_it_is_wanted(server: Server) -> None:
    expecting = (b"Content-Length: 5", b"Expect: 100-continue")
    with Connection(server.port) as connection:
        connection.send(put(*expecting).replace(b"never", b"expected"))
        assert connection.next_head().status == 100
        connection.send(b"hello")
        assert connection.answer().status == 201


@pytest.mark.parametrize("line", [b"X-A : a", b"Host: localhost", b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_a_refused_request_is_not_asked_for_its_body(server: Server, line: bytes) -> None:
    with unheard(server):
        assert_refuses(server.port, put(b"Content-Length: 5", b"Expect: 100-continue", line), 400)


def test_a_head_cut_short_by_its_client_is_not_answered_with_half_a_word(server: Server) -> None:
    with unheard(server), Connection(server.port) as connection:
        connection.send(get()[:-2])
        connection.finish()
        with suppress(Truncated):
            assert_refusal(connection.answer(), 400, 408)


def _assert_nothing_came(server: Server) -> None:
    """The upload is neither stored nor kept as a draft."""
    wait_until(server.drafts, lambda drafts: drafts == [])
    assert not (server.root / "never.bin").exists()
