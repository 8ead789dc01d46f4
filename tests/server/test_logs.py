"""What the log says of answers that could not be finished."""

import signal
from pathlib import Path

import pytest

from tests.support.server import Serve, wait_until
from tests.support.wire import Connection, Truncated, request, request_bytes


def test_a_torn_answer_is_one_line_without_a_traceback(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"id,name\n" + b"1,a\n" * 4_000_000 + b"2\n")
    server = serve(tmp_path)
    with pytest.raises(Truncated) as cut:
        request(server.port, "GET", "/transform/t.csv")
    assert cut.value.received.startswith(b"id,name\n1,a\n")
    log = wait_until(server.log, lambda text: "torn off" in text)
    assert "An answer was torn off: RowFault" in log
    assert "Traceback" not in log


def test_a_stream_that_a_stop_cuts_off_goes_without_a_word(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(b"one\n")
    server = serve(tmp_path)
    with Connection(server.port) as connection:
        connection.send(request_bytes("GET", "/files/app.log?tail"))
        connection.head()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
    assert "Traceback" not in server.log()
