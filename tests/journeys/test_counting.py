"""What the log says of a download that its client left midway."""

from pathlib import Path

import pytest

from tests.support.files import MIB, make_file
from tests.support.server import Serve, wait_until
from tests.support.wire import Connection, request_bytes

_SIZE = 64 * MIB


@pytest.mark.parametrize("way", ["--zero-copy", "--no-zero-copy"])
def test_the_bytes_that_left_are_counted(serve: Serve, tmp_path: Path, way: str) -> None:
    make_file(tmp_path / "film.bin", _SIZE)
    server = serve(tmp_path, way)
    with Connection(server.port, receive_buffer=65536) as connection:
        connection.send(request_bytes("GET", "/files/film.bin"))
        connection.head()
        connection.read(MIB)
        connection.reset()
    (line,) = wait_until(server.access_lines)
    assert line["aborted"] == "client"
    assert MIB <= line["bytes_out"] < _SIZE
