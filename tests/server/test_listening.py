"""Addresses and sockets, and what is said of those that cannot be had."""

import json
import signal
import socket
from pathlib import Path

import pytest

from fileserver.server.listening import CannotListen, listening, urls
from fileserver.settings import Settings
from tests.server.conftest import Start
from tests.support.wire import request


def test_a_free_port_is_chosen_and_told() -> None:
    settings = Settings(port=0)
    with listening(settings) as sockets:
        (url,) = urls(settings, sockets)
        port = sockets[0].getsockname()[1]
        assert url == f"http://127.0.0.1:{port}/"
        socket.create_connection(("127.0.0.1", port)).close()


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("localhost", ["localhost"]),
        ("127.9.9.9", ["127.9.9.9"]),
        ("0.0.0.0", ["127.0.0.1", socket.gethostname()]),
    ],
)
def test_the_urls_are_ones_that_a_person_can_use(host: str, names: list[str]) -> None:
    settings = Settings(host=host, port=0)
    with listening(settings) as sockets:
        port = sockets[0].getsockname()[1]
        assert list(urls(settings, sockets)) == [f"http://{name}:{port}/" for name in names]


def test_the_prefix_is_part_of_the_url() -> None:
    settings = Settings(port=0, root_path="/shelf/")
    with listening(settings) as sockets:
        assert urls(settings, sockets)[0].endswith("/shelf/")


def test_a_port_in_use_is_told() -> None:
    with listening(Settings(port=0)) as (taken,):
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"port {port} of 127.0.0.1 is in use"), listening(Settings(port=port)):
            pass


@pytest.mark.parametrize(
    ("host", "said"), [("203.0.113.7", "Cannot assign requested address"), ("host.invalid", "not an address")]
)
def test_an_address_of_somebody_else_is_told(host: str, said: str) -> None:
    with pytest.raises(CannotListen, match=said), listening(Settings(host=host)):
        pass


def test_a_unix_domain_socket_is_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with listening(Settings(uds=path)) as sockets:
        assert path.is_socket()
        assert urls(Settings(uds=path), sockets) == (f"unix:{path}",)
    assert not path.exists()


def test_a_socket_left_by_a_killed_server_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    with listening(Settings(uds=path)):
        assert path.is_socket()


def test_a_socket_in_use_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with listening(Settings(uds=path)):
        with pytest.raises(CannotListen, match="in use"), listening(Settings(uds=path)):
            pass
        assert path.is_socket()


def test_a_file_in_the_place_of_a_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_text("dear")
    with pytest.raises(CannotListen, match="not a socket"), listening(Settings(uds=path)):
        pass
    assert path.read_text() == "dear"


@pytest.mark.parametrize("workers", [1, 2])
def test_requests_come_through_a_unix_domain_socket(start: Start, tmp_path: Path, workers: int) -> None:
    path = tmp_path / "socket"
    server = start(uds=path, workers=workers)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /pid HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("trusted", "client", "scheme"),
    [("", "127.0.0.1", "http"), ("192.0.2.1", "127.0.0.1", "http"), ("127.0.0.0/8", "198.51.100.7", "https")],
)
def test_forwarded_fields_are_believed_from_trusted_proxies_alone(
    start: Start, trusted: str, client: str, scheme: str
) -> None:
    server = start(forwarded_allow_ips=trusted)
    spoofed = (("X-Forwarded-For", "203.0.113.9, 198.51.100.7"), ("X-Forwarded-Proto", "https"))
    seen = json.loads(request(server.port, "GET", "/client", *spoofed).body)
    assert (seen["client"][0], seen["scheme"]) == (client, scheme)


def test_an_answer_tells_the_date_and_not_the_server(start: Start) -> None:
    head = request(start().port, "GET", "/pid").head
    assert head.get("date")
    assert head.get("server") is None
