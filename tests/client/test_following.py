"""Events over connections that break: none is missed, none comes twice, and a server that has no events is left."""

import random
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from fileserver.client.errors import Failed
from fileserver.client.following import events_of
from fileserver.client.retries import Patience
from fileserver.client.web import Web
from fileserver.http import event_stream
from tests.client.scripted_web import Asked, Reply, Said, Script, scripted_web

SSE = {"Content-Type": "text/event-stream; charset=utf-8"}
DEADLINE_S = 30
PREAMBLE = event_stream.preamble(retry_ms=0, last_id=None)


@dataclass(slots=True)
class Feed:
    """So many numbered events, after the one that the reader has seen; each answer ends as `how` says, 204 the last."""

    count: int
    how: Callable[[bytes], Reply]
    asked: list[str | None] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Said:
        last_id = asked.fields.get("last-event-id")
        self.asked.append(last_id)
        first = int(last_id or 0) + 1
        if first > self.count:
            return Reply(204)
        events = (event_stream.event(f"{n}\n{'x' * n}", last_id=str(n)) for n in range(first, self.count + 1))
        return self.how(PREAMBLE + b"".join(events))


def numbers(script: Script, *, waits: list[float] | None = None, retries: int = 3, last_id: str = "") -> list[int]:
    """The numbers that the events tell."""
    patience = Patience(retries, print, wait=(waits if waits is not None else []).append)
    with scripted_web(script) as origin:
        events = events_of(Web(origin), f"{origin}/events", patience, last_id=last_id)
        return [int(event.content.split("\n")[0]) for event in events]


def test_cut_anywhere_nothing_is_missed_and_nothing_comes_twice() -> None:
    source = random.Random(7)

    def cut(body: bytes) -> Reply:
        size = source.randint(1, 2000)
        return Reply(200, SSE, body, sent=size if size < len(body) else None)

    feed = Feed(200, cut)
    assert numbers(feed, retries=20) == list(range(1, 201))
    assert len(feed.asked) > 10


def test_a_stream_that_only_ends_is_asked_for_more() -> None:
    feed = Feed(30, lambda body: Reply(200, SSE, body[: body.index(b"\n\n", 60) + 2]))
    assert numbers(feed) == list(range(1, 31))
    assert len(feed.asked) > 2


def test_the_first_request_says_what_is_known() -> None:
    feed = Feed(5, lambda body: Reply(200, SSE, body))
    assert numbers(feed, last_id="3") == [4, 5]
    assert feed.asked == ["3", "5"]


def test_a_place_without_an_event_is_gone_on_from() -> None:
    asked: list[str | None] = []

    def script(request: Asked) -> Reply:
        asked.append(request.fields.get("last-event-id"))
        preamble = event_stream.preamble(retry_ms=0, last_id="40")
        return Reply(200, SSE, preamble) if len(asked) == 1 else Reply(204)

    assert numbers(script) == []
    assert asked == [None, "40"]


def test_where_the_stream_begins_is_told_once() -> None:
    feed = Feed(5, lambda body: Reply(200, SSE, body[: body.index(b"\n\n", len(PREAMBLE)) + 2]))
    begun: list[str] = []
    with scripted_web(feed) as origin:
        events = events_of(Web(origin), origin, Patience(3, print, wait=str), last_id="3", begun=begun.append)
        assert [event.last_id for event in events] == ["4", "5"]
    assert begun == ["3"]  # and not 4, which came in the same block
    assert len(feed.asked) > 2


def test_a_connection_that_stands_again_is_told_once() -> None:
    replies: list[Said] = ["cut", Reply(503), Reply(200, SSE, event_stream.event("1")), Reply(204)]
    said: list[str] = []
    with scripted_web(lambda asked: replies.pop(0)) as origin:
        assert len(list(events_of(Web(origin), origin, Patience(3, said.append, wait=str)))) == 1
    assert [text for text in said if "trying again" not in text] == ["connected again"]
    assert said.index("connected again") == 2


def test_the_server_says_when_to_come_back() -> None:
    replies = [Reply(200, SSE, event_stream.preamble(retry_ms=12_000, last_id=None)), Reply(204)]
    waits: list[float] = []
    numbers(lambda asked: replies.pop(0), waits=waits)
    assert waits == [12]


def test_trouble_of_the_server_is_told_and_lived_through() -> None:
    fault = event_stream.event('{"type":"error","code":"storage-failed","detail":"Come again."}', kind="error")
    replies: list[Said] = [Reply(503), Reply(200, SSE, event_stream.event("1") + fault), "cut", Reply(204)]
    said: list[str] = []
    with scripted_web(lambda asked: replies.pop(0)) as origin:
        patience = Patience(3, said.append, wait=str)
        assert [event.content for event in events_of(Web(origin), origin, patience)] == ["1"]
    troubles = [text for text in said if "trying again" in text]
    assert "the server broke off: Come again." in troubles[1]
    assert len(troubles) == 3


def test_an_answer_that_is_cut_off_in_its_head_is_asked_for_again() -> None:
    head = b"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Type: text/ev"
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            for said in (head, b"HTTP/1.1 204 No Content\r\n\r\n"):
                with listener.accept()[0] as connection:
                    connection.recv(65536)
                    connection.sendall(said)

        answering = threads.submit(answer)
        troubles: list[str] = []
        assert list(events_of(Web(origin), origin, Patience(3, troubles.append, wait=str))) == []
        answering.result(DEADLINE_S)
    assert "broke off in its head" in troubles[0]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(404), "answers 404"),
        (Reply(200, {"Content-Type": "text/html"}, b"<p>data: 1</p>"), "does not answer with events"),
        (Reply(200, SSE, PREAMBLE), "given up after 4 tries"),
        (Reply(200, SSE, b""), "given up after 4 tries"),
        (Reply(200, SSE, b"data: 1\n\n", sent=3), "given up after 4 tries"),
    ],
)
def test_who_has_no_events_is_left(reply: Reply, said: str) -> None:
    with pytest.raises(Failed, match=said):
        numbers(lambda asked: reply)


def test_who_has_enough_ends_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        serving = pool.submit(_serve_once, listening)
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with closing(events_of(Web(origin), origin, Patience(0, print))) as events:
            assert next(events).content == "1"
        assert serving.result(DEADLINE_S) == b""


def _serve_once(listening: socket.socket) -> bytes:
    """Answer with one event and no end; what comes after the request, up to the client's end of the connection."""
    connection, _ = listening.accept()
    with connection:
        connection.settimeout(DEADLINE_S)
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + event_stream.event("1"))
        return connection.recv(65536)
