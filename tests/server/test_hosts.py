"""A server answers to its own names only: a page whose name was made to point here (rebinding) gets nothing."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.conftest import Start
from tests.support.refusals import assert_refusal, assert_refuses, unheard
from tests.support.server import Serve, Server, running_server
from tests.support.wire import Connection, request, request_bytes

_HELLO = b"hello, world\n"
_NAMED = "files.example,*.cdn.example"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """A server for each way of saying what it answers to."""
    folder = tmp_path_factory.mktemp("hosts")
    (folder / "hello.txt").write_bytes(_HELLO)
    with (
        running_server(folder) as by_default,
        running_server(folder, "--allowed-hosts", _NAMED) as named,
        running_server(folder, "--allowed-hosts", "*") as any_name,
        running_server(folder, "--host", "0.0.0.0") as everywhere,
    ):
        yield {"by default": by_default, "named": named, "any name": any_name, "everywhere": everywhere}


_OWN = (
    "localhost",
    "LOCALHOST",
    "localhost:8000",
    "localhost:",
    "a.localhost",
    "a.b.localhost:1",
    "127.0.0.1",
    "127.0.0.1:8000",
    "10.1.2.3",
    "[::1]",
    "[::1]:8000",
    "[2001:db8::1]",
    "[2001:DB8:0:0::1]",
    "[::ffff:127.0.0.1]",
)
_FOREIGN = (
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil-localhost",
    "evillocalhost",
    "localhost-evil.example",
    "local",
    "example",
    "256.0.0.1",
    "xn--bcher-kva.example",
)
_NAMED_TOO = (
    "files.example",
    "FILES.example",
    "files.example:8443",
    "a.cdn.example",
    "a.b.cdn.example",
    "A.Cdn.Example:80",
)
_NOT_NAMED = ("cdn.example", "acdn.example", "a.files.example", "files.example.evil", "a.cdn.example.evil", "example")
_NO_AUTHORITY = ("a b", "a/b", "user@host", "user@localhost", "host:99999x", "[::1", "", ":80", "localhost:80:80")

_SERVED = [
    *(("by default", host) for host in _OWN),
    *(("named", host) for host in (*_OWN, *_NAMED_TOO)),
    *(("any name", host) for host in (*_OWN, *_NAMED_TOO, "evil.example", "cdn.example")),
    *(("everywhere", host) for host in (*_OWN, "evil.example")),
]
_MISDIRECTED = [
    *(("by default", host) for host in (*_FOREIGN, *_NAMED_TOO)),
    *(("named", host) for host in (*_NOT_NAMED, "evil.example", "localhost.evil.example")),
]


@pytest.mark.parametrize(("which", "host"), _SERVED)
def test_a_server_answers_to_its_names(servers: dict[str, Server], which: str, host: str) -> None:
    answer = request(servers[which].port, "GET", "/files/hello.txt", ("Host", host))
    assert (answer.status, answer.body) == (200, _HELLO)


@pytest.mark.parametrize(("which", "host"), _MISDIRECTED)
def test_a_request_for_another_name_is_421(servers: dict[str, Server], which: str, host: str) -> None:
    with unheard(servers[which]):
        assert_refuses(servers[which].port, _asking(host), 421)


@pytest.mark.parametrize("which", ["by default", "named", "any name", "everywhere"])
@pytest.mark.parametrize("host", _NO_AUTHORITY)
def test_what_is_no_name_at_all_is_400_everywhere(servers: dict[str, Server], which: str, host: str) -> None:
    with unheard(servers[which]):
        assert_refuses(servers[which].port, _asking(host), 400)


@pytest.mark.parametrize("target", ["/", "/files/hello.txt", "/docs", "/openapi.json", "/metrics", "/health", "*"])
def test_nothing_is_told_to_another_name(servers: dict[str, Server], target: str) -> None:
    sent = request_bytes("OPTIONS" if target == "*" else "GET", target, ("Host", "evil.example"))
    with unheard(servers["by default"]):
        assert_refuses(servers["by default"].port, sent, 421)


@pytest.mark.parametrize(
    ("method", "target"), [("PUT", "/files/x"), ("POST", "/files/"), ("DELETE", "/files/hello.txt")]
)
def test_nothing_is_changed_for_another_name(servers: dict[str, Server], method: str, target: str) -> None:
    server = servers["by default"]
    with unheard(server):
        assert_refuses(server.port, request_bytes(method, target, ("Host", "evil.example"), body=b"x" * 100_000), 421)
    assert server.stored() == {"hello.txt": _HELLO}


def test_no_body_is_asked_for_in_another_name(servers: dict[str, Server]) -> None:
    """A 100 before the refusal would be an interim answer, of which a refusal has none."""
    expecting = (("Host", "evil.example"), ("Content-Length", "5"), ("Expect", "100-continue"))
    with unheard(servers["by default"]):
        assert_refuses(servers["by default"].port, request_bytes("PUT", "/files/x", *expecting), 421)


@pytest.mark.parametrize("which", ["by default", "named"])
@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://evil.example/files/hello.txt", "localhost"),
        ("http://evil.example:80/files/hello.txt", "127.0.0.1"),
        ("https://evil.example/files/hello.txt", "localhost"),
        ("HTTP://EVIL.EXAMPLE/files/hello.txt", "localhost"),
        ("http://evil.example?localhost", "localhost"),
        ("http://localhost.evil.example/", "localhost"),
    ],
)
def test_the_authority_of_a_target_counts_as_well(
    servers: dict[str, Server], which: str, target: str, host: str
) -> None:
    """RFC 9112 s.3.2.2: a server takes the authority of an absolute-form target for Host."""
    with unheard(servers[which]):
        assert_refuses(servers[which].port, request_bytes("GET", target, ("Host", host)), 421)


@pytest.mark.parametrize("target", ["http://localhost/files/hello.txt", "http://[::1]:8000/files/hello.txt"])
def test_an_absolute_target_of_ours_is_served(servers: dict[str, Server], target: str) -> None:
    assert request(servers["by default"].port, "GET", target, ("Host", "localhost")).body == _HELLO


def test_a_name_in_a_forwarded_field_counts_for_nothing(servers: dict[str, Server]) -> None:
    fields = (("X-Forwarded-Host", "localhost"), ("Forwarded", "host=localhost"))
    assert_refuses(servers["by default"].port, _asking("evil.example", *fields), 421)
    fields = (("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example"))
    answer = request(servers["by default"].port, "GET", "/files/hello.txt", ("Host", "localhost"), *fields)
    assert answer.body == _HELLO


def test_http_1_0_needs_no_name(servers: dict[str, Server]) -> None:
    """A browser, the only one that can be rebound, always sends one."""
    with Connection(servers["named"].port) as connection:
        connection.send(b"GET /files/hello.txt HTTP/1.0\r\n\r\n")
        assert connection.answer().body == _HELLO


def test_a_name_behind_a_good_request_is_looked_at_too(servers: dict[str, Server]) -> None:
    with Connection(servers["by default"].port) as connection:
        connection.send(_asking("localhost", ("Connection", "keep-alive")) + _asking("evil.example"))
        assert connection.answer().body == _HELLO
        assert_refusal(connection.answer(), 421)
        assert connection.ending() == (b"", "close")


@pytest.mark.parametrize("way", ["flag", "environment", "file"])
def test_names_are_a_setting_like_any_other(serve: Serve, tmp_path: Path, way: str) -> None:
    config = tmp_path / "fileserver.toml"
    config.write_text(f'allowed_hosts = "{_NAMED}"\n')
    folder = tmp_path / "files"
    folder.mkdir()
    match way:
        case "flag":
            server = serve(folder, "--allowed-hosts", _NAMED)
        case "environment":
            server = serve(folder, prefix=("env", f"FILESERVER_ALLOWED_HOSTS={_NAMED}"))
        case _:
            server = serve(folder, "--config", str(config))
    assert request(server.port, "GET", "/health", ("Host", "a.cdn.example")).status < 400
    assert_refuses(server.port, _asking("evil.example"), 421)


def test_several_workers_answer_to_the_same_names(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, "--workers", "2", "--allowed-hosts", _NAMED)
    for _ in range(10):
        assert_refuses(server.port, _asking("evil.example"), 421)
        assert request(server.port, "GET", "/health", ("Host", "files.example")).status < 400


@pytest.mark.parametrize(("names", "status"), [({}, b"200"), ({"allowed_hosts": _NAMED}, b"421")])
def test_a_unix_socket_answers_to_any_name_unless_told(
    start: Start, tmp_path: Path, names: dict[str, object], status: bytes
) -> None:
    path = tmp_path / "socket"
    start(uds=path, **names)
    assert _status_on(path, "whatever.example") == status
    assert _status_on(path, "localhost") == b"200"


def _status_on(path: Path, host: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(_asking(host))
        with connection.makefile("rb") as answer:
            return answer.readline().split()[1]


def _asking(host: str, *fields: tuple[str, str]) -> bytes:
    return request_bytes("GET", "/files/hello.txt", ("Host", host), *fields)
